import { setImmediate } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { WAITERS_MAX } from '../../../server/cache/flights.ts';
import { cacheAt } from '../../../server/plugins/cache.ts';
import type { Handler, Kept } from '../../../server/pipeline.ts';
import { emptyReply, servfail, type Query, type Reply } from '../../../server/query.ts';
import { nameFrom } from '../../../zones/name.ts';
import { addressRdata, nameRdata, soaRdata } from '../../../zones/rdata.ts';
import { Rcode, rcodeName, RRType, type RRset } from '../../../zones/rr.ts';
import type { Seconds } from '../../../zones/units.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testQuery, type TestContext } from '../../support/plugin-context.ts';

/** Whatever the search domains of this machine are. */
const cache = cacheAt(() => []);

const NAME = 'www.example.org';

function address(ttl: Seconds, owner = NAME): RRset {
  return { owner: nameFrom(owner), type: RRType.A, ttl, rdatas: [addressRdata(Uint8Array.of(192, 0, 2, 1))] };
}

function alias(ttl: Seconds, owner: string, target: string): RRset {
  return { owner: nameFrom(owner), type: RRType.CNAME, ttl, rdatas: [nameRdata(nameFrom(target))] };
}

function soa(ttl: Seconds, minimum: Seconds): RRset {
  const names = { mname: nameFrom('ns.example.org'), rname: nameFrom('mail.example.org') };
  const rdata = soaRdata({ ...names, serial: 1, refresh: 2, retry: 3, expire: 4, minimum });
  return { owner: nameFrom('example.org'), type: RRType.SOA, ttl, rdatas: [rdata] };
}

function nameserver(ttl: Seconds): RRset {
  return { owner: nameFrom('example.org'), type: RRType.NS, ttl, rdatas: [nameRdata(nameFrom('ns.example.org'))] };
}

/** A signature over A in force between these times, in seconds since 1970. */
function signature(ttl: Seconds, inception: Seconds, expiration: Seconds): RRset {
  const rdata = new Uint8Array(40);
  new DataView(rdata.buffer).setUint32(8, expiration);
  new DataView(rdata.buffer).setUint32(12, inception);
  return { owner: nameFrom(NAME), type: RRType.RRSIG, ttl, rdatas: [rdata] };
}

function reply(changes: Partial<Reply>): Reply {
  return { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true, ...changes };
}

const DO: Partial<Query> = { edns: { payloadSize: 1232, dnssecOk: true, wantsNsid: false } };

type Cached = TestContext & {
  readonly ask: (name?: string, type?: string, changes?: Partial<Query>) => Promise<Reply>;
  /** What is below answers this from now on. */
  answer: (below: Reply | ((query: Query) => Reply | Promise<Reply>)) => void;
  /** Queries that went down. */
  readonly asked: readonly Query[];
};

function cached(text: string, below?: Reply | ((query: Query) => Reply | Promise<Reply>)): Cached {
  const made = testContext();
  const asked: Query[] = [];
  let now = below ?? reply({ answer: [address(300)] });
  const handler: Handler | undefined = cache.layer?.(
    optionsFrom(cache, text),
    made.context,
  )((query) => {
    asked.push(query);
    return typeof now === 'function' ? now(query) : Promise.resolve(now);
  });
  return {
    ...made,
    asked,
    answer: (next) => void (now = next),
    ask: async (name = NAME, type = 'A', changes = {}) =>
      await (handler?.(testQuery(name, type, changes)) ?? emptyReply(0)),
  };
}

function ttlsOf({ answer, authority, additional }: Reply): readonly Seconds[] {
  return [...answer, ...authority, ...additional].map(({ ttl }) => ttl);
}

function counted(made: TestContext, metric: string, type?: string): number | undefined {
  for (const [row, [value]] of made.series()) {
    if (row.startsWith(`coredns_cache_${metric}{`) && (type === undefined || row.includes(`type="${type}"`)))
      return value;
  }
  return undefined;
}

/** Lets a refresh in the background come to its end. */
async function settled(): Promise<void> {
  await setImmediate();
}

const YEAR: Seconds = 31_536_000;
const now = Math.floor((performance.timeOrigin + performance.now()) / 1000);

// CoreDNS plugin/cache's classes of replies; RFC 2308 sections 2 and 5 where `RFC` is said. `keeps`: for how long, 0 if not at all.
const classes: readonly {
  name: string;
  reply: Reply;
  keeps: Seconds;
  in?: 'denial';
  type?: string;
  client?: Partial<Query>;
}[] = [
  { name: 'data', reply: reply({ answer: [address(300)] }), keeps: 300 },
  {
    name: 'data with a lower TTL in additional',
    reply: reply({ answer: [address(300)], additional: [address(60, 'ns.example.org')] }),
    keeps: 60,
  },
  { name: 'data with a TTL below the floor of 5', reply: reply({ answer: [address(0)] }), keeps: 5 },
  { name: 'data with a TTL above an hour', reply: reply({ answer: [address(86_400)] }), keeps: 3_600 },
  {
    name: 'an alias and its data',
    reply: reply({ answer: [alias(30, NAME, 'a.example.org'), address(300, 'a.example.org')] }),
    keeps: 30,
  },
  {
    name: 'an alias, asked for CNAME',
    type: 'CNAME',
    reply: reply({ answer: [alias(30, NAME, 'a.example.org')] }),
    keeps: 30,
  },
  { name: 'anything at the owner, asked for ANY', type: 'ANY', reply: reply({ answer: [address(40)] }), keeps: 40 },
  { name: 'a delegation', reply: reply({ authority: [nameserver(100)] }), keeps: 100 },
  { name: 'nothing at all', reply: reply({}), keeps: 5 },
  { name: 'NODATA', in: 'denial', reply: reply({ authority: [soa(900, 900)] }), keeps: 900 },
  {
    name: 'NODATA, MINIMUM below the SOA TTL (RFC)',
    in: 'denial',
    reply: reply({ authority: [soa(900, 60)] }),
    keeps: 60,
  },
  { name: 'NODATA above half an hour', in: 'denial', reply: reply({ authority: [soa(7_200, 7_200)] }), keeps: 1_800 },
  {
    name: 'NODATA behind an alias',
    in: 'denial',
    reply: reply({ answer: [alias(30, NAME, 'a.example.org')], authority: [soa(900, 900)] }),
    keeps: 30,
  },
  { name: 'NXDOMAIN', in: 'denial', reply: reply({ rcode: Rcode.NXDOMAIN, authority: [soa(60, 900)] }), keeps: 60 },
  {
    name: 'NXDOMAIN behind an alias (RFC)',
    in: 'denial',
    reply: reply({ rcode: Rcode.NXDOMAIN, answer: [alias(30, NAME, 'a.example.org')], authority: [soa(900, 900)] }),
    keeps: 30,
  },
  { name: 'SERVFAIL', in: 'denial', reply: reply({ rcode: Rcode.SERVFAIL }), keeps: 5 },
  { name: 'NOTIMP', in: 'denial', reply: reply({ rcode: Rcode.NOTIMP }), keeps: 5 },
  { name: 'an upstream that was silent (RFC 9520)', in: 'denial', reply: servfail('forward', 'silence'), keeps: 5 },
  {
    name: 'data with a signature in force',
    client: DO,
    reply: reply({ answer: [address(300), signature(300, now - YEAR, now + YEAR)] }),
    keeps: 300,
  },
  {
    name: 'data with a signature that has run out',
    client: DO,
    reply: reply({ answer: [address(300), signature(300, now - YEAR, now - 10)] }),
    keeps: 0,
  },
  {
    name: 'data with a signature that is not in force yet',
    client: DO,
    reply: reply({ answer: [address(300), signature(300, now + 1_000, now + YEAR)] }),
    keeps: 0,
  },
  { name: 'a truncated reply', reply: reply({ truncated: true, answer: [address(300)] }), keeps: 0 },
  { name: 'NXDOMAIN without SOA', reply: reply({ rcode: Rcode.NXDOMAIN }), keeps: 0 },
  { name: 'an alias to nothing without SOA', reply: reply({ answer: [alias(30, NAME, 'a.example.org')] }), keeps: 0 },
  { name: 'an alias loop', reply: reply({ answer: [alias(30, NAME, NAME)] }), keeps: 0 },
  { name: 'data of another name only', reply: reply({ answer: [address(30, 'victim.example.org')] }), keeps: 0 },
  { name: 'REFUSED', reply: reply({ rcode: Rcode.REFUSED }), keeps: 0 },
  { name: 'FORMERR', reply: reply({ rcode: Rcode.FORMERR }), keeps: 0 },
  { name: 'NOTAUTH', reply: reply({ rcode: Rcode.NOTAUTH }), keeps: 0 },
  { name: "the cluster's own answer", reply: reply({ answer: [address(30)], fresh: true }), keeps: 0 },
];
for (const c of classes) {
  test(`${c.name}: kept ${c.keeps === 0 ? 'not at all' : `for ${c.keeps} s`}`, async (t) => {
    const made = cached('cache', c.reply);
    const type = c.type ?? 'A';
    const first = await made.ask(NAME, type, c.client);
    t.is(first.rcode, c.reply.rcode);
    if (c.keeps === 0) {
      t.deepEqual(first, c.reply);
      await made.ask(NAME, type, c.client);
      t.is(made.asked.length, 2);
      return;
    }
    t.true(ttlsOf(first).every((ttl) => ttl === c.keeps));
    made.pass(c.keeps * 1000 - 1);
    const last = await made.ask(NAME, type, c.client);
    t.is(made.asked.length, 1);
    t.true(ttlsOf(last).every((ttl) => ttl === 1));
    t.is(counted(made, 'hits_total', c.in ?? 'success'), 1);
    made.pass(1);
    await made.ask(NAME, type, c.client);
    t.is(made.asked.length, 2);
  });
}

test('a hit is authoritative, keeps RA and the Extended DNS Error, and says that the cache made it', async (t) => {
  const made = cached('cache', reply({ answer: [address(300)], extendedError: { code: 4, text: 'forged' } }));
  const miss = await made.ask();
  const hit = await made.ask();
  t.like(miss, { authoritative: false, plugin: 'forward' });
  t.like(hit, {
    authoritative: true,
    recursionAvailable: true,
    plugin: 'cache',
    extendedError: { code: 4, text: 'forged' },
  });
});

test('a failure is logged for the one who asked, not again for each hit', async (t) => {
  const made = cached('cache', servfail('forward', 'silence', { code: 22, text: 'silence' }));
  t.is((await made.ask()).fault, 'silence');
  t.is((await made.ask()).fault, undefined);
});

// RFC 8914 section 4.14: code 13 is for SERVFAIL only.
for (const { name, below, first, later } of [
  {
    name: 'a failure with a reason',
    below: servfail('forward', 'silence', { code: 22, text: 'silence' }),
    first: { code: 22, text: 'silence' },
    later: { code: 13, text: 'silence' },
  },
  {
    name: 'a failure without one',
    below: servfail('forward', 'silence'),
    first: undefined,
    later: { code: 13, text: '' },
  },
  {
    name: 'NOTIMP',
    below: reply({ rcode: Rcode.NOTIMP, extendedError: { code: 21, text: 'no' } }),
    first: { code: 21, text: 'no' },
    later: { code: 21, text: 'no' },
  },
]) {
  test(`${name}: the first to ask gets ${first?.code ?? 'no extended error'}, who asks later ${later.code}`, async (t) => {
    const made = cached('cache', below);
    t.deepEqual((await made.ask()).extendedError, first);
    t.deepEqual((await made.ask()).extendedError, later);
    t.is(made.asked.length, 1);
  });
}

// CoreDNS plugin/cache: name in any case, type, DO and CD.
for (const { name, query, isSame } of [
  { name: 'another case', query: { name: 'WWW.Example.ORG' }, isSame: true },
  { name: 'another type', query: { type: 'AAAA' }, isSame: false },
  { name: 'DO', query: { changes: DO }, isSame: false },
  { name: 'CD', query: { changes: { checkingDisabled: true } }, isSame: false },
  { name: 'AD', query: { changes: { authenticData: true } }, isSame: true },
  {
    name: 'EDNS without DO',
    query: { changes: { edns: { payloadSize: 4096, dnssecOk: false, wantsNsid: false } } },
    isSame: true,
  },
  { name: 'TCP', query: { changes: { peer: { ...TEST_PEER, protocol: 'tcp' as const } } }, isSame: true },
  { name: 'another id', query: { changes: { id: 1 } }, isSame: true },
] as readonly { name: string; query: { name?: string; type?: string; changes?: Partial<Query> }; isSame: boolean }[]) {
  test(`a query with ${name} ${isSame ? 'gets the same entry' : 'has an entry of its own'}, and 100 at once are asked for ${isSame ? 'once' : 'twice'}`, async (t) => {
    const { ask, asked } = cached('cache', reply({ answer: [address(300)], authority: [nameserver(300)] }));
    await ask();
    await ask(query.name, query.type, query.changes);
    t.is(asked.length, isSame ? 1 : 2);

    let answer = (): void => {};
    const gate = new Promise<void>((resolve) => (answer = resolve));
    const made = cached('cache', () => gate.then(() => reply({ answer: [address(300)] })));
    const waiting = Array.from({ length: 100 }, (_, i) =>
      i % 2 === 0 ? made.ask() : made.ask(query.name, query.type, query.changes),
    );
    answer();
    t.true((await Promise.all(waiting)).every(({ rcode }) => rcode === Rcode.NOERROR));
    t.is(made.asked.length, isSame ? 1 : 2);
  });
}

test('what is below is asked with AD, and AD comes back only to who sent AD or DO', async (t) => {
  const made = cached('cache', reply({ answer: [address(300)], authenticData: true }));
  t.false((await made.ask()).authenticData);
  t.true(made.asked[0]?.authenticData);
  t.true((await made.ask(NAME, 'A', { authenticData: true })).authenticData);
  t.false((await made.ask()).authenticData);
  t.true((await made.ask(NAME, 'A', DO)).authenticData);
});

// RFC 8932 section 5.2.5: cache snooping.
test('a query without RD passes by: nothing is read, kept, shared or counted for it', async (t) => {
  const made = cached('cache {\n prefetch 1\n}');
  const below = reply({ rcode: Rcode.REFUSED });
  const ask = (): Promise<Reply> => made.ask(NAME, 'A', { recursionDesired: false });
  const waiting = made.ask();
  made.answer(below);
  t.is(await ask(), below);
  await waiting;
  const before = [...made.series()];
  t.is(await ask(), below);
  t.deepEqual([...made.series()], before);
  t.deepEqual(ttlsOf(await made.ask()), [300]);
  t.is(made.asked.length, 3);
});

test('a fault below reaches everybody who waits, and the next query asks anew', async (t) => {
  const made = cached('cache', () => Promise.reject(new Error('broken')));
  const both = await Promise.allSettled([made.ask(), made.ask()]);
  t.true(both.every(({ status }) => status === 'rejected'));
  made.answer(reply({ answer: [address(300)] }));
  t.is((await made.ask()).rcode, Rcode.NOERROR);
});

test(`no more than ${WAITERS_MAX} queries wait for an equal one`, async (t) => {
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const made = cached('cache', () => promise);
  const waiting = Array.from({ length: WAITERS_MAX + 1 }, () => made.ask());
  const refused = await made.ask();
  t.is(refused.rcode, Rcode.SERVFAIL);
  t.is(refused.fault, `${WAITERS_MAX} queries wait for answers to equal ones already`);
  resolve(reply({ answer: [address(300)] }));
  t.true((await Promise.all(waiting)).every(({ rcode }) => rcode === Rcode.NOERROR));
  t.is((await made.ask()).rcode, Rcode.NOERROR);
});

test("the cluster's own answers are neither requests nor misses", async (t) => {
  const made = cached('cache', () => reply({ answer: [address(30)], fresh: true }));
  await made.ask();
  t.is(counted(made, 'requests_total'), 0);
  t.is(counted(made, 'misses_total'), 0);
});

test('the series are those of CoreDNS', async (t) => {
  const made = cached('cache 30 example.org', reply({ answer: [address(300)] }));
  await made.ask();
  await made.ask();
  const labels = 'server="dns://:53",zones="example.org.",view=""';
  for (const [row, value] of [
    [`coredns_cache_requests_total{${labels}}`, 2],
    [`coredns_cache_misses_total{${labels}}`, 1],
    [`coredns_cache_hits_total{${labels},type="success"}`, 1],
    [`coredns_cache_hits_total{${labels},type="denial"}`, 0],
    [`coredns_cache_entries{${labels},type="success"}`, 1],
    [`coredns_cache_entries{${labels},type="denial"}`, 0],
    [`coredns_cache_evictions_total{${labels},type="success"}`, 0],
    [`coredns_cache_prefetch_total{${labels}}`, 0],
    [`coredns_cache_served_stale_total{${labels}}`, 0],
    [`coredns_cache_drops_total{${labels}}`, 0],
  ] as const) {
    t.deepEqual(made.series().get(row), [value], row);
  }
});

// Lines of a Corefile and what they change for one answer and one denial.
for (const { text, name = NAME, success, denial } of [
  { text: 'cache 30', success: 30, denial: 30 },
  { text: 'cache 30 example.net', success: 0, denial: 0 },
  { text: 'cache example.org', success: 3_000, denial: 1_800 },
  { text: 'cache {\n success 100 60\n}', success: 60, denial: 1_800 },
  { text: 'cache {\n denial 100 60\n}', success: 3_000, denial: 60 },
  { text: 'cache {\n success 0\n}', success: 0, denial: 1_800 },
  { text: 'cache {\n denial 0\n}', success: 3_000, denial: 0 },
  { text: 'cache {\n success 100 7200 4000\n}', success: 4_000, denial: 1_800 },
  { text: 'cache {\n disable success\n}', success: 0, denial: 1_800 },
  { text: 'cache {\n disable denial example.org example.net\n}', success: 3_000, denial: 0 },
  { text: 'cache {\n disable success example.net\n}', success: 3_000, denial: 1_800 },
  { text: 'cache 30 {\n disable success cluster.local\n disable denial cluster.local\n}', success: 30, denial: 30 },
  {
    text: 'cache 30 {\n disable success cluster.local\n disable denial cluster.local\n}',
    name: 'a.cluster.local',
    success: 0,
    denial: 0,
  },
]) {
  test(`${JSON.stringify(text)}: ${name} is kept for ${success} s, its absence for ${denial} s`, async (t) => {
    for (const [below, keeps] of [
      [reply({ answer: [address(3_000, name)] }), success],
      [reply({ rcode: Rcode.NXDOMAIN, authority: [soa(3_000, 3_000)] }), denial],
    ] as const) {
      const made = cached(text, below);
      await made.ask(name);
      const second = await made.ask(name);
      t.is(made.asked.length, keeps === 0 ? 2 : 1);
      if (keeps > 0) t.deepEqual(ttlsOf(second), [keeps]);
    }
  });
}

test('keepttl leaves the TTL of hits as it was', async (t) => {
  const made = cached('cache {\n keepttl\n}');
  await made.ask();
  made.pass(200_000);
  t.deepEqual(ttlsOf(await made.ask()), [300]);
  made.pass(100_000);
  await made.ask();
  t.is(made.asked.length, 2);
});

test('servfail 0 keeps no failure, servfail 30s keeps it for 30 s', async (t) => {
  const none = cached('cache {\n servfail 0s\n}', servfail('forward', 'silence'));
  await none.ask();
  await none.ask();
  t.is(none.asked.length, 2);
  const long = cached('cache {\n servfail 30s\n}', servfail('forward', 'silence'));
  await long.ask();
  long.pass(29_999);
  await long.ask();
  t.is(long.asked.length, 1);
});

test('the newest reply is the only one: an older answer does not come back when a denial has run out', async (t) => {
  const made = cached('cache {\n prefetch 1 1h 90%\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.answer(reply({ rcode: Rcode.NXDOMAIN, authority: [soa(10, 10)] }));
  made.pass(15_000);
  await made.ask(); // 85 s left, 90 % of 100 s: asked anew meanwhile
  await settled();
  t.is((await made.ask()).rcode, Rcode.NXDOMAIN);
  made.answer(servfail('forward', 'silence'));
  made.pass(20_000);
  t.is((await made.ask()).rcode, Rcode.SERVFAIL);
});

test('the least recently used entries make room, and that is counted', async (t) => {
  const made = cached('cache {\n success 2\n}', (query) =>
    Promise.resolve(reply({ answer: [{ ...address(300), owner: query.question.name }] })),
  );
  await made.ask('a.example.org');
  await made.ask('b.example.org');
  await made.ask('a.example.org');
  await made.ask('c.example.org');
  t.is(counted(made, 'evictions_total', 'success'), 1);
  t.is(counted(made, 'entries', 'success'), 2);
  await made.ask('a.example.org');
  t.is(made.asked.length, 3);
});

test('large answers do not fill the memory: entries make room by size too', async (t) => {
  const rdatas = Array.from({ length: 60 }, () => new Uint8Array(1_000));
  const made = cached('cache {\n success 200\n}', (query) =>
    Promise.resolve(reply({ answer: [{ owner: query.question.name, type: RRType.TXT, ttl: 300, rdatas }] })),
  );
  for (let i = 0; i < 100; i++) await made.ask(`n${i}.example.org`, 'TXT');
  const entries = counted(made, 'entries', 'success') ?? 0;
  // 4 KiB for each of 200 entries, at least 1 MiB; 60 KB and a bit for each answer.
  t.true(entries > 10 && entries < 20, String(entries));
});

test('small records count with the memory that they take, not with their few octets', async (t) => {
  const rdatas = Array.from({ length: 20 }, (_, i) => Uint8Array.of(192, 0, 2, i));
  const made = cached('cache {\n success 250\n}', (query) =>
    Promise.resolve(reply({ answer: [{ owner: query.question.name, type: RRType.A, ttl: 300, rdatas }] })),
  );
  for (let i = 0; i < 250; i++) await made.ask(`n${i}.example.org`);
  // Each takes 5.8 KB of heap, and 1 MiB is there.
  t.true((counted(made, 'entries', 'success') ?? 0) < 190);
});

test('prefetch asks anew in the background once enough hits came and little of the TTL is left', async (t) => {
  const made = cached('cache {\n prefetch 2 1m 20%\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.pass(50_000);
  await made.ask();
  await made.ask();
  t.is(made.asked.length, 1); // enough hits, too much left
  made.pass(29_000);
  await made.ask();
  t.is(made.asked.length, 1); // 21 s left
  made.pass(1_000);
  t.deepEqual(ttlsOf(await made.ask()), [20]);
  await settled();
  t.is(made.asked.length, 2);
  t.is(counted(made, 'prefetch_total'), 1);
  t.deepEqual(ttlsOf(await made.ask()), [100]);
});

test('prefetch begins to count anew after a gap, and one refresh is under way at a time', async (t) => {
  let answer = (): void => {};
  const made = cached('cache {\n prefetch 2 10s 90%\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.pass(20_000);
  await made.ask();
  made.pass(20_000);
  await made.ask();
  t.is(made.asked.length, 1); // each hit is the first of its run
  const gate = new Promise<void>((resolve) => (answer = resolve));
  made.answer(() => gate.then(() => reply({ answer: [address(100)] })));
  await made.ask();
  await made.ask();
  t.is(made.asked.length, 2);
  answer();
});

test('prefetch honours disable', async (t) => {
  const made = cached('cache {\n prefetch 1 1h 90%\n disable denial\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.answer(reply({ rcode: Rcode.NXDOMAIN, authority: [soa(100, 100)] }));
  made.pass(50_000);
  await made.ask();
  await settled();
  await made.ask();
  await made.ask();
  t.is(counted(made, 'entries', 'denial'), 0);
  t.is(made.asked.length, 4); // neither the dead answer nor the denial is served
});

test('serve_stale: an answer out of date is given at once with TTL 0 and its error, and refreshed once', async (t) => {
  const made = cached('cache {\n serve_stale\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.pass(200_000);
  const stale = await made.ask();
  t.deepEqual(ttlsOf(stale), [0]);
  t.is(stale.extendedError?.code, 3);
  t.is(counted(made, 'served_stale_total'), 1);
  await settled();
  t.is(made.asked.length, 2);
  t.deepEqual(ttlsOf(await made.ask()), [100]);
});

test('serve_stale: not beyond its time', async (t) => {
  const made = cached('cache {\n serve_stale 10s\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.pass(110_000);
  t.deepEqual(ttlsOf(await made.ask()), [100]);
  t.is(counted(made, 'served_stale_total'), 0);
});

test('serve_stale: a stale NXDOMAIN says so', async (t) => {
  const made = cached(
    'cache {\n serve_stale 1h immediate 30s\n}',
    reply({ rcode: Rcode.NXDOMAIN, authority: [soa(60, 60)] }),
  );
  await made.ask();
  made.pass(70_000);
  const stale = await made.ask();
  t.is(stale.extendedError?.code, 19);
  t.deepEqual(ttlsOf(stale), [30]);
});

for (const { text, gap, asked } of [
  { text: 'serve_stale', gap: 4_999, asked: 2 }, // failures are remembered for 5 s, RFC 9520 section 3.2
  { text: 'serve_stale', gap: 5_000, asked: 3 },
  { text: 'serve_stale 1h immediate 0s 30s', gap: 29_999, asked: 2 },
  { text: 'serve_stale 1h verify 0s 0s 30s', gap: 29_999, asked: 2 },
  { text: 'serve_stale 1h verify 0s 0s 30s', gap: 30_000, asked: 3 },
]) {
  test(`${text}: ${gap} ms after a refresh that failed ${asked} queries have gone down in all`, async (t) => {
    const made = cached(`cache {\n ${text}\n}`, reply({ answer: [address(100)] }));
    await made.ask();
    made.answer(servfail('forward', 'silence'));
    made.pass(200_000);
    t.is((await made.ask()).rcode, Rcode.NOERROR);
    await settled();
    made.pass(gap);
    t.is((await made.ask()).rcode, Rcode.NOERROR);
    await settled();
    t.is(made.asked.length, asked);
  });
}

for (const { name, below, expected } of [
  { name: 'a new answer', below: reply({ answer: [address(50)] }), expected: 'NOERROR 50' },
  { name: 'NXDOMAIN', below: reply({ rcode: Rcode.NXDOMAIN, authority: [soa(50, 50)] }), expected: 'NXDOMAIN 50' },
  { name: 'SERVFAIL', below: reply({ rcode: Rcode.SERVFAIL }), expected: 'NOERROR 0' },
  { name: 'REFUSED', below: reply({ rcode: Rcode.REFUSED }), expected: 'NOERROR 0' },
  { name: 'a truncated reply', below: reply({ truncated: true }), expected: 'NOERROR 0' },
]) {
  test(`serve_stale verify: ${name} from below gives ${expected}`, async (t) => {
    const made = cached('cache {\n serve_stale 1h verify\n}', reply({ answer: [address(100)] }));
    await made.ask();
    made.pass(200_000);
    made.answer(below);
    const { rcode, ...rest } = await made.ask();
    t.is(`${rcodeName(rcode)} ${ttlsOf({ rcode, ...rest }).join()}`, expected);
  });
}

// RFC 8767 section 4: NOERROR and NXDOMAIN must be taken to have refreshed the data, whether they can be kept or not.
for (const { name, below, expected } of [
  { name: 'NXDOMAIN without SOA', below: reply({ rcode: Rcode.NXDOMAIN }), expected: 'NXDOMAIN ' },
  { name: 'an answer with TTL 0', below: reply({ answer: [address(0)] }), expected: 'NOERROR 0' },
  { name: 'an alias to nothing', below: reply({ answer: [alias(9, NAME, 'a.example.org')] }), expected: 'NOERROR 9' },
]) {
  for (const mode of ['immediate', 'verify']) {
    test(`serve_stale ${mode}: ${name} ends what was known before`, async (t) => {
      const made = cached(
        `cache {\n success 100 3600 0\n serve_stale 1h ${mode} ${mode === 'verify' ? '0s 1s' : '1s'}\n}`,
        reply({ answer: [address(100)] }),
      );
      await made.ask();
      made.pass(200_000);
      made.answer(below);
      await made.ask();
      await settled();
      const { rcode, ...rest } = await made.ask();
      t.is(`${rcodeName(rcode)} ${ttlsOf({ rcode, ...rest }).join()}`, expected);
      t.is(counted(made, 'entries', 'success'), 0);
    });
  }
}

// RFC 8767 section 5 where nothing is said; 0 waits as long as it takes, as in CoreDNS plugin/cache.
for (const { text, expected } of [
  { text: 'serve_stale', expected: 1_800 },
  { text: 'serve_stale 1h verify', expected: 1_800 },
  { text: 'serve_stale 1h verify 0s 30s', expected: 0 },
  { text: 'serve_stale 1h verify 3s', expected: 3_000 },
]) {
  test(`${text}: a stale answer goes out after ${expected} ms at the latest`, (t) => {
    t.is(optionsFrom(cache, `cache {\n ${text}\n}`).stale?.verifyTimeout, expected);
  });
}

test('serve_stale verify: silence below gives the stale answer when the time is up', async (t) => {
  const made = cached('cache {\n serve_stale 1h verify 1ms\n}', reply({ answer: [address(100)] }));
  await made.ask();
  made.pass(200_000);
  let answer = (): void => {};
  const gate = new Promise<void>((resolve) => (answer = resolve));
  made.answer(() => gate.then(() => reply({ answer: [address(70)] })));
  t.deepEqual(ttlsOf(await made.ask()), [0]);
  answer();
  await settled();
  t.deepEqual(ttlsOf(await made.ask()), [70]);
  t.is(made.asked.length, 2);
});

test('serve_stale_policy prefer_positive: an answer out of date is better than a new denial, until its time is over', async (t) => {
  const made = cached(
    'cache {\n serve_stale 1h verify\n serve_stale_policy prefer_positive\n}',
    reply({ answer: [address(100)] }),
  );
  await made.ask();
  made.pass(200_000);
  made.answer(reply({ rcode: Rcode.NXDOMAIN, authority: [soa(1_800, 1_800)] }));
  t.is((await made.ask()).rcode, Rcode.NOERROR);
  t.is((await made.ask()).rcode, Rcode.NOERROR);
  made.pass(3_600_000);
  t.is((await made.ask()).rcode, Rcode.NXDOMAIN);
});

for (const { name, below, options } of [
  { name: 'a reply with nothing in it', below: reply({}), options: '' },
  { name: 'a delegation', below: reply({ authority: [nameserver(100)] }), options: '' },
  {
    name: 'NXDOMAIN that is not kept',
    below: reply({ rcode: Rcode.NXDOMAIN, authority: [soa(100, 100)] }),
    options: 'disable denial',
  },
  { name: 'NXDOMAIN without SOA', below: reply({ rcode: Rcode.NXDOMAIN }), options: '' },
]) {
  test(`serve_stale_policy prefer_positive: ${name} does not take the place of an answer`, async (t) => {
    const made = cached(
      `cache {\n serve_stale 1h verify\n serve_stale_policy prefer_positive\n ${options}\n}`,
      reply({ answer: [address(100)] }),
    );
    await made.ask();
    made.pass(200_000);
    made.answer(below);
    for (let i = 0; i < 3; i++) {
      t.is((await made.ask()).answer.length, 1);
      made.pass(10_000);
    }
    t.is(made.asked.length, 4);
  });
}

test('a refresh that ends in a fault of ours is logged and harms nobody', async (t: ExecutionContext) => {
  const made = cached('cache {\n serve_stale\n}');
  await made.ask();
  made.pass(400_000);
  made.answer(() => Promise.reject(new Error('broken')));
  t.is((await made.ask()).rcode, Rcode.NOERROR);
  await settled();
  t.regex(made.lines[0] ?? '', /^error plugin\/cache a refresh ended in a fault of fivedots/);
});

test('entries outlive a reload as long as nothing in the block has changed', async (t) => {
  const made = testContext();
  const layerOf = (text: string, context = made.context): Handler | undefined =>
    cache.layer?.(optionsFrom(cache, text), context)(() => Promise.resolve(reply({ answer: [address(300)] })));
  await layerOf('cache 30')?.(testQuery(NAME));
  const again = await layerOf('# moved down\ncache 30')?.(testQuery(NAME));
  t.is(again?.plugin, 'cache');
  const changed = await layerOf('cache 31')?.(testQuery(NAME));
  t.is(changed?.plugin, 'forward');
  const block = { ...made.context.block, plugins: [{ name: 'forward', options: { to: '192.0.2.2' } }] };
  const elsewhere = await layerOf('cache 30', { ...made.context, block })?.(testQuery(NAME));
  t.is(elsewhere?.plugin, 'forward');
});

test('coredns_cache_entries counts the cache in use, not one whose plan failed nor one that was replaced', async (t) => {
  const states: Kept[] = [];
  const made = testContext({
    keep: (_key, make) => {
      const state = make();
      states.push(state);
      return state;
    },
  });
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const layerOf = (text: string): Handler | undefined =>
    cache.layer?.(
      optionsFrom(cache, text),
      made.context,
    )(({ question }) =>
      question.name === nameFrom('late') ? promise : Promise.resolve(reply({ answer: [address(300)] })),
    );
  const old = layerOf('cache 30');
  await old?.(testQuery(NAME));
  layerOf('cache 31');
  states[1]?.close();
  t.is(counted(made, 'entries', 'success'), 1);
  const late = old?.(testQuery('late'));
  states[0]?.close();
  resolve(reply({ answer: [address(300, 'late')] }));
  t.is((await late)?.answer.length, 1);
  t.is(counted(made, 'entries', 'success'), 0);
});

test('no TTL ever grows, nor exceeds the one that came or an explicit floor', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(5_000), { minLength: 1, maxLength: 4 }),
      fc.nat(60),
      fc.array(fc.nat(400_000), { minLength: 1, maxLength: 30 }),
      fc.boolean(),
      async (ttls, floor, gaps, isDenial) => {
        const records = ttls.map((ttl) => address(ttl));
        const below = isDenial
          ? reply({ rcode: Rcode.NXDOMAIN, authority: [soa(ttls[0] ?? 0, ttls.at(-1) ?? 0)] })
          : reply({ answer: records });
        const made = cached(`cache {\n success 10 3600 ${floor}\n denial 10 3600 ${floor}\n}`, below);
        const most = Math.max(floor, isDenial ? Math.min(ttls[0] ?? 0, ttls.at(-1) ?? 0) : Math.min(...ttls));
        let last = Infinity;
        for (const gap of gaps) {
          const before = made.asked.length;
          const shown = ttlsOf(await made.ask());
          if (made.asked.length > before) last = Infinity;
          t.true(shown.every((ttl) => ttl <= most && ttl <= last && ttl >= 0));
          last = Math.max(...shown);
          made.pass(gap);
          last -= Math.floor(gap / 1000);
          if (last < 0) last = 0;
        }
      },
    ),
    { numRuns: 500 },
  );
});

for (const { text, expected } of [
  { text: 'cache 0', expected: /2:7: found "0", expected a whole number from 1/ },
  { text: 'cache -5', expected: /2:7: found "-5"/ },
  { text: 'cache 30\ncache 60', expected: /3:1: found a second "cache"/ },
  { text: 'cache {\n sucess 10\n}', expected: /3:2: found "sucess".*did you mean "success"/ },
  { text: 'cache {\n success\n}', expected: /success CAPACITY \[TTL \[MINTTL\]\]/ },
  { text: 'cache {\n success 10 0\n}', expected: /3:13: found "0"/ },
  { text: 'cache {\n success 10 10 -1\n}', expected: /3:16: found "-1"/ },
  { text: 'cache {\n prefetch -1\n}', expected: /3:11: found "-1"/ },
  { text: 'cache {\n prefetch 1 1m 95%\n}', expected: /a percentage from 10% to 90%/ },
  { text: 'cache {\n prefetch 1 1m 20\n}', expected: /a percentage from 10% to 90%/ },
  { text: 'cache {\n servfail 6m\n}', expected: /at most 5m/ },
  { text: 'cache {\n servfail 6\n}', expected: /a duration with its unit/ },
  { text: 'cache {\n disable both\n}', expected: /expected success or denial/ },
  { text: 'cache {\n keepttl yes\n}', expected: /takes no arguments/ },
  // Node fires such a timer at once.
  { text: 'cache {\n serve_stale 1h verify 1000h\n}', expected: /3:24: found "1000h", expected a duration of at most/ },
  { text: 'cache {\n serve_stale 1h later\n}', expected: /expected immediate or verify/ },
  { text: 'cache {\n serve_stale 1h immediate 1500ms\n}', expected: /a duration of whole seconds/ },
  { text: 'cache {\n serve_stale 1h immediate 1s 6m\n}', expected: /at most 5m/ },
  { text: 'cache {\n serve_stale 1h immediate 1s 1m 1m\n}', expected: /the end of the line/ },
  { text: 'cache {\n serve_stale_policy prefer_positive\n}', expected: /serve_stale beside it/ },
  { text: 'cache {\n serve_stale\n serve_stale_policy best\n}', expected: /expected prefer_positive/ },
]) {
  test(`refused: ${JSON.stringify(text)}`, (t) => {
    t.regex(faultOf(cache, text) ?? 'it was taken', expected);
  });
}
