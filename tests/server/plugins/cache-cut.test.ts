/** NXDOMAIN cut within the node's search domains: which questions a denial answers, for how long, and what ends it. */

import test, { type ExecutionContext } from 'ava';

import { cacheAt } from '../../../server/plugins/cache.ts';
import { zoneSources } from '../../../server/plugins/zone-sources.ts';
import type { Handler } from '../../../server/pipeline.ts';
import { emptyReply, LEASE_OVER, type Query, type Reply } from '../../../server/query.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { addressRdata, nameRdata, soaRdata } from '../../../zones/rdata.ts';
import { Rcode, rcodeName, RRType, typeName, type RRset } from '../../../zones/rr.ts';
import type { Count, Milliseconds, Seconds } from '../../../zones/units.ts';
import { optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery, type TestContext } from '../../support/plugin-context.ts';

const TTL: Seconds = 60;

const SOA: RRset = {
  owner: nameFrom('example'),
  type: RRType.SOA,
  ttl: TTL,
  rdatas: [
    soaRdata({
      mname: nameFrom('ns.example'),
      rname: nameFrom('mail.example'),
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: TTL,
    }),
  ],
};

/** What is said of a question, by a word. */
function replyOf(word: string, query: Query): Reply {
  const { name, spelling } = query.question;
  const alias: RRset = { owner: spelling, type: RRType.CNAME, ttl: TTL, rdatas: [nameRdata(nameFrom('gone.example'))] };
  const address: RRset = { owner: name, type: RRType.A, ttl: 10, rdatas: [addressRdata(Uint8Array.of(192, 0, 2, 1))] };
  const denial = { ...emptyReply(Rcode.NXDOMAIN, 'forward'), authority: [SOA], upstream: '192.0.2.53:53' };
  switch (word) {
    case 'NXDOMAIN':
      return denial;
    case 'NXDOMAIN behind an alias':
      return { ...denial, answer: [alias] };
    case 'NXDOMAIN without SOA':
      return { ...denial, authority: [] };
    case 'NODATA':
      return { ...denial, rcode: Rcode.NOERROR };
    case 'an address':
      return { ...emptyReply(Rcode.NOERROR, 'forward'), answer: [address] };
    default:
      return emptyReply(Rcode.SERVFAIL, 'forward');
  }
}

type Scene = {
  readonly made: TestContext;
  /** `TYPE name` with `+do`, `+cd` or `+norec` behind it. */
  readonly ask: (question: string) => Promise<Reply>;
  /** What went down, as it was asked. */
  readonly asked: readonly string[];
  /** Says from now on something else of a question. */
  readonly say: (question: string, word: string) => void;
  /** Lets those go that wait. */
  readonly release: () => void;
};

type SceneOptions = {
  readonly text?: string;
  readonly domains?: readonly string[];
  /** Of questions; all others get NXDOMAIN. */
  readonly world?: Readonly<Record<string, string>>;
  readonly authoritative?: readonly string[];
  readonly forwarded?: readonly string[];
  /** Questions whose reply waits. */
  readonly held?: readonly string[];
};

function scene(options: SceneOptions): Scene {
  const made = testContext();
  const asked: string[] = [];
  const world = new Map(Object.entries(options.world ?? {}));
  const domains = (options.domains ?? ['corp.example']).map(nameFrom);
  const plugin = cacheAt(() => domains);
  const layer = plugin.layer?.(optionsFrom(plugin, options.text ?? 'cache'), made.context);
  // Layers behind the cache are made after it.
  const sources = zoneSources(made.context.shared);
  for (const zone of options.authoritative ?? []) sources.authoritative.add(nameFrom(zone));
  for (const zone of options.forwarded ?? []) sources.forwarded.add(nameFrom(zone));
  const gate = Promise.withResolvers<void>();
  const handler: Handler | undefined = layer?.(async (query) => {
    const { name, type } = query.question;
    const question = `${typeName(type)} ${present(name).slice(0, -1)}`;
    asked.push(question + flagsOf(query));
    const reply = replyOf(world.get(question) ?? 'NXDOMAIN', query);
    if (options.held?.includes(question) === true) await gate.promise;
    return reply;
  });
  return {
    made,
    asked,
    ask: async (question) => await (handler?.(queryFrom(question)) ?? emptyReply(0)),
    say: (question, word) => void world.set(question, word),
    release: () => gate.resolve(),
  };
}

function queryFrom(question: string): Query {
  const [type = '', name = '', ...flags] = question.split(' ');
  return testQuery(name, type, {
    checkingDisabled: flags.includes('+cd'),
    recursionDesired: !flags.includes('+norec'),
    edns: flags.includes('+do') ? { payloadSize: 1232, dnssecOk: true, wantsNsid: false } : undefined,
  });
}

function flagsOf({ edns, checkingDisabled, recursionDesired }: Query): string {
  return `${edns?.dnssecOk === true ? ' +do' : ''}${checkingDisabled ? ' +cd' : ''}${recursionDesired ? '' : ' +norec'}`;
}

function total({ made }: Scene, metric: string): Count {
  let sum = 0;
  for (const [row, [value = 0]] of made.series()) if (row.startsWith(metric)) sum += value;
  return sum;
}

const SECOND: Milliseconds = 1000;
const N = 'com.corp.example';

// The second question is answered from the first one's denial, or goes down as well.
for (const { name, first, second, isCut, ...options } of [
  { name: 'another type of a denied name', first: `A ${N}`, second: `AAAA ${N}`, isCut: true },
  { name: 'a name below it', first: `A ${N}`, second: `A api.${N}`, isCut: true },
  {
    name: 'a name far below it, in another case',
    first: `A ${N}`,
    second: 'TXT a.b.c.d.COM.Corp.EXAMPLE',
    isCut: true,
  },
  { name: 'a name above it', first: `A api.${N}`, second: `A ${N}`, isCut: false },
  { name: 'a name beside it', first: `A ${N}`, second: 'A org.corp.example', isCut: false },
  { name: 'a name that ends like it', first: `A ${N}`, second: 'A xcom.corp.example', isCut: false },
  { name: 'a name outside the domains', first: 'A com.other.example', second: 'AAAA com.other.example', isCut: false },
  { name: 'a name that ends like a domain', first: 'A a.xcorp.example', second: 'AAAA a.xcorp.example', isCut: false },
  { name: 'another type of a domain', first: 'A corp.example', second: 'AAAA corp.example', isCut: false },
  { name: 'a name below a denied domain', first: 'A corp.example', second: `A ${N}`, isCut: false },
  { name: 'a name above a domain', first: 'A example', second: `A ${N}`, isCut: false },
  { name: 'DO', first: `A ${N}`, second: `AAAA ${N} +do`, isCut: false },
  { name: 'DO both times', first: `A ${N} +do`, second: `AAAA ${N} +do`, isCut: true },
  { name: 'no DO after DO', first: `A ${N} +do`, second: `A api.${N}`, isCut: false },
  { name: 'CD', first: `A ${N}`, second: `A api.${N} +cd`, isCut: false },
  { name: 'CD both times', first: `A ${N} +cd`, second: `A api.${N} +cd`, isCut: true },
  { name: 'no RD', first: `A ${N}`, second: `A api.${N} +norec`, isCut: false },
  { name: 'no domains', first: `A ${N}`, second: `AAAA ${N}`, isCut: false, domains: [] },
  {
    name: 'a domain below another one',
    domains: ['example', 'corp.example'],
    first: 'A corp.example',
    second: `A ${N}`,
    isCut: false,
  },
  {
    name: 'a name in the longer of two domains',
    domains: ['example', 'corp.example'],
    first: `A ${N}`,
    second: `AAAA ${N}`,
    isCut: true,
  },
  { name: 'NODATA', world: { [`A ${N}`]: 'NODATA' }, first: `A ${N}`, second: `A api.${N}`, isCut: false },
  { name: 'SERVFAIL', world: { [`A ${N}`]: 'SERVFAIL' }, first: `A ${N}`, second: `A api.${N}`, isCut: false },
  {
    name: 'a denied alias',
    world: { [`A ${N}`]: 'NXDOMAIN behind an alias' },
    first: `A ${N}`,
    second: `AAAA ${N}`,
    isCut: false,
  },
  {
    name: 'a denial without SOA',
    world: { [`A ${N}`]: 'NXDOMAIN without SOA' },
    first: `A ${N}`,
    second: `AAAA ${N}`,
    isCut: false,
  },
  { name: 'denials of the cluster', authoritative: [N], first: `A ${N}`, second: `AAAA ${N}`, isCut: false },
  {
    name: "the cluster's zone below a denied name",
    authoritative: [`k8s.${N}`],
    first: `A ${N}`,
    second: `A web.k8s.${N}`,
    isCut: false,
  },
  {
    name: "a name beside the cluster's zone",
    authoritative: [`k8s.${N}`],
    first: `A ${N}`,
    second: `A web.${N}`,
    isCut: true,
  },
  {
    name: 'a zone of another upstream below a denied name',
    forwarded: ['.', `lab.${N}`],
    first: `A ${N}`,
    second: `A web.lab.${N}`,
    isCut: false,
  },
  {
    name: 'a name within a zone of another upstream',
    forwarded: [`lab.${N}`],
    first: `A web.lab.${N}`,
    second: `AAAA web.lab.${N}`,
    isCut: true,
  },
  { name: 'disable denial', text: 'cache {\n disable denial\n}', first: `A ${N}`, second: `AAAA ${N}`, isCut: false },
  {
    name: 'disable denial for what is below',
    text: `cache {\n disable denial x.${N}\n}`,
    first: `A ${N}`,
    second: `A a.x.${N}`,
    isCut: false,
  },
  { name: 'denial 0', text: 'cache {\n denial 0\n}', first: `A ${N}`, second: `AAAA ${N}`, isCut: false },
  { name: 'a cache of one denial', text: 'cache {\n denial 1\n}', first: `A ${N}`, second: `AAAA ${N}`, isCut: true },
  { name: 'a cache for other zones', text: 'cache example.net', first: `A ${N}`, second: `AAAA ${N}`, isCut: false },
] satisfies readonly (SceneOptions & { name: string; first: string; second: string; isCut: boolean })[]) {
  test(`${name}: ${second} after ${first} ${isCut ? 'is denied without being asked' : 'is asked'}`, async (t) => {
    const made = scene(options);
    await made.ask(first);
    const reply = await made.ask(second);
    t.is(made.asked.length, isCut ? 1 : 2);
    t.is(total(made, 'fivedots_cache_cut_hits_total'), isCut ? 1 : 0);
    if (isCut) t.like(reply, { rcode: Rcode.NXDOMAIN, plugin: 'cache', upstream: '', answer: [] });
  });
}

test('it has the SOA record of the denial, whose TTL counts down, and is asked for anew when that is over', async (t) => {
  const made = scene({});
  await made.ask(`A ${N}`);
  made.made.pass(20 * SECOND);
  t.deepEqual((await made.ask(`A api.${N}`)).authority, [{ ...SOA, ttl: 40 }]);
  made.made.pass(40 * SECOND - 1);
  t.deepEqual((await made.ask(`AAAA ${N}`)).authority, [{ ...SOA, ttl: 1 }]);
  made.made.pass(1);
  await made.ask(`A api.${N}`);
  t.deepEqual(made.asked, [`A ${N}`, `A api.${N}`]);
});

test('with keepttl the TTL stays', async (t) => {
  const made = scene({ text: 'cache {\n keepttl\n}' });
  await made.ask(`A ${N}`);
  made.made.pass(20 * SECOND);
  t.deepEqual((await made.ask(`A api.${N}`)).authority, [SOA]);
});

test('it is never used when its time is over, even where stale answers are', async (t) => {
  const made = scene({ text: 'cache {\n serve_stale\n}' });
  await made.ask(`A ${N}`);
  made.made.pass(TTL * SECOND);
  made.say(`AAAA ${N}`, 'SERVFAIL');
  t.is((await made.ask(`AAAA ${N}`)).rcode, Rcode.SERVFAIL);
});

test('it counts as a request and as a hit of a denial', async (t) => {
  const made = scene({});
  await made.ask(`A ${N}`);
  await made.ask(`AAAA ${N}`);
  t.is(total(made, 'coredns_cache_requests_total'), 2);
  t.is(total(made, 'coredns_cache_misses_total'), 1);
  t.is(total(made, 'coredns_cache_hits_total'), 1);
});

test('denials of many names take no more room than the cache has for denials', async (t) => {
  const made = scene({ text: 'cache {\n denial 10\n}' });
  for (let i = 0; i < 100; i++) await made.ask(`A n${i}.corp.example`);
  t.is(total(made, 'coredns_cache_entries'), 10);
});

for (const options of [
  { text: 'cache {\n disable denial\n}' },
  { text: 'cache', world: { [`A ${N}`]: 'NXDOMAIN without SOA' } },
]) {
  test(`denials that may not be kept take no room: ${JSON.stringify(options)}`, async (t) => {
    const made = scene(options);
    await made.ask(`A ${N}`);
    t.is(total(made, 'coredns_cache_entries'), 0);
  });
}

test('names below a denied one take no room at all', async (t) => {
  const made = scene({});
  await made.ask(`A ${N}`);
  const before = total(made, 'coredns_cache_entries');
  for (let i = 0; i < 100; i++) await made.ask(`A n${i}.${N}`);
  t.is(total(made, 'coredns_cache_entries'), before);
});

test('an answer that is known of a name below stays until its time is over (RFC 8020 section 2)', async (t) => {
  const made = scene({ world: { [`A api.${N}`]: 'an address' } });
  await made.ask(`A api.${N}`);
  await made.ask(`A ${N}`);
  t.is((await made.ask(`A api.${N}`)).rcode, Rcode.NOERROR);
  t.is((await made.ask(`AAAA api.${N}`)).rcode, Rcode.NXDOMAIN);
  made.made.pass(10 * SECOND);
  t.is((await made.ask(`A api.${N}`)).rcode, Rcode.NXDOMAIN);
  t.deepEqual(made.asked, [`A api.${N}`, `A ${N}`]);
});

// RFC 8767: what is known now is better than what was; unless the Corefile says otherwise.
for (const { text, expected } of [
  { text: 'serve_stale', expected: 'NXDOMAIN' },
  { text: 'serve_stale 1h verify', expected: 'NXDOMAIN' },
  { text: 'serve_stale\n serve_stale_policy prefer_positive', expected: 'NOERROR' },
]) {
  test(`${JSON.stringify(text)}: a stale answer below a denied name is ${expected}`, async (t) => {
    const made = scene({ text: `cache {\n ${text}\n}`, world: { [`A api.${N}`]: 'an address' } });
    await made.ask(`A api.${N}`);
    made.made.pass(20 * SECOND);
    await made.ask(`A ${N}`);
    t.is(rcodeName((await made.ask(`A api.${N}`)).rcode), expected);
  });
}

test('a server that denies AAAA of a name with A is not believed (RFC 4074 section 4.2)', async (t) => {
  const made = scene({ world: { [`A ${N}`]: 'an address' } });
  await made.ask(`A ${N}`);
  t.is((await made.ask(`AAAA ${N}`)).rcode, Rcode.NXDOMAIN);
  await made.ask(`HTTPS ${N}`);
  await made.ask(`A api.${N}`);
  t.deepEqual(made.asked, [`A ${N}`, `AAAA ${N}`, `HTTPS ${N}`, `A api.${N}`]);
});

/** A question below is on its way while the name is denied; its reply comes then. */
async function overtaken(t: ExecutionContext, word: string): Promise<Scene & { readonly lease: Reply['lease'] }> {
  const late = `A api.${N}`;
  const made = scene({ held: [late], world: { [late]: word } });
  const waiting = made.ask(late);
  await made.ask(`A ${N}`);
  made.made.pass(20 * SECOND);
  // Both are denied meanwhile.
  t.is((await made.ask(late)).rcode, Rcode.NXDOMAIN);
  const { lease } = await made.ask(late);
  t.is(lease?.renew(20 * SECOND), 40);
  made.release();
  await waiting;
  return { ...made, lease };
}

for (const word of ['an address', 'NODATA']) {
  test(`${word} of a name below, newer than the denial, ends it for all between them`, async (t) => {
    const made = await overtaken(t, word);
    t.true(made.lease?.isOver(20 * SECOND));
    t.is(made.lease?.renew(20 * SECOND), LEASE_OVER);
    for (const question of [`TXT api.${N}`, `TXT x.api.${N}`, `TXT ${N}`]) {
      const before = made.asked.length;
      await made.ask(question);
      t.is(made.asked.length, before + 1, question);
    }
  });
}

for (const word of ['NXDOMAIN', 'SERVFAIL']) {
  test(`${word} of a name below does not end it, and is what that question gets`, async (t) => {
    const made = await overtaken(t, word);
    t.true(made.lease?.isOver(20 * SECOND));
    t.is(made.lease?.renew(20 * SECOND), LEASE_OVER);
    const before = made.asked.length;
    t.is(rcodeName((await made.ask(`A api.${N}`)).rcode), word);
    // As the leases say that were given for it before.
    t.deepEqual((await made.ask(`TXT api.${N}`)).authority, [{ ...SOA, ttl: 40 }]);
    t.is(made.asked.length, before);
  });
}

test('the lease of a denied question ends with the denial, counts its hits and says what is left of the TTL', async (t) => {
  const made = scene({});
  await made.ask(`A ${N}`);
  const { lease } = await made.ask(`A api.${N}`);
  t.false(lease?.isOver(20 * SECOND));
  t.is(lease?.renew(20 * SECOND), 40);
  t.is(total(made, 'fivedots_cache_cut_hits_total'), 2);
  t.is(total(made, 'coredns_cache_hits_total'), 2);
  t.is(lease?.renew(TTL * SECOND), LEASE_OVER);
  t.is(total(made, 'fivedots_cache_cut_hits_total'), 2);
});

test('each load of the Corefile reads the domains again', (t) => {
  let domains = [nameFrom('corp.example')];
  const plugin = cacheAt(() => domains);
  t.deepEqual(optionsFrom(plugin, 'cache').searchDomains, domains);
  domains = [nameFrom('lab.example')];
  t.deepEqual(optionsFrom(plugin, 'cache').searchDomains, domains);
});
