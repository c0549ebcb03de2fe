/** Aliases of the cluster, followed inside the zone and outside it. */

import test from 'ava';

import type { Handler } from '../../../server/pipeline.ts';
import { ALIAS_DEPTH_MAX } from '../../../server/plugins/external-name.ts';
import { emptyReply, servfail, type Query, type Reply } from '../../../server/query.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { Rcode, RRType } from '../../../zones/rr.ts';
import { ask, exampleUpstream, handlerFor, seen, storeOf, testRows } from '../../support/cluster-zone.ts';
import { EXAMPLE_OBJECTS, externalName, namespace, service } from '../../support/example-cluster.ts';
import { testQuery } from '../../support/plugin-context.ts';

const UPSTREAM_SOA = 'example.org. 60 IN SOA ns1.example.org. admin.example.org. 7 1 1 1 60';
const SOA = 'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5';

testRows([
  {
    title: 'outside: the alias, then the records of its target',
    ask: 'ext.prod.Z',
    types: 'A',
    answer: [
      'ext.prod.Z 5 IN CNAME www.example.org.',
      'www.example.org. 300 IN CNAME edge.example.net.',
      'edge.example.net. 300 IN A 192.0.2.34',
    ],
  },
  {
    title: 'the alias itself is not followed',
    ask: 'ext.prod.Z',
    types: 'CNAME ANY',
    answer: ['ext.prod.Z 5 IN CNAME www.example.org.'],
  },
  {
    title: 'inside: A',
    ask: 'alias.prod.Z',
    types: 'A',
    answer: ['alias.prod.Z 5 IN CNAME web.prod.Z', 'web.prod.Z 5 IN A 10.96.1.1'],
  },
  {
    title: 'inside: AAAA',
    ask: 'alias.prod.Z',
    types: 'AAAA',
    answer: ['alias.prod.Z 5 IN CNAME web.prod.Z', 'web.prod.Z 5 IN AAAA fd00:96::1'],
  },
  {
    title: 'inside: any other type is followed as well (RFC 1034 section 3.6.2; CoreDNS says NODATA)',
    ask: 'alias.prod.Z',
    types: 'SRV',
    answer: [
      'alias.prod.Z 5 IN CNAME web.prod.Z',
      'web.prod.Z 5 IN SRV 0 25 80 web.prod.Z',
      'web.prod.Z 5 IN SRV 0 25 443 web.prod.Z',
    ],
    additional: ['web.prod.Z 5 IN A 10.96.1.1', 'web.prod.Z 5 IN AAAA fd00:96::1'],
  },
  { title: 'a loop leads nowhere', ask: 'loop-a.prod.Z', types: 'A AAAA SRV' },
  {
    title: 'one step of a loop',
    ask: 'loop-a.prod.Z',
    types: 'CNAME',
    answer: ['loop-a.prod.Z 5 IN CNAME loop-b.prod.Z'],
  },
  {
    title: 'an address is no name, and nothing is below an alias',
    ask: 'extip.prod.Z x.ext.prod.Z _p._t.ext.prod.Z _tcp.ext.prod.Z',
    types: 'A CNAME SRV',
    rcode: 'NXDOMAIN',
  },
  {
    title: 'ignore empty_service says nothing of aliases',
    ask: 'alias.prod.Z',
    body: 'ignore empty_service',
    answer: ['alias.prod.Z 5 IN CNAME web.prod.Z', 'web.prod.Z 5 IN A 10.96.1.1'],
  },
]);

test('outside, no records: the alias and the denial of its target (RFC 2308; CoreDNS leaves the SOA out)', async (t) => {
  const handler = handlerFor({ resolve: exampleUpstream });
  for (const type of ['AAAA', 'TXT', 'SRV', 'HTTPS', 'MX']) {
    t.deepEqual(await ask(handler, 'ext.prod.svc.cluster.local', type), {
      reply: 'NOERROR aa',
      answer: ['ext.prod.svc.cluster.local. 5 IN CNAME www.example.org.'],
      authority: [UPSTREAM_SOA],
      additional: [],
    });
  }
});

test('outside, no such name: NXDOMAIN is passed on (RFC 6604 section 3; CoreDNS says NOERROR)', async (t) => {
  t.deepEqual(await ask(handlerFor({ resolve: exampleUpstream }), 'gone.prod.svc.cluster.local', 'A'), {
    reply: 'NXDOMAIN aa',
    answer: ['gone.prod.svc.cluster.local. 5 IN CNAME gone.example.org.'],
    authority: [UPSTREAM_SOA],
    additional: [],
  });
});

test('inside, no such name: the alias and NXDOMAIN (RFC 6604 section 3; CoreDNS hides the alias)', async (t) => {
  t.deepEqual(await ask(handlerFor(), 'dangling.prod.svc.cluster.local', 'A'), {
    reply: 'NXDOMAIN aa',
    answer: ['dangling.prod.svc.cluster.local. 5 IN CNAME nosuch.prod.svc.cluster.local.'],
    authority: [SOA],
    additional: [],
  });
});

test('inside, no records of that type: the alias and NODATA', async (t) => {
  t.deepEqual(await ask(handlerFor(), 'alias.prod.svc.cluster.local', 'TXT'), {
    reply: 'NOERROR aa',
    answer: ['alias.prod.svc.cluster.local. 5 IN CNAME web.prod.svc.cluster.local.'],
    authority: [SOA],
    additional: [],
  });
});

test('inside, no such name, but fallthrough covers it: the target is asked of the whole server', async (t) => {
  const asked: string[] = [];
  const resolve: Handler = (query) => {
    asked.push(present(query.question.name));
    return exampleUpstream(query);
  };
  const handler = handlerFor({ resolve, body: 'fallthrough nosuch.prod.svc.cluster.local' });
  await ask(handler, 'dangling.prod.svc.cluster.local', 'A');
  t.deepEqual(asked, ['nosuch.prod.svc.cluster.local.']);
});

const failures: readonly [string, Reply][] = [
  ['SERVFAIL', servfail('forward', 'no upstream answered', { code: 23, text: 'network error' })],
  ['REFUSED by an upstream', emptyReply(Rcode.REFUSED, 'forward')],
  ['REFUSED by a rule', emptyReply(Rcode.REFUSED, 'acl')],
  ['FORMERR', emptyReply(Rcode.FORMERR, 'forward')],
];

for (const [name, failure] of failures) {
  test(`outside, ${name}: SERVFAIL, which says whose fault it is (CoreDNS says NOERROR)`, async (t) => {
    const reply = await handlerFor({ resolve: () => Promise.resolve(failure) })(
      testQuery('ext.prod.svc.cluster.local'),
    );
    t.is(reply.rcode, Rcode.SERVFAIL);
    t.regex(reply.fault ?? '', /www\.example\.org\./);
    t.deepEqual(reply.extendedError, failure.extendedError);
    t.true(reply.fresh, 'the failure was kept where it happened');
  });
}

test('outside, and this server answers for no such zone: the alias alone, for the resolver to follow (RFC 1034 section 4.3.2)', async (t) => {
  t.deepEqual(await ask(handlerFor({ resolve: () => emptyReply(Rcode.REFUSED) }), 'ext.prod.svc.cluster.local', 'A'), {
    reply: 'NOERROR aa',
    answer: ['ext.prod.svc.cluster.local. 5 IN CNAME www.example.org.'],
    authority: [],
    additional: [],
  });
});

test('the target is asked for on behalf of the client, with recursion, and one step deeper', async (t) => {
  const asked: Query[] = [];
  const handler = handlerFor({
    resolve: (query) => {
      asked.push(query);
      return exampleUpstream(query);
    },
  });
  const query = testQuery('EXT.prod.svc.cluster.local', 'AAAA', {
    recursionDesired: false,
    edns: { payloadSize: 512, dnssecOk: true, wantsNsid: false },
    aliasDepth: 3,
  });
  await handler(query);
  const { name, spelling } = testQuery('www.example.org').question;
  t.deepEqual(asked, [
    { ...query, recursionDesired: true, question: { ...query.question, name, spelling }, aliasDepth: 4 },
  ]);
});

test('the records of the target are all there, whatever the client has room for: fitting them in comes last', async (t) => {
  const owner = nameFrom('www.example.org');
  const rdatas = Array.from({ length: 200 }, (_, i) => Uint8Array.of(192, 0, 2, i));
  const resolve: Handler = () => ({
    ...emptyReply(Rcode.NOERROR, 'forward'),
    answer: [{ owner, type: RRType.A, ttl: 60, rdatas }],
  });
  const reply = await handlerFor({ resolve })(testQuery('ext.prod.svc.cluster.local'));
  t.false(reply.truncated);
  t.is(reply.answer[1]?.rdatas.length, 200);
});

test('a target that was cut short makes a reply that was (RFC 2181 section 9)', async (t) => {
  const reply = await handlerFor({ resolve: (query) => ({ ...exampleUpstream(query), truncated: true }) })(
    testQuery('ext.prod.svc.cluster.local'),
  );
  t.true(reply.truncated);
});

test('an alias that leaves the zone and comes back is followed a few times, then it is a fault', async (t) => {
  let steps = 0;
  const store = storeOf([namespace('prod'), externalName('prod/out', 'out.prod.svc.other.example.org')]);
  // As a `rewrite` of other.example.org to cluster.local would do.
  const handler: Handler = handlerFor({
    store,
    resolve: ({ aliasDepth }) => {
      steps++;
      return handler(testQuery('out.prod.svc.cluster.local', 'A', { aliasDepth }));
    },
  });
  const reply = await handler(testQuery('out.prod.svc.cluster.local'));
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.is(steps, ALIAS_DEPTH_MAX);
});

test('a chain inside the zone has eleven aliases at most', async (t) => {
  const chain = (length: number): readonly [string, number] => [`c${length}.prod.svc.cluster.local`, length];
  const links = Array.from({ length: 12 }, (_, i) => externalName(`prod/c${i + 1}`, `c${i}.prod.svc.cluster.local`));
  const handler = handlerFor({ store: storeOf([namespace('prod'), service('prod/c0', ['192.0.2.1']), ...links]) });
  const [eleven, twelve] = [chain(11), chain(12)];
  t.is((await ask(handler, eleven[0], 'A')).answer.length, eleven[1] + 1);
  t.deepEqual(await ask(handler, twelve[0], 'A'), {
    reply: 'NOERROR aa',
    answer: [],
    authority: [SOA],
    additional: [],
  });
});

test('a chain that ends outside keeps its aliases in order', async (t) => {
  const store = storeOf([
    namespace('prod'),
    externalName('prod/a', 'B.prod.svc.CLUSTER.local.'),
    externalName('prod/b', 'www.example.org.'),
  ]);
  const { answer } = await ask(handlerFor({ store, resolve: exampleUpstream }), 'a.prod.svc.cluster.local', 'A');
  t.deepEqual(answer, [
    'a.prod.svc.cluster.local. 5 IN CNAME B.prod.svc.CLUSTER.local.',
    'B.prod.svc.CLUSTER.local. 5 IN CNAME www.example.org.',
    'www.example.org. 300 IN CNAME edge.example.net.',
    'edge.example.net. 300 IN A 192.0.2.34',
  ]);
});

const elsewhere: readonly [string, string, string, string][] = [
  ['a longer zone', 'cluster.local b.cluster.local', 'web.prod.svc.b.cluster.local', 'A 10.96.1.1'],
  ['a name of an address, from the root zone', '.', '1.1.96.10.in-addr.arpa', 'PTR web.prod.svc.'],
];

for (const [what, zones, target, record] of elsewhere) {
  test(`an alias to ${what} is no name of its own zone: the whole server is asked`, async (t) => {
    const store = storeOf([...EXAMPLE_OBJECTS, externalName('prod/x', target)]);
    const handler: Handler = handlerFor({ store, zones, resolve: (query) => handler(query) });
    const alias = zones === '.' ? 'x.prod.svc.' : 'x.prod.svc.cluster.local.';
    const { reply, answer } = await ask(handler, alias, record.split(' ')[0] ?? '');
    t.is(reply, 'NOERROR aa');
    t.deepEqual(answer, [`${alias} 5 IN CNAME ${target}.`, `${target}. 5 IN ${record}`]);
  });
}

const nowhere: readonly [string, string][] = [
  ['itself', 'x.prod.svc.cluster.local'],
  ['itself in other letters', 'X.PROD.svc.cluster.local.'],
  ['below itself', 'y.x.prod.svc.cluster.local'],
  ['nothing', ''],
  ['no name', 'a..b'],
  ['a name that is too long', `${'a.'.repeat(127)}a`],
];

for (const [name, target] of nowhere) {
  test(`an ExternalName that points to ${name} has no records`, async (t) => {
    const handler = handlerFor({ store: storeOf([namespace('prod'), externalName('prod/x', target)]) });
    for (const type of ['A', 'SRV']) {
      t.deepEqual(await ask(handler, 'x.prod.svc.cluster.local', type), {
        reply: 'NOERROR aa',
        answer: [],
        authority: [SOA],
        additional: [],
      });
    }
  });
}

test('a Service without a cluster IP has no records (CoreDNS makes an alias to the root)', async (t) => {
  const handler = handlerFor({ store: storeOf([namespace('prod'), service('prod/x', [])]) });
  t.deepEqual(await ask(handler, 'x.prod.svc.cluster.local', 'A'), seenNodata());
  t.deepEqual(await ask(handler, 'x.prod.svc.cluster.local', 'CNAME'), seenNodata());
});

test('a reply with an alias is fresh, for its outside part is kept on its own', async (t) => {
  const handler = handlerFor({ resolve: exampleUpstream, store: storeOf(EXAMPLE_OBJECTS) });
  const reply = await handler(testQuery('ext.prod.svc.cluster.local'));
  t.true(reply.fresh);
  t.is(seen(reply).reply, 'NOERROR aa');
});

function seenNodata(): object {
  return { reply: 'NOERROR aa', answer: [], authority: [SOA], additional: [] };
}
