/**
 * glibc's resolver as a container has it: a resolv.conf like a pod's, with search list and ndots:5, in a network of its own
 * in which fivedots is kube-dns on port 53 and unbound is the world outside.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test from 'ava';

import { CLUSTER_ADDRESS, DNS_ADDRESSES, OUTSIDE_ADDRESSES, TestNetwork, type View } from '../support/namespace.ts';
import { NAMESPACES, needing } from '../support/needing.ts';
import { startKnot, startUnbound, type OutsideServer } from '../support/outside-world.ts';
import { run, Running, type Finished } from '../support/programs.ts';
import { ROOT } from '../support/server.ts';

const POD: View = {
  '/etc/resolv.conf': [
    `nameserver ${DNS_ADDRESSES.v4}`,
    'search shop.svc.cluster.local svc.cluster.local cluster.local',
    'options ndots:5',
    '',
  ].join('\n'),
  '/etc/nsswitch.conf': 'hosts: files dns\n',
  '/etc/hosts': '127.0.0.1 localhost\n',
};
/** A pod with dnsPolicy Default, which fivedots is, sees its node's. */
const NODE: View = { ...POD, '/etc/resolv.conf': `nameserver ${OUTSIDE_ADDRESSES.resolver}\n` };

type World = {
  readonly network: TestNetwork;
  readonly knot: OutsideServer;
  readonly unbound: OutsideServer;
  readonly server: Running;
  /** What goes in front of a command that a pod runs. */
  readonly pod: readonly string[];
};

let begun: Promise<World> | undefined;
const world = (): Promise<World> => (begun ??= begin());
test.after.always('the network ends', async () => {
  if (begun === undefined) return;
  const { network, knot, unbound, server } = await begun;
  await server.stop();
  await unbound.stop();
  await knot.stop();
  await network.close();
});

async function begin(): Promise<World> {
  const network = await TestNetwork.open();
  const enter = network.outside;
  const knot = await startKnot({ host: OUTSIDE_ADDRESSES.authority, port: 53, enter });
  const unbound = await startUnbound({ host: OUTSIDE_ADDRESSES.resolver, port: 53, enter }, knot.address);
  const kubeadm = await readFile(join(ROOT, 'fixtures/corefiles/kubeadm'), 'utf8');
  const corefile = kubeadm.replace(
    'pods insecure',
    `manifests ${join(ROOT, 'fixtures/clusters/demo')}\n pods insecure`,
  );
  const node = await network.seeing({ ...NODE, '/run/Corefile': corefile });
  const server = await Running.start(
    [...node, process.execPath, join(ROOT, 'server/main.ts'), '-conf', '/run/Corefile'],
    async () => (await network.statusOf('http://127.0.0.1:8181/ready')) === 200,
  );
  return { network, knot, unbound, server, pod: await network.seeing(POD) };
}

const resolves = needing(NAMESPACES, 'unbound', 'knotd');

const V4 = '10.96.12.80';
const V6 = 'fd00:96::c50';

const FOUND: readonly (readonly [title: string, words: readonly string[], lines: readonly string[]])[] = [
  ['a short name', ['ahostsv4', 'web'], [`${V4} STREAM web.shop.svc.cluster.local`, `${V4} DGRAM`, `${V4} RAW`]],
  ['a name and its namespace', ['hosts', 'ledger.payments'], ['10.96.201.15 ledger.payments.svc.cluster.local']],
  ['name.namespace.svc', ['hosts', 'cart.shop.svc'], ['10.96.140.7 cart.shop.svc.cluster.local']],
  ['a full name', ['hosts', 'cart.shop.svc.cluster.local'], ['10.96.140.7 cart.shop.svc.cluster.local']],
  ['a full name with its dot', ['hosts', 'cart.shop.svc.cluster.local.'], ['10.96.140.7 cart.shop.svc.cluster.local']],
  [
    'a name in other letters, which come back as they were asked',
    ['hosts', 'CART.Shop'],
    ['10.96.140.7 CART.Shop.svc.cluster.local'],
  ],
  [
    'IPv6 of a service with both families',
    ['ahostsv6', 'web'],
    [`${V6} STREAM web.shop.svc.cluster.local`, `${V6} DGRAM`, `${V6} RAW`],
  ],
  [
    'both families',
    ['ahosts', 'web'],
    [`${V6} STREAM web.shop.svc.cluster.local`, `${V6} DGRAM`, `${V6} RAW`, `${V4} STREAM`, `${V4} DGRAM`, `${V4} RAW`],
  ],
  [
    'a pod of a StatefulSet',
    ['ahostsv4', 'db-0.db'],
    ['10.244.1.60 STREAM db-0.db.shop.svc.cluster.local', '10.244.1.60 DGRAM', '10.244.1.60 RAW'],
  ],
  ['a pod by its address', ['hosts', '10-244-1-21.shop.pod'], ['10.244.1.21 10-244-1-21.shop.pod.cluster.local']],
  [
    'an ExternalName',
    ['hosts', 'gateway.payments'],
    ['203.0.113.20 payments.example.com gateway.payments.svc.cluster.local'],
  ],
  ['an outside name, through the search list', ['hosts', 'mail.example.org'], ['192.0.2.25 mail.example.org']],
  ['an outside name with its dot', ['hosts', 'mail.example.org.'], ['192.0.2.25 mail.example.org']],
  [
    'an outside alias',
    ['ahostsv4', 'shop.example.org'],
    ['203.0.113.80 STREAM www.example.org', '203.0.113.80 DGRAM', '203.0.113.80 RAW'],
  ],
  ['the name of a service address', ['hosts', V4], [`${V4} web.shop.svc.cluster.local`]],
  ['the name of an IPv6 service address', ['hosts', V6], [`${V6} web.shop.svc.cluster.local`]],
  ['the name of a pod address', ['hosts', '10.244.1.60'], ['10.244.1.60 db-0.db.shop.svc.cluster.local']],
];

for (const [title, words, lines] of FOUND) {
  resolves(`getent ${words.join(' ')}: ${title}`, async (t) => {
    const { code, stdout } = await getent(...words);
    t.is(code, 0);
    t.deepEqual(withoutColumns(stdout).toSorted(), lines.toSorted());
    t.log(`getent ${words.join(' ')}\n${stdout.trimEnd()}`);
  });
}

resolves('getent ahostsv4 of a headless service: every ready pod', async (t) => {
  const { stdout } = await getent('ahostsv4', 'db');
  const addresses = new Set(withoutColumns(stdout).map((line) => line.split(' ')[0] ?? ''));
  t.deepEqual([...addresses].toSorted(), ['10.244.1.60', '10.244.2.60', '10.244.3.60']);
});

for (const name of [
  'missing',
  'missing.payments',
  'web.nowhere.svc',
  'missing.example.org',
  'missing.shop.svc.cluster.local.',
  '10.96.99.99',
]) {
  resolves(`getent hosts ${name}: exit code 2, for there is none`, async (t) => {
    const { code, stdout } = await getent('hosts', name);
    t.is(code, 2);
    t.is(stdout, '');
  });
}

resolves('getent ahostsv6 of a service without IPv6 falls back to its IPv4 address, mapped', async (t) => {
  const { code, stdout } = await getent('ahostsv6', 'cart');
  t.is(code, 0);
  t.regex(stdout, /^::ffff:10\.96\.140\.7 +STREAM cart\.shop\.svc\.cluster\.local$/m);
});

resolves('a large answer comes whole: glibc turns to TCP by itself', async (t) => {
  const { stdout } = await getent('ahostsv4', 'big.example.org');
  t.is(new Set(withoutColumns(stdout).map((line) => line.split(' ')[0])).size, 120);
});

resolves('the resolver asks over IPv6, over TCP (use-vc), with EDNS and one question at a time', async (t) => {
  const { network } = await world();
  const pod = POD['/etc/resolv.conf'] ?? '';
  for (const text of [
    pod.replace(DNS_ADDRESSES.v4, DNS_ADDRESSES.v6),
    pod.replace(DNS_ADDRESSES.v4, CLUSTER_ADDRESS),
    `${pod}options use-vc\n`,
    `${pod}options edns0 trust-ad\n`,
    `${pod}options single-request\n`,
    `${pod}options single-request-reopen no-aaaa\n`,
  ]) {
    const enter = await network.seeing({ ...POD, '/etc/resolv.conf': text });
    const { code, stdout } = await run([...enter, 'getent', 'ahostsv4', 'web']);
    t.is(code, 0, text);
    t.regex(stdout, /^10\.96\.12\.80 +STREAM web\.shop\.svc\.cluster\.local$/m);
  }
});

const clients = needing(NAMESPACES, 'unbound', 'knotd', 'dig', 'nslookup', 'host');

clients('nslookup, host and dig +search walk the search list', async (t) => {
  const { pod } = await world();
  const nslookup = await run([...pod, 'nslookup', 'web']);
  t.is(nslookup.code, 0);
  t.regex(nslookup.stdout, /^Server:\t\t10\.96\.0\.10$/m);
  t.regex(nslookup.stdout, /^Name:\tweb\.shop\.svc\.cluster\.local\nAddress: 10\.96\.12\.80$/m);
  const host = await run([...pod, 'host', 'ledger.payments']);
  t.is(host.stdout, 'ledger.payments.svc.cluster.local has address 10.96.201.15\n');
  const dig = await run([...pod, 'dig', '+search', '+short', 'cart.shop', 'mail.example.org']);
  t.is(dig.stdout, '10.96.140.7\n192.0.2.25\n');
});

clients('each address of the machine answers for itself (RFC 2181 section 4.1)', async (t) => {
  const { network } = await world();
  for (const address of [DNS_ADDRESSES.v4, DNS_ADDRESSES.v6, CLUSTER_ADDRESS, '127.0.0.1', '::1']) {
    for (const transport of ['+notcp', '+tcp']) {
      const dig = await run([
        ...network.cluster,
        'dig',
        `@${address}`,
        '+short',
        '+tries=1',
        transport,
        'web.shop.svc.cluster.local',
      ]);
      t.is(dig.stdout, `${V4}\n`, `${address} ${transport}`);
    }
  }
  const outside = await run([
    ...network.outside,
    'dig',
    `@${CLUSTER_ADDRESS}`,
    '+short',
    '+tries=1',
    'web.shop.svc.cluster.local',
  ]);
  t.is(outside.stdout, `${V4}\n`, 'from another machine');
});

const musl = needing(NAMESPACES, 'unbound', 'knotd', 'musl-gcc');

/** A program for Alpine, which any Linux can run. */
let compiled: Promise<string> | undefined;
async function muslLookup(): Promise<string> {
  compiled ??= (async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'musl-')), 'lookup');
    const { code, stderr } = await run(['musl-gcc', '-static', '-o', file, join(ROOT, 'fixtures/programs/lookup.c')]);
    if (code !== 0) throw new Error(`musl-gcc: ${stderr}`);
    return file;
  })();
  return compiled;
}
test.after.always('the program goes', async () => {
  if (compiled !== undefined) await rm(dirname(await compiled), { recursive: true });
});

const MUSL_FOUND: readonly (readonly [name: string, addresses: readonly string[]])[] = [
  ['web', [V4, V6]],
  ['cart', ['10.96.140.7']],
  ['ledger.payments', ['10.96.201.15']],
  ['cart.shop.svc', ['10.96.140.7']],
  ['cart.shop.svc.cluster.local', ['10.96.140.7']],
  ['db', ['10.244.1.60', '10.244.2.60', '10.244.3.60', 'fd00:244::13c', 'fd00:244::23c', 'fd00:244::33c']],
  ['gateway.payments', ['203.0.113.20']],
  ['mail.example.org', ['192.0.2.25']],
  ['missing', []],
  ['missing.example.org', []],
];

for (const [name, addresses] of MUSL_FOUND) {
  musl(`musl's getaddrinfo finds ${addresses.length} addresses of ${name}`, async (t) => {
    const { code, stdout } = await run([...(await world()).pod, await muslLookup(), name]);
    t.is(code, addresses.length === 0 ? 2 : 0);
    t.deepEqual(stdout.split('\n').filter(Boolean).toSorted(), addresses.toSorted());
  });
}

async function getent(...words: readonly string[]): Promise<Finished> {
  return run([...(await world()).pod, 'getent', ...words]);
}

/** One space between the words, none at the end. */
function withoutColumns(output: string): string[] {
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '));
}
