/** Clusters over start, reload and replacement of the data thread. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { WAITING_INTERVAL } from '../../../server/control/cluster.ts';
import { Clusters, type ClusterWish } from '../../../server/control/clusters.ts';
import type { ToData } from '../../../server/messages.ts';
import type { Freshness } from '../../../zones/kubernetes/following.ts';
import { Listing } from '../../../zones/kubernetes/listing.ts';
import { textOf } from '../../../zones/kubernetes/object-text.ts';
import type { ClusterObject, Kind, Service } from '../../../zones/kubernetes/objects.ts';
import { encodeSnapshot } from '../../../zones/kubernetes/snapshot/snapshot-format.ts';
import { writeSnapshot } from '../../../zones/kubernetes/snapshot/snapshot-file.ts';
import { kindsOf, type SourceChange, type SourceEvents, type SourceOptions } from '../../../zones/kubernetes/source.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { sourceOptions } from '../../support/source-options.ts';

const NAMESPACE: ClusterObject = { kind: 'Namespace', namespace: '', name: 'shop' };
const WEB: Service = {
  kind: 'Service',
  namespace: 'shop',
  name: 'web',
  type: 'ClusterIP',
  clusterIPs: ['10.96.12.80'],
  externalName: '',
  ports: [],
};

function wish(url: string, more: Partial<SourceOptions> = {}): ClusterWish {
  const from = { kind: 'endpoint', url, tls: undefined } as const;
  return {
    source: sourceOptions({ from, podNames: false, ...more }),
    startupTimeout: 5_000,
  };
}

/** The second in which these tests begin. */
const SERIAL = Math.floor(new FakeTimers().wall() / 1000);

type Opened = { readonly url: string; readonly events: SourceEvents; isClosed: boolean; freshness: Freshness[] };

function stage(): {
  clusters: Clusters;
  opened: Opened[];
  sent: ToData[];
  lines: string[];
  measured: unknown[];
  timers: FakeTimers;
} {
  const opened: Opened[] = [];
  const sent: ToData[] = [];
  const lines: string[] = [];
  const measured: unknown[] = [];
  const timers = new FakeTimers();
  const clusters = new Clusters({
    open: ({ from }, events) => {
      const url = from.kind === 'endpoint' ? from.url : from.kind;
      if (url === 'bad') throw new Error('no such cluster');
      const source: Opened = { url, events, isClosed: false, freshness: [] };
      opened.push(source);
      return { close: () => void (source.isClosed = true), freshness: () => source.freshness };
    },
    threads: 1,
    send: (message) => void sent.push(message),
    metrics: {
      apiCalled: (call) => void measured.push(call),
      programmed: (service, duration) => void measured.push([service, duration]),
      happened: (cluster, happening) => void measured.push([cluster, happening]),
      snapshotWritten: (cluster, result) => void measured.push([cluster, result]),
    },
    timers,
    log: (level, source, text) => void lines.push(`${level} ${source}: ${text}`),
  });
  return { clusters, opened, sent, lines, measured, timers };
}

function all(...kinds: Kind[]): SourceChange[] {
  return kinds.map((kind) => ({
    verb: 'replace',
    listing: new Listing(
      kind,
      [NAMESPACE, WEB].filter((object) => object.kind === kind),
    ),
  }));
}

test('what a source reports goes to the data thread as it comes; synced is what the data thread acknowledged', async (t) => {
  const { clusters, opened, sent, lines } = stage();
  const prepared = await clusters.prepare(new Map([['a', wish('a')]]));
  prepared.commit();
  opened[0]?.events.change(all('Namespace', 'Service'));
  const put = `${textOf(NAMESPACE)}\n${textOf(WEB)}`;
  const part = { put, removed: [], whole: ['Namespace', 'Service'], serial: SERIAL + 1, isLast: true };
  t.deepEqual(sent, [{ type: 'cluster', cluster: 'a', part }]);
  t.false(clusters.isUsable('a'));
  clusters.taken(0, 'a', ['Namespace']);
  t.false(clusters.isUsable('a'));
  t.deepEqual(
    clusters.kinds().map(({ labels, synced }) => [labels.cluster, labels.kind, synced]),
    [
      ['a', 'Namespace', true],
      ['a', 'Service', false],
    ],
  );
  clusters.taken(0, 'a', ['Service']);
  t.true(clusters.isUsable('a'));
  t.deepEqual(lines, ['info plugin/kubernetes: synced: 1 Namespace, 1 Service']);
  t.false(clusters.isUsable('b'));
});

test('the data thread is told what is new: an update or a list that says what was known costs it nothing', async (t) => {
  const { clusters, opened, sent } = stage();
  (await clusters.prepare(new Map([['a', wish('a')]]))).commit();
  const change = (...changes: SourceChange[]): unknown[] => {
    sent.length = 0;
    opened[0]?.events.change(changes);
    clusters.taken(0, 'a', []);
    return sent.map((message) => (message.type === 'cluster' ? [message.part.put, message.part.removed] : message));
  };
  const place = { kind: 'Service', namespace: 'shop', name: 'web' } as const;
  const moved: ClusterObject = { ...WEB, clusterIPs: ['10.96.12.81'] };
  const added: ClusterObject = { ...WEB, name: 'new' };
  change(...all('Namespace', 'Service'));
  t.deepEqual(change({ verb: 'put', object: WEB }, ...all('Namespace', 'Service')), []);
  t.deepEqual(change({ verb: 'put', object: moved }, { verb: 'put', object: moved }), [[textOf(moved), []]]);
  t.deepEqual(change({ verb: 'replace', listing: new Listing('Service', [added]) }), [[textOf(added), [place]]]);
  t.deepEqual(change({ verb: 'remove', ...place }), []);
});

const KINDS_ASKED: readonly (readonly [Partial<SourceOptions>, readonly string[]])[] = [
  [{}, ['Namespace', 'Service']],
  [{ endpointSlices: true, topologyZones: true, podNames: false }, ['Namespace', 'Service', 'EndpointSlice']],
  [{ pods: true, endpointSlices: true }, ['Namespace', 'Service', 'EndpointSlice', 'Pod']],
  [{ imports: true }, ['Namespace', 'Service', 'EndpointSlice', 'ServiceImport']],
];

for (const [options, kinds] of KINDS_ASKED) {
  test(`synced wants the kinds that the options ask for: ${kinds.join(', ')}`, async (t) => {
    const { clusters } = stage();
    (await clusters.prepare(new Map([['a', wish('a', options)]]))).commit();
    t.deepEqual(
      clusters.kinds().map(({ labels }) => labels.kind),
      kinds,
    );
  });
}

test('a reload keeps what is still wanted, opens what is new, closes and forgets what is not', async (t) => {
  const { clusters, opened, sent } = stage();
  (
    await clusters.prepare(
      new Map([
        ['a', wish('a')],
        ['b', wish('b')],
      ]),
    )
  ).commit();
  const prepared = await clusters.prepare(
    new Map([
      ['b', wish('b')],
      ['c', wish('c')],
    ]),
  );
  t.deepEqual(
    opened.map(({ url, isClosed }) => [url, isClosed]),
    [
      ['a', false],
      ['b', false],
      ['c', false],
    ],
  );
  t.deepEqual(sent, []);
  prepared.commit();
  t.deepEqual(
    opened.map(({ url, isClosed }) => [url, isClosed]),
    [
      ['a', true],
      ['b', false],
      ['c', false],
    ],
  );
  t.deepEqual(sent, [{ type: 'forget-cluster', cluster: 'a' }]);
  clusters.close();
  t.true(opened.every(({ isClosed }) => isClosed));
});

test('a reload that comes to nothing leaves all as it was', async (t) => {
  const { clusters, opened, sent } = stage();
  (await clusters.prepare(new Map([['a', wish('a')]]))).commit();
  opened[0]?.events.change(all('Service'));
  const prepared = await clusters.prepare(new Map([['c', wish('c')]]));
  opened[1]?.events.change(all('Namespace'));
  prepared.abandon();
  t.deepEqual(
    opened.map(({ isClosed }) => isClosed),
    [false, true],
  );
  t.deepEqual(sent.at(-1), { type: 'forget-cluster', cluster: 'c' });
  const before = sent.length;
  opened[1]?.events.change(all('Service'));
  t.is(sent.length, before);
  t.deepEqual(
    [...clusters.state(0)].map(({ type, ...rest }) => [type, 'cluster' in rest ? rest.cluster : '']),
    [['cluster', 'a']],
  );
});

test('a source that cannot be opened: those opened with it are closed, the error comes out', async (t) => {
  const { clusters, opened } = stage();
  await t.throwsAsync(
    clusters.prepare(
      new Map([
        ['a', wish('a')],
        ['x', wish('bad')],
      ]),
    ),
    { message: 'no such cluster' },
  );
  t.true(opened[0]?.isClosed);
});

test('a data thread that begins again gets everything, and readiness stays', async (t) => {
  const { clusters, opened } = stage();
  (await clusters.prepare(new Map([['a', wish('a')]]))).commit();
  opened[0]?.events.change(all('Namespace', 'Service'));
  clusters.taken(0, 'a', ['Namespace', 'Service']);
  opened[0]?.events.change([{ verb: 'remove', kind: 'Service', namespace: 'shop', name: 'web' }]);
  t.deepEqual(
    [...clusters.state(0)],
    [
      {
        type: 'cluster',
        cluster: 'a',
        part: {
          put: textOf(NAMESPACE),
          removed: [],
          whole: ['Namespace', 'Service'],
          serial: SERIAL + 2,
          isLast: true,
        },
      },
    ],
  );
  t.true(clusters.isUsable('a'));
});

test('waiting is said each second until startup_timeout, then once that the server goes on without', async (t) => {
  const { clusters, lines, timers, opened } = stage();
  const prepared = await clusters.prepare(new Map([['a', wish('a')]]));
  prepared.commit();
  opened[0]?.events.change(all('Namespace'));
  await timers.advance(60_000);
  t.is(lines.length, 5_000 / WAITING_INTERVAL);
  t.true(
    lines
      .slice(0, -1)
      .every((line) => line.startsWith('info plugin/kubernetes: waiting for Kubernetes API: Service to come')),
  );
  t.regex(
    lines.at(-1) ?? '',
    /^warning plugin\/kubernetes: starting server with unsynced Kubernetes API: Service still/,
  );
  await prepared.received;
  t.is(timers.pending, 0);
});

test('nothing is said of waiting when the cluster came in time', async (t) => {
  const { clusters, lines, timers, opened } = stage();
  const prepared = await clusters.prepare(new Map([['a', wish('a')]]));
  prepared.commit();
  opened[0]?.events.change(all('Namespace', 'Service'));
  await prepared.received;
  await timers.advance(60_000);
  t.deepEqual(lines, []);
});

test('calls and programming times are measured, the latter by the kind of the Service', async (t) => {
  const { clusters, opened, measured, timers } = stage();
  (await clusters.prepare(new Map([['a', wish('a')]]))).commit();
  const headless: Service = { ...WEB, name: 'db', clusterIPs: ['None'] };
  const events = opened[0]?.events;
  events?.change([...all('Namespace', 'Service'), { verb: 'put', object: headless }]);
  const triggered = timers.wall() - 1_500;
  events?.programmed?.({ namespace: 'shop', service: 'web', triggered });
  events?.programmed?.({ namespace: 'shop', service: 'db', triggered });
  events?.programmed?.({ namespace: 'shop', service: 'unknown', triggered });
  events?.programmed?.({ namespace: 'shop', service: 'web', triggered: timers.wall() + 9_000 });
  t.deepEqual(measured, [], 'nothing is answered from it yet');
  clusters.taken(0, 'a', []);
  const call = { method: 'GET', host: 'a', code: '200', duration: 1, waited: 0 } as const;
  events?.call?.(call);
  t.deepEqual(measured, [['cluster_ip', 1.5], ['headless_with_selector', 1.5], ['cluster_ip', 0], call]);
});

test('what a source counts is counted for its cluster, over a reload too; its label has no secrets', async (t) => {
  const { clusters, opened, measured } = stage();
  const url = 'https://me:secret@10.96.0.1:443/path';
  (await clusters.prepare(new Map([['a', wish(url)]]))).commit();
  const happening = { what: 'reconnects', kind: 'Service', reason: 'ended' } as const;
  opened[0]?.events.happened?.(happening);
  (await clusters.prepare(new Map([['b', wish(url, { labels: 'x' })]]))).commit();
  opened[1]?.events.happened?.(happening);
  t.deepEqual(measured, [
    ['https://10.96.0.1', happening],
    ['https://10.96.0.1', happening],
  ]);
});

test('each kind tells how many objects are known and how fresh they are', async (t) => {
  const { clusters, opened } = stage();
  (await clusters.prepare(new Map([['a', wish('a')]]))).commit();
  opened[0]?.events.change(all('Namespace', 'Service'));
  const freshness = { kind: 'Service', staleness: 3, sinceByte: 2, sinceBookmark: 1, trouble: undefined } as const;
  opened[0]?.freshness.push(freshness);
  t.deepEqual(clusters.kinds(), [
    { labels: { cluster: 'a', kind: 'Namespace' }, synced: false, objects: 1, freshness: undefined },
    { labels: { cluster: 'a', kind: 'Service' }, synced: false, objects: 1, freshness },
  ]);
});

test('what is missing of a cluster is said with its troubles, each once, and nothing when all is there', async (t) => {
  const { clusters, opened } = stage();
  const prepared = await clusters.prepare(new Map([['a', wish('a', { endpointSlices: true })]]));
  const trouble = 'cannot reach it';
  const unknown = { staleness: 1, sinceByte: undefined, sinceBookmark: undefined };
  opened[0]?.freshness.push(
    { kind: 'Namespace', ...unknown, trouble: 'something else' },
    { kind: 'Service', ...unknown, trouble },
    { kind: 'EndpointSlice', ...unknown, trouble },
  );
  clusters.taken(0, 'a', ['Namespace']);
  t.deepEqual(clusters.missing('a'), ['a: Service, EndpointSlice still to come', trouble]);
  prepared.commit();
  t.deepEqual(clusters.missing('a'), ['a: Service, EndpointSlice still to come', trouble]);
  clusters.taken(0, 'a', ['Service', 'EndpointSlice']);
  t.deepEqual(clusters.missing('a'), []);
  t.deepEqual(clusters.missing('b'), []);
});

/** A file with that cluster's objects, as a server before this one has left it. */
async function snapshotFile(t: ExecutionContext, objects: readonly ClusterObject[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-clusters-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { source } = wish('a');
  const content = new Map(
    kindsOf(source).map((kind) => [kind, objects.filter((object) => object.kind === kind).map(textOf)] as const),
  );
  await writeSnapshot(join(folder, 'cluster'), encodeSnapshot(source, content, 0), new AbortController().signal);
  return join(folder, 'cluster');
}

/** Until what was sent is so much; only what is never sent keeps it waiting. */
async function sentTo(sent: readonly ToData[], count: number): Promise<void> {
  while (sent.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test('a snapshot is sent at once; it makes ready when startup_timeout is over, and never synced', async (t) => {
  const { clusters, opened, sent, lines, timers } = stage();
  const snapshot = await snapshotFile(t, [NAMESPACE, WEB]);
  (await clusters.prepare(new Map([['a', { ...wish('a'), snapshot }]]))).commit();
  await sentTo(sent, 1);
  const put = `${textOf(NAMESPACE)}\n${textOf(WEB)}`;
  const part = { put, removed: [], whole: [], loaded: ['Namespace', 'Service'], serial: SERIAL + 1, isLast: true };
  t.deepEqual(sent, [{ type: 'cluster', cluster: 'a', part }]);
  t.is(opened[0]?.events.known('Service').size, 0, 'the source is told what it has reported, nothing else');
  await timers.advance(6_000);
  t.false(clusters.isUsable('a'), 'the data thread has not taken it in');
  clusters.taken(0, 'a', []);
  t.true(clusters.isUsable('a'));
  t.true(clusters.kinds().every(({ synced }) => !synced));
  t.deepEqual(clusters.snapshots(), [{ cluster: 'a', writtenAt: 0, isUsed: true }]);
  t.regex(lines.join('\n'), /waiting for Kubernetes API: Namespace, Service to come; the snapshot is used until then/);
  t.regex(lines.at(-1) ?? '', /^warning .* snapshot written \d+ days ago, and \/ready says yes$/);
  t.deepEqual([...clusters.state(0)], sent, 'a data thread that begins again is told the same');
  clusters.taken(0, 'a', []);

  opened[0]?.events.change(all('Namespace', 'Service'));
  const whole = ['Namespace', 'Service'] as const;
  t.deepEqual(sent.at(-1), {
    type: 'cluster',
    cluster: 'a',
    part: { put: '', removed: [], whole, serial: SERIAL + 1, isLast: true },
  });
  clusters.taken(0, 'a', whole);
  t.true(clusters.kinds().every(({ synced }) => synced));
  t.deepEqual(clusters.snapshots(), [{ cluster: 'a', writtenAt: 0, isUsed: false }]);
  clusters.close();
  t.is(timers.pending, 0);
});

test('before startup_timeout is over a snapshot does not make ready', async (t) => {
  const { clusters, sent, timers } = stage();
  const snapshot = await snapshotFile(t, [NAMESPACE, WEB]);
  (await clusters.prepare(new Map([['a', { ...wish('a'), snapshot }]]))).commit();
  await sentTo(sent, 1);
  clusters.taken(0, 'a', []);
  await timers.advance(4_000);
  t.false(clusters.isUsable('a'));
  t.true(clusters.snapshots()[0]?.isUsed);
  clusters.close();
});

test('a reload that names another file, or none, does not hide that a snapshot is used', async (t) => {
  const { clusters, opened, sent, lines, timers } = stage();
  const snapshot = await snapshotFile(t, [NAMESPACE, WEB]);
  const use = async (file?: string): Promise<void> =>
    (await clusters.prepare(new Map([['a', { ...wish('a'), snapshot: file }]]))).commit();
  await use(snapshot);
  await sentTo(sent, 1);
  clusters.taken(0, 'a', []);
  for (const file of [`${snapshot}-other`, undefined]) {
    await use(file);
    t.deepEqual(clusters.snapshots(), [{ cluster: 'a', writtenAt: 0, isUsed: true }]);
  }
  await timers.advance(6_000);
  t.regex(lines.at(-1) ?? '', /^warning .* snapshot written \d+ days ago, and \/ready says yes$/);
  t.true(clusters.isUsable('a'));
  opened[0]?.events.change(all('Namespace', 'Service'));
  clusters.taken(0, 'a', ['Namespace', 'Service']);
  t.deepEqual(clusters.snapshots(), []);
  clusters.close();
});

test('a cluster that is not in use yet, or never comes to be, writes no file', async (t) => {
  const { clusters, opened, timers } = stage();
  const snapshot = await snapshotFile(t, [NAMESPACE, WEB]);
  const before = await readFile(snapshot, 'utf8');
  const prepared = await clusters.prepare(new Map([['a', { ...wish('a'), snapshot }]]));
  opened[0]?.events.change(all('Namespace', 'Service'));
  opened[0]?.events.change([{ verb: 'put', object: { ...WEB, name: 'new' } }]);
  await timers.advance(60_000);
  await clusters.flush();
  prepared.abandon();
  t.is(timers.pending, 0);
  t.is(await readFile(snapshot, 'utf8'), before);
});

test('a reload may name another file, or none, for a cluster that stays open', async (t) => {
  const { clusters, opened, timers, measured } = stage();
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-clusters-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const use = async (file?: string): Promise<void> => {
    const snapshot = file === undefined ? undefined : join(folder, file);
    (await clusters.prepare(new Map([['a', { ...wish('a'), snapshot }]]))).commit();
    await clusters.flush();
  };
  await use('first');
  opened[0]?.events.change(all('Namespace', 'Service'));
  await use('first');
  t.deepEqual(await readdir(folder), ['first']);
  await use('second');
  t.deepEqual((await readdir(folder)).toSorted(), ['first', 'second']);
  await use();
  t.deepEqual(clusters.snapshots(), []);
  t.is(timers.pending, 0);
  t.is(opened.length, 1);
  t.deepEqual(measured, [
    ['a', 'written'],
    ['a', 'written'],
  ]);
});
