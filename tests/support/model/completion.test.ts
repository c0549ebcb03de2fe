/** Search completion of the reference model against tables written by hand. Knows no server. */

import test, { type ExecutionContext } from 'ava';

import { rawNamespace } from '../raw-objects.ts';
import { completedReply, type Completed } from './completion.ts';
import { aliasService, clusterService, exampleWorld, port } from './example-world.ts';
import type { ModelCompletion, ModelOptions, ModelQuestion, ModelReply, World } from './world.ts';

const DIRECTIVE: ModelCompletion = {
  zones: ['.'],
  searches: 'cluster',
  nodeDomains: [],
  except: [],
  suffixes: [],
  tlds: new Set(['com', 'org', 'dev']),
  ttl: 5,
};

/** Names asked, with `P` for `prod.svc.cluster.local.`; types; what comes of it; what was found and the rest of the answer. */
type Row = readonly [names: string, types: string, outcome: Completed['outcome'], answer?: readonly string[]];

test('a name outside that has addresses: all types say that there is one', (t) => {
  check(t, world(), [
    ['www.example.com.P', 'A', 'completed', ['5 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1']],
    ['www.example.com.P', 'AAAA TXT', 'completed', ['5 CNAME www.example.com.']],
    ['www.example.com.P', 'HTTPS', 'completed', ['3 CNAME www.example.com.', 'www.example.com. 3 HTTPS 1 .']],
    ['www.example.com.P', 'MX', 'failure'],
    ['www.example.com.P', 'CNAME ANY', 'completed', ['5 CNAME www.example.com.']],
    ['www.example.com.P', 'TYPE200 AXFR MAILB', 'plain'],
    ['WWW.eXample.com.P', 'A', 'completed', ['5 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1']],
    ['brief.example.com.P', 'A', 'completed', ['2 CNAME brief.example.com.', 'brief.example.com. 2 A 192.0.2.2']],
    [
      'alias.example.com.P',
      'A',
      'completed',
      [
        '5 CNAME alias.example.com.',
        'alias.example.com. 7 CNAME brief.example.com.',
        'brief.example.com. 2 A 192.0.2.2',
      ],
    ],
    [
      'brief.example.com.P',
      'AAAA',
      'completed',
      ['2 CNAME brief.example.com.', 'brief.example.com. 2 AAAA 2001:db8::2'],
    ],
  ]);
  const { reply } = ask(world(), 'www.example.com.P', 'AAAA');
  t.deepEqual([...reply.authority], [SOA], 'who says that it has no such record');
  t.false(reply.authoritative);
});

test('names of the cluster are found before names outside', (t) => {
  check(t, world(), [
    [
      'web.prod.P',
      'A',
      'completed',
      ['5 CNAME web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'],
    ],
    [
      'web.prod.svc.P',
      'A',
      'completed',
      ['5 CNAME web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'],
    ],
    [
      'web.prod.svc.cluster.local.P',
      'AAAA',
      'completed',
      ['5 CNAME web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 AAAA fd00:96::1'],
    ],
    ['kubernetes.default.P', 'AAAA HTTPS', 'completed', ['5 CNAME kubernetes.default.svc.cluster.local.']],
    ['ns.dns.P', 'A', 'completed', ['5 CNAME ns.dns.cluster.local.', 'ns.dns.cluster.local. 5 A 10.96.0.10']],
    [
      'ext.prod.P',
      'A',
      'completed',
      [
        '5 CNAME ext.prod.svc.cluster.local.',
        'ext.prod.svc.cluster.local. 5 CNAME www.example.org.',
        'www.example.org. 300 A 192.0.2.9',
      ],
    ],
    ['gone.prod.P', 'A', 'endpoint'],
  ]);
  const { reply } = ask(world(), 'kubernetes.default.P', 'TXT');
  t.true(reply.authoritative);
  t.is([...reply.authority][0]?.split(' ')[0], 'cluster.local.');
});

test('what is not a first try of a search list, or is there, is answered as ever', (t) => {
  check(t, world(), [
    ['P web.P', 'A', 'plain'],
    ['www.example.com.svc.cluster.local. www.example.com.cluster.local. www.example.com.', 'A', 'plain'],
    ['www.example.com.nosuch.svc.cluster.local.', 'A', 'plain'],
    ['_tcp.web.P', 'A', 'plain'],
  ]);
  const question = { labels: 'www.example.com.prod.svc.cluster.local'.split('.'), type: 'A' };
  t.is(completedReply(world(), question, false).outcome, 'plain');
  t.is(completedReply({ ...world(), completion: undefined }, question).outcome, 'plain');
  t.is(completedReply({ ...world(), unlisted: new Set(['Pod']) }, question).outcome, 'plain');
});

test('what is refused before anybody is asked, in this order', (t) => {
  const more = [
    annotated('quiet', 'off'),
    annotated('loud', 'on'),
    clusterService('prod/com', ['10.96.9.1'], [port('a', 1)]),
  ];
  const asked = world({ except: ['empty'] }, {}, more);
  check(t, asked, [
    ['www.example.com.quiet.svc.cluster.local.', 'A AAAA', 'namespace'],
    ['www.example.com.empty.svc.cluster.local.', 'A', 'namespace'],
    ['_a.b.quiet.svc.cluster.local.', 'A', 'namespace'],
    ['www.example.com.loud.svc.cluster.local.', 'A', 'completed', FOUND],
    ['_dmarc.example.com.loud.svc.cluster.local. a.b_c.com.loud.svc.cluster.local.', 'TXT', 'underscore'],
    ['_x.example.com.P', 'TXT', 'underscore'],
    ['www.example.com.P', 'A', 'endpoint'],
    ['db-9.db.P a.b.web.P', 'A', 'endpoint'],
    ['www.example.org.P', 'A', 'completed', ['5 CNAME www.example.org.', 'www.example.org. 300 A 192.0.2.9']],
  ]);
});

test('who may be asked outside', (t) => {
  const rows: readonly Row[] = [
    ['wbe.P', 'A', 'private'],
    ['com.P', 'A', 'private'],
    ['www.corp.internal.P', 'A', 'private'],
    ['nosuch.example.com.P', 'A', 'nowhere'],
  ];
  check(t, world(), rows);
  const suffix = world({ suffixes: ['corp.internal.'] });
  const found = ['5 CNAME www.corp.internal.', 'www.corp.internal. 60 A 192.0.2.7'];
  check(t, suffix, [
    ['www.corp.internal.P', 'A', 'completed', found],
    ['corp.internal.P', 'A', 'nowhere'],
    ['xcorp.internal.P internal.P', 'A', 'private'],
  ]);
  // What ends like a TLD that is a namespace as well may be a mistyped service of that.
  const more = [rawNamespace('com')];
  check(t, world({}, {}, more), [['www.example.com.P nosuch.com.P', 'A', 'private']]);
  check(t, world({ suffixes: ['example.com.'] }, {}, more), [['www.example.com.P', 'A', 'completed', FOUND]]);
  check(t, world({ tlds: new Set(['internal']) }), [
    ['www.corp.internal.P', 'A', 'completed', found],
    ['www.example.com.P', 'A', 'private'],
  ]);
});

test('what others say badly is not said again', (t) => {
  check(t, world(), [
    ['servfail.example.com.P refused.example.com.P cut.example.com.P half.example.com.P', 'A AAAA HTTPS', 'failure'],
    ['silent.example.com.P', 'A AAAA', 'late'],
    ['torn.example.com.P', 'A AAAA', 'disagreement'],
    ['bare.example.com.P', 'A AAAA TXT', 'no_address'],
    ['round.example.com.P', 'A', 'failure'],
    ['cut.prod.P', 'A AAAA', 'failure'],
    ['prod.P dns.P', 'A AAAA', 'no_address'],
  ]);
});

test('the domains of the node, between the cluster and the name itself', (t) => {
  const nodes = world({ nodeDomains: ['corp.internal.', 'wild.example.com.'] });
  const wild = (name: string) => [`5 CNAME ${name}.wild.example.com.`, `${name}.wild.example.com. 60 A 192.0.2.8`];
  check(t, nodes, [
    ['www.example.com.P', 'A', 'completed', wild('www.example.com')],
    [
      'web.prod.P',
      'A',
      'completed',
      ['5 CNAME web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'],
    ],
    // Below a name of the cluster there may be nothing that anybody else has.
    ['x.web.prod.P x.web.prod.svc.P', 'A', 'endpoint'],
    ['wbe.prod.P wbe.P', 'A', 'private'],
    [`${'l.'.repeat(96)}www.com.P`, 'A', 'completed', wild(`${'l.'.repeat(96)}www.com`)],
  ]);
  const long = `${'l.'.repeat(104)}www.com`;
  check(t, world({ nodeDomains: [`${'n'.repeat(40)}.com.`] }), [[`${long}.P`, 'A', 'nowhere']]);
  const near = ['cluster.local.', 'svc.cluster.local.', 'x.cluster.local.', 'local.', '.'];
  check(t, world({ nodeDomains: near }), [['www.example.com.P', 'A', 'completed', FOUND]]);
});

test('the zones that can be completed', (t) => {
  const zones = ['cluster.local.', 'east.test.', 'clusterset.local.', 'in-addr.arpa.'];
  const asked = world({ zones: ['prod.svc.cluster.local.'] }, { zones, multicluster: ['clusterset.local.'] });
  check(t, asked, [
    ['www.example.com.P', 'A', 'completed', FOUND],
    ['www.example.com.default.svc.cluster.local. www.example.com.prod.svc.east.test.', 'A', 'plain'],
  ]);
  check(t, { ...asked, completion: DIRECTIVE }, [
    ['www.example.com.prod.svc.east.test.', 'A', 'completed', FOUND],
    ['www.example.com.prod.svc.clusterset.local.', 'A', 'plain'],
    [
      'web.prod.prod.svc.east.test.',
      'A',
      'completed',
      ['5 CNAME web.prod.svc.east.test.', 'web.prod.svc.east.test. 5 A 10.96.1.1'],
    ],
  ]);
  const falling = world({}, { fallthrough: ['.'] });
  check(t, falling, [['www.example.com.P', 'A', 'completed', FOUND]]);
});

test('a search list from a file', (t) => {
  const asked = world({ searches: ['prod.svc.cluster.local.', 'corp.internal.'], except: [] });
  check(t, asked, [
    ['www.example.com.P', 'A', 'completed', FOUND],
    ['www.example.com.default.svc.cluster.local.', 'A', 'plain'],
    ['web.default.P', 'A', 'private'],
    ['x.web.P', 'A', 'endpoint'],
  ]);
  check(t, world({ searches: ['cluster.local.'], except: ['prod'] }), [
    ['www.example.com.cluster.local.', 'A', 'completed', FOUND],
    ['www.example.com.P', 'A', 'private'],
    ['cluster.local.', 'A', 'plain'],
  ]);
});

test('the most seconds of the alias', (t) => {
  check(t, world({ ttl: 3600 }), [
    ['www.example.com.P', 'A', 'completed', ['300 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1']],
    ['www.example.com.P', 'AAAA', 'completed', ['60 CNAME www.example.com.']],
  ]);
  check(t, world({ ttl: 0 }), [['www.example.com.P', 'TXT', 'completed', ['0 CNAME www.example.com.']]]);
});

const FOUND = ['5 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1'];

function world(
  directive: Partial<ModelCompletion> = {},
  options: Partial<ModelOptions> = {},
  more: World['objects'] = [],
): World {
  const aliases = [aliasService('prod/cut', 'cut.example.com')];
  const example = exampleWorld(options, [...aliases, ...more]);
  return { ...example, completion: { ...DIRECTIVE, ...directive }, outside };
}

function annotated(name: string, value: string): World['objects'][number] {
  const namespace = rawNamespace(name);
  return {
    ...namespace,
    metadata: { ...namespace.metadata, annotations: { 'fivedots.dev/search-completion': value } },
  };
}

function check(t: ExecutionContext, asked: World, rows: readonly Row[]): void {
  for (const [names, types, outcome, answer = []] of rows) {
    for (const name of names.split(' ')) {
      for (const type of types.split(' ')) {
        const { reply, outcome: actual } = ask(asked, name, type);
        t.is(actual, outcome, `${name} ${type}`);
        const [alias = '', ...others] = answer;
        const lines = answer.length === 0 ? [] : [`${expand(name)} ${alias}`, ...others];
        const expected = lines.map((each) => each.replace(/^(\S+ \d+)/, '$1 IN'));
        if (outcome !== 'plain') t.deepEqual([...reply.answer], expected, `${name} ${type}`);
        if (outcome !== 'plain') t.is(reply.rcode, answer.length === 0 ? 'NXDOMAIN' : 'NOERROR', `${name} ${type}`);
      }
    }
  }
}

function ask(asked: World, name: string, type: string): Completed {
  return completedReply(asked, { labels: expand(name).slice(0, -1).split('.'), type });
}

function expand(name: string): string {
  return name.replace(/(^|\.)P$/, '$1prod.svc.cluster.local.');
}

const SOA = 'example.com. 60 IN SOA ns.example.com. hostmaster.example.com. 1 2 3 4 60';

/** Lines of those that exist; what else is said, with `T` for the type. */
const RECORDS: readonly string[] = [
  'www.example.com. 300 IN A 192.0.2.1',
  'www.example.com. 3 IN HTTPS 1 .',
  'brief.example.com. 2 IN A 192.0.2.2',
  'brief.example.com. 2 IN AAAA 2001:db8::2',
  'www.example.org. 300 IN A 192.0.2.9',
  'www.corp.internal. 60 IN A 192.0.2.7',
  'cut.example.com. 60 IN A 192.0.2.3',
  'half.example.com. 60 IN A 192.0.2.3',
  'torn.example.com. 60 IN A 192.0.2.3',
  'bare.example.com. 60 IN TXT "nothing else"',
];
const RCODES: ReadonlyMap<string, string> = new Map([
  ['servfail.example.com. A', 'SERVFAIL'],
  ['refused.example.com. AAAA', 'REFUSED'],
  ['half.example.com. AAAA', 'SERVFAIL'],
  ['torn.example.com. AAAA', 'NXDOMAIN'],
  ['silent.example.com. AAAA', 'SILENCE'],
  ['www.example.com. MX', 'REFUSED'],
]);

function outside({ labels, type }: ModelQuestion): ModelReply {
  const name = `${labels.join('.')}.`;
  const lines = linesOf(name, type);
  const exists =
    lines.length > 0 || RECORDS.some((each) => each.startsWith(`${name} `)) || RCODES.has(`${name} A`) || isWild(name);
  const rcode = RCODES.get(`${name} ${type}`) ?? (exists ? 'NOERROR' : 'NXDOMAIN');
  return {
    rcode,
    isTruncated: name.startsWith('cut.'),
    authoritative: false,
    answer: new Set(rcode === 'NOERROR' ? lines : []),
    authority: new Set(lines.length > 0 || rcode !== 'NOERROR' ? [] : [SOA]),
    additional: new Set(),
  };
}

function isWild(name: string): boolean {
  return name.endsWith('.wild.example.com.');
}

function linesOf(name: string, type: string): readonly string[] {
  if (isWild(name)) return type === 'A' ? [`${name} 60 IN A 192.0.2.8`] : [];
  if (name === 'alias.example.com.')
    return [`${name} 7 IN CNAME brief.example.com.`, ...linesOf('brief.example.com.', type)];
  if (name === 'round.example.com.') {
    const back = 'round.example.com.prod.svc.cluster.local.';
    return [`${name} 7 IN CNAME ${back}`, ...(type === 'A' ? [`${back} 7 IN A 192.0.2.6`] : [])];
  }
  return RECORDS.filter((each) => each.startsWith(`${name} `) && each.split(' ')[3] === type);
}
