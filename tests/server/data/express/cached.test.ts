/** What a cache remembers, said by both lanes at many instants of a clock that the tests turn. */

import test from 'ava';

import { emptyReply, type Query, type Reply } from '../../../../server/query.ts';
import { nameRdata, soaRdata } from '../../../../zones/rdata.ts';
import { lowerCase, nameFrom, spellingFrom } from '../../../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../../../zones/rr.ts';
import { BothLanes } from '../../../support/both-lanes.ts';
import { readReply } from '../../../support/reply.ts';
import { asked } from '../../../support/query.ts';

const corefile = (cache: string, more = ''): string => `.:0 {
  bind 127.0.0.1
  loadbalance
  ${cache}
  ${more}
  forward . 192.0.2.1
}`;

const EDNS = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

/** What the world says; names are asked for in any case, and owners are spelled as they were asked for. */
function world(query: Query): Reply {
  const { name, spelling, type } = query.question;
  const label = name.slice(1, 1 + name.charCodeAt(0));
  const good: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true, upstream: '192.0.2.1:53' };
  const a = (owner: string, ttl: number, ...last: readonly number[]): RRset => ({
    owner: spellingFrom(owner),
    type: RRType.A,
    ttl,
    rdatas: last.map((octet) => Uint8Array.of(192, 0, 2, octet)),
  });
  const own = (ttl: number, ...last: readonly number[]): RRset => ({ ...a('x', ttl, ...last), owner: spelling });
  const cname = (ttl: number, target: string): RRset => ({
    owner: spelling,
    type: RRType.CNAME,
    ttl,
    rdatas: [nameRdata(nameFrom(target))],
  });
  const denied: Reply = { ...good, authority: [SOA] };
  switch (label) {
    case 'one':
      return { ...good, answer: type === RRType.A ? [own(20, 1)] : [], authority: type === RRType.A ? [] : [SOA] };
    case 'many':
      return { ...good, answer: [own(12, 1, 2, 3, 4)] };
    case 'alias':
      return { ...good, answer: [cname(9, 'Edge.Example.NET'), a('Edge.Example.NET', 30, 7)] };
    case 'aliases':
      return { ...good, answer: [cname(9, 'edge.example.net'), a('edge.example.net', 30, 7, 8, 9)] };
    case 'spelled':
      return { ...good, answer: [{ ...own(12, 1), owner: lowerCase(spelling) }] };
    case 'shouted':
      return { ...good, answer: [{ ...own(12, 1), owner: spellingFrom('SHOUTED.Example.ORG') }] };
    case 'authentic':
      return { ...good, authenticData: true, answer: [own(12, 1)] };
    case 'authoritative':
      return { ...good, authoritative: true, recursionAvailable: false, answer: [own(12, 1)] };
    case 'glue':
      return {
        ...good,
        answer: [{ owner: spelling, type: RRType.NS, ttl: 15, rdatas: [nameRdata(nameFrom('ns.example.org'))] }],
        additional: [a('ns.example.org', 15, 53)],
      };
    case 'chain':
      return { ...good, answer: [cname(9, 'edge.example.net'), a('edge.example.net', 30, ...MANY)] };
    case 'wide':
      return { ...good, answer: [own(12, 1)], additional: [a('ns.example.org', 15, ...MANY)] };
    case 'medium':
      return { ...good, answer: [own(12, ...MANY)] };
    case 'large':
      return { ...good, answer: [own(12, ...Array.from({ length: 200 }, (_, i) => i))] };
    case 'zero':
      return { ...good, answer: [own(0, 1)] };
    case 'day':
      return { ...good, answer: [own(86_400, 1)] };
    case 'nodata':
      return denied;
    case 'refused':
      return { ...emptyReply(Rcode.REFUSED, 'forward') };
    case 'failed':
      return { ...emptyReply(Rcode.SERVFAIL, 'forward'), fault: 'it failed' };
    default:
      return { ...denied, rcode: Rcode.NXDOMAIN };
  }
}

/** More than 512 octets. */
const MANY: readonly number[] = Array.from({ length: 60 }, (_, i) => i);

const SOA: RRset = {
  owner: spellingFrom('example.org'),
  type: RRType.SOA,
  ttl: 40,
  rdatas: [
    soaRdata({
      mname: nameFrom('ns1.example.org'),
      rname: nameFrom('admin.example.org'),
      serial: 7,
      refresh: 1,
      retry: 1,
      expire: 1,
      minimum: 17,
    }),
  ],
};

const NAMES =
  'one many alias aliases spelled shouted authentic authoritative glue large zero day nodata refused failed nosuch'.split(
    ' ',
  );

const CACHES: readonly (readonly [title: string, cache: string, more?: string])[] = [
  ['as it is without options', 'cache 30'],
  ['with keepttl', 'cache {\n keepttl\n }'],
  ['with serve_stale', 'cache {\n serve_stale 20s\n }'],
  ['with serve_stale and verify', 'cache {\n serve_stale 20s verify 0s\n }'],
  ['with prefetch', 'cache {\n prefetch 1 1m 50%\n }'],
  ['that remembers failures', 'cache {\n servfail 7s\n }'],
  ['that remembers no denials', 'cache {\n disable denial\n }'],
  ['that remembers no answers', 'cache {\n disable success\n }'],
  ['of other zones', 'cache 30 example.net'],
  ['with nsid before it', 'cache 30', 'nsid one'],
  ['of two entries', 'cache {\n success 2\n denial 2\n }'],
];

for (const [title, cache, more] of CACHES) {
  test(`both lanes say the same in every second: a cache ${title}`, async (t) => {
    const both = await BothLanes.start(t, { corefile: corefile(cache, more), upstream: world });
    for (let step = 0; step < 24; step++) {
      for (const label of NAMES) {
        for (const changes of [{}, { edns: EDNS, authenticData: true }]) {
          await both.agree(t, asked(`${label}.example.org`, 'A', changes), `${step}:`, 1);
        }
      }
      both.pass(step % 3 === 0 ? 999 : 1_001);
    }
    const isLeased = !/prefetch|example\.net/.test(cache);
    if (isLeased) t.true(both.expressReplies > 0);
    else t.is(both.expressReplies, 0);
  });
}

test('each TTL is one less in the express lane after each second, until the reply is asked for anew', async (t) => {
  const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
  const ttls: number[] = [];
  for (let second = 0; second <= 9; second++) {
    const reply = await both.agree(t, asked('alias.example.org', 'A'), `${second}:`);
    const [alias, address] = readReply(reply).answer;
    t.is(alias?.ttl, address?.ttl);
    ttls.push(alias?.ttl ?? -1);
    both.pass(1000);
  }
  t.deepEqual(ttls, [9, 8, 7, 6, 5, 4, 3, 2, 1, 9]);
  // The first of four asks the upstream, the second teaches; then two of four each second, until it is over.
  t.true(both.expressReplies >= 2 + 4 * 8, String(both.expressReplies));
});

test('AD goes to those only who asked for it, whoever asked first', async (t) => {
  for (const first of [true, false]) {
    const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
    await both.agree(t, asked('authentic.example.org', 'A', { authenticData: first }));
    const isAuthentic: boolean[] = [];
    for (const authenticData of [true, false, true]) {
      const reply = await both.agree(t, asked('authentic.example.org', 'A', { authenticData }));
      isAuthentic.push(readReply(reply).flags.has('ad'));
    }
    t.deepEqual(isAuthentic, [true, false, true]);
    t.true(both.expressReplies >= 14, String(both.expressReplies));
  }
});

test('without RD nothing is said of what others asked for, and with CD or DO nothing but what is theirs', async (t) => {
  const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
  await both.agree(t, asked('one.example.org', 'A'));
  const said = both.expressReplies;
  t.true(said > 0);
  for (const changes of [
    { recursionDesired: false },
    { checkingDisabled: true },
    { edns: { ...EDNS, dnssecOk: true } },
    { edns: { ...EDNS, version: 1 } },
    { edns: { ...EDNS, options: [{ code: 3, data: Buffer.alloc(0) }] } },
    { class: 3 },
  ]) {
    await both.agree(t, asked('one.example.org', 'A', changes));
  }
  t.is(both.expressReplies, said);
});

test('every spelling gets its own question back and the same records', async (t) => {
  const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
  for (const label of ['one', 'many', 'alias', 'spelled', 'shouted', 'nodata', 'nosuch', 'glue', 'azure']) {
    const first = label.replace(/^./, (letter) => letter.toUpperCase());
    for (const spelled of [first, label, label.toUpperCase(), first]) {
      for (const zone of ['example.org', 'EXAMPLE.org', 'example.ORG']) {
        await both.agree(t, asked(`${spelled}.${zone}`, 'A'), '', 3);
      }
    }
  }
  t.true(both.expressReplies > 100);
});

test('sizes of the client: what does not fit is cut or left out as in the plain lane', async (t) => {
  const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
  for (const label of ['many', 'aliases', 'chain', 'wide', 'large', 'glue', 'nodata']) {
    for (const payloadSize of [undefined, 0, 511, 512, 513, 1231, 1232, 1233, 4096, 65_535]) {
      const edns = payloadSize === undefined ? undefined : { ...EDNS, payloadSize };
      await both.agree(t, asked(`${label}.example.org`, 'A', { edns }), `${payloadSize}:`);
    }
  }
  t.true(both.expressReplies > 50);
});

test('a reply is cut from the octet on that the client does not take', async (t) => {
  const both = await BothLanes.start(t, { corefile: corefile('cache 30'), upstream: world });
  for (const label of ['chain', 'wide', 'medium']) {
    const whole = await both.agree(t, asked(`${label}.example.org`, 'A', { edns: EDNS }));
    t.true(whole.length > 600 && whole.length < 1200, `${whole.length}`);
    for (let payloadSize = whole.length - 15; payloadSize < whole.length + 15; payloadSize++) {
      await both.agree(t, asked(`${label}.example.org`, 'A', { edns: { ...EDNS, payloadSize } }), `${payloadSize}:`, 1);
    }
  }
  t.true(both.expressReplies > 100, `${both.expressReplies}`);
});

test('an entry that made room for others is asked for anew', async (t) => {
  const seen: string[] = [];
  const both = await BothLanes.start(t, {
    corefile: corefile('cache {\n success 2\n }'),
    upstream: (query) => {
      seen.push(query.question.name);
      return world(query);
    },
  });
  await both.agree(t, asked('one.example.org', 'A'));
  for (const label of ['many', 'spelled', 'glue']) await both.agree(t, asked(`${label}.example.org`, 'A'));
  const before = seen.length;
  await both.agree(t, asked('one.example.org', 'A'));
  t.is(seen.length, before + 2);
});

test('what is asked for in the express lane stays in the cache as in the plain lane', async (t) => {
  const asks = { express: 0 };
  const both = await BothLanes.start(t, {
    corefile: corefile('cache {\n success 3\n }'),
    upstream: (query) => {
      asks.express++;
      return world(query);
    },
  });
  for (let i = 0; i < 6; i++) {
    await both.agree(t, asked('one.example.org', 'A'));
    await both.agree(t, asked(`many.n${i}.example.org`, 'A'));
  }
  t.is(asks.express, 2 * (1 + 6));
});

test('a plan with the same cache goes on with what it has, one with another begins anew', async (t) => {
  let version = 1;
  const both = await BothLanes.start(t, {
    corefile: corefile('cache 30'),
    upstream: (query) => ({
      ...world(query),
      answer: [
        { owner: query.question.spelling, type: RRType.A, ttl: 30, rdatas: [Uint8Array.of(192, 0, 2, version)] },
      ],
    }),
  });
  const addressOf = async (): Promise<string | undefined> =>
    readReply(await both.agree(t, asked('one.example.org', 'A'))).answer[0]?.rdata;
  t.is(await addressOf(), '192.0.2.1');
  version = 2;
  await both.use(corefile('cache 30'));
  t.is(await addressOf(), '192.0.2.1');
  await both.use(corefile('cache 29'));
  t.is(await addressOf(), '192.0.2.2');
  t.true(both.expressReplies > 4);
});
