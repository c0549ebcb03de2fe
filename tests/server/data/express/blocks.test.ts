/** Which block answers a name, and with which plugins before it, is the same in both lanes; so is what a new plan changes. */

import test from 'ava';

import { transparent } from '../../../../server/pipeline.ts';
import type { AnyPlugin } from '../../../../server/plugins/order.ts';
import { emptyReply, type Query, type Reply } from '../../../../server/query.ts';
import { Rcode, RRType } from '../../../../zones/rr.ts';
import { BothLanes } from '../../../support/both-lanes.ts';
import { puts, service } from '../../../support/example-cluster.ts';
import { asked } from '../../../support/query.ts';
import { readReply } from '../../../support/reply.ts';

/** Names of the example's cluster, of its zones' edges, and of everywhere else. */
const NAMES = [
  'cluster.local',
  'svc.cluster.local',
  'ns.dns.cluster.local',
  'x.ns.dns.cluster.local',
  'x.dns.cluster.local',
  'y.hostmaster.cluster.local',
  'web.prod.svc.cluster.local',
  'db.prod.svc.cluster.local',
  'db-0.db.prod.svc.cluster.local',
  '_http._tcp.web.prod.svc.cluster.local',
  'nosuch.prod.svc.cluster.local',
  'kubernetes.default.svc.cluster.local',
  'ext.prod.svc.cluster.local',
  'prod.svc.cluster.local',
  'nosuch.cluster.local',
  'az.cluster.local',
  'www.sub.cluster.local',
  'sub.cluster.local',
  'xsub.cluster.local',
  'local',
  'example.org',
  'www.example.org',
  'localhost',
  'localhost.prod.svc.cluster.local',
  'localhost.cluster.local',
  'a.invalid',
  '1.1.96.10.in-addr.arpa',
  '1.0.0.127.in-addr.arpa',
  '7.0.0.127.in-addr.arpa',
  '96.10.in-addr.arpa',
  '9.9.9.9.in-addr.arpa',
  '',
];
const TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'NS', 'SOA', 'TXT', 'DS', 'HTTPS', 'ANY', 'CNAME', 'TYPE127', 'TYPE41'];
const EDNS = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

function outside({ question: { spelling, type } }: Query): Reply {
  const reply: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true };
  if (type !== RRType.A) return reply;
  return { ...reply, answer: [{ owner: spelling, type, ttl: 60, rdatas: [Uint8Array.of(192, 0, 2, 1)] }] };
}

const KUBERNETES = 'kubernetes cluster.local in-addr.arpa ip6.arpa';

/** Each has the zone of a cluster. */
const COREFILES: Readonly<Record<string, string>> = {
  'one block with everything': `.:0 {
    bind 127.0.0.1
    any
    errors
    local
    loadbalance
    cache 30
    loop
    metadata
    nsid here
    ${KUBERNETES} {
      fallthrough in-addr.arpa ip6.arpa
    }
    forward . 192.0.2.1
  }`,
  'fallthrough everywhere': `.:0 {
    bind 127.0.0.1
    ${KUBERNETES} {
      fallthrough
    }
    forward . 192.0.2.1
  }`,
  'a zone within a zone of one cluster': `.:0 {
    bind 127.0.0.1
    kubernetes cluster.local sub.cluster.local 10.in-addr.arpa in-addr.arpa
    forward . 192.0.2.1
  }`,
  "another block's zone below the cluster's": `.:0 {
    bind 127.0.0.1
    ${KUBERNETES}
    forward . 192.0.2.1
  }
  sub.cluster.local:0 {
    bind 127.0.0.1
    cache 30
    forward . 192.0.2.1
  }`,
  "another block's zone below the cluster's, down to a service": `.:0 {
    bind 127.0.0.1
    ${KUBERNETES}
  }
  prod.svc.cluster.local:0 96.10.in-addr.arpa:0 {
    bind 127.0.0.1
    forward . 192.0.2.1
  }`,
  'a block for the cluster alone': `cluster.local:0 in-addr.arpa:0 ip6.arpa:0 {
    bind 127.0.0.1
    kubernetes
  }
  .:0 {
    bind 127.0.0.1
    local
    cache 30
    forward . 192.0.2.1
  }`,
  'a cluster whose zones are longer than the block it stands in': `local:0 {
    bind 127.0.0.1
    kubernetes cluster.local
    forward . 192.0.2.1
  }`,
  'the root as the zone of a cluster': `.:0 {
    bind 127.0.0.1
    kubernetes .
  }`,
};

for (const [title, corefile] of Object.entries(COREFILES)) {
  test(`both lanes say the same: ${title}`, async (t) => {
    const both = await BothLanes.start(t, { corefile, upstream: outside });
    for (const name of NAMES) {
      for (const type of TYPES) {
        await both.agree(t, asked(name, type));
        await both.agree(t, asked(name.toUpperCase(), type, { edns: EDNS, authenticData: true }));
      }
    }
    t.true(both.expressReplies > 0);
  });
}

test('a plugin that the express lane cannot pass by keeps all of its block in the plain lane', async (t) => {
  const opaque: AnyPlugin = {
    name: 'chaos',
    parse: () => undefined,
    layer: () => (next) => (query) =>
      query.question.name.startsWith('\x03web') ? emptyReply(Rcode.REFUSED, 'chaos') : next(query),
  };
  const corefile = `.:0 {
    bind 127.0.0.1
    chaos
    cache 30
    ${KUBERNETES}
    forward . 192.0.2.1
  }`;
  const both = await BothLanes.start(t, { corefile, upstream: outside, plugins: [opaque] });
  for (const name of NAMES) for (const type of TYPES) await both.agree(t, asked(name, type));
  t.is(both.expressReplies, 0);
  t.is(both.total('fivedots_express_prepared_replies'), 0);
});

test('loadbalance with a preference keeps its block in the plain lane, and no other one', async (t) => {
  const corefile = `.:0 {
    bind 127.0.0.1
    loadbalance {
      prefer 10.0.0.0/8
    }
    cache 30
    forward . 192.0.2.1
  }
  cluster.local:0 {
    bind 127.0.0.1
    kubernetes
  }`;
  const both = await BothLanes.start(t, { corefile, upstream: outside });
  await both.agree(t, asked('www.example.org', 'A'), '', 3);
  t.is(both.expressReplies, 0);
  await both.agree(t, asked('web.prod.svc.cluster.local', 'A'), '', 3);
  t.is(both.expressReplies, 5);
});

test('a transparent plugin that takes names is asked before a denial', async (t) => {
  const taking: AnyPlugin = {
    name: 'hosts',
    parse: () => undefined,
    layer: () =>
      transparent(
        (next) => (query) =>
          query.question.name.startsWith('\x04mine') ? emptyReply(Rcode.NOERROR, 'hosts') : next(query),
        { takes: (name) => name.startsWith('\x04mine') },
      ),
  };
  const corefile = `.:0 {\n bind 127.0.0.1\n hosts\n ${KUBERNETES}\n}`;
  const both = await BothLanes.start(t, { corefile, plugins: [taking] });
  const reply = readReply(await both.agree(t, asked('mine.cluster.local', 'A')));
  t.is(reply.rcode, 'NOERROR');
  t.is(both.expressReplies, 0);
  await both.agree(t, asked('yours.cluster.local', 'A'));
  t.is(both.expressReplies, 4);
});

test('a block on two addresses has an express lane on each, and says the same there', async (t) => {
  const corefile = `.:0 {\n bind 127.0.0.1 ::1\n cache 30\n ${KUBERNETES}\n forward . 192.0.2.1\n}`;
  const both = await BothLanes.start(t, { corefile, upstream: outside });
  for (const listener of [0, 1]) {
    for (const name of NAMES) await both.agree(t, asked(name, 'A'), '', 2, listener);
  }
  const counted = [...both.express.test.series()].filter(([row]) => row.startsWith('fivedots_express_replies_total'));
  t.is(counted.length, 2);
  t.true(counted.every(([, [value = 0]]) => value > 20));
});

test('each letter means the same in both cases', async (t) => {
  const both = await BothLanes.start(t, { corefile: `.:0 {\n bind 127.0.0.1\n ${KUBERNETES}\n}` });
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(0x61 + i));
  await both.apply(puts(...letters.map((letter, i) => service(`prod/${letter}0`, [`10.96.9.${i}`]))));
  for (const [i, letter] of letters.entries()) {
    for (const label of [letter, letter.toUpperCase()]) {
      const { answer } = readReply(await both.agree(t, asked(`${label}0.prod.svc.cluster.local`, 'A')));
      t.is(answer[0]?.rdata, `10.96.9.${i}`);
    }
  }
  t.is(both.expressReplies, 26 * (3 + 4));
});

test('what one plan had prepared is not said by the next', async (t) => {
  const corefile = (ttl: number, pods: string): string =>
    `.:0 {\n bind 127.0.0.1\n ${KUBERNETES} {\n ttl ${ttl}\n pods ${pods}\n }\n}`;
  const both = await BothLanes.start(t, { corefile: corefile(5, 'disabled') });
  const ttlOf = async (): Promise<number | undefined> =>
    readReply(await both.agree(t, asked('web.prod.svc.cluster.local', 'A'), '', 3)).answer[0]?.ttl;
  const pod = asked('10-244-1-5.prod.pod.cluster.local', 'A');
  t.is(await ttlOf(), 5);
  t.is(readReply(await both.agree(t, pod)).rcode, 'NXDOMAIN');
  await both.use(corefile(17, 'insecure'));
  t.is(await ttlOf(), 17);
  t.is(readReply(await both.agree(t, pod)).rcode, 'NOERROR');
  await both.apply(puts(service('prod/web', ['10.96.7.7'])));
  t.is(readReply(await both.agree(t, asked('web.prod.svc.cluster.local', 'A'))).answer[0]?.rdata, '10.96.7.7');
  await both.use(corefile(5, 'disabled'));
  t.is(await ttlOf(), 5);
  t.is(readReply(await both.agree(t, pod)).rcode, 'NXDOMAIN');
  t.true(both.expressReplies > 20);
});
