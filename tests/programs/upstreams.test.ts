/** Outside names through fivedots, with unbound and knotd as the upstreams that it forwards to. */

import test from 'ava';

import type { Protocol } from '../../server/query.ts';
import { exchange, type ServerAddress } from '../support/client.ts';
import { metric, startDemoServer, type DemoServer } from '../support/demo-server.ts';
import { needing } from '../support/needing.ts';
import { onLoopback, startForwarder, startKnot, startUnbound, type OutsideServer } from '../support/outside-world.ts';
import { decodeReply, presentRecord, type DecodedReply } from '../support/present.ts';
import { until } from '../support/programs.ts';
import { asked, encodeQuery, type AskedEdns } from '../support/query.ts';
import { freePort } from '../support/server.ts';

const outside = needing('unbound', 'knotd');

type World = {
  readonly knot: OutsideServer;
  readonly unbound: OutsideServer;
  readonly throughUnbound: DemoServer;
  readonly straightToKnot: DemoServer;
};

let begun: Promise<World> | undefined;
const world = (): Promise<World> => (begun ??= begin());
test.after.always('servers end', async () => {
  if (begun === undefined) return;
  const { knot, unbound, throughUnbound, straightToKnot } = await begun;
  await Promise.all([throughUnbound.close(), straightToKnot.close(), unbound.stop(), knot.stop()]);
});

async function begin(): Promise<World> {
  const knot = await startKnot(await onLoopback());
  const unbound = await startUnbound(await onLoopback(), knot.address);
  const throughUnbound = await startDemoServer(unbound.upstream);
  const straightToKnot = await startDemoServer(knot.upstream);
  return { knot, unbound, throughUnbound, straightToKnot };
}

type Case = {
  readonly name: string;
  readonly type: string;
  readonly rcode?: number;
  /** Without TTLs; the zone's is 300, and no answer may have more. */
  readonly answer: readonly string[];
};

const WWW = 'www.example.org. IN A 203.0.113.80';
const NXDOMAIN = 3;
const BIG = Array.from({ length: 120 }, (_, i) => `big.example.org. IN A 198.51.100.${i + 1}`);

const CASES: readonly Case[] = [
  { name: 'www.example.org', type: 'A', answer: [WWW] },
  { name: 'www.example.org', type: 'AAAA', answer: ['www.example.org. IN AAAA 2001:db8:80::1'] },
  {
    name: 'shop.example.org',
    type: 'A',
    answer: ['shop.example.org. IN CNAME alias.example.org.', 'alias.example.org. IN CNAME www.example.org.', WWW],
  },
  { name: 'shop.example.org', type: 'CNAME', answer: ['shop.example.org. IN CNAME alias.example.org.'] },
  {
    name: 'example.org',
    type: 'MX',
    answer: ['example.org. IN MX 10 mail.example.org.', 'example.org. IN MX 20 mail.example.net.'],
  },
  {
    name: 'long.example.org',
    type: 'TXT',
    answer: [`long.example.org. IN TXT "${'a'.repeat(255)}" "${'b'.repeat(45)}"`],
  },
  { name: 'short.example.org', type: 'TXT', answer: ['short.example.org. IN TXT "quotes \\" and \\\\ backslashes"'] },
  { name: '_sip._tcp.example.org', type: 'SRV', answer: ['_sip._tcp.example.org. IN SRV 10 60 5060 sip.example.org.'] },
  { name: 'example.org', type: 'NS', answer: ['example.org. IN NS ns.example.org.'] },
  { name: 'odd.example.org', type: 'TYPE65280', answer: ['odd.example.org. IN TYPE65280 \\# 4 c0000201'] },
  { name: 'anything.wild.example.org', type: 'A', answer: ['anything.wild.example.org. IN A 203.0.113.99'] },
  { name: 'a.b.wild.example.org', type: 'A', answer: ['a.b.wild.example.org. IN A 203.0.113.99'] },
  { name: 'big.example.org', type: 'A', answer: BIG },
  { name: 'www6.example.org', type: 'A', answer: [] },
  { name: 'ent.example.org', type: 'A', answer: [] },
  { name: 'nowhere.example.org', type: 'A', rcode: NXDOMAIN, answer: [] },
  {
    name: 'dangling.example.org',
    type: 'A',
    rcode: NXDOMAIN,
    answer: ['dangling.example.org. IN CNAME nowhere.example.org.'],
  },
];

for (const { name, type, rcode = 0, answer } of CASES) {
  for (const [title, serverOf] of [
    ['unbound', (all: World) => all.throughUnbound],
    ['knotd', (all: World) => all.straightToKnot],
  ] as const) {
    outside(`${name} ${type} through ${title}: right the first time and from the cache`, async (t) => {
      const server = serverOf(await world());
      for (let time = 0; time < 2; time++) {
        const reply = await ask(server.address, 'tcp', name, type);
        t.is(reply.rcode, rcode);
        t.deepEqual(reply.answer.map(withoutTtl).toSorted(), answer.toSorted());
        t.true(reply.answer.every(({ ttl }) => ttl !== undefined && ttl > 0 && ttl <= 300));
        const denial = rcode === NXDOMAIN || answer.length === 0 ? ['example.org SOA'] : [];
        t.deepEqual(soas(reply), denial, 'RFC 2308 section 2');
      }
    });
  }
}

for (const name of ['www.example.org', 'big.example.org', 'payments.example.com']) {
  outside(`${name}: the answer has the letters that were asked with, not those that went upstream`, async (t) => {
    const { throughUnbound } = await world();
    const spelling = name.replace('example', 'ExAmPlE');
    for (const spelled of [spelling, spelling, name]) {
      const reply = await ask(throughUnbound.address, 'tcp', spelled, 'A');
      t.deepEqual(new Set(reply.answer.map((record) => record.name)), new Set([spelled]));
    }
  });
}

outside('the second answer comes from the cache, a denial too, and the TTL counts down', async (t) => {
  const { unbound } = await world();
  // One of its own: what others ask would count as well.
  const server = await startDemoServer(unbound.upstream);
  const hits = (type: 'success' | 'denial'): Promise<number> =>
    metric(server.metricsPort, 'coredns_cache_hits_total', { type });
  try {
    for (const [name, type, rcode] of [
      ['countdown.wild.example.org', 'success', 0],
      ['denied.example.org', 'denial', NXDOMAIN],
      ['www6.example.org', 'denial', 0],
    ] as const) {
      const first = await ask(server.address, 'udp', name, 'A');
      const ttl = ttlOf(first);
      t.is(first.rcode, rcode);
      t.true(ttl > 0 && ttl <= 30, 'the cache directive says 30');
      const asksBefore = await asksUpstream(server);
      const hitsBefore = await hits(type);
      let times = 0;
      let last = first;
      await until('the TTL is smaller', async () => {
        last = await ask(server.address, 'udp', name, 'A');
        times++;
        return ttlOf(last) < ttl;
      });
      t.is(last.rcode, rcode);
      t.deepEqual(last.answer.map(withoutTtl), first.answer.map(withoutTtl));
      t.deepEqual(last.authority.map(withoutTtl), first.authority.map(withoutTtl));
      t.is(await hits(type), hitsBefore + times, 'each was a hit');
      t.is(await asksUpstream(server), asksBefore, 'and nobody else was asked');
      t.log(`${name} A: TTL ${ttl}, from the cache ${ttlOf(last)} (${times} hits)`);
    }
  } finally {
    await server.close();
  }
});

outside('an answer that UDP truncates comes whole over TCP, and truncated to a client over UDP', async (t) => {
  const { straightToKnot: server, knot } = await world();
  const direct = await ask(knot.address, 'udp', 'big.example.org', 'A', EDNS_1232);
  t.true(direct.isTruncated, 'the upstream truncates it');
  const whole = await ask(server.address, 'tcp', 'big.example.org', 'A');
  t.is(whole.answer.length, 120);
  t.false(whole.isTruncated);
  for (const edns of [undefined, EDNS_1232]) {
    const cut = await ask(server.address, 'udp', 'big.example.org', 'A', edns);
    t.true(cut.isTruncated);
    t.is(cut.rcode, 0);
    t.true(cut.answer.length < 120);
    t.true(cut.size <= (edns?.payloadSize ?? 512));
  }
});

outside("an ExternalName of the cluster is chased through the upstream, its TTL the cluster's", async (t) => {
  const { throughUnbound } = await world();
  const reply = await ask(throughUnbound.address, 'udp', 'gateway.payments.svc.cluster.local', 'A');
  t.deepEqual(reply.answer.map(withoutTtl), [
    'gateway.payments.svc.cluster.local. IN CNAME payments.example.com.',
    'payments.example.com. IN A 203.0.113.20',
  ]);
  t.is(reply.answer[0]?.ttl, 30);
  const none = await ask(throughUnbound.address, 'udp', 'gateway.payments.svc.cluster.local', 'AAAA');
  t.deepEqual(none.answer.map(withoutTtl), ['gateway.payments.svc.cluster.local. IN CNAME payments.example.com.']);
});

outside('without its upstream it answers what it remembers, and says why it cannot say more', async (t) => {
  const knot = await startKnot(await onLoopback());
  const server = await startDemoServer(knot.upstream);
  try {
    await ask(server.address, 'udp', 'www.example.org', 'A');
    await ask(server.address, 'udp', 'nowhere.example.org', 'A');
    await knot.stop();
    const kept = await ask(server.address, 'udp', 'www.example.org', 'A');
    t.deepEqual(kept.answer.map(withoutTtl), [WWW]);
    t.is((await ask(server.address, 'udp', 'nowhere.example.org', 'A')).rcode, NXDOMAIN);
    for (const protocol of ['udp', 'tcp'] as const) {
      const failed = await ask(server.address, protocol, `uncached-${protocol}.example.org`, 'A', EDNS_1232);
      t.is(failed.rcode, 2);
      t.deepEqual(failed.answer, []);
      t.true([22, 23].includes(failed.extendedError ?? 0), 'No Reachable Authority or Network Error, RFC 8914');
    }
    const cluster = await ask(server.address, 'udp', 'web.shop.svc.cluster.local', 'A');
    t.deepEqual(cluster.answer.map(withoutTtl), ['web.shop.svc.cluster.local. IN A 10.96.12.80']);
  } finally {
    await server.close();
    await knot.stop();
  }
});

/** RFC 8914. */
const EXTENDED_ERROR = 15;
outside('an upstream that asks back is found out and no longer asked; cluster names are still answered', async (t) => {
  const port = await freePort();
  const forwarder = await startForwarder(await onLoopback(), { host: '127.0.0.1', port });
  const server = await startDemoServer(forwarder.upstream, port);
  try {
    await until('the loop is found', () => server.log().includes('[ERROR] plugin/loop: Loop'));
    const outsideName = await ask(server.address, 'udp', 'www.example.org', 'A', EDNS_1232);
    t.is(outsideName.rcode, 2);
    t.is(outsideName.extendedError, 23);
    const cluster = await ask(server.address, 'udp', 'web.shop.svc.cluster.local', 'A');
    t.deepEqual(cluster.answer.map(withoutTtl), ['web.shop.svc.cluster.local. IN A 10.96.12.80']);
  } finally {
    await server.close();
    await forwarder.stop();
  }
});

const EDNS_1232: AskedEdns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

type Heard = DecodedReply & {
  readonly isTruncated: boolean;
  readonly size: number;
  readonly extendedError: number | undefined;
};

async function ask(
  server: ServerAddress,
  protocol: Protocol,
  name: string,
  type: string,
  edns?: AskedEdns,
): Promise<Heard> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const octets = await exchange(server, protocol, encodeQuery(id, asked(name, type, { edns })));
  const reply = decodeReply(octets);
  const options: readonly { readonly code: number; readonly data?: Buffer | undefined }[] = reply.opt?.options ?? [];
  const extendedError = options.find(({ code }) => code === EXTENDED_ERROR)?.data?.readUInt16BE(0);
  return {
    ...reply,
    isTruncated: reply.flags.includes('tc'),
    size: octets.length,
    extendedError,
  };
}

/** How often an upstream was asked on behalf of a client. */
function asksUpstream(server: DemoServer): Promise<number> {
  return metric(server.metricsPort, 'coredns_proxy_request_duration_seconds_count', { proxy_name: 'forward' });
}

function soas(reply: DecodedReply): string[] {
  return reply.authority.filter(({ type }) => type === 'SOA').map(({ name, type }) => `${name} ${type}`);
}

/** Of the first record that the reply has. */
function ttlOf(reply: DecodedReply): number {
  return (reply.answer[0] ?? reply.authority[0])?.ttl ?? 0;
}

function withoutTtl(record: DecodedReply['answer'][number]): string {
  return presentRecord(record).replace(/^(\S+) \d+ /, '$1 ');
}
