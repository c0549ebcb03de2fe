/** Objects that two streams tell of, in every order that two streams can have: what is shown is what either of them has. */

import test from 'ava';
import fc from 'fast-check';

import { JoinedStreams, type JoinedStream } from '../../../../zones/kubernetes/api/joined-streams.ts';
import type { WatchedChange } from '../../../../zones/kubernetes/api/replica.ts';
import { Listing } from '../../../../zones/kubernetes/listing.ts';
import type { EndpointSlice } from '../../../../zones/kubernetes/objects.ts';
import { ClusterRecorder } from '../../../support/cluster-recorder.ts';
import { endpoint, puts, removal, slice } from '../../../support/example-cluster.ts';

type Scene = {
  readonly cluster: ClusterRecorder;
  readonly streams: readonly [JoinedStream['publish'], JoinedStream['publish']];
  /** What each stream has, as names. */
  readonly known: () => readonly (readonly string[])[];
  /** What is shown, as `name@version`. */
  readonly seen: () => readonly string[];
};

function scene(): Scene {
  const cluster = new ClusterRecorder();
  const joined = new JoinedStreams('EndpointSlice', cluster.change);
  const seen = (): readonly string[] =>
    cluster.names('EndpointSlice').map((path) => {
      const name = path.split('/')[1] ?? '';
      const object = cluster.get('EndpointSlice', 'ns', name) as EndpointSlice; // asked for by that kind
      return `${name.slice('db-'.length)}@${object.endpoints[0]?.hostname}`;
    });
  const [first, second] = [joined.add(), joined.add()];
  const known = (): readonly (readonly string[])[] =>
    [first, second].map((stream) => [...stream.known().keys()].map((key) => key.slice('ns/db-'.length)).toSorted());
  return { cluster, streams: [first.publish, second.publish], known, seen };
}

/** A slice as it was written at that version. */
function db(suffix: string, version: number): EndpointSlice {
  return slice('ns/db', suffix, [], [endpoint('192.0.2.1', { hostname: String(version) })]);
}

function list(...slices: readonly EndpointSlice[]): readonly WatchedChange[] {
  return [{ verb: 'replace', listing: new Listing('EndpointSlice', slices) }];
}

test('nothing is told until both streams have been listed, and then all of it in one step', (t) => {
  const { cluster, streams, seen } = scene();
  const [first, second] = streams;
  first(list(db('a', 1)), '10');
  first(puts(db('b', 11), db('c', 12)), '12');
  first([removal(db('b', 11))], '13');
  t.deepEqual(cluster.batches, []);
  second(list(db('d', 2)), '9');
  t.deepEqual(seen(), ['a@1', 'c@12', 'd@2']);
  t.is(cluster.batches.length, 1);
  t.is(cluster.count('replace', 'EndpointSlice'), 1);
});

test('an object that moves is there in its new form, whichever stream is first', (t) => {
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const { streams, seen } = scene();
    streams[from](list(db('a', 5), db('b', 6)), '10');
    streams[to](list(), '10');
    streams[to](puts(db('a', 11)), '11');
    t.deepEqual(seen(), ['a@11', 'b@6']);
    streams[from]([removal(db('a', 5))], '11');
    t.deepEqual(seen(), ['a@11', 'b@6'], 'a removal takes nothing that the other stream has');
    streams[to]([removal(db('a', 11))], '12');
    streams[from](puts(db('a', 12)), '12');
    t.deepEqual(seen(), ['a@12', 'b@6']);
    streams[from]([removal(db('a', 12))], '13');
    t.deepEqual(seen(), ['b@6'], 'gone when it is in neither');
  }
});

test('a stream that is behind says nothing about what the other knows better', (t) => {
  const { cluster, streams, seen } = scene();
  const [late, ahead] = streams;
  late(list(db('a', 5)), '10');
  ahead(list(), '10');
  ahead(puts(db('a', 20)), '20');
  const told = cluster.batches.length;
  late(puts(db('a', 12)), '12');
  t.is(cluster.batches.length, told);
  t.deepEqual(seen(), ['a@20']);
  ahead([removal(db('a', 20))], '21');
  t.deepEqual(seen(), ['a@12'], 'it is back where the late one has not seen it go yet');
});

test('versions are compared as numbers', (t) => {
  const { streams, seen } = scene();
  streams[0](list(db('a', 9)), '9');
  streams[1](list(db('a', 10)), '10');
  t.deepEqual(seen(), ['a@10']);
});

test('a list of one stream is one step, and takes away only what that stream alone had', (t) => {
  const { cluster, streams, seen } = scene();
  streams[0](list(db('a', 1), db('b', 2), db('c', 3)), '10');
  streams[1](list(db('d', 4)), '10');
  streams[1](puts(db('b', 11)), '11');
  const told = cluster.batches.length;
  streams[0](list(db('c', 3), db('e', 12)), '12');
  t.is(cluster.batches.length, told + 1);
  t.deepEqual(seen(), ['b@11', 'c@3', 'd@4', 'e@12']);
});

test('what a stream has is its own, also where the other one knows better', (t) => {
  const { streams, known } = scene();
  streams[0](list(db('a', 1), db('b', 2)), '10');
  t.deepEqual(known(), [['a', 'b'], []]);
  streams[1](list(db('c', 3)), '10');
  streams[1](puts(db('a', 11)), '11');
  t.deepEqual(known(), [
    ['a', 'b'],
    ['a', 'c'],
  ]);
  streams[0]([removal(db('b', 12))], '12');
  t.deepEqual(known(), [['a'], ['a', 'c']]);
});

test('what an event says of endpoints that are not ready is passed on', (t) => {
  const { cluster, streams } = scene();
  for (const stream of streams) stream(list(), '10');
  const change: WatchedChange = { verb: 'put', object: db('a', 11), notReady: ['192.0.2.7'] };
  streams[1]([change], '11');
  t.deepEqual(cluster.batches.at(-1), [change]);
});

/** What happened to one object: `in` is the stream that selects it from then on. */
type Happening = { readonly name: string; readonly in: 0 | 1 | undefined };
/** What a stream does next: it reads on by so many versions, or lists everything anew. */
type Turn = { readonly stream: 0 | 1; readonly by: number; readonly isList: boolean };

test('any objects, any interleaving: shown is the newest of what each stream has, and in the end the cluster', (t) => {
  const happening: fc.Arbitrary<Happening> = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    in: fc.constantFrom(0, 1, undefined),
  });
  const turn: fc.Arbitrary<Turn> = fc.record({
    stream: fc.constantFrom(0, 1),
    by: fc.integer({ min: 1, max: 5 }),
    isList: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), fc.array(turn, { maxLength: 25 }), (history, turns) => {
      const { cluster, streams, seen } = scene();
      const end = FIRST + history.length;
      const at: [number, number] = [0, 0];
      const play = ({ stream, by, isList }: Turn): void => {
        const from = at[stream];
        const to = Math.min(Math.max(from, FIRST) + by, end);
        at[stream] = to;
        const now = selected(history, stream, to);
        if (isList || from === 0) streams[stream](list(...[...now].map(([name, v]) => db(name, v))), String(to));
        else streams[stream](eventsOf(history, stream, from, to), String(to));
        if (at.includes(0)) {
          t.deepEqual(cluster.batches, []);
          return;
        }
        const newest = new Map<string, number>();
        for (const each of [0, 1] as const) {
          for (const [name, v] of selected(history, each, at[each]))
            newest.set(name, Math.max(v, newest.get(name) ?? 0));
        }
        t.deepEqual(seen(), present(newest));
      };
      for (const each of turns) play(each);
      for (const stream of [0, 1] as const) play({ stream, by: end, isList: false });
      const cluster0 = [...selected(history, 0, end), ...selected(history, 1, end)];
      t.deepEqual(seen(), present(new Map(cluster0)));
    }),
    { numRuns: 2000 },
  );
});

const FIRST = 95;

/** What a stream selects at that version: names, and the versions at which they were last written. */
function selected(history: readonly Happening[], stream: 0 | 1, version: number): ReadonlyMap<string, number> {
  const objects = new Map<string, number>();
  for (const [i, event] of history.slice(0, version - FIRST).entries()) {
    if (event.in === stream) objects.set(event.name, FIRST + i + 1);
    else objects.delete(event.name);
  }
  return objects;
}

/** What a watch says from one version to another. */
function eventsOf(history: readonly Happening[], stream: 0 | 1, from: number, to: number): readonly WatchedChange[] {
  return history.slice(from - FIRST, to - FIRST).flatMap((event, i): readonly WatchedChange[] => {
    const version = from + i + 1;
    if (event.in === stream) return puts(db(event.name, version));
    return selected(history, stream, version - 1).has(event.name) ? [removal(db(event.name, version))] : [];
  });
}

function present(objects: ReadonlyMap<string, number>): readonly string[] {
  return [...objects].map(([name, version]) => `${name}@${version}`).toSorted();
}
