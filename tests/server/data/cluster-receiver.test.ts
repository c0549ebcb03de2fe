/** Both ends of what brings a data thread to what is known of a cluster: the feed's steps, as the receiver takes them in. */

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { ClusterFeed } from '../../../server/control/cluster-feed.ts';
import { ClusterReceiver } from '../../../server/data/cluster-receiver.ts';
import type { ClusterPart } from '../../../server/messages.ts';
import { addressOfKey, presentAddress } from '../../../zones/ip.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import type { ClusterObject, EndpointSlice, Kind } from '../../../zones/kubernetes/objects.ts';
import type { SourceChange } from '../../../zones/kubernetes/source.ts';
import { ClusterStore } from '../../../zones/kubernetes/store/store.ts';
import type { Count } from '../../../zones/units.ts';
import { endpoint, namespace, port, removal, service, slice } from '../../support/example-cluster.ts';

type Ends = {
  readonly feed: ClusterFeed;
  readonly store: ClusterStore;
  readonly receiver: ClusterReceiver;
  /** Parts that were sent and not taken in yet. */
  readonly way: ClusterPart[];
  /** The most parts that were ever on the way. */
  readonly longest: () => number;
};

/** A receiver whose thread turns only when `arrive` is called. */
function ends(atOnceMax?: Count): Ends {
  const way: ClusterPart[] = [];
  let longest = 0;
  const feed = newFeed((part) => {
    way.push(part);
    longest = Math.max(longest, way.length);
  });
  return { feed, way, longest: () => longest, ...newThread(feed, atOnceMax) };
}

function newFeed(send: (part: ClusterPart) => void): ClusterFeed {
  return new ClusterFeed({ threads: 1, wallClock: () => 1_800_000_000, send });
}

function newThread(feed: ClusterFeed, atOnceMax: Count = LARGE): Pick<Ends, 'store' | 'receiver'> {
  const store = new ClusterStore(() => 1_800_000_000);
  const receiver = new ClusterReceiver({ store, clock: () => 0, atOnceMax, taken: () => feed.taken(0) });
  return { store, receiver };
}

/** More than that is made beside the state in use. */
const LARGE: Count = 1000;

async function settle({ way, receiver }: Ends): Promise<void> {
  for (let part = way.shift(); part !== undefined; part = way.shift()) {
    receiver.take(part);
    await receiver.settled();
  }
}

/** Names of all services with their addresses, and pairs of service and ready address. */
function seen(store: ClusterStore): unknown {
  return [...store.snapshot().services.all()].map(({ namespace: space, name, service: found, slices }) => [
    `${space}/${name}`,
    found?.clusterIPs ?? [],
    slices.flatMap(({ addresses }) => addresses.map(({ key }) => presentAddress(addressOfKey(key)))).toSorted(),
  ]);
}

function big(name: string, count: number, from = 0): EndpointSlice {
  const endpoints = Array.from({ length: count }, (_, i) => endpoint(`10.${from}.${i >> 8}.${i & 255}`));
  return slice('ns/db', name, [port('pg/TCP 5432')], endpoints);
}

function listing(kind: Kind, objects: readonly ClusterObject[]): SourceChange {
  return { verb: 'replace', listing: new Listing(kind, objects) };
}

test('a step of many parts becomes visible in one, and no more than a few parts are on the way', async (t) => {
  const both = ends();
  const slices = Array.from({ length: 40 }, (_, i) => big(`s${i}`, 100, i));
  both.feed.apply([listing('Service', [service('ns/db', ['None'])]), listing('EndpointSlice', slices)]);
  const counts = new Set<number>();
  while (both.way.length > 0) {
    const part = both.way.shift();
    if (part !== undefined) both.receiver.take(part);
    counts.add(both.store.snapshot().services.get('ns', 'db')?.slices.length ?? 0);
    await both.receiver.settled();
  }
  counts.add(both.store.snapshot().services.get('ns', 'db')?.slices.length ?? 0);
  t.deepEqual([...counts], [0, 40]);
  t.is(both.longest(), 4);
  t.true(both.store.isSynced('EndpointSlice') && both.store.isSynced('Service'));
  t.false(both.store.isSynced('Namespace'));
});

test('while a thread is slow changes gather, and what changes often is sent once', async (t) => {
  const both = ends();
  both.feed.apply([{ verb: 'put', object: service('ns/a', ['192.0.2.1']) }]);
  for (let i = 2; i < 100; i++) both.feed.apply([{ verb: 'put', object: service('ns/a', [`192.0.2.${i}`]) }]);
  both.feed.apply([{ verb: 'put', object: service('ns/b', ['192.0.2.100']) }]);
  t.is(both.way.length, 1, 'the first one only');
  await settle(both);
  t.deepEqual(seen(both.store), [
    ['ns/a', ['192.0.2.99'], []],
    ['ns/b', ['192.0.2.100'], []],
  ]);
  t.is(both.longest(), 1);
});

test('who waits for what was applied is told when it is in use, and not before', async (t) => {
  const both = ends();
  const told: string[] = [];
  both.feed.whenTaken(() => void told.push('nothing'));
  t.deepEqual(told, ['nothing'], 'nothing is on the way');
  both.feed.apply([{ verb: 'put', object: service('ns/a', ['192.0.2.1']) }]);
  both.feed.whenTaken(() => void told.push('a'));
  both.feed.apply([{ verb: 'put', object: service('ns/b', ['192.0.2.2']) }]);
  both.feed.whenTaken(() => void told.push('b'));
  t.deepEqual(told, ['nothing']);
  const part = both.way.shift();
  if (part !== undefined) both.receiver.take(part);
  t.deepEqual(told, ['nothing', 'a']);
  both.way.splice(0, Infinity, ...both.feed.restart(0));
  await settle(both);
  t.deepEqual(told, ['nothing', 'a', 'b']);
});

test('a thousand removed objects go in several parts and at once', async (t) => {
  const both = ends();
  const objects = Array.from({ length: 1001 }, (_, i) => service(`ns/s${i}`, ['None']));
  both.feed.apply([listing('Service', objects)]);
  await settle(both);
  t.is([...both.store.snapshot().services.all()].length, 1001);
  both.feed.apply([listing('Service', [])]);
  const parts = both.way.map(({ removed, isLast }) => [removed.length, isLast]);
  t.deepEqual(parts, [
    [500, false],
    [500, false],
    [1, true],
  ]);
  await settle(both);
  t.deepEqual(seen(both.store), []);
});

test('an event of a slice as large as there can be costs no more than the slice', (t) => {
  const both = ends();
  const before = both.store.serial;
  both.feed.apply([{ verb: 'put', object: big('a', 1000) }]);
  for (const part of both.way) both.receiver.take(part);
  t.not(both.store.serial, before);
});

for (const [what, count, size, isAtOnce] of [
  ['a slice as large as there can be', 1, 1000, true],
  ['what a large service has', 50, 100, true],
  ['a quarter of a large cluster', 250, 100, false],
] as const) {
  test(`${what} goes ${isAtOnce ? 'at once' : 'while queries have their turn'}`, async (t) => {
    const both = ends(5000);
    const slices = Array.from({ length: count }, (_, i) => big(`s${i}`, size, i));
    both.feed.apply([listing('EndpointSlice', slices)]);
    await settle(both);
    const emptied = slices.map((one) => ({ ...one, endpoints: [] }));
    for (const left of [emptied, slices, []]) {
      both.feed.apply([listing('EndpointSlice', left)]);
      if (left === slices) {
        await settle(both);
        continue;
      }
      const before = both.store.serial;
      for (let part = both.way.shift(); part !== undefined; part = both.way.shift()) both.receiver.take(part);
      t.is(both.store.serial !== before, isAtOnce);
      await both.receiver.settled();
      await settle(both);
      t.not(both.store.serial, before);
    }
  });
}

test('what gathers at a thousand changes a second while a large step is made is itself none', (t) => {
  const store = new ClusterStore(() => 1_800_000_000);
  const receiver = new ClusterReceiver({ store, clock: () => 0, taken: () => feed.taken(0) });
  const feed = newFeed((part) => receiver.take(part));
  const slices = Array.from({ length: 49 }, (_, i) => big(`s${i}`, 100, i));
  feed.apply(slices.map((object) => ({ verb: 'put', object })));
  t.is(store.service('ns', 'db')?.slices.length, 49, 'at once, so that the next step is a small one again');
});

test('a receiver that is closed puts nothing more in use', async (t) => {
  const both = ends();
  both.feed.apply([listing('EndpointSlice', [big('a', 1000), big('b', 1000, 1)])]);
  for (const part of both.way) both.receiver.take(part);
  const settled = both.receiver.settled();
  both.receiver.close();
  await settled;
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(seen(both.store), []);
});

test('what a snapshot had is in use in one step and is stale until its kind is known whole', async (t) => {
  const both = ends();
  const { store, feed } = both;
  const slices = Array.from({ length: 40 }, (_, i) => big(`s${i}`, 100, i));
  const known = [new Listing('Service', [service('ns/db', ['None']), service('ns/old', ['192.0.2.1'])])];
  feed.load([...known, new Listing('EndpointSlice', slices)]);
  t.false(store.isStale('Service'));
  let isTaken = false;
  feed.whenTaken(() => (isTaken = true));
  t.false(isTaken);
  const counts = new Set<number>();
  while (both.way.length > 0) {
    const part = both.way.shift();
    if (part !== undefined) both.receiver.take(part);
    await both.receiver.settled();
    counts.add([...store.snapshot().services.all()].length);
  }
  t.deepEqual([...counts], [0, 2]);
  t.true(isTaken);
  t.true(store.isStale('Service') && store.isStale('EndpointSlice'));
  t.false(store.isSynced('Service') || store.isStale('Namespace'));

  const again = newThread(feed);
  for (const part of feed.restart(0)) again.receiver.take(part);
  await again.receiver.settled();
  t.deepEqual(seen(again.store), seen(store));
  t.true(again.store.isStale('Service') && !again.store.isSynced('Service'));

  feed.apply([listing('Service', [service('ns/db', ['None']), service('ns/new', ['192.0.2.2'])])]);
  t.deepEqual(
    both.way.map(({ put, removed, whole }) => [put.split('\n').length, removed.length, whole]),
    [[1, 1, ['Service']]],
    'only what is different is told',
  );
  await settle(both);
  t.false(store.isStale('Service'));
  t.true(store.isSynced('Service') && store.isStale('EndpointSlice'));
  feed.load(known);
  await settle(both);
  t.false(store.isStale('Service'), 'a snapshot that comes late changes nothing');
  t.deepEqual(
    [...store.snapshot().services.all()].map(({ name }) => name),
    ['db', 'new'],
  );
});

const anyObject: fc.Arbitrary<ClusterObject> = fc.oneof(
  fc.constantFrom('ns', 'x').map(namespace),
  fc
    .tuple(fc.constantFrom('db', 'web'), fc.nat({ max: 3 }))
    .map(([name, i]) => service(`ns/${name}`, [`192.0.2.${i}`])),
  fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(0, 1, 3, 1200)).map(([name, count]) => big(name, count)),
);
const anyChange: fc.Arbitrary<SourceChange> = fc.oneof(
  { arbitrary: anyObject.map((object): SourceChange => ({ verb: 'put', object })), weight: 4 },
  { arbitrary: anyObject.map(removal), weight: 2 },
  fc.array(anyObject, { maxLength: 4 }).map((objects) =>
    listing(
      'EndpointSlice',
      objects.filter(({ kind }) => kind === 'EndpointSlice'),
    ),
  ),
);
const anyMoment = fc.oneof(
  { arbitrary: fc.array(anyChange, { minLength: 1, maxLength: 3 }), weight: 4 },
  { arbitrary: fc.constantFrom('arrive' as const, 'settle' as const), weight: 3 },
  { arbitrary: fc.constant('restart' as const), weight: 1 },
  { arbitrary: fc.array(anyObject, { maxLength: 4 }).map((load) => ({ load })), weight: 1 },
);

test('whatever happens in whatever order, the thread comes to what is known', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyMoment, { maxLength: 25 }), (moments) => comesToTheSame(t, moments)),
    { numRuns: 200 },
  );
});

async function comesToTheSame(
  t: ExecutionContext,
  moments: readonly (
    readonly SourceChange[] | 'arrive' | 'settle' | 'restart' | { readonly load: readonly ClusterObject[] }
  )[],
): Promise<void> {
  let both = ends();
  const plain = new ClusterStore(() => 1_800_000_000);
  for (const moment of moments) {
    if (moment === 'arrive') {
      const part = both.way.shift();
      if (part !== undefined) both.receiver.take(part);
    } else if (moment === 'settle') {
      await settle(both);
    } else if (moment === 'restart') {
      both.receiver.close();
      both.way.length = 0;
      both = { ...both, ...newThread(both.feed) };
      both.way.push(...both.feed.restart(0));
    } else if ('load' in moment) {
      const kinds = new Set(moment.load.map(({ kind }) => kind));
      const listings = Array.from(
        kinds,
        (kind) =>
          new Listing(
            kind,
            moment.load.filter((one) => one.kind === kind),
          ),
      );
      both.feed.load(listings);
    } else {
      both.feed.apply(moment);
    }
  }
  await both.receiver.settled();
  await settle(both);
  for (const kind of both.feed.memory.kinds()) {
    const texts = [...both.feed.memory.texts(kind).values()];
    const objects = new Listing(
      kind,
      texts.map((text) => JSON.parse(text) as ClusterObject),
    ).objects(); // as `textOf` made them
    plain.apply([...objects].map((object) => ({ verb: 'put', object })));
    t.is(both.store.isSynced(kind), both.feed.memory.isWhole(kind));
    t.is(both.store.isStale(kind), both.feed.memory.isLoaded(kind));
  }
  t.deepEqual(seen(both.store), seen(plain));
}
