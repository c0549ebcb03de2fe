/** Lists taken aside: a watch that lost something is found out and put right, and one that lost nothing never accused. */

import { setImmediate } from 'node:timers/promises';

import test from 'ava';
import fc from 'fast-check';

import { resourcesOf, type Resource } from '../../../../zones/kubernetes/api/api-resources.ts';
import { DEPARTURE_DELAY } from '../../../../zones/kubernetes/api/departures.ts';
import { Resync } from '../../../../zones/kubernetes/api/resync.ts';
import { ResourceListing, type WatchedChange } from '../../../../zones/kubernetes/api/replica.ts';
import type { Happening } from '../../../../zones/kubernetes/following.ts';
import { keyOf, textOf } from '../../../../zones/kubernetes/object-text.ts';
import { trim } from '../../../../zones/kubernetes/trim.ts';
import { follows, ofServices, scene, synced, type Scene } from '../../../support/api-scene.ts';
import { ManualTime } from '../../../support/manual-time.ts';
import { rawNamespace, rawPod, rawService, rawSlice, type RawObject } from '../../../support/raw-objects.ts';
import { sourceOptions } from '../../../support/source-options.ts';

const HOUR = 3_600_000;

/** The watch is told nothing of the next change but that it has passed it. */
function lose({ api }: Pick<Scene, 'api'>, kind: string, change: () => void): void {
  api.mangleNext(kind, (line) => {
    const { object } = JSON.parse(line) as { object: RawObject };
    const { resourceVersion } = object.metadata;
    return JSON.stringify({ type: 'BOOKMARK', object: { kind, metadata: { resourceVersion } } });
  });
  change();
}

/** Sends bookmarks until a list taken aside has come to that end, once for each of the kinds. */
async function compared(
  { api, cluster }: Scene,
  outcome: string,
  ...kinds: readonly ('Service' | 'EndpointSlice')[]
): Promise<void> {
  while (!kinds.every((kind) => `resyncs ${outcome}` in cluster.counted(kind))) {
    api.bookmark(api.version + 1);
    await setImmediate();
  }
}

test('40: what a watch has lost is put right by the next resync, counted and said once', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  lose(made, 'Service', () => api.remove('Service', 'shop', 'pay'));
  lose(made, 'Service', () => api.put(rawService('shop', 'lost')));
  lose(made, 'Service', () =>
    api.put(rawService('shop', 'cart', { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] })),
  );
  await follows(made, 'new');
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/new', 'shop/pay']);
  time.advance(HOUR);
  await compared(made, 'compared', 'Service');
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/lost', 'shop/new']);
  t.like(cluster.get('Service', 'shop', 'cart'), { clusterIPs: ['10.96.0.9'] });
  t.is(cluster.counted('Service')['gaps'], 3);
  t.is(cluster.counted('Namespace')['gaps'], undefined);
  t.is(cluster.told.length, 1);
  t.regex(
    cluster.told[0] ?? '',
    /^warning: services: 3 were not as the API server has them, the first is shop\/(cart|lost); they are put right\./,
  );
  t.is(cluster.count('replace', 'Service'), 1);
  cluster.happenings.length = 0;
  time.advance(HOUR);
  await compared(made, 'compared', 'Service');
  t.is(cluster.counted('Service')['gaps'], undefined);
});

test('a watch that has told everything is not accused, and goes on meanwhile', async (t) => {
  const made = await synced(t, { endpointSlices: true });
  const { api, cluster, time } = made;
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  api.put(rawSlice('shop', 'cart', 'abc', [{ address: '10.0.0.1' }, { address: '10.0.0.2' }]));
  api.remove('Service', 'shop', 'pay');
  await follows(made, 'new');
  await cluster.when(() => cluster.names('EndpointSlice').length === 1);
  time.advance(HOUR - DEPARTURE_DELAY / 2);
  // The slice in which an endpoint stays that is gone from its own is known here, and not to the API server.
  api.put(rawSlice('shop', 'cart', 'abc', [{ address: '10.0.0.1' }]));
  await cluster.when(() => cluster.names('EndpointSlice').length === 2);
  time.advance(DEPARTURE_DELAY / 2);
  await compared(made, 'compared', 'Service', 'EndpointSlice');
  t.is(cluster.names('EndpointSlice').length, 2);
  t.is(cluster.counted('Service')['gaps'], undefined);
  t.is(cluster.counted('EndpointSlice')['gaps'], undefined);
  t.deepEqual(cluster.told, []);
  t.is(cluster.count('replace', 'Service'), 1);
  await follows(made, 'newer');
});

test('each kind but pods is listed once in 45 to 75 minutes, whether its watch works or not', async (t) => {
  for (const [chance, minutes] of [
    [0, 45],
    [0.999_999, 75],
  ] as const) {
    const made = await scene(t, { pods: true, endpointSlices: true, imports: true });
    const { api, cluster, time } = made;
    time.chance = chance;
    api.put(rawPod('shop', 'web', '10.0.0.1'));
    const source = made.open();
    await cluster.when(
      () => cluster.isSynced('Pod') && cluster.isSynced('ServiceImport') && cluster.isSynced('EndpointSlice'),
    );
    await cluster.when(() => cluster.isSynced('Service') && cluster.isSynced('Namespace'));
    const listed = (): string[] =>
      api.log
        .filter(({ ask }) => ask === 'list')
        .map(({ kind }) => kind)
        .toSorted();
    time.advance(minutes * 60_000 - 1000);
    await setImmediate();
    t.deepEqual(listed(), []);
    const asked = ['EndpointSlice', 'Namespace', 'Service', 'ServiceImport'].map((kind) =>
      api.next((logged) => logged.kind === kind && logged.ask === 'list'),
    );
    time.advance(1000);
    await Promise.all(asked);
    t.deepEqual(listed(), ['EndpointSlice', 'Namespace', 'Service', 'ServiceImport']);
    source.close();
    while (time.deadlines > 0) await setImmediate();
  }
});

test('a list that fails is tried again at the next time, without a word to people', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'list', kind: 'Service', does: 'status', status: 500 });
  lose(made, 'Service', () => api.put(rawService('shop', 'lost')));
  await follows(made, 'new');
  time.advance(HOUR);
  await compared(made, 'failed', 'Service');
  t.deepEqual(cluster.told, []);
  t.is(cluster.counted('Service')['gaps'], undefined);
  time.advance(HOUR);
  await compared(made, 'compared', 'Service');
  t.is(cluster.counted('Service')['gaps'], 1);
  t.true(cluster.names('Service').includes('shop/lost'));
});

test('a relist in the meantime makes the comparison superfluous', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'list', kind: 'Service', does: 'mute', headers: false });
  const next = api.next(ofServices('list'));
  time.advance(HOUR);
  await next;
  api.put(rawNamespace('other'));
  api.compact();
  api.endWatches('Service');
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.is(cluster.counted('Service')['resyncs dropped'], 1);
  await follows(made, 'new');
});

// The exactness, over all orders in which a list and a watch can pass each other.

const [, SERVICES] = resourcesOf(sourceOptions()) as [Resource, Resource];

test('a list taken aside is given up when events tell more than a cluster has meanwhile', (t) => {
  const time = new ManualTime();
  const happenings: Happening[] = [];
  const resync = new Resync({
    resource: SERVICES,
    client: { text: () => new Promise(() => {}) },
    time,
    replica: { version: '1', newListing: () => new ResourceListing(SERVICES, new Map()) },
    known: () => new Map(),
    believe: () => {},
    report: () => {},
    happened: (happening) => void happenings.push(happening),
  });
  resync.start();
  t.teardown(() => resync.close());
  time.advance(HOUR);
  const remove = (i: number): void =>
    resync.applied({ verb: 'remove', kind: 'Service', namespace: 'shop', name: `s${i}` }, String(i));
  for (let i = 0; i < 300_000; i++) remove(i);
  t.deepEqual(happenings, []);
  remove(300_000);
  t.deepEqual(happenings, [{ what: 'resyncs', kind: 'Service', outcome: 'dropped' }]);
});

/** What happens to one of four services at the version of its place in the history. */
type Step = {
  readonly name: string;
  readonly ip: number;
  readonly isLost: boolean;
  /** Is it the last of a chunk, after which all of it is published? */
  readonly isPublished: boolean;
};

/** Plays a history to a resync that begins after `from` steps, lists the state after `at`, and hears of it after `come`. */
async function play(
  history: readonly Step[],
  { from, at, come }: { from: number; at: number; come: number },
): Promise<{ gaps: WatchedChange[]; happenings: Happening[]; told: Map<string, string>; truth: Map<string, string> }> {
  const time = new ManualTime();
  const told = new Map<string, string>();
  const truth = new Map<string, string>();
  const gaps: WatchedChange[] = [];
  const happenings: Happening[] = [];
  const list = Promise.withResolvers<string>();
  let version = 1;
  const resync = new Resync({
    resource: SERVICES,
    client: { text: () => list.promise },
    time,
    replica: {
      get version() {
        return String(version);
      },
      newListing: () => new ResourceListing(SERVICES, told),
    },
    known: () => told,
    believe: () => {},
    report: () => {},
    happened: (happening) => void happenings.push(happening),
  });
  resync.start();
  const pending: WatchedChange[] = [];
  const publish = (): void => {
    for (const change of pending.splice(0)) {
      if (change.verb === 'put') told.set(keyOf(change.object), textOf(change.object));
      if (change.verb === 'remove') told.delete(keyOf(change));
    }
  };
  const passTo = (passed: string): void => {
    const found = resync.before(passed, pending);
    gaps.push(...found);
    pending.push(...found);
  };
  for (let i = 0; i <= history.length; i++) {
    if (i === from) time.advance(HOUR);
    if (i === come) {
      list.resolve(listAt(history, at));
      await setImmediate();
    }
    const step = history[i];
    const passed = String(i + 2);
    if (step === undefined) {
      passTo(passed);
      break;
    }
    const object = step.ip === 0 ? undefined : trim('Service', rawOf(step), SERVICES.trim);
    const change: WatchedChange =
      object === undefined
        ? { verb: 'remove', kind: 'Service', namespace: 'shop', name: step.name }
        : { verb: 'put', object };
    if (object === undefined) truth.delete(`shop/${step.name}`);
    else truth.set(keyOf(object), textOf(object));
    if (step.isLost) continue;
    passTo(passed);
    resync.applied(change, passed);
    pending.push(change);
    if (step.isPublished) publish();
    version = i + 2;
  }
  publish();
  resync.close();
  return { gaps, happenings, told, truth };
}

function rawOf({ name, ip }: Step): RawObject {
  return rawService('shop', name, { clusterIPs: [`10.96.0.${ip}`] });
}

/** What the API server says of the moment after so many steps. */
function listAt(history: readonly Step[], at: number): string {
  const last = new Map(history.slice(0, at).map((step) => [step.name, step]));
  const items = [...last.values()].filter(({ ip }) => ip !== 0).map(rawOf);
  return JSON.stringify({ metadata: { resourceVersion: String(at + 1) }, items });
}

const STEP = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  ip: fc.nat({ max: 3 }),
  isLost: fc.boolean(),
  isPublished: fc.boolean(),
});
/** The list is asked for first; its moment and its coming may be before or after each other, for a watch can lag. */
const ORDER = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.nat({ max: 12 }))
  .map(([from, at, come]) => ({ from, at: Math.max(from, at), come: Math.max(from, come) }));

test('however a list and a watch pass each other: nothing is wrong that was told, and nothing stays lost that was before the list', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 12, maxLength: 12 }), ORDER, async (steps, order) => {
      const whole = await play(
        steps.map((step) => ({ ...step, isLost: false })),
        order,
      );
      t.deepEqual(whole.gaps, []);
      t.deepEqual(whole.happenings, [{ what: 'resyncs', kind: 'Service', outcome: 'compared' }]);
      const lossy = await play(
        steps.map((step, i) => ({ ...step, isLost: step.isLost && i < order.at })),
        order,
      );
      t.deepEqual(Object.fromEntries(lossy.told), Object.fromEntries(lossy.truth));
      const counted = lossy.happenings.find(({ what }) => what === 'gaps');
      t.is(counted !== undefined && 'count' in counted ? counted.count : 0, lossy.gaps.length);
    }),
    { numRuns: 300 },
  );
});

test('a list that is older than the watch was when it was asked for is no proof of anything', async (t) => {
  const steps = Array.from({ length: 12 }, (_, i) => ({
    name: 'a',
    ip: (i % 3) + 1,
    isLost: false,
    isPublished: true,
  }));
  const { gaps, happenings } = await play(steps, { from: 6, at: 3, come: 8 });
  t.deepEqual(gaps, []);
  t.deepEqual(happenings, [{ what: 'resyncs', kind: 'Service', outcome: 'dropped' }]);
});

test('a resync that lacks most of what was told is not believed before a list says the same', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  for (let i = 0; i < 150; i++) api.put(rawService('many', `s${i}`));
  await cluster.when(() => cluster.names('Service').length === 152);
  for (let i = 0; i < 150; i++) lose(made, 'Service', () => api.remove('Service', 'many', `s${i}`));
  await follows(made, 'new');
  time.advance(HOUR);
  while (cluster.counted('Service')['relists shrunk'] === undefined) {
    api.bookmark(api.version + 1);
    await setImmediate();
  }
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.names('Service'), ['shop/cart', 'shop/new', 'shop/pay']);
  t.is(cluster.counted('Service')['gaps'], undefined);
  t.is(cluster.counted('Service')['resyncs dropped'], 1);
});
