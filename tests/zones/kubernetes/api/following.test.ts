/** What an operator can see of how an API server is followed: what is counted, how fresh it is, and what is wrong. */

import test from 'ava';

import { follows, expire, ofServices, opened, scene, synced, type Scene } from '../../../support/api-scene.ts';
import { rawService } from '../../../support/raw-objects.ts';
import type { Freshness } from '../../../../zones/kubernetes/following.ts';
import type { Source } from '../../../../zones/kubernetes/source.ts';

/** A scene whose services are watched, and the source that reads it. */
async function watched(t: Parameters<typeof scene>[0]): Promise<Scene & { source: Source; services: () => Freshness }> {
  const made = await scene(t);
  const source = made.open();
  await made.cluster.when(() => made.cluster.isSynced('Service') && made.cluster.isSynced('Namespace'));
  const services = (): Freshness => {
    const found = source.freshness?.().find(({ kind }) => kind === 'Service');
    if (found === undefined) throw new Error('services are not followed');
    return found;
  };
  return { ...made, source, services };
}

test('a first list and its watch count nothing; then each change is an event, and bookmarks are none', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  t.deepEqual(cluster.happenings, []);
  await follows(made, 'new');
  api.bookmark(api.version + 1);
  api.remove('Service', 'shop', 'pay');
  await cluster.when(() => cluster.names('Service').length === 2);
  t.deepEqual(cluster.counted('Service'), { events: 2 });
  t.deepEqual(cluster.counted('Namespace'), {});
});

test('a change that is older than what is known is counted as dropped', async (t) => {
  const { api, cluster } = await synced(t);
  for (const version of ['2000', '1999', '2000', '2001']) {
    const object = rawService('shop', `at-${version}`);
    object.metadata.resourceVersion = version;
    api.write('Service', `${JSON.stringify({ type: 'ADDED', object })}\n`);
  }
  await cluster.when(() => cluster.get('Service', 'shop', 'at-2001') !== undefined);
  t.deepEqual(cluster.counted('Service'), { events: 2, 'dropped-events': 2 });
});

test('a watch that the server ends is a reconnect, one that breaks off or cannot be opened is told apart', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  time.advance(2000);
  let next = api.next(ofServices('watch'));
  api.endWatches('Service');
  await next;
  t.deepEqual(cluster.counted('Service'), { 'reconnects ended': 1 });
  api.fail({ on: 'watch', kind: 'Service', does: 'status', status: 503 });
  api.fail({ on: 'watch', kind: 'Service', does: 'end' });
  next = api.next(ofServices('watch'));
  await opened(made, 'Service');
  api.endWatches('Service');
  await next;
  await follows(made, 'new');
  t.deepEqual(cluster.counted('Service'), {
    'reconnects ended': 1,
    'reconnects refused': 1,
    'reconnects cut': 2,
    events: 1,
  });
});

test('a version that is too old is a list again', async (t) => {
  const made = await synced(t);
  made.time.advance(2000);
  expire(made);
  await made.cluster.when(() => made.cluster.count('replace', 'Service') === 2);
  t.deepEqual(made.cluster.counted('Service'), { 'reconnects ended': 1, 'relists expired': 1 });
});

test('a mute watch is a stall, and after the second one a list', async (t) => {
  const made = await synced(t);
  const { api, cluster, time } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'mute', headers: true, times: 2 });
  time.advance(2000);
  api.endWatches('Service');
  await api.next(ofServices('watch'));
  for (let i = 0; i < 2; i++) {
    await opened(made, 'Service');
    const next = i === 0 ? api.next(ofServices('watch')) : undefined;
    time.advance(150_000);
    await next;
  }
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.counted('Service'), {
    'reconnects ended': 1,
    stalls: 2,
    'reconnects stalled': 1,
    'relists silence': 1,
  });
});

test('a line that cannot be read is a protocol error: once it is gone on, twice it is listed', async (t) => {
  const made = await synced(t);
  const { api, cluster } = made;
  api.fail({ on: 'watch', kind: 'Service', does: 'send', body: 'nonsense\n', ending: 'silence' });
  api.write('Service', 'nonsense\n');
  await cluster.when(() => cluster.count('replace', 'Service') === 2);
  t.deepEqual(cluster.counted('Service'), {
    'protocol-errors': 2,
    'reconnects protocol': 1,
    'relists protocol': 1,
  });
});

test('a first list that fails is counted by what was wrong with it', async (t) => {
  const made = await scene(t);
  const { api, cluster } = made;
  api.fail({ kind: 'Service', does: 'status', status: 500 });
  api.fail({ on: 'watchlist', kind: 'Service', does: 'status', status: 422 });
  made.open();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(cluster.counted('Service'), { 'relists refused': 2 });
});

test('freshness: 0 while a watch is open, the time since then when it is not, and since the start before the first list', async (t) => {
  const early = await scene(t);
  early.time.hold();
  await early.api.down();
  const source = early.open();
  await early.cluster.when(() => early.cluster.counted('Service')['relists unreachable'] === 1);
  const service = (): Freshness | undefined => source.freshness?.().find(({ kind }) => kind === 'Service');
  const { staleness: begun = 0 } = service() ?? {};
  early.time.advance(60_000);
  t.like(service(), { staleness: begun + 60, sinceByte: undefined, sinceBookmark: undefined });

  const { api, cluster, time, services } = await watched(t);
  time.advance(5000);
  t.deepEqual(services(), { kind: 'Service', staleness: 0, sinceByte: 5, sinceBookmark: 5, trouble: undefined });
  api.put(rawService('shop', 'new'));
  await cluster.when(() => cluster.get('Service', 'shop', 'new') !== undefined);
  time.advance(1000);
  t.like(services(), { staleness: 0, sinceByte: 1, sinceBookmark: 6 });
  time.hold();
  await api.down();
  await cluster.when(() => 'reconnects cut' in cluster.counted('Service'));
  const { staleness } = services();
  time.advance(7000);
  t.is(services().staleness, staleness + 7);
  await api.up();
  time.release();
  api.put(rawService('shop', 'newer'));
  await cluster.when(() => cluster.get('Service', 'shop', 'newer') !== undefined);
  t.like(services(), { staleness: 0, sinceByte: 0 });
});

test('trouble is told as people were told it, until it is over', async (t) => {
  const made = await scene(t);
  const { api, cluster, time } = made;
  api.forbidden.add('services');
  time.hold();
  const source = made.open();
  await cluster.when(() => cluster.isSynced('Namespace') && cluster.told.length > 0);
  const trouble = (): (string | undefined)[] => (source.freshness?.() ?? []).map((kind) => kind.trouble);
  t.deepEqual(trouble(), [undefined, cluster.told[0]?.replace('error: ', '')]);
  api.forbidden.clear();
  time.release();
  await cluster.when(() => cluster.isSynced('Service'));
  t.deepEqual(trouble(), [undefined, undefined]);
});
