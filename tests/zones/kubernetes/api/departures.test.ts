/** Ready endpoints that leave a slice without a word are there a moment longer; all else is as the API has it, at once. */

import test from 'ava';
import fc from 'fast-check';

import { Departures, DEPARTURE_DELAY } from '../../../../zones/kubernetes/api/departures.ts';
import type { WatchedChange } from '../../../../zones/kubernetes/api/replica.ts';
import { Listing } from '../../../../zones/kubernetes/listing.ts';
import type { EndpointSlice } from '../../../../zones/kubernetes/objects.ts';
import type { SourceChange } from '../../../../zones/kubernetes/source.ts';
import { ClusterRecorder } from '../../../support/cluster-recorder.ts';
import { endpoint, inZones, port, puts, removal, slice } from '../../../support/example-cluster.ts';
import { ManualTime } from '../../../support/manual-time.ts';

type Scene = {
  readonly time: ManualTime;
  readonly cluster: ClusterRecorder;
  readonly departures: Departures;
  /** The addresses that are told of, as `service/address`, as often as they are. */
  readonly seen: () => readonly string[];
};

function scene(): Scene {
  const time = new ManualTime();
  const cluster = new ClusterRecorder();
  const departures = new Departures(time, () => cluster.known('EndpointSlice'), cluster.change);
  const seen = (): readonly string[] => {
    const names = cluster.names('EndpointSlice').map((name) => name.split('/')[1] ?? '');
    const slices = names.flatMap((name) => cluster.get('EndpointSlice', 'ns', name) ?? []);
    return slices.flatMap((each) => addressesOf(each as EndpointSlice)).toSorted(); // asked for by that kind
  };
  return { time, cluster, departures, seen };
}

function addressesOf({ service, endpoints }: EndpointSlice): readonly string[] {
  return endpoints.flatMap(({ addresses }) => addresses.map((address) => `${service}/${address}`));
}

/** A slice of Service `db` with these last octets. */
function db(suffix: string, ...octets: readonly number[]): EndpointSlice {
  const endpoints = octets.map((octet) => endpoint(`192.0.2.${octet}`));
  return slice('ns/db', suffix, [port('pg/TCP 5432')], endpoints);
}

/** The event of that slice, in which the endpoints with these last octets are not ready. */
function event(object: EndpointSlice, ...notReady: readonly number[]): readonly WatchedChange[] {
  return [{ verb: 'put', object, notReady: notReady.map((octet) => `192.0.2.${octet}`) }];
}

const [ONE, TWO, THREE] = ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3'];

test('a move in two events: the endpoint is there exactly once, however late the second one is within the delay', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish([{ verb: 'replace', listing: new Listing('EndpointSlice', [db('a', 1, 2), db('b', 3)]) }]);
  departures.publish(event(db('a', 2)));
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  time.advance(DEPARTURE_DELAY - 1);
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  departures.publish(event(db('b', 3, 1)));
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  t.deepEqual(cluster.names('EndpointSlice'), ['ns/db-a', 'ns/db-b']);
  t.is(time.deadlines, 0);
});

test('endpoints that move to several slices stay until each has arrived', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish([
    { verb: 'replace', listing: new Listing('EndpointSlice', [db('a', 1, 2), db('b'), db('c', 3)]) },
  ]);
  departures.publish(event(db('a')));
  departures.publish(event(db('b', 2)));
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  t.deepEqual(cluster.get('EndpointSlice', 'ns', 'db-a:1'), { ...db('a', 1), name: 'db-a:1' });
  departures.publish(event(db('c', 3, 1)));
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  t.is(time.deadlines, 0);
});

test('an endpoint that is gone from its slice and in no other one goes after the delay', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish(puts(db('a', 1, 2, 3)));
  departures.publish(event(db('a', 2, 3)));
  time.advance(DEPARTURE_DELAY / 2);
  departures.publish(event(db('a', 2)));
  t.deepEqual(seen(), [ONE, TWO, THREE]);
  time.advance(DEPARTURE_DELAY / 2);
  t.deepEqual(seen(), [TWO, THREE], 'each has its own time');
  time.advance(DEPARTURE_DELAY / 2);
  t.deepEqual(seen(), [TWO]);
  t.deepEqual(cluster.names('EndpointSlice'), ['ns/db-a'], 'nothing is left behind');
});

/** From slices `a` with 1 and 2, and `b` with 3. */
const AT_ONCE: readonly {
  readonly what: string;
  readonly changes: readonly WatchedChange[];
  readonly expected: readonly (string | undefined)[];
}[] = [
  {
    what: 'an endpoint that is no longer ready, and its end after that',
    changes: [...event(db('a', 2), 1), ...event(db('a', 2))],
    expected: [TWO, THREE],
  },
  { what: 'a slice that is deleted', changes: [removal(db('a'))], expected: [THREE] },
  {
    what: 'a slice that is deleted after its endpoints went to another',
    changes: [...event(db('b', 3, 1, 2)), removal(db('a'))],
    expected: [ONE, TWO, THREE],
  },
  {
    what: 'an endpoint that came to its new slice before it left the old one',
    changes: [...event(db('b', 3, 1)), ...event(db('a', 2))],
    expected: [ONE, TWO, THREE],
  },
  {
    what: 'an endpoint that moves and is not ready where it arrives',
    changes: [...event(db('a', 2)), ...event(db('b', 3), 1)],
    expected: [TWO, THREE],
  },
  {
    what: 'an endpoint that comes back to its slice',
    changes: [...event(db('a', 2)), ...event(db('a', 1, 2))],
    expected: [ONE, TWO, THREE],
  },
  {
    what: 'a slice that becomes another service’s',
    changes: event({ ...db('a', 1, 2), service: 'other' }),
    expected: [THREE, 'other/192.0.2.1', 'other/192.0.2.2'],
  },
  {
    what: 'endpoints that come',
    changes: event(db('b', 3, 4)),
    expected: [ONE, TWO, THREE, 'db/192.0.2.4'],
  },
];
for (const { what, changes, expected } of AT_ONCE) {
  test(`without delay: ${what}`, (t) => {
    const { departures, time, seen } = scene();
    departures.publish([{ verb: 'replace', listing: new Listing('EndpointSlice', [db('a', 1, 2), db('b', 3)]) }]);
    for (const change of changes) departures.publish([change]);
    t.deepEqual(seen(), expected);
    t.is(time.deadlines, 0);
  });
}

test('what stays has the ports, zones and cluster that it had', (t) => {
  const { departures, cluster } = scene();
  const imported = { service: 'db', cluster: 'east' };
  const before = { ...inZones(db('a', 1, 2), 'z1', 'z2'), imported };
  departures.publish(puts(before));
  departures.publish(event({ ...inZones(db('a', 1), 'z1'), imported, ports: [port('pg/TCP 9999')] }));
  const endpoints = before.endpoints.slice(1);
  t.deepEqual(cluster.get('EndpointSlice', 'ns', 'db-a:1'), { ...before, name: 'db-a:1', endpoints });
});

test('an endpoint of another service, or from another cluster, has not arrived', (t) => {
  const { departures, time, seen } = scene();
  departures.publish(puts(db('a', 1)));
  departures.publish(event(db('a')));
  departures.publish(event({ ...db('b', 1), service: 'other' }));
  departures.publish(event({ ...db('c', 1), imported: { service: 'db', cluster: 'east' } }));
  t.deepEqual(seen(), [ONE, ONE, 'other/192.0.2.1']);
  time.advance(DEPARTURE_DELAY);
  t.deepEqual(seen(), [ONE, 'other/192.0.2.1']);
});

test('an endpoint that is another at the same address has not left', (t) => {
  const { departures, cluster, time } = scene();
  const named = (hostname: string): EndpointSlice => ({ ...db('a'), endpoints: [endpoint('192.0.2.1', { hostname })] });
  departures.publish(puts(named('db-0')));
  departures.publish(event(named('db-1')));
  t.deepEqual(cluster.names('EndpointSlice'), ['ns/db-a']);
  t.is(time.deadlines, 0);
});

test('a leaving endpoint and the change that took it are one step, without what only this asks for', (t) => {
  const { departures, cluster } = scene();
  departures.publish(puts(db('a', 1, 2, 3)));
  departures.publish(event(db('a', 2), 3));
  t.deepEqual(cluster.batches.slice(1), [[...puts(db('a', 2), { ...db('a', 1), name: 'db-a:1' })]]);
});

test('a whole list is told as it is, and is what later changes are compared with', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish(puts(db('a', 1), db('b', 2)));
  departures.publish(event(db('b')));
  departures.publish([{ verb: 'replace', listing: new Listing('EndpointSlice', [db('a', 3)]) }]);
  t.deepEqual(seen(), [THREE]);
  t.is(time.deadlines, 0, 'what stayed is over');
  departures.publish(event(db('b')));
  t.is(time.deadlines, 0);
  departures.publish(event(db('a')));
  t.deepEqual(seen(), [THREE]);
  t.is(cluster.batches.length, 5);
});

test('changes of other kinds, and of slices that were never there, pass', (t) => {
  const { departures, time, cluster } = scene();
  const changes: readonly SourceChange[] = [
    { verb: 'remove', kind: 'EndpointSlice', namespace: 'ns', name: 'nosuch' },
    { verb: 'put', object: { kind: 'Namespace', namespace: '', name: 'ns' } },
  ];
  departures.publish(changes);
  t.deepEqual(cluster.batches, [changes]);
  t.is(time.deadlines, 0);
});

test('closed, it says no more', (t) => {
  const { departures, time, cluster } = scene();
  departures.publish(puts(db('a', 1), db('b', 2)));
  departures.publish(event(db('a')));
  departures.publish(event(db('b')));
  departures.close();
  time.advance(DEPARTURE_DELAY);
  t.is(cluster.batches.length, 3);
  t.is(time.deadlines, 0);
});

test('at any time: all that is there as often as it is there, and once what left without a word within the delay', (t) => {
  const octets = fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 4 });
  const step = fc.record({
    suffix: fc.constantFrom('a', 'b', 'c'),
    ready: octets,
    notReady: octets,
    isRemoved: fc.boolean(),
    pause: fc.constantFrom(0, 1, DEPARTURE_DELAY / 2, DEPARTURE_DELAY),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { departures, time, seen, cluster } = scene();
      const state = new Map<string, readonly number[]>();
      const left = new Map<number, number>();
      for (const { suffix, ready, notReady, isRemoved, pause } of steps) {
        const before = state.get(suffix) ?? [];
        if (isRemoved) state.delete(suffix);
        else {
          state.set(suffix, ready);
          const there = new Set([...state.values()].flat());
          for (const octet of before) if (!there.has(octet)) left.set(octet, time.now());
          for (const octet of [...ready, ...notReady]) left.delete(octet);
        }
        departures.publish(isRemoved ? [removal(db(suffix))] : event(db(suffix, ...ready), ...notReady));
        time.advance(pause);
        for (const [octet, at] of left) if (time.now() - at >= DEPARTURE_DELAY) left.delete(octet);
        const expected = [...state.values(), [...left.keys()]].flat().map((octet) => `db/192.0.2.${octet}`);
        t.deepEqual(seen(), expected.toSorted());
      }
      time.advance(DEPARTURE_DELAY);
      t.deepEqual(cluster.names('EndpointSlice'), [...state.keys()].map((suffix) => `ns/db-${suffix}`).toSorted());
      t.is(time.deadlines, 0);
    }),
    { numRuns: 500 },
  );
});
