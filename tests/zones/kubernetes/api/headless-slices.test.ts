/** `endpoints headless` against a real small API server: what is asked for, and two watches of one kind that fail apart. */

import test, { type ExecutionContext } from 'ava';

import type { EndpointSlice } from '../../../../zones/kubernetes/objects.ts';
import type { Source } from '../../../../zones/kubernetes/source.ts';
import { scene, type Scene } from '../../../support/api-scene.ts';
import { rawImportedSlice, rawSlice, type RawObject } from '../../../support/raw-objects.ts';

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const HEADLESS = 'service.kubernetes.io/headless';
const CONTROLLER = 'endpointslice-controller.k8s.io';
/** The selectors of the two streams. */
const CONTROLLED = `${MANAGED_BY}=${CONTROLLER},${HEADLESS}`;
const OTHERS = `${MANAGED_BY}!=${CONTROLLER}`;

const HEADLESS_ONLY = { endpointSlices: true, headlessOnly: true };

/** A scene whose slices have been read. */
async function synced(t: ExecutionContext, ...slices: readonly RawObject[]): Promise<Scene & { source: Source }> {
  const made = await scene(t, HEADLESS_ONLY);
  for (const each of slices) made.api.put(each);
  const source = made.open();
  await made.cluster.when(() => made.cluster.isSynced('EndpointSlice'));
  return { ...made, source };
}

/** A slice with these labels and no others of its controller. */
function slice(name: string, labels: Record<string, string>, hostname = 'db-0'): RawObject {
  const raw = rawSlice('shop', 'db', name, [{ address: '10.0.0.1', hostname }]);
  return { ...raw, metadata: { ...raw.metadata, labels: { 'kubernetes.io/service-name': 'db', ...labels } } };
}

const controlled = (name: string, hostname?: string): RawObject =>
  slice(name, { [MANAGED_BY]: CONTROLLER, [HEADLESS]: '' }, hostname);
const ofOthers = (name: string, hostname?: string): RawObject => slice(name, { [MANAGED_BY]: 'me' }, hostname);

for (const watchList of [true, false]) {
  test(`both selectors are asked for, beside that of labels (WatchList: ${watchList})`, async (t) => {
    const { api, cluster, open } = await scene(t, { ...HEADLESS_ONLY, labels: 'tier=front' });
    api.watchList = watchList;
    api.put(slice('in', { tier: 'front', [MANAGED_BY]: CONTROLLER, [HEADLESS]: '' }));
    api.put(slice('out', { tier: 'front', [MANAGED_BY]: CONTROLLER }));
    api.put(slice('manual', { tier: 'front' }));
    api.put(slice('another', { tier: 'back' }));
    open();
    await cluster.when(() => cluster.isSynced('EndpointSlice'));
    api.endWatches('EndpointSlice');
    api.put(slice('later', { tier: 'front' }));
    await cluster.when(() => cluster.get('EndpointSlice', 'shop', 'db-later') !== undefined);
    const selectors = (kind: string): string[] => [
      ...new Set(api.log.filter((each) => each.kind === kind).map(({ query }) => query.get('labelSelector') ?? '')),
    ];
    t.deepEqual(selectors('EndpointSlice').toSorted(), [`tier=front,${OTHERS}`, `tier=front,${CONTROLLED}`]);
    t.deepEqual(selectors('Service'), ['tier=front']);
    t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-in', 'shop/db-later', 'shop/db-manual']);
  });
}

test('slices with every mix of these labels: only what the controller makes for cluster IPs is left out', async (t) => {
  const managers = [undefined, CONTROLLER, '', 'endpointslicemirroring-controller.k8s.io', 'me'];
  const marks = [undefined, '', 'true'];
  const mixes = managers.flatMap((manager, i) =>
    marks.map((mark, j) => ({
      name: `${i}-${j}`,
      labels: {
        ...(manager === undefined ? {} : { [MANAGED_BY]: manager }),
        ...(mark === undefined ? {} : { [HEADLESS]: mark }),
      },
    })),
  );
  const { cluster } = await synced(t, ...mixes.map(({ name, labels }) => slice(name, labels)));
  const expected = mixes.map(({ name }) => `shop/db-${name}`).filter((name) => name !== 'shop/db-1-0');
  t.deepEqual(cluster.names('EndpointSlice'), expected);
});

test('imported slices are there', async (t) => {
  const { api, cluster, open } = await scene(t, { ...HEADLESS_ONLY, imports: true });
  api.put(rawImportedSlice('shop', 'cart', 'east', [{ address: '10.1.0.1' }]));
  open();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.like(cluster.get('EndpointSlice', 'shop', 'cart-east'), { imported: { service: 'cart', cluster: 'east' } });
});

test('the kind is synced when both have been listed', async (t) => {
  const { api, cluster, time, open } = await scene(t, HEADLESS_ONLY);
  api.put(controlled('a'));
  api.put(ofOthers('b'));
  api.fail({ kind: 'EndpointSlice', when: isOfOthers, does: 'status', status: 403 });
  time.hold();
  const isRead = (): boolean => cluster.reports.some(({ text }) => text.startsWith('read 1 endpointslices'));
  open();
  await cluster.when(() => isRead() && cluster.told.length > 0);
  t.false(cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.names('EndpointSlice'), []);
  time.release();
  await cluster.when(() => cluster.isSynced('EndpointSlice'));
  t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-a', 'shop/db-b']);
  t.is(cluster.count('put', 'EndpointSlice'), 0);
});

for (const [from, to] of [
  [controlled, ofOthers],
  [ofOthers, controlled],
] as const) {
  test(`a slice that goes from ${from === controlled ? 'the controller to others' : 'others to the controller'}`, async (t) => {
    const { api, cluster } = await synced(t, from('a'), from('b'), to('c'));
    api.put(to('a', 'db-2'));
    const hostnameOf = (): string | undefined =>
      (cluster.get('EndpointSlice', 'shop', 'db-a') as EndpointSlice | undefined)?.endpoints[0]?.hostname;
    await cluster.when(() => hostnameOf() === 'db-2');
    api.put(to('a', 'db-3'));
    await cluster.when(() => hostnameOf() === 'db-3');
    api.remove('EndpointSlice', 'shop', 'db-a');
    await cluster.when(() => hostnameOf() === undefined);
    t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-b', 'shop/db-c']);
    t.deepEqual(cluster.told, []);
  });
}

test('a list of one stream that is read again takes away only what that one had', async (t) => {
  const { api, cluster } = await synced(t, controlled('a'), controlled('b'), ofOthers('c'), ofOthers('d'));
  const before = cluster.count('replace', 'EndpointSlice');
  api.fail({ kind: 'EndpointSlice', on: 'watch', when: isOfOthers, does: 'status', status: 410 });
  // One is not followed while others go, and so hears of it by a list.
  api.mangleNext('EndpointSlice', () => '');
  api.remove('EndpointSlice', 'shop', 'db-c');
  api.endWatches('EndpointSlice');
  await cluster.when(() => cluster.count('replace', 'EndpointSlice') > before);
  t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-a', 'shop/db-b', 'shop/db-d']);
  t.is(cluster.count('replace', 'EndpointSlice'), before + 1);
  t.is(cluster.count('remove', 'EndpointSlice'), 0);
});

test('the trouble of one stream is not over because the other one is well', async (t) => {
  const { api, cluster, time } = await synced(t, controlled('a'), ofOthers('b'));
  time.hold();
  api.fail({ kind: 'EndpointSlice', when: isOfOthers, does: 'status', status: 403 });
  time.advance(2000);
  api.endWatches('EndpointSlice');
  await cluster.when(() => cluster.told.length > 0);
  api.put(controlled('c'));
  await cluster.when(() => cluster.get('EndpointSlice', 'shop', 'db-c') !== undefined);
  api.put(ofOthers('d'));
  await new Promise((resolve) => setImmediate(resolve));
  t.is(cluster.told.length, 1);
  t.regex(cluster.told[0] ?? '', /^warning: not allowed to watch endpointslices\.discovery\.k8s\.io /);
  time.release();
  await cluster.when(() => cluster.get('EndpointSlice', 'shop', 'db-d') !== undefined);
  t.is(cluster.told.length, 2);
  t.regex(cluster.told[1] ?? '', /^info: .*followed again/);
});

test('the two are as fresh as the one that is further behind', async (t) => {
  const { api, cluster, time, source } = await synced(t, controlled('a'), ofOthers('b'));
  const freshness = (): readonly unknown[] =>
    (source.freshness?.() ?? []).filter(({ kind }) => kind === 'EndpointSlice');
  time.hold();
  api.fail({ kind: 'EndpointSlice', when: isOfOthers, does: 'status', status: 403 });
  time.advance(2000);
  api.endWatches('EndpointSlice');
  await cluster.when(() => cluster.told.length > 0);
  time.advance(5000);
  api.put(controlled('c'));
  await cluster.when(() => cluster.get('EndpointSlice', 'shop', 'db-c') !== undefined);
  // It waits for 10 s before it asks again.
  t.like(freshness(), [{ staleness: 15, sinceByte: 17 }]);
  t.is(freshness().length, 1);
  t.regex((freshness() as readonly { trouble?: string }[])[0]?.trouble ?? '', /^not allowed to watch endpointslices/);
});

test('each stream is compared with a list of its own, and what one has lost is put right', async (t) => {
  const { api, cluster, time } = await synced(t, controlled('a'), ofOthers('b'), ofOthers('c'));
  api.mangleNext('EndpointSlice', (line) => {
    const { object } = JSON.parse(line) as { object: RawObject };
    const { resourceVersion } = object.metadata;
    return JSON.stringify({ type: 'BOOKMARK', object: { kind: 'EndpointSlice', metadata: { resourceVersion } } });
  });
  api.remove('EndpointSlice', 'shop', 'db-c');
  api.put(ofOthers('d'));
  await cluster.when(() => cluster.get('EndpointSlice', 'shop', 'db-d') !== undefined);
  t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-a', 'shop/db-b', 'shop/db-c', 'shop/db-d']);
  time.advance(3_600_000);
  const compared = (): boolean => cluster.counted('EndpointSlice')['resyncs compared'] === 2;
  while (!compared()) {
    api.bookmark(api.version + 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(cluster.names('EndpointSlice'), ['shop/db-a', 'shop/db-b', 'shop/db-d']);
  t.is(cluster.counted('EndpointSlice')['gaps'], 1);
});

function isOfOthers(query: URLSearchParams): boolean {
  return query.get('labelSelector')?.includes(OTHERS) ?? false;
}
