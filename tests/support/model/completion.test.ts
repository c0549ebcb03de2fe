/** Search completion of the reference model against tables written by hand. Knows no server. */

import test from 'ava';

import { rawNamespace } from '../raw-objects.ts';
import { annotated, ask, check, DIRECTIVE, FOUND, world, type Row } from './completion-tables.ts';
import { completedReply } from './completion.ts';
import { aliasService, clusterService, port } from './example-world.ts';

test('a name outside that has addresses: all types say that there is one', (t) => {
  check(t, world(), [
    ['www.example.com.P', 'A', 'completed', ['5 CNAME www.example.com.', 'www.example.com. 300 A 192.0.2.1']],
    ['www.example.com.P', 'AAAA TXT', 'completed', []],
    ['www.example.com.P', 'HTTPS', 'completed', ['3 CNAME www.example.com.', 'www.example.com. 3 HTTPS 1 .']],
    ['www.example.com.P', 'MX', 'failure'],
    ['www.example.com.P', 'CNAME ANY', 'completed', ['5 CNAME www.example.com.']],
    ['six.example.com.P', 'A', 'completed', []],
    ['six.example.com.P', 'AAAA', 'completed', ['4 CNAME six.example.com.', 'six.example.com. 4 AAAA 2001:db8::6']],
    ['six.example.com.P', 'CNAME ANY', 'completed', ['4 CNAME six.example.com.']],
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
  const [soa] = reply.authority;
  t.is(soa?.split(' ')[0], 'cluster.local.', 'who says that it has no such record');
  t.true(reply.authoritative);
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
    ['kubernetes.default.P', 'AAAA HTTPS', 'completed', []],
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
  const listed = world({ searches: ['prod.svc.cluster.local.'] });
  for (const each of [world(), listed, world({}, { fallthrough: ['.'] })])
    t.is(completedReply({ ...each, unlisted: new Set(['Pod']) }, question).outcome, 'plain');
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

test('a namespace that is called like a TLD: another client may ask the same question as its second one', (t) => {
  const more = [rawNamespace('dev'), aliasService('prod/far', 'nosuch.example.org')];
  const web = ['5 CNAME web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'];
  const org = ['5 CNAME www.example.org.', 'www.example.org. 300 A 192.0.2.9'];
  check(t, world({}, {}, more), [
    ['www.example.com.Dev.svc.cluster.local. bare.example.com.dev.svc.cluster.local.', 'A AAAA MX', 'ambiguous'],
    ['brief.example.com.dev.svc.cluster.local.', 'A AAAA', 'failure'],
    ['alias.example.com.dev.svc.cluster.local.', 'A AAAA', 'disagreement'],
    ['six.example.com.dev.svc.cluster.local.', 'A AAAA', 'late'],
    ['www.example.org.dev.svc.cluster.local.', 'A', 'completed', org],
    ['www.corp.internal.dev.svc.cluster.local. wbe.dev.svc.cluster.local.', 'A', 'private'],
    // What the cluster has the other one would find as well, or it looks for something else.
    ['web.prod.dev.svc.cluster.local. far.prod.dev.svc.cluster.local. prod.dev.svc.cluster.local.', 'A', 'ambiguous'],
    ['web.prod.svc.dev.svc.cluster.local.', 'A', 'completed', web],
    ['x.web.prod.dev.svc.cluster.local.', 'A', 'endpoint'],
    ['www.example.com.P', 'A', 'completed', FOUND],
  ]);
  const falling = world({ tlds: new Set(['com', 'org', 'prod']) }, { fallthrough: ['svc.cluster.local.'] }, more);
  check(t, falling, [
    ['www.example.com.P', 'A', 'completed', FOUND],
    ['web.default.P', 'A', 'private'],
    ['kubernetes.default.P', 'A', 'ambiguous'],
  ]);
  check(t, world({ suffixes: ['default.prod.'] }), [
    ['kubernetes.default.P', 'A', 'ambiguous'],
    ['web.prod.P', 'A', 'completed', web],
  ]);
  const listed = world({
    searches: ['prod.svc.cluster.local.', 'cluster.local.', 'svc.cluster.local.'],
    tlds: new Set(['prod']),
  });
  check(t, listed, [
    ['web.prod.P', 'A', 'ambiguous'],
    ['web.prod.svc.P', 'A', 'completed', web],
  ]);
});

test('a namespace that is not shown', (t) => {
  const asked = world({}, { namespaces: ['prod'] }, [rawNamespace('com')]);
  check(t, asked, [
    ['www.example.com.P', 'A', 'private'],
    ['www.example.org.P', 'A', 'completed', ['5 CNAME www.example.org.', 'www.example.org. 300 A 192.0.2.9']],
    ['www.example.com.com.svc.cluster.local. www.example.com.default.svc.cluster.local.', 'A', 'plain'],
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
  const own = ['cluster.local.', 'svc.cluster.local.', 'x.cluster.local.', '.', 'local.'];
  check(t, world({ nodeDomains: own }), [
    ['www.example.com.P', 'A', 'completed', FOUND],
    // One that the cluster's domain is below is a domain like any other.
    ['up.example.com.P', 'A', 'completed', ['5 CNAME up.example.com.local.', 'up.example.com.local. 60 A 192.0.2.5']],
  ]);
  const many = Array.from({ length: 28 }, (_, i) => `n${i}.com.`);
  check(t, world({ nodeDomains: [...own.slice(0, 4), ...many, 'wild.example.com.'] }), [
    ['www.example.com.P', 'A', 'completed', wild('www.example.com')],
  ]);
  check(t, world({ nodeDomains: [...many, 'n.com.', 'wild.example.com.'] }), [
    ['www.example.com.P', 'A', 'completed', FOUND],
  ]);
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
    [
      'alias.example.com.P',
      'TXT',
      'completed',
      ['7 CNAME alias.example.com.', 'alias.example.com. 7 CNAME brief.example.com.'],
    ],
  ]);
  check(t, world({ ttl: 0 }), [['www.example.com.P', 'ANY', 'completed', ['0 CNAME www.example.com.']]]);
});
