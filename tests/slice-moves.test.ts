/**
 * An endpoint that moves from one EndpointSlice to another, asked for over a real socket while the events come from a real
 * small API server in one piece, in two, and octet by octet. Time stands still until the test moves it.
 */

import test, { type ExecutionContext } from 'ava';

import { Clusters } from '../server/control/clusters.ts';
import { DataPlane } from '../server/data/data-plane.ts';
import { kubernetes } from '../server/plugins/kubernetes.ts';
import { plugins } from '../server/plugins/order.ts';
import { DEPARTURE_DELAY } from '../zones/kubernetes/api/departures.ts';
import { openApiSource, type ApiSourceOptions } from '../zones/kubernetes/api/api-source.ts';
import type { ClusterChange } from '../zones/kubernetes/objects.ts';
import { ROOT } from '../zones/name.ts';
import { exchange } from './support/client.ts';
import { optionsFrom } from './support/directive.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { FakeTimers } from './support/fake-timers.ts';
import { ManualTime } from './support/manual-time.ts';
import { testContext } from './support/plugin-context.ts';
import { decodeReply, presentReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawNamespace, rawService, rawSlice, type RawObject } from './support/raw-objects.ts';
import { freePort } from './support/server.ts';

const MOVING = { address: '10.244.2.10', hostname: 'db-0' };
const STAYING = { address: '10.244.2.11', hostname: 'db-1' };
const BEFORE = [rawSlice('prod', 'db', 'a', [MOVING, STAYING]), rawSlice('prod', 'db', 'b', [])];
const [LEFT, ENTERED] = [rawSlice('prod', 'db', 'a', [STAYING]), rawSlice('prod', 'db', 'b', [MOVING])];

/** Names of the endpoint, and what an answer must have in it. */
const QUESTIONS: readonly (readonly [string, string, string])[] = [
  ['db-0.db.prod.svc.cluster.local', 'A', '5 IN A 10.244.2.10'],
  ['db.prod.svc.cluster.local', 'A', '5 IN A 10.244.2.10'],
  ['db.prod.svc.cluster.local', 'SRV', '8080 db-0.db.prod.svc.cluster.local.'],
  ['10.2.244.10.in-addr.arpa', 'PTR', '5 IN PTR db-0.db.prod.svc.cluster.local.'],
];

type Scene = {
  readonly api: FakeApiServer;
  readonly time: ManualTime;
  /** The lines of the two events, which the server has not sent. */
  readonly lines: readonly string[];
  /** Those of the questions whose answers lack the endpoint. */
  readonly missing: () => Promise<readonly string[]>;
  /** Waits until the data plane was told of such a change. */
  readonly told: (isMeant: (change: ClusterChange) => boolean) => Promise<void>;
};

for (const { how, deliver } of [
  {
    how: 'in one piece',
    deliver: async ({ api, lines, missing }: Scene) => {
      api.write('EndpointSlice', lines.join(''));
      return missing();
    },
  },
  {
    how: 'in two pieces, the second long after the first was understood',
    deliver: async ({ api, time, lines, missing, told }: Scene) => {
      const [first = '', second = ''] = lines;
      api.write('EndpointSlice', first);
      await told(isPut('db-a'));
      time.advance(DEPARTURE_DELAY - 1);
      const between = await missing();
      api.write('EndpointSlice', second);
      return between;
    },
  },
  {
    how: 'octet by octet',
    deliver: async ({ api, lines, missing }: Scene) => {
      const seen = new Set<string>();
      for (const octet of Buffer.from(lines.join(''))) {
        api.write('EndpointSlice', Buffer.of(octet));
        for (const name of await missing()) seen.add(name);
      }
      return [...seen];
    },
  },
]) {
  test(`both events ${how}: no query ever sees neither slice have the endpoint`, async (t) => {
    const scene = await start(t);
    t.deepEqual(await scene.missing(), []);
    t.deepEqual(await deliver(scene), [], 'while the events come');
    await scene.told(isPut('db-b'));
    t.deepEqual(await scene.missing(), [], 'when they have come');
    scene.time.advance(DEPARTURE_DELAY);
    t.deepEqual(await scene.missing(), [], 'when the endpoint is in its new slice alone');
  });
}

test('an endpoint that leaves and enters nowhere is gone after the delay', async (t) => {
  const { api, time, lines, missing, told } = await start(t);
  api.write('EndpointSlice', lines[0] ?? '');
  await told(isPut('db-a'));
  time.advance(DEPARTURE_DELAY - 1);
  t.deepEqual(await missing(), []);
  time.advance(1);
  t.is((await missing()).length, QUESTIONS.length);
});

test('a list that is read again shows the move in one step', async (t) => {
  const { api, lines, missing, told } = await start(t);
  t.is(lines.length, 2, 'the server has both changes, and the watch knows of neither');
  api.compact();
  const seen: string[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) seen.push(...(await missing()));
  })();
  api.endWatches('EndpointSlice');
  await told(isPut('db-b'));
  isOver = true;
  await asking;
  t.deepEqual([...seen, ...(await missing())], []);
});

function isPut(name: string): (change: ClusterChange) => boolean {
  return (change) => change.verb === 'put' && change.object.name === name;
}

/** An API server that has the move behind it and has not told of it, and a data plane that follows it. */
async function start(t: ExecutionContext): Promise<Scene> {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  api.put(rawNamespace('prod'));
  api.put(rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] }));
  for (const slice of BEFORE) api.put(slice);

  const options = optionsFrom(
    kubernetes,
    `kubernetes cluster.local in-addr.arpa {\n endpoint ${api.url}\n startup_timeout 100ms\n}`,
  );
  const { context } = testContext();
  const { clock, log, counters } = context;
  const plane = new DataPlane({ clock, log, counters, wallClock: () => 0, plugins });
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
    send(message) {
      if (message.type !== 'cluster') return;
      plane.change(message.cluster, message.changes);
      news.push(...message.changes);
      hasNews.resolve();
      hasNews = Promise.withResolvers();
    },
    metrics: { apiCalled: () => {}, programmed: () => {} },
    timers: new FakeTimers(),
    log,
  });
  t.teardown(() => clusters.close());
  const wish = { source: options.source, startupTimeout: options.startupTimeout };
  const prepared = await clusters.prepare(new Map([[options.cluster, wish]]));
  prepared.commit();
  await prepared.received;
  news.length = 0;

  return { api, time, lines: eventsOf(api, LEFT, ENTERED), missing: () => missingAt(port), told };
}

/** Makes the changes and gives their events in place of sending them: an empty line is what goes out. */
function eventsOf(api: FakeApiServer, ...objects: readonly (RawObject | undefined)[]): readonly string[] {
  const lines: string[] = [];
  for (const object of objects) {
    if (object === undefined) continue;
    api.mangleNext('EndpointSlice', (line) => {
      lines.push(`${line}\n`);
      return '';
    });
    api.put(object);
  }
  return lines;
}

async function missingAt(port: number): Promise<readonly string[]> {
  const replies = QUESTIONS.map(async ([name, type, expected]) => {
    const query = encodeQuery(1, asked(name, type));
    const { reply, answer } = presentReply(decodeReply(await exchange({ host: '127.0.0.1', port }, 'udp', query)));
    const isThere = reply === 'reply NOERROR aa rd' && answer.some((record) => record.endsWith(expected));
    return isThere ? [] : [`${name} ${type}: ${reply}`];
  });
  return (await Promise.all(replies)).flat();
}
