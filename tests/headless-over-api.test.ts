/**
 * A server with `endpoints headless`, whose API server, a small real one, does the selecting: services answer as they always do,
 * and what is behind a cluster IP is not known.
 */

import { setTimeout as pause } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { exchange } from './support/client.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { decodeReply, presentReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import {
  rawImportedSlice,
  rawNamespace,
  rawService,
  rawServiceImport,
  rawSlice,
  type RawEndpoint,
  type RawObject,
} from './support/raw-objects.ts';
import { startServer } from './support/server.ts';

const COREFILE = `
.:{$PORT} {
    bind 127.0.0.1
    ready 127.0.0.1:{$READY_PORT}
    kubernetes cluster.local clusterset.local in-addr.arpa {
        endpoint {$API}
        endpoints headless
        multicluster clusterset.local
    }
}
`;

const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
const MARK = { 'service.kubernetes.io/headless': '' };
const WEB = slice('web', 'a', { address: '10.244.1.5' });
const DB = slice('db', 'a', { address: '10.244.2.10', hostname: 'db-0' });

const CLUSTER: readonly RawObject[] = [
  rawNamespace('prod'),
  rawService('prod', 'web', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] }),
  WEB,
  labelled(slice('web', 'manual', { address: '10.244.1.9' }), { [MANAGED_BY]: 'by-hand' }),
  rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] }),
  labelled(DB, MARK),
  rawServiceImport('prod', 'set', []),
  rawImportedSlice('prod', 'set', 'east', [{ address: '10.1.0.1', hostname: 'set-0' }]),
];

const WEB_NAME = '10-244-1-5.web.prod.svc.cluster.local';
const WEB_POINTER = '5.1.244.10.in-addr.arpa';
const DB_NAME = 'db-0.db.prod.svc.cluster.local';

const KNOWN: readonly (readonly [string, string, readonly string[]])[] = [
  ['web.prod.svc.cluster.local', 'A', ['web.prod.svc.cluster.local. 5 IN A 10.96.1.1']],
  [
    '_http._tcp.web.prod.svc.cluster.local',
    'SRV',
    ['_http._tcp.web.prod.svc.cluster.local. 5 IN SRV 0 100 80 web.prod.svc.cluster.local.'],
  ],
  ['1.1.96.10.in-addr.arpa', 'PTR', ['1.1.96.10.in-addr.arpa. 5 IN PTR web.prod.svc.cluster.local.']],
  ['db.prod.svc.cluster.local', 'A', ['db.prod.svc.cluster.local. 5 IN A 10.244.2.10']],
  [DB_NAME, 'A', [`${DB_NAME}. 5 IN A 10.244.2.10`]],
  [
    '_http._tcp.db.prod.svc.cluster.local',
    'SRV',
    [`_http._tcp.db.prod.svc.cluster.local. 5 IN SRV 0 100 8080 ${DB_NAME}.`],
  ],
  ['10.2.244.10.in-addr.arpa', 'PTR', [`10.2.244.10.in-addr.arpa. 5 IN PTR ${DB_NAME}.`]],
  ['10-244-1-9.web.prod.svc.cluster.local', 'A', ['10-244-1-9.web.prod.svc.cluster.local. 5 IN A 10.244.1.9']],
  ['9.1.244.10.in-addr.arpa', 'PTR', ['9.1.244.10.in-addr.arpa. 5 IN PTR 10-244-1-9.web.prod.svc.cluster.local.']],
  ['set.prod.svc.clusterset.local', 'A', ['set.prod.svc.clusterset.local. 5 IN A 10.1.0.1']],
  ['set-0.east.set.prod.svc.clusterset.local', 'A', ['set-0.east.set.prod.svc.clusterset.local. 5 IN A 10.1.0.1']],
];

test('services, headless ones with their endpoints, imports, and slices of others are answered; the rest is not there', async (t) => {
  const { ask } = await start(t);
  for (const [name, type, expected] of KNOWN) {
    const { reply, answer } = await ask(name, type);
    t.is(reply, 'reply NOERROR aa rd', name);
    t.deepEqual(answer, expected);
  }
  t.is((await ask(WEB_NAME, 'A')).reply, 'reply NXDOMAIN aa rd');
  t.is((await ask(WEB_POINTER, 'PTR')).reply, 'reply NXDOMAIN aa rd');
});

for (const { what, object, states } of [
  {
    what: 'a slice that is taken over from the controller, given back and no longer headless',
    object: DB,
    states: [
      { labels: { ...MARK, [MANAGED_BY]: 'by-hand' }, isThere: true },
      { labels: MARK, isThere: true },
      { labels: {}, isThere: false },
      { labels: { [MANAGED_BY]: 'by-hand' }, isThere: true },
    ],
  },
  {
    what: 'a slice of a service with a cluster IP that somebody else takes over, and gives back',
    object: WEB,
    states: [
      { labels: { [MANAGED_BY]: 'by-hand' }, isThere: true },
      { labels: {}, isThere: false },
      { labels: MARK, isThere: true },
    ],
  },
]) {
  test(what, async (t) => {
    const { api, ask } = await start(t);
    const questions =
      object === DB
        ? [[DB_NAME, 'A'] as const]
        : ([
            [WEB_NAME, 'A'],
            [WEB_POINTER, 'PTR'],
          ] as const);
    for (const { labels, isThere } of states) {
      api.put(labelled(object, labels));
      const expected = questions.map(() => `reply ${isThere ? 'NOERROR' : 'NXDOMAIN'} aa rd`);
      let seen: readonly string[] = [];
      for (const deadline = performance.now() + CHANGE_DEADLINE; performance.now() < deadline; await pause(10)) {
        seen = await Promise.all(questions.map(async ([name, type]) => (await ask(name, type)).reply));
        if (seen.join() === expected.join()) break;
      }
      t.deepEqual(seen, expected, JSON.stringify(labels));
    }
  });
}

async function start(t: ExecutionContext): Promise<{
  readonly api: FakeApiServer;
  readonly ask: (name: string, type: string) => Promise<ReturnType<typeof presentReply>>;
}> {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  for (const object of CLUSTER) api.put(object);
  const server = await startServer({ corefile: { text: COREFILE }, environment: { API: api.url } });
  t.teardown(async () => void (await server.close()));
  const address = { host: '127.0.0.1', port: server.port };
  return {
    api,
    ask: async (name, type) =>
      presentReply(decodeReply(await exchange(address, 'udp', encodeQuery(1, asked(name, type))))),
  };
}

function slice(service: string, suffix: string, endpoint: RawEndpoint): RawObject {
  return rawSlice('prod', service, suffix, [endpoint]);
}

/** The object with these labels beside those that it has. */
function labelled(object: RawObject, labels: Record<string, string>): RawObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
}

/** Only a lost change reaches it. */
const CHANGE_DEADLINE = 8_000;
