/**
 * Endpoints that leave their EndpointSlice, asked for over a real socket while the events come from a real
 * small API server in one piece, in two, and in many. Time stands still until the test moves it.
 */

import test, { type ExecutionContext } from 'ava';

import { Clusters } from '../server/control/clusters.ts';
import type { ClusterPart } from '../server/messages.ts';
import { DataPlane } from '../server/data/data-plane.ts';
import { kubernetes } from '../server/plugins/kubernetes.ts';
import { plugins } from '../server/plugins/order.ts';
import { DEPARTURE_DELAY } from '../zones/kubernetes/api/departures.ts';
import { openApiSource, type ApiSourceOptions } from '../zones/kubernetes/api/api-source.ts';
import { objectFrom } from '../zones/kubernetes/object-text.ts';
import type { ClusterChange } from '../zones/kubernetes/objects.ts';
import { ROOT } from '../zones/name.ts';
import { exchange } from './support/client.ts';
import { optionsFrom } from './support/directive.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { FakeTimers } from './support/fake-timers.ts';
import { ManualTime } from './support/manual-time.ts';
import { testContext } from './support/plugin-context.ts';
import { decodeReply, presentReply, type PresentedReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawNamespace, rawService, rawSlice, type RawEndpoint, type RawObject } from './support/raw-objects.ts';
import { freePort } from './support/server.ts';

const MOVING = { address: '10.244.2.10', hostname: 'db-0' };
const STAYING = { address: '10.244.2.11', hostname: 'db-1' };
const BEFORE = [slice('a', MOVING, STAYING), slice('b')];
const MOVE = [slice('a', STAYING), slice('b', MOVING)];

/** Octets written at once; a line ends somewhere in the middle. */
const PIECE = 7;

const DB = 'db.prod.svc.cluster.local';
const DB0 = `db-0.${DB}`;
/** What is asked, and the records of the answer before a move and after it. */
const QUESTIONS: readonly (readonly [string, string, readonly string[]])[] = [
  [DB, 'A', [`${DB}. 5 IN A 10.244.2.10`, `${DB}. 5 IN A 10.244.2.11`]],
  [DB, 'SRV', [`${DB}. 5 IN SRV 0 50 8080 db-0.${DB}.`, `${DB}. 5 IN SRV 0 50 8080 db-1.${DB}.`]],
  [`_http._tcp.${DB}`, 'SRV', ['0', '1'].map((i) => `_http._tcp.${DB}. 5 IN SRV 0 50 8080 db-${i}.${DB}.`)],
  [DB0, 'A', [`${DB0}. 5 IN A 10.244.2.10`]],
  [DB0, 'SRV', [`${DB0}. 5 IN SRV 0 100 8080 ${DB0}.`]],
  ['10.2.244.10.in-addr.arpa', 'PTR', [`10.2.244.10.in-addr.arpa. 5 IN PTR ${DB0}.`]],
];

type Scene = {
  readonly api: FakeApiServer;
  readonly time: ManualTime;
  /** The lines of the events, which the server has not sent. */
  readonly lines: readonly string[];
  /** Those of the questions whose answers are others than in the table. */
  readonly different: () => Promise<readonly string[]>;
  readonly ask: (name: string, type: string) => Promise<PresentedReply>;
  /** Waits until the data plane was told of such a change. */
  readonly told: (isMeant: (change: ClusterChange) => boolean) => Promise<void>;
};

for (const { how, deliver } of [
  {
    how: 'in one piece',
    deliver: async ({ api, lines, different }: Scene) => {
      api.write('EndpointSlice', lines.join(''));
      return different();
    },
  },
  {
    how: 'in two pieces, the second long after the first was understood',
    deliver: async ({ api, time, lines, different, told }: Scene) => {
      const [first = '', second = ''] = lines;
      api.write('EndpointSlice', first);
      await told(isPut('db-a'));
      time.advance(DEPARTURE_DELAY - 1);
      const between = await different();
      api.write('EndpointSlice', second);
      return [...between, ...(await different())];
    },
  },
  {
    how: 'in pieces of a few octets',
    deliver: async ({ api, lines, different }: Scene) => {
      const seen = new Set<string>();
      const octets = Buffer.from(lines.join(''));
      for (let at = 0; at < octets.length; at += PIECE) {
        api.write('EndpointSlice', octets.subarray(at, at + PIECE));
        for (const name of await different()) seen.add(name);
      }
      return [...seen];
    },
  },
]) {
  test(`a move whose events come ${how}: no answer ever shows it, not even by the weights`, async (t) => {
    const scene = await start(t, BEFORE, MOVE);
    t.deepEqual(await scene.different(), []);
    t.deepEqual(await deliver(scene), [], 'while the events come');
    await scene.told(isPut('db-b'));
    t.deepEqual(await scene.different(), [], 'when they have come');
    scene.time.advance(DEPARTURE_DELAY);
    t.deepEqual(await scene.different(), [], 'when the endpoint is in its new slice alone');
  });
}

/** Time stands still: whatever waited would never be answered. */
for (const { what, event } of [
  { what: 'no longer ready', event: slice('a', { ...MOVING, ready: false }, STAYING) },
  { what: 'in a slice that is deleted', event: undefined },
]) {
  test(`an endpoint that is ${what} is gone without delay`, async (t) => {
    const { api, ask, told } = await start(t, [slice('a', MOVING), slice('b', STAYING)]);
    if (event === undefined) api.remove('EndpointSlice', 'prod', 'db-a');
    else api.put(event);
    await told((change) => isPut('db-a')(change) || change.verb === 'remove');
    t.like(await ask(DB0, 'A'), { reply: 'reply NXDOMAIN aa rd' });
  });
}

test('an endpoint that is gone from its slice without a word, and from all others, is gone after the delay', async (t) => {
  const { api, time, lines, different, ask, told } = await start(t, BEFORE, MOVE);
  api.write('EndpointSlice', lines[0] ?? '');
  await told(isPut('db-a'));
  time.advance(DEPARTURE_DELAY - 1);
  t.deepEqual(await different(), []);
  time.advance(1);
  t.like(await ask(DB0, 'A'), { reply: 'reply NXDOMAIN aa rd' });
});

test('when ports change, endpoints are dealt out anew to the slices: each has its names and its address all the while', async (t) => {
  const pod = (i: number): RawEndpoint => ({ address: `10.244.2.${i}`, hostname: `db-${i}` });
  const ports = { ports: [{ name: 'http', protocol: 'TCP', port: 9090 }] };
  const scene = await start(
    t,
    [slice('a', pod(1), pod(2)), slice('b', pod(3), pod(4))],
    [rawSlice('prod', 'db', 'a', [pod(3), pod(1)], ports), rawSlice('prod', 'db', 'b', [pod(4), pod(2)], ports)],
  );
  const names = [DB, ...[1, 2, 3, 4].map((i) => `db-${i}.${DB}`)];
  const seen = (): Promise<readonly (readonly string[])[]> =>
    Promise.all(names.map(async (name) => (await scene.ask(name, 'A')).answer));
  const before = await seen();
  t.deepEqual(
    before.map((answer) => answer.length),
    [4, 1, 1, 1, 1],
  );
  for (const [i, line] of scene.lines.entries()) {
    scene.api.write('EndpointSlice', line);
    await scene.told(isPut(i === 0 ? 'db-a' : 'db-b'));
    t.deepEqual(await seen(), before);
  }
  const services = (await scene.ask(`_http._tcp.${DB}`, 'SRV')).answer;
  t.deepEqual(
    services,
    [1, 2, 3, 4].map((i) => `_http._tcp.${DB}. 5 IN SRV 0 25 9090 db-${i}.${DB}.`),
  );
});

test('a list that is read again shows the move in one step', async (t) => {
  const { api, lines, different, told } = await start(t, BEFORE, MOVE);
  t.is(lines.length, 2, 'the server has both changes, and the watch knows of neither');
  api.compact();
  const seen: string[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) seen.push(...(await different()));
  })();
  api.endWatches('EndpointSlice');
  await told(isPut('db-b'));
  isOver = true;
  await asking;
  t.deepEqual([...seen, ...(await different())], []);
});

function slice(suffix: string, ...endpoints: readonly RawEndpoint[]): RawObject {
  return rawSlice('prod', 'db', suffix, endpoints);
}

function isPut(name: string): (change: ClusterChange) => boolean {
  return (change) => change.verb === 'put' && change.object.name === name;
}

/** An API server that has the events behind it and has not told of them, and a data plane that follows it. */
async function start(
  t: ExecutionContext,
  slices: readonly RawObject[],
  events: readonly RawObject[] = [],
): Promise<Scene> {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  api.put(rawNamespace('prod'));
  api.put(rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] }));
  for (const each of slices) api.put(each);

  const options = optionsFrom(
    kubernetes,
    `kubernetes cluster.local in-addr.arpa {\n endpoint ${api.url}\n startup_timeout 100ms\n}`,
  );
  const { context } = testContext();
  const { clock, log, counters } = context;
  const plane = new DataPlane({
    clock,
    log,
    counters,
    wallClock: () => 0,
    taken: () => clusters.taken(0, options.cluster, []),
    plugins,
  });
  t.teardown(() => plane.close());
  const port = await freePort();
  const key = { transport: 'dns', zone: ROOT, port, position: { file: 'Corefile', line: 1, column: 1 } } as const;
  await plane.use({
    listeners: [{ server: 'dns://127.0.0.1', host: '127.0.0.1', port, routes: [{ zone: ROOT, block: 0 }] }],
    blocks: [{ keys: [key], position: key.position, plugins: [{ name: 'kubernetes', options }] }],
  });

  const time = new ManualTime();
  const news: ClusterChange[] = [];
  let hasNews = Promise.withResolvers<void>();
  const told = async (isMeant: (change: ClusterChange) => boolean): Promise<void> => {
    while (!news.some(isMeant)) await hasNews.promise;
  };
  const clusters = new Clusters({
    open: (source, events) => openApiSource(source as ApiSourceOptions, events, { version: '1', variables: {}, time }), // `endpoint` is none of the others
    threads: 1,
    send(message) {
      if (message.type !== 'cluster') return;
      plane.take(message.cluster, message.part);
      news.push(...changesIn(message.part));
      hasNews.resolve();
      hasNews = Promise.withResolvers();
    },
    metrics: { apiCalled: () => {}, programmed: () => {}, happened: () => {}, snapshotWritten: () => {} },
    timers: new FakeTimers(),
    log,
  });
  t.teardown(() => clusters.close());
  const wish = { source: options.source, startupTimeout: options.startupTimeout };
  const prepared = await clusters.prepare(new Map([[options.cluster, wish]]));
  prepared.commit();
  await prepared.received;
  news.length = 0;

  const ask = async (name: string, type: string): Promise<PresentedReply> =>
    presentReply(decodeReply(await exchange({ host: '127.0.0.1', port }, 'udp', encodeQuery(1, asked(name, type)))));
  return { api, time, lines: eventsOf(api, events), different: () => differentAt(ask), ask, told };
}

function changesIn({ put, removed }: ClusterPart): readonly ClusterChange[] {
  const texts = put === '' ? [] : put.split('\n');
  return [
    ...texts.map((text): ClusterChange => ({ verb: 'put', object: objectFrom(text) })),
    ...removed.map((place): ClusterChange => ({ verb: 'remove', ...place })),
  ];
}

/** Makes the changes and gives their events in place of sending them: an empty line is what goes out. */
function eventsOf(api: FakeApiServer, objects: readonly RawObject[]): readonly string[] {
  const lines: string[] = [];
  for (const object of objects) {
    api.mangleNext('EndpointSlice', (line) => {
      lines.push(`${line}\n`);
      return '';
    });
    api.put(object);
  }
  return lines;
}

async function differentAt(ask: Scene['ask']): Promise<readonly string[]> {
  const replies = QUESTIONS.map(async ([name, type, expected]) => {
    const { reply, answer } = await ask(name, type);
    const isSame = reply === 'reply NOERROR aa rd' && answer.join('\n') === expected.join('\n');
    return isSame ? [] : [`${name} ${type}: ${reply} ${answer.join(', ')}`];
  });
  return (await Promise.all(replies)).flat();
}
