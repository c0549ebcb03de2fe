/** What the walks of pods with ndots:5 through their search lists cost the upstream, without completion and with it. */

import test, { type ExecutionContext } from 'ava';

import type { AnyPlugin } from '../../../server/plugins/order.ts';
import { autopathAt } from '../../../server/plugins/autopath.ts';
import { cacheAt } from '../../../server/plugins/cache.ts';
import { nameFrom, type Name } from '../../../zones/name.ts';
import type { Count, Milliseconds } from '../../../zones/units.ts';
import { BothLanes } from '../../support/both-lanes.ts';
import { exchange } from '../../support/client.ts';
import { asked, encodeQuery } from '../../support/query.ts';
import { readReply } from '../../support/reply.ts';
import { startStaticUpstream, type StaticUpstream } from '../../support/static-upstream.ts';

const SECOND: Milliseconds = 1000;
const CLIENTS: Count = 50;

/** Of a pod in namespace `prod` on a node with `search corp.example`; the root ends each list. */
const SEARCH_LIST = ['prod.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'];

const WORLD = `
  corp.example. 60 IN SOA ns.corp.example. mail.corp.example. 1 2 3 4 60
  wiki.corp.example. 60 IN A 192.0.2.7
  example.com. 60 IN SOA ns.example.com. mail.example.com. 1 2 3 4 60
  api.example.com. 60 IN A 192.0.2.1
  api.example.com. 60 IN AAAA 2001:db8::1
  v2.api.example.com. 60 IN A 192.0.2.2
`;

/** Of an upstream for that zone alone, which the other one knows nothing of. */
const OTHER_WORLD = `
  dns.lab.corp.example. 60 IN SOA ns.corp.example. mail.corp.example. 1 2 3 4 60
  a.dns.lab.corp.example. 60 IN A 192.0.2.8
`;

type Scene = {
  readonly upstream: StaticUpstream;
  readonly both: BothLanes;
  /** `TYPE name RCODE` of everything one client asks for a name, in order: A and AAAA at once, until something has that name. */
  readonly walk: (base: string) => Promise<readonly string[]>;
  readonly rcodeOf: (name: string, type: string) => Promise<string>;
};

async function scene(t: ExecutionContext, domains = ['corp.example'], directive = ''): Promise<Scene> {
  const upstream = await startStaticUpstream(WORLD);
  const other = await startStaticUpstream(OTHER_WORLD);
  t.teardown(() => Promise.all([upstream.close(), other.close()]));
  const nodeDomains = (): readonly Name[] => domains.map(nameFrom);
  const autopath = autopathAt({ nodeDomains, patience: 0, schedule: () => () => {} });
  const both = await BothLanes.start(t, {
    corefile: `.:0 {
      bind 127.0.0.1
      kubernetes cluster.local k8s.lab.corp.example
      cache
      ${directive}
      forward dns.lab.corp.example ${other.address}
      forward . ${upstream.address} {
        max_fails 0
        max_connect_attempts 1
        read_timeout 30s
      }
    }`,
    plugins: [cacheAt(nodeDomains) as AnyPlugin, autopath as AnyPlugin],
  });
  const [server] = both.express.addresses;
  if (server === undefined) throw new Error('nothing is listened on');
  const rcodeOf = async (name: string, type: string): Promise<string> => {
    return readReply(await exchange(server, 'udp', encodeQuery(4711, asked(name, type)))).rcode;
  };
  const walk = async (base: string): Promise<readonly string[]> => {
    const said: string[] = [];
    for (const name of [...SEARCH_LIST.map((domain) => `${base}.${domain}`), base]) {
      const rcodes = await Promise.all(
        ['A', 'AAAA'].map(async (type) => `${type} ${name} ${await rcodeOf(name, type)}`),
      );
      said.push(...rcodes);
      if (rcodes.some((rcode) => rcode.endsWith(' NOERROR'))) return said;
    }
    return said;
  };
  return { upstream, both, walk, rcodeOf };
}

/** How often the upstream was asked each question, by `name type`. */
function counts(queries: readonly string[]): ReadonlyMap<string, Count> {
  const counted = new Map<string, Count>();
  for (const query of queries) {
    const question = query.split(' ').slice(0, 2).join(' ').toLowerCase();
    counted.set(question, (counted.get(question) ?? 0) + 1);
  }
  return counted;
}

/** The questions, sorted, where each was asked once; else with how often. */
function tally(queries: readonly string[]): readonly string[] {
  return [...counts(queries)].map(([question, count]) => (count === 1 ? question : `${question} x${count}`)).toSorted();
}

/** Questions that may go out. */
const IN_DOMAIN = ['api.example.com.corp.example a', 'api.example.com.corp.example aaaa'];
const BARE = ['api.example.com a', 'api.example.com aaaa'];

for (const { name, walks } of [
  {
    name: 'at once',
    walks: ({ walk }: Scene) => Promise.all(Array.from({ length: CLIENTS }, () => walk('api.example.com'))),
  },
  {
    name: 'one after another',
    async walks({ walk }: Scene) {
      const all = [];
      for (let i = 0; i < CLIENTS; i++) all.push(await walk('api.example.com'));
      return all;
    },
  },
]) {
  test(`${CLIENTS} clients walk their whole search list ${name}: each question goes out once per TTL at most, and none of the cluster's`, async (t) => {
    const made = await scene(t);
    const expected = SEARCH_LIST.flatMap((domain) =>
      ['A', 'AAAA'].map((type) => `${type} api.example.com.${domain} NXDOMAIN`),
    ).concat('A api.example.com NOERROR', 'AAAA api.example.com NOERROR');
    for (const round of [1, 2, 3]) {
      for (const said of await walks(made)) t.deepEqual(said, expected);
      const sent = counts(made.upstream.queries);
      for (const question of BARE) t.is(sent.get(question), round, question);
      // AAAA of the denied name need not be asked where A was answered before it came, nor A where AAAA was.
      const inDomain = IN_DOMAIN.map((question) => sent.get(question) ?? 0);
      t.true(inDomain.every((count) => count <= round) && inDomain.some((count) => count > 0), inDomain.join());
      t.deepEqual(
        [...sent.keys()].filter((question) => ![...BARE, ...IN_DOMAIN].includes(question)),
        [],
      );
      made.both.pass(60 * SECOND);
    }
  });
}

// The control shows that it is the cut that does it.
for (const { domains, more } of [
  { domains: ['corp.example'], more: 0 },
  { domains: [], more: 2 },
]) {
  test(`with ${domains.length === 0 ? 'no domain' : domains.join()} of the node, a name below one that is denied there costs ${more} queries there`, async (t) => {
    const { upstream, walk } = await scene(t, domains);
    const inDomain = (): Count =>
      upstream.queries.filter((query) => query.toLowerCase().includes('.corp.example ')).length;
    await walk('api.example.com');
    const before = inDomain();
    t.true(before >= 1);
    await walk('v2.api.example.com');
    t.is(inDomain(), before + more);
  });
}

test("with autopath the walks that the server makes cost no more, and those below a denied name nothing in the node's domain", async (t) => {
  const { rcodeOf, upstream } = await scene(t, ['corp.example'], 'autopath @kubernetes');
  const ask = async (base: string): Promise<void> => {
    const name = `${base}.default.svc.cluster.local`;
    const both = await Promise.all(
      Array.from({ length: CLIENTS }, () => ['A', 'AAAA'])
        .flat()
        .map((type) => rcodeOf(name, type)),
    );
    t.deepEqual(new Set(both), new Set(['NOERROR']));
  };
  await ask('api.example.com');
  t.deepEqual(tally(upstream.queries), [...IN_DOMAIN, ...BARE].toSorted());
  await ask('v2.api.example.com');
  const second = ['v2.api.example.com a', 'v2.api.example.com aaaa'];
  t.deepEqual(tally(upstream.queries), [...IN_DOMAIN, ...BARE, ...second].toSorted());
});

test("names that the node's domain does have are found there", async (t) => {
  const { upstream, walk } = await scene(t);
  for (let i = 0; i < 3; i++) {
    t.deepEqual((await walk('wiki')).slice(-2), ['A wiki.corp.example NOERROR', 'AAAA wiki.corp.example NOERROR']);
  }
  t.deepEqual(tally(upstream.queries), ['wiki.corp.example a', 'wiki.corp.example aaaa']);
});

test("a denied name hides neither the cluster's zone below it nor another upstream's", async (t) => {
  const { rcodeOf, upstream } = await scene(t);
  t.is(await rcodeOf('lab.corp.example', 'A'), 'NXDOMAIN');
  t.is(await rcodeOf('b.lab.corp.example', 'A'), 'NXDOMAIN');
  t.is(upstream.queries.length, 1);
  t.is(await rcodeOf('web.prod.svc.k8s.lab.corp.example', 'A'), 'NOERROR');
  t.is(await rcodeOf('a.dns.lab.corp.example', 'A'), 'NOERROR');
});

test('both lanes say the same octets of what is denied because a name above is, at every second of its life', async (t) => {
  const { both, upstream } = await scene(t);
  await both.agree(t, asked('com.corp.example', 'A'));
  const sent = upstream.queries.length;
  for (let second = 0; second < 60; second += 7) {
    for (const name of ['com.corp.example', 'api.com.corp.example', 'API.Com.corp.example']) {
      for (const type of ['A', 'AAAA', 'HTTPS']) await both.agree(t, asked(name, type), `${second} s`);
    }
    both.pass(7 * SECOND);
  }
  t.is(upstream.queries.length, sent);
  t.true(both.expressReplies > 0);
  t.true(both.total('fivedots_cache_cut_hits_total') > both.expressReplies / 2);
});
