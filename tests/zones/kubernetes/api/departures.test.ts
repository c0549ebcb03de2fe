/** Endpoints that leave a slice are there a moment longer; those that come are there at once. */

import test from 'ava';
import fc from 'fast-check';

import { Departures, DEPARTURE_DELAY } from '../../../../zones/kubernetes/api/departures.ts';
import type { ClusterChange, EndpointSlice } from '../../../../zones/kubernetes/objects.ts';
import { ClusterRecorder } from '../../../support/cluster-recorder.ts';
import { endpoint, port, puts, removal, slice } from '../../../support/example-cluster.ts';
import { ManualTime } from '../../../support/manual-time.ts';

type Scene = {
  readonly time: ManualTime;
  readonly cluster: ClusterRecorder;
  readonly departures: Departures;
  /** The addresses that are told of, as `service/address`, each once. */
  readonly seen: () => readonly string[];
};

function scene(): Scene {
  const time = new ManualTime();
  const cluster = new ClusterRecorder();
  const departures = new Departures(time, cluster.change);
  const seen = (): readonly string[] => {
    const names = cluster.names('EndpointSlice').map((name) => name.split('/')[1] ?? '');
    const slices = names.flatMap((name) => cluster.get('EndpointSlice', 'ns', name) ?? []);
    return [...new Set(slices.flatMap((each) => addressesOf(each as EndpointSlice)))].toSorted(); // asked for by that kind
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

test('a move in two events: the endpoint is never missing, however late the second one is within the delay', (t) => {
  const { departures, time, seen } = scene();
  departures.publish([{ verb: 'replace', kind: 'EndpointSlice', objects: [db('a', 1, 2), db('b', 3)] }]);
  departures.publish(puts(db('a', 2)));
  t.deepEqual(seen(), ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3']);
  time.advance(DEPARTURE_DELAY - 1);
  t.deepEqual(seen(), ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3']);
  departures.publish(puts(db('b', 3, 1)));
  time.advance(DEPARTURE_DELAY);
  t.deepEqual(seen(), ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3']);
  t.is(time.deadlines, 0);
});

test('what is gone is gone after the delay, in slices and with them', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish(puts(db('a', 1, 2), db('b', 3)));
  departures.publish(puts(db('a', 2)));
  time.advance(DEPARTURE_DELAY / 2);
  departures.publish([removal(db('b'))]);
  t.deepEqual(seen(), ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3']);
  time.advance(DEPARTURE_DELAY / 2);
  t.deepEqual(seen(), ['db/192.0.2.2', 'db/192.0.2.3'], 'each has its own time');
  time.advance(DEPARTURE_DELAY / 2);
  t.deepEqual(seen(), ['db/192.0.2.2']);
  t.deepEqual(cluster.names('EndpointSlice'), ['ns/db-a'], 'nothing is left behind');
});

test('what comes is there at once, and costs nobody anything', (t) => {
  const { departures, time, seen, cluster } = scene();
  departures.publish(puts(db('a', 1)));
  departures.publish(puts(db('a', 1, 2), db('b', 3)));
  departures.publish(puts(db('a', 2, 1)));
  t.deepEqual(seen(), ['db/192.0.2.1', 'db/192.0.2.2', 'db/192.0.2.3']);
  t.is(cluster.batches.flat().length, 4);
  t.is(time.deadlines, 0);
});

test('a leaving endpoint and the change that took it are one step', (t) => {
  const { departures, cluster } = scene();
  departures.publish(puts(db('a', 1, 2)));
  departures.publish(puts(db('a', 2)));
  t.is(cluster.batches.length, 2);
  const [change, stay] = cluster.batches[1] ?? [];
  t.deepEqual(change, { verb: 'put', object: db('a', 2) });
  t.deepEqual(stay, { verb: 'put', object: { ...db('a', 1), name: 'db-a:1' } });
});

test('a slice that changes to another service leaves all it had', (t) => {
  const { departures, time, seen } = scene();
  departures.publish(puts(db('a', 1)));
  departures.publish(puts({ ...db('a', 1), service: 'other' }));
  t.deepEqual(seen(), ['db/192.0.2.1', 'other/192.0.2.1']);
  time.advance(DEPARTURE_DELAY);
  t.deepEqual(seen(), ['other/192.0.2.1']);
});

test('a slice that is imported from another cluster leaves all it had in the first', (t) => {
  const { departures, cluster } = scene();
  const from = (name: string): EndpointSlice => ({ ...db('a', 1), imported: { service: 'db', cluster: name } });
  departures.publish(puts(from('east')));
  departures.publish(puts(from('west')));
  t.deepEqual(cluster.get('EndpointSlice', 'ns', 'db-a:1'), { ...from('east'), name: 'db-a:1' });
});

test('an endpoint with another host name is another endpoint', (t) => {
  const { departures, cluster } = scene();
  const named = (hostname: string): EndpointSlice => ({ ...db('a'), endpoints: [endpoint('192.0.2.1', { hostname })] });
  departures.publish(puts(named('db-0')));
  departures.publish(puts(named('db-1')));
  t.deepEqual(cluster.get('EndpointSlice', 'ns', 'db-a:1'), { ...named('db-0'), name: 'db-a:1' });
});

test('a whole list is told as it is, and is what later changes are compared with', (t) => {
  const { departures, time, seen } = scene();
  departures.publish(puts(db('a', 1), db('b', 2)));
  departures.publish([{ verb: 'replace', kind: 'EndpointSlice', objects: [db('a', 3)] }]);
  t.deepEqual(seen(), ['db/192.0.2.3']);
  departures.publish(puts(db('b')));
  t.is(time.deadlines, 0);
  departures.publish(puts(db('a')));
  t.deepEqual(seen(), ['db/192.0.2.3']);
});

test('changes of other kinds, and of slices that were never there, pass', (t) => {
  const { departures, time, cluster } = scene();
  const changes: readonly ClusterChange[] = [
    { verb: 'remove', kind: 'EndpointSlice', namespace: 'ns', name: 'nosuch' },
    { verb: 'put', object: { kind: 'Namespace', namespace: '', name: 'ns' } },
  ];
  departures.publish(changes);
  t.deepEqual(cluster.batches, [changes]);
  t.is(time.deadlines, 0);
});

test('closed, it says no more', (t) => {
  const { departures, time, cluster } = scene();
  departures.publish(puts(db('a', 1)));
  departures.publish(puts(db('a')));
  departures.close();
  time.advance(DEPARTURE_DELAY);
  t.is(cluster.batches.length, 2);
});

test('at any time: all that is there, and of what is not only what left within the delay', (t) => {
  const anySlice = fc
    .tuple(fc.constantFrom('a', 'b', 'c'), fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 4 }))
    .map(([suffix, octets]) => db(suffix, ...octets));
  const step = fc.record({
    slice: anySlice,
    isRemoved: fc.boolean(),
    pause: fc.constantFrom(0, 1, DEPARTURE_DELAY / 2, DEPARTURE_DELAY),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { departures, time, seen, cluster } = scene();
      const state = new Map<string, EndpointSlice>();
      const lastThere = new Map<string, number>();
      for (const { slice: each, isRemoved, pause } of steps) {
        for (const address of [...state.values()].flatMap(addressesOf)) lastThere.set(address, time.now());
        if (isRemoved) state.delete(each.name);
        else state.set(each.name, each);
        departures.publish(isRemoved ? [removal(each)] : puts(each));
        time.advance(pause);
        const there = new Set([...state.values()].flatMap(addressesOf));
        const isRecent = ([, at]: readonly [string, number]): boolean => time.now() - at < DEPARTURE_DELAY;
        const recent = [...lastThere].filter(isRecent).map(([address]) => address);
        t.deepEqual(seen(), [...there.union(new Set(recent))].toSorted());
      }
      time.advance(DEPARTURE_DELAY);
      t.deepEqual(cluster.names('EndpointSlice'), [...state.keys()].map((name) => `ns/${name}`).toSorted());
      t.is(time.deadlines, 0);
    }),
    { numRuns: 300 },
  );
});
