/**
 * kubeadm's Corefile unchanged, with what a pod of kube-system has: the environment, the service account folder, ports 53,
 * 8080, 8181 and 9153. What is written to the API appears in answers, and how long that takes is printed.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { DNS_ADDRESSES, OUTSIDE_ADDRESSES, TestNetwork } from '../support/namespace.ts';
import { NAMESPACES, needing } from '../support/needing.ts';
import type { Write } from '../support/network-agent.ts';
import { startKnot, startUnbound, type OutsideServer } from '../support/outside-world.ts';
import { run, Running, until } from '../support/programs.ts';
import { rawNamespace, rawService, rawSlice } from '../support/raw-objects.ts';
import { ROOT } from '../support/server.ts';

const SERVICE_ACCOUNT = '/run/secrets/kubernetes.io/serviceaccount';
const SERVER = { host: DNS_ADDRESSES.v4, port: 53 };
const TOKEN = 'a-token-of-the-service-account';

const kubeadm = needing(NAMESPACES, 'openssl', 'unbound', 'knotd');

type World = {
  readonly network: TestNetwork;
  readonly knot: OutsideServer;
  readonly unbound: OutsideServer;
  readonly server: Running;
  readonly folder: string;
};

let begun: Promise<World> | undefined;
const world = (): Promise<World> => (begun ??= begin());
test.after.always('the network ends', async () => {
  if (begun === undefined) return;
  const { network, knot, unbound, server, folder } = await begun;
  await server.stop();
  await unbound.stop();
  await knot.stop();
  await network.close();
  await rm(folder, { recursive: true, force: true });
});

async function begin(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'api-'));
  const [certificate, key] = [join(folder, 'ca.crt'), join(folder, 'key')];
  const made = await run(
    [
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ].concat([
      '-subj',
      '/CN=kube-apiserver',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      certificate,
    ]),
  );
  if (made.code !== 0) throw new Error(`openssl: ${made.stderr}`);

  const network = await TestNetwork.open();
  const enter = network.outside;
  const knot = await startKnot({ host: OUTSIDE_ADDRESSES.authority, port: 53, enter });
  const unbound = await startUnbound({ host: OUTSIDE_ADDRESSES.resolver, port: 53, enter }, knot.address);
  const { port } = await network.order({ do: 'api', certificate, key, token: TOKEN });
  await network.write(...BEFORE);
  const pod = await network.seeing({
    '/etc/resolv.conf': `nameserver ${OUTSIDE_ADDRESSES.resolver}\n`,
    '/run/coredns/Corefile': await readFile(join(ROOT, 'fixtures/corefiles/kubeadm'), 'utf8'),
    [`${SERVICE_ACCOUNT}/ca.crt`]: await readFile(certificate, 'utf8'),
    [`${SERVICE_ACCOUNT}/token`]: TOKEN,
    [`${SERVICE_ACCOUNT}/namespace`]: 'kube-system',
  });
  const server = await Running.start(
    [...pod, process.execPath, join(ROOT, 'server/main.ts'), '-conf', '/run/coredns/Corefile'],
    async () => (await network.statusOf('http://127.0.0.1:8181/ready')) === 200,
    { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port) },
  );
  return { network, knot, unbound, server, folder };
}

const BEFORE: readonly Write[] = [
  { put: rawNamespace('default') },
  { put: rawNamespace('shop') },
  { put: rawService('default', 'kubernetes', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] }) },
];

const WEB = 'web.shop.svc.cluster.local';
const DB = 'db.shop.svc.cluster.local';
const headless = { clusterIP: 'None', clusterIPs: ['None'] };
const at = (ip: string): Record<string, unknown> => ({ clusterIP: ip, clusterIPs: [ip] });

/** In order: what is written, what is asked, what the answer must become. */
const CHANGES: readonly {
  readonly what: string;
  readonly writes: readonly Write[];
  readonly name: string;
  readonly type: string;
  readonly expected: readonly string[];
}[] = [
  {
    what: 'a Service is created',
    writes: [{ put: rawService('shop', 'web', at('10.96.12.80')) }],
    name: WEB,
    type: 'A',
    expected: ['NOERROR', `${WEB}. 30 IN A 10.96.12.80`],
  },
  {
    what: 'it has a reverse name',
    writes: [],
    name: '80.12.96.10.in-addr.arpa',
    type: 'PTR',
    expected: ['NOERROR', `80.12.96.10.in-addr.arpa. 30 IN PTR ${WEB}.`],
  },
  {
    what: 'its address is changed',
    writes: [{ put: rawService('shop', 'web', at('10.96.12.99')) }],
    name: WEB,
    type: 'A',
    expected: ['NOERROR', `${WEB}. 30 IN A 10.96.12.99`],
  },
  {
    what: 'the old reverse name is gone',
    writes: [],
    name: '80.12.96.10.in-addr.arpa',
    type: 'PTR',
    expected: ['NXDOMAIN'],
  },
  {
    what: 'a second family is added',
    writes: [
      { put: rawService('shop', 'web', { clusterIP: '10.96.12.99', clusterIPs: ['10.96.12.99', 'fd00:96::c50'] }) },
    ],
    name: WEB,
    type: 'AAAA',
    expected: ['NOERROR', `${WEB}. 30 IN AAAA fd00:96::c50`],
  },
  {
    what: 'it becomes an ExternalName',
    writes: [
      {
        put: rawService('shop', 'web', {
          type: 'ExternalName',
          externalName: 'payments.example.com',
          clusterIP: '',
          clusterIPs: [],
        }),
      },
    ],
    name: WEB,
    type: 'A',
    expected: ['NOERROR', 'payments.example.com. 30 IN A 203.0.113.20', `${WEB}. 30 IN CNAME payments.example.com.`],
  },
  {
    what: 'it is deleted',
    writes: [{ remove: { kind: 'Service', namespace: 'shop', name: 'web' } }],
    name: WEB,
    type: 'A',
    expected: ['NXDOMAIN'],
  },
  {
    what: 'a headless Service with a slice is created',
    writes: [
      { put: rawService('shop', 'db', headless) },
      { put: rawSlice('shop', 'db', 'a', [{ address: '10.244.1.60', hostname: 'db-0' }]) },
    ],
    name: DB,
    type: 'A',
    expected: ['NOERROR', `${DB}. 30 IN A 10.244.1.60`],
  },
  {
    what: 'an endpoint is added, in another slice',
    writes: [{ put: rawSlice('shop', 'db', 'b', [{ address: '10.244.2.60', hostname: 'db-1' }]) }],
    name: DB,
    type: 'A',
    expected: ['NOERROR', `${DB}. 30 IN A 10.244.1.60`, `${DB}. 30 IN A 10.244.2.60`],
  },
  {
    what: 'it has a name of its own',
    writes: [],
    name: `db-1.${DB}`,
    type: 'A',
    expected: ['NOERROR', `db-1.${DB}. 30 IN A 10.244.2.60`],
  },
  {
    what: 'an endpoint is no longer ready',
    writes: [{ put: rawSlice('shop', 'db', 'a', [{ address: '10.244.1.60', hostname: 'db-0', ready: false }]) }],
    name: DB,
    type: 'A',
    expected: ['NOERROR', `${DB}. 30 IN A 10.244.2.60`],
  },
  {
    what: 'the last slice is deleted',
    writes: [{ remove: { kind: 'EndpointSlice', namespace: 'shop', name: 'db-b' } }],
    name: `db-1.${DB}`,
    type: 'A',
    expected: ['NXDOMAIN'],
  },
  {
    what: 'a Namespace is created with a Service',
    writes: [{ put: rawNamespace('new') }, { put: rawService('new', 'api', at('10.96.77.7')) }],
    name: 'api.new.svc.cluster.local',
    type: 'A',
    expected: ['NOERROR', 'api.new.svc.cluster.local. 30 IN A 10.96.77.7'],
  },
];

kubeadm('what is created, changed and deleted through the API appears in answers', async (t) => {
  const { network } = await world();
  t.deepEqual(
    await network.ask({ server: SERVER, protocol: 'udp', name: 'kubernetes.default.svc.cluster.local', type: 'A' }),
    ['NOERROR', 'kubernetes.default.svc.cluster.local. 30 IN A 10.96.0.1'],
  );
  for (const { what, writes, name, type, expected } of CHANGES) {
    const ask = { server: SERVER, protocol: 'udp' as const, name, type };
    const { delay = 0 } = await network.order({ do: 'measure', writes, ask, expected });
    t.deepEqual(await network.ask({ ...ask, protocol: 'tcp' }), expected);
    if (writes.length > 0) t.log(`${what}: answered ${delay.toFixed(1)} ms after the write`);
  }
  await theApiServerGoesAway(t);
});

async function theApiServerGoesAway(t: ExecutionContext): Promise<void> {
  const { network } = await world();
  await network.order({ do: 'api-down' });
  const ask = { server: SERVER, protocol: 'udp' as const, name: 'api.new.svc.cluster.local', type: 'A' };
  t.deepEqual(await network.ask(ask), ['NOERROR', 'api.new.svc.cluster.local. 30 IN A 10.96.77.7']);
  t.is(await network.statusOf('http://127.0.0.1:8181/ready'), 200, 'it has the last known state');
  await network.order({ do: 'api-up' });
  const { delay = 0 } = await network.order({
    do: 'measure',
    writes: [{ put: rawService('new', 'api', at('10.96.77.8')) }],
    ask,
    expected: ['NOERROR', 'api.new.svc.cluster.local. 30 IN A 10.96.77.8'],
  });
  t.log(`a change just after the API server is back: answered ${delay.toFixed(1)} ms after the write`);
}

kubeadm('it serves what kubelet and Prometheus ask for, on the ports that the Corefile leaves to it', async (t) => {
  const { network } = await world();
  t.is(await network.statusOf('http://127.0.0.1:8080/health'), 200);
  t.is(await network.statusOf('http://127.0.0.1:8181/ready'), 200);
  const { body = '' } = await network.order({ do: 'get', url: 'http://127.0.0.1:9153/metrics' });
  t.regex(body, /^coredns_dns_requests_total\{/m);
});

kubeadm('an outside name goes to the resolver of the node, the second time to the cache', async (t) => {
  const { network, server } = await world();
  const ask = { server: SERVER, protocol: 'udp' as const, name: 'www.example.org', type: 'A' };
  const [rcode, first] = await network.ask(ask);
  t.is(rcode, 'NOERROR');
  t.regex(first ?? '', /^www\.example\.org\. \d+ IN A 203\.0\.113\.80$/);
  let second = first;
  await until('the TTL has gone down', async () => (second = (await network.ask(ask))[1]) !== first);
  t.log(`first: ${first}\nthen:  ${second}`);
  t.notRegex(server.log, /loop/i, 'the upstream does not lead back here');
});
