/**
 * What a server says of a cluster that it has read in part, and of objects that only an API server has. The API server is a
 * small real one.
 */

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import { exchange } from './support/client.ts';
import { FakeApiServer } from './support/fake-api-server.ts';
import { decodeReply, presentReply, type PresentedReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { rawImportedSlice, rawNamespace, rawService, rawServiceImport, rawSlice } from './support/raw-objects.ts';
import { ROOT, startServer } from './support/server.ts';

const SOA = 'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5';

test('while endpoints are still to come, services have their addresses and nothing is denied', async (t) => {
  const api = await apiServer(t);
  api.fail({ kind: 'EndpointSlice', does: 'mute', headers: false, times: Infinity });
  const ask = await serverOf(t, api);
  await untilAnswered(() => ask('web.prod.svc.cluster.local', 'A'));
  t.like(await ask('web.prod.svc.cluster.local', 'A'), {
    reply: 'reply NOERROR aa rd',
    answer: ['web.prod.svc.cluster.local. 5 IN A 10.96.1.1'],
  });
  t.like(await ask('web.prod.svc.cluster.local', 'TXT'), { reply: 'reply NOERROR aa rd', authority: [SOA] });
  for (const name of ['nosuch.prod', 'db.prod', 'web.nons', '10-244-1-5.web.prod']) {
    const reply = await ask(`${name}.svc.cluster.local`, 'A');
    t.like(reply, { reply: 'reply SERVFAIL aa rd', answer: [], authority: [SOA] }, name);
  }
});

// CoreDNS plugin/kubernetes answers with a CNAME to the root and asks upstream for it.
test('a service that has no cluster IP yet exists and has no data', async (t) => {
  const api = await apiServer(t);
  const ask = await serverOf(t, api);
  await untilAnswered(() => ask('nosuch.prod.svc.cluster.local', 'A'));
  for (const type of ['A', 'AAAA', 'TXT', 'SRV']) {
    const reply = await ask('unassigned.prod.svc.cluster.local', type);
    t.like(reply, { reply: 'reply NOERROR aa rd', answer: [], authority: [SOA], additional: [] }, type);
  }
});

test('an object that is created, changed and deleted is there, changed and gone', async (t) => {
  const api = await apiServer(t);
  const ask = await serverOf(t, api);
  await untilAnswered(() => ask('nosuch.prod.svc.cluster.local', 'A'));
  const answers = async (): Promise<string> => {
    const { reply, answer } = await ask('new.prod.svc.cluster.local', 'A');
    return [reply, ...answer].join(' ');
  };
  const becomes = async (text: string): Promise<void> => {
    let seen = '';
    for (const deadline = performance.now() + CHANGE_DEADLINE; performance.now() < deadline; await pause(10)) {
      seen = await answers();
      if (seen === text) break;
    }
    t.is(seen, text);
  };
  await becomes('reply NXDOMAIN aa rd');
  api.put(rawService('prod', 'new', { clusterIP: '10.96.1.8', clusterIPs: ['10.96.1.8'] }));
  await becomes('reply NOERROR aa rd new.prod.svc.cluster.local. 5 IN A 10.96.1.8');
  api.put(rawService('prod', 'new', { clusterIP: '10.96.1.9', clusterIPs: ['10.96.1.9'] }));
  await becomes('reply NOERROR aa rd new.prod.svc.cluster.local. 5 IN A 10.96.1.9');
  api.remove('Service', 'prod', 'new');
  await becomes('reply NXDOMAIN aa rd');
});

test('imports of other clusters and topology zones come and change with their objects', async (t) => {
  const api = await apiServer(t);
  api.put(rawServiceImport('prod', 'shop', ['10.112.0.1']));
  api.put(rawServiceImport('prod', 'db', []));
  api.put(rawImportedSlice('prod', 'db', 'east', [{ address: '10.1.0.1', hostname: 'db-0' }]));
  api.put(rawSlice('prod', 'db', 'own', [{ address: '10.0.0.1', zone: 'zone-a' }]));
  const ask = await serverOf(t, api, 'golden-api-multicluster');
  await untilAnswered(() => ask('nosuch.prod.svc.clusterset.local', 'A'));
  await untilAnswered(() => ask('nosuch.prod.svc.cluster.local', 'A'));
  const becomes = async (name: string, address: string | undefined): Promise<void> => {
    let found: string | undefined = '';
    for (const deadline = performance.now() + CHANGE_DEADLINE; performance.now() < deadline; await pause(10)) {
      found = (await ask(name, 'A')).answer[0]?.split(' ').at(-1);
      if (found === address) break;
    }
    t.is(found, address, name);
  };
  await becomes('shop.prod.svc.clusterset.local', '10.112.0.1');
  await becomes('db-0.east.db.prod.svc.clusterset.local', '10.1.0.1');
  await becomes('db.prod.svc.cluster.local', '10.0.0.1');
  await becomes('zone-a.pin._zone.db.prod.svc.cluster.local', '10.0.0.1');
  api.put(rawServiceImport('prod', 'shop', ['10.112.0.9']));
  await becomes('shop.prod.svc.clusterset.local', '10.112.0.9');
  api.put(rawImportedSlice('prod', 'db', 'west', [{ address: '10.2.0.1', hostname: 'db-0' }]));
  await becomes('db-0.west.db.prod.svc.clusterset.local', '10.2.0.1');
  api.put(rawSlice('prod', 'db', 'own', [{ address: '10.0.0.1', zone: 'zone-b' }]));
  await becomes('zone-a.pin._zone.db.prod.svc.cluster.local', undefined);
  await becomes('zone-b.pin._zone.db.prod.svc.cluster.local', '10.0.0.1');
  api.remove('ServiceImport', 'prod', 'shop');
  await becomes('shop.prod.svc.clusterset.local', undefined);
});

// CoreDNS plugin/kubernetes waits for ServiceImports with everything that it says.
test('a server that knows no ServiceImports has none; one that does not give them away stops nothing else', async (t) => {
  const without = await apiServer(t);
  without.unknown.add('serviceimports');
  const forbidding = await apiServer(t);
  forbidding.forbidden.add('serviceimports');
  for (const [api, expected] of [
    [without, 'NXDOMAIN'],
    [forbidding, 'SERVFAIL'],
  ] as const) {
    const ask = await serverOf(t, api, 'golden-api-multicluster');
    await untilAnswered(() => ask('nosuch.prod.svc.cluster.local', 'A'));
    t.is((await ask('nosuch.prod.svc.cluster.local', 'A')).reply, 'reply NXDOMAIN aa rd');
    if (expected === 'NXDOMAIN') await untilAnswered(() => ask('nosuch.prod.svc.clusterset.local', 'A'));
    t.is((await ask('nosuch.prod.svc.clusterset.local', 'A')).reply, `reply ${expected} aa rd`);
  }
});

/** Only a lost change reaches it. */
const CHANGE_DEADLINE = 8_000;

async function apiServer(t: ExecutionContext): Promise<FakeApiServer> {
  const api = await FakeApiServer.start();
  t.teardown(() => api.close());
  api.put(rawNamespace('prod'));
  api.put(rawService('prod', 'web', { clusterIP: '10.96.1.1', clusterIPs: ['10.96.1.1'] }));
  api.put(rawService('prod', 'db', { clusterIP: 'None', clusterIPs: ['None'] }));
  api.put(rawService('prod', 'unassigned', { clusterIP: '', clusterIPs: [] }));
  return api;
}

async function serverOf(
  t: ExecutionContext,
  api: FakeApiServer,
  corefile = 'golden-api',
): Promise<(name: string, type: string) => Promise<PresentedReply>> {
  const server = await startServer({
    corefile: { file: join(ROOT, `fixtures/corefiles/${corefile}.corefile`) },
    environment: { API: api.url },
    until: 'answering',
  });
  t.teardown(async () => void (await server.close()));
  const address = { host: '127.0.0.1', port: server.port };
  return async (name, type) =>
    presentReply(decodeReply(await exchange(address, 'udp', encodeQuery(1, asked(name, type)))));
}

/** Until the cluster is known far enough for the question: SERVFAIL no more. */
async function untilAnswered(ask: () => Promise<PresentedReply>): Promise<void> {
  for (const deadline = performance.now() + CHANGE_DEADLINE; performance.now() < deadline; await pause(10)) {
    if (!(await ask()).reply.startsWith('reply SERVFAIL')) return;
  }
  throw new Error(`SERVFAIL for ${CHANGE_DEADLINE} ms`);
}
