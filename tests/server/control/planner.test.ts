import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { bannerOf, planOf } from '../../../server/control/planner.ts';
import { loadCorefile } from '../../../server/corefile/load.ts';
import type { Plan } from '../../../server/plan.ts';
import { bind } from '../../../server/plugins/bind.ts';
import { plugins, type AnyPlugin } from '../../../server/plugins/order.ts';
import { present } from '../../../zones/name.ts';
import { corefileOf, messageOf } from '../../support/corefile.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/corefiles');

/** What each `parse` was given becomes the options. */
const FAKES: ReadonlyMap<string, AnyPlugin> = new Map<string, AnyPlugin>([
  ...['errors', 'log', 'cache', 'forward', 'whoami'].map((name): [string, AnyPlugin] => [
    name,
    {
      name,
      parse: (directives, block) => ({ lines: directives.map(({ args }) => args.map(({ text }) => text)), block }),
    },
  ]),
  ['bind', { name: 'bind', parse: bind.parse }],
]);

function plan(text: string, defaultPort = 53): Plan {
  return planOf(corefileOf({ Corefile: text }).blocks, { defaultPort, plugins: FAKES });
}

/** `server: zone>block …` for each listener. */
function listeners(text: string, defaultPort?: number): readonly string[] {
  return plan(text, defaultPort).listeners.map(
    ({ server, routes }) => `${server}: ${routes.map(({ zone, block }) => `${present(zone)}>${block}`).join(' ')}`,
  );
}

for (const [behaviour, text, expected] of [
  ['the default port is used where none is written', '. {\n log\n}\n', ['dns://:1053: .>0']],
  ['a written port is kept', '.:53 a:5353 {\n log\n}\n', ['dns://:53: .>0', 'dns://:5353: a.>0']],
  ['blocks on one port share a listener', 'a {\n log\n}\nb c:1053 {\n log\n}\n', ['dns://:1053: a.>0 b.>1 c.>1']],
  [
    'a network is a route for each reverse zone',
    '10.0.0.0/15 {\n log\n}\n',
    ['dns://:1053: 0.10.in-addr.arpa.>0 1.10.in-addr.arpa.>0'],
  ],
  [
    'bind opens a listener for each address',
    '. {\n bind 127.0.0.1 ::1\n}\n',
    ['dns://127.0.0.1:1053: .>0', 'dns://[::1]:1053: .>0'],
  ],
  [
    'bind is for all zones of its block and no other',
    'a b {\n bind 127.0.0.1\n}\nc {\n log\n}\n',
    ['dns://127.0.0.1:1053: a.>0 b.>0', 'dns://:1053: c.>1'],
  ],
  [
    'one zone on two ports or two addresses is served twice',
    'a a:54 {\n bind 127.0.0.1\n}\na {\n bind 127.0.0.2\n}\n',
    ['dns://127.0.0.1:1053: a.>0', 'dns://127.0.0.1:54: a.>0', 'dns://127.0.0.2:1053: a.>1'],
  ],
  [
    'a zone on the wildcard may stand beside another one on an address',
    'a {\n log\n}\nb {\n bind 127.0.0.1\n}\n',
    ['dns://:1053: a.>0', 'dns://127.0.0.1:1053: b.>1'],
  ],
] as const) {
  test(`listeners: ${behaviour}`, (t) => t.deepEqual(listeners(text, 1053), [...expected]));
}

// CoreDNS core/dnsserver: registerAndCheck.
for (const [behaviour, text, message] of [
  [
    'a zone twice',
    'a {\n log\n}\nA.:53 {\n log\n}\n',
    '4:1: cannot serve "dns://a.:53": it is already defined at Corefile:1:1',
  ],
  [
    'a zone twice in one block',
    'a b a {\n log\n}\n',
    '1:5: cannot serve "dns://a.:53": it is already defined at Corefile:1:1',
  ],
  [
    'a zone twice on an address',
    'a {\n bind 127.0.0.1\n}\na {\n bind 127.0.0.2 127.0.0.1\n}\n',
    '4:1: cannot serve "dns://a.:53 on 127.0.0.1": it is already defined at Corefile:1:1',
  ],
  [
    'a network and one of its zones',
    '10.0.0.0/15 {\n log\n}\n1.10.in-addr.arpa {\n log\n}\n',
    '4:1: cannot serve "dns://1.10.in-addr.arpa.:53": it is already defined at Corefile:1:1',
  ],
  [
    'a zone on an address and on all',
    'a {\n log\n}\na {\n bind ::1\n}\n',
    '4:1: cannot serve "dns://a.:53 on ::1": it overlaps with "dns://a.:53" at Corefile:1:1; bind both to addresses, or neither',
  ],
  [
    'a zone on all and on an address',
    'a {\n bind ::1\n}\na {\n log\n}\n',
    '4:1: cannot serve "dns://a.:53": it overlaps with "dns://a.:53 on ::1" at Corefile:1:1; bind both to addresses, or neither',
  ],
  [
    'tls://, which must not become clear text',
    '. {\n log\n}\na tls://b.org:853 {\n log\n}\n',
    '4:3: found "tls://b.org.", which is not supported yet; only dns:// is',
  ],
  ['https://', 'https://. {\n log\n}\n', '1:1: found "https://.", which is not supported yet; only dns:// is'],
  [
    'a word that is no plugin',
    '. {\n log\n}\na {\n errors\n whoamy\n}\n',
    '6:2: found "whoamy", which is not a plugin; did you mean "whoami"?; known are: whoami, ',
  ],
  [
    'a plugin that does not exist yet',
    '. {\n rewrite name a b\n}\n',
    '2:2: found "rewrite", a plugin of CoreDNS that fivedots does not implement yet; implemented are: ',
  ],
  [
    'what a plugin refuses',
    '. {\n bind nowhere\n}\n',
    '2:7: found "nowhere", expected an IP address or an interface of this machine: ',
  ],
] as const) {
  test(`plan: ${behaviour} is refused`, (t) => {
    const refusal = messageOf(() => plan(text)) ?? '';
    t.is(refusal.slice(0, `Corefile:${message}`.length), `Corefile:${message}`);
  });
}

test('plugins: each word once, in the order of CoreDNS, with all its directives in file order', (t) => {
  const [block] = plan('a b {\n whoami\n log x\n cache 30\n errors\n log y z\n forward . 192.0.2.1\n}\n').blocks;
  t.deepEqual(
    block?.plugins.map(({ name }) => name),
    ['errors', 'log', 'cache', 'forward', 'whoami'],
  );
  const log = block?.plugins[1]?.options as { lines: unknown; block: { keys: unknown; position: unknown } };
  t.deepEqual(log.lines, [['x'], ['y', 'z']]);
  t.deepEqual(log.block, { keys: block?.keys, position: block?.position });
});

test('plugins: what stands in several blocks is looked at together', (t) => {
  const text = (second: string): string =>
    `a {\n kubernetes {\n  snapshot /s\n }\n}\nb {\n kubernetes {\n  ${second}\n  snapshot /s\n }\n}\n`;
  const planned = (second: string): Plan =>
    planOf(corefileOf({ Corefile: text(second) }).blocks, { defaultPort: 53, plugins });
  t.is(planned('ttl 9').blocks.length, 2);
  const refusal = messageOf(() => planned('pods verified')) ?? '';
  t.true(refusal.startsWith('Corefile:9:3: found "/s", which keeps what another kubernetes block reads, '), refusal);
});

test('plugins: a block without any is planned, and answers nothing', (t) => {
  t.deepEqual(plan('a {\n}\n').blocks[0]?.plugins, []);
});

// CoreDNS core/dnsserver: startUpZones.
for (const [text, ...lines] of [
  ['.:53 {\n log\n}\n', '.:53'],
  ['b a {\n log\n}\nc:1053 {\n bind 127.0.0.1 ::1\n}\n', 'a.:53', 'b.:53', 'c.:1053 on 127.0.0.1', 'c.:1053 on ::1'],
] as const) {
  test(`banner: ${lines.join(', ')}`, (t) => t.deepEqual(bannerOf(plan(text)), [...lines]));
}

const KUBEADM = [
  'reload',
  'ready',
  'health',
  'prometheus',
  'errors',
  'loadbalance',
  'cache',
  'kubernetes',
  'loop',
  'forward',
];
const STUB = ['errors', 'cache', 'loop', 'forward'];
const NODELOCAL = ['reload', 'bind', 'prometheus', 'errors', 'cache', 'loop', 'forward'];
const NODE_BLOCKS = ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.', '.'];

// The Corefiles of kubeadm, of the cluster addon, of coredns/deployment with and without stub domains, and of NodeLocal DNSCache.
for (const [name, blocks, banner] of [
  ['kubeadm', [KUBEADM], ['.:53']],
  ['addon', [KUBEADM], ['.:53']],
  ['deployment', [KUBEADM], ['.:53']],
  ['stub-domains', [KUBEADM, STUB, STUB], ['.:53', 'example.net.:53', 'example.org.:53']],
  [
    'nodelocal',
    [NODELOCAL.with(1, 'bind').toSpliced(2, 0, 'health'), NODELOCAL, NODELOCAL, NODELOCAL],
    ['169.254.20.10', '10.96.0.10'].flatMap((host) => NODE_BLOCKS.toSorted().map((zone) => `${zone}:53 on ${host}`)),
  ],
] as const) {
  test(`fixture ${name} loads unchanged`, (t) => {
    const path = join(FIXTURES, name);
    // The one file that these Corefiles point to beside themselves is /etc/resolv.conf, which `forward` reads later.
    const corefile = loadCorefile(path, { environment: new Map(), readFile: (file) => readFileSync(file, 'utf8') });
    t.deepEqual(corefile.warnings, []);
    const made = planOf(corefile.blocks, { defaultPort: 53, plugins });
    t.deepEqual(
      made.blocks.map((block) => block.plugins.map((plugin) => plugin.name)),
      blocks.map((each) => [...each]),
    );
    t.deepEqual(bannerOf(made), [...banner]);
    t.deepEqual(structuredClone(made), made);
  });
}
