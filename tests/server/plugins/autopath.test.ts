/** What the first question of a walk through a search list gets with `autopath`, in both lanes. */

import test, { type ExecutionContext } from 'ava';

import { autopathAt } from '../../../server/plugins/autopath.ts';
import type { AnyPlugin } from '../../../server/plugins/order.ts';
import { systemSchedule } from '../../../server/timer.ts';
import { emptyReply, type Query, type Reply } from '../../../server/query.ts';
import { Rcode, RRType } from '../../../zones/rr.ts';
import type { ClusterChange } from '../../../zones/kubernetes/objects.ts';
import { nameFrom } from '../../../zones/name.ts';
import { BothLanes } from '../../support/both-lanes.ts';
import { externalName, namespace, puts, removal, service, serviceImport } from '../../support/example-cluster.ts';
import { asked, encodeQuery, type Asked } from '../../support/query.ts';
import { readReply } from '../../support/reply.ts';
import { smallWorld, type SmallWorld } from '../../support/small-world.ts';

const WORLD = `
  www.example.com 300 A 192.0.2.1
  dual.example.com 300 A 192.0.2.2
  dual.example.com 300 AAAA 2001:db8::2
  six.example.com 300 AAAA 2001:db8::6
  cdn.example.com 300 CNAME www.example.com
  mail.example.com 300 MX -
  half.example.com 300 A 192.0.2.3
  half.example.com 300 servfail/AAAA -
  odd.example.com 300 A 192.0.2.4
  odd.example.com 300 nxdomain/AAAA -
  broken.example.com 300 servfail -
  closed.example.com 300 refused -
  circle.example.com 300 CNAME circle.example.com.default.svc.cluster.local
  my_host.example.com 300 A 192.0.2.5
  www.prod 300 A 192.0.2.7
  gone.prod 300 A 192.0.2.8
  down.prod 300 A 192.0.2.8
  build.internal 300 A 192.0.2.6
  www.example.com.corp.example 20 A 192.0.2.20
  *.wild.example 20 A 192.0.2.21
`;

type Scene = {
  readonly both: BothLanes;
  readonly world: SmallWorld;
  readonly say: (question: string) => Promise<string>;
};

type SceneOptions = {
  /** Lines of the directive's block. */
  readonly options?: string;
  readonly nodeDomains?: readonly string[];
  readonly words?: string;
  readonly upstream?: (query: Query) => Reply;
  /** Lines in the block of `kubernetes`. */
  readonly kubernetes?: string;
};

async function scene(
  t: ExecutionContext,
  { options = '', nodeDomains = [], words = '@kubernetes', upstream, kubernetes = '' }: SceneOptions = {},
): Promise<Scene> {
  const world = smallWorld(WORLD);
  const autopath = autopathAt({
    nodeDomains: () => nodeDomains.map(nameFrom),
    patience: 500,
    schedule: systemSchedule,
  });
  const both = await BothLanes.start(t, {
    corefile: `.:0 {
      bind 127.0.0.1
      autopath ${words} {
        ${options}
      }
      cache 30
      kubernetes cluster.local {
        ${kubernetes}
      }
      forward . 192.0.2.1
    }`,
    upstream: upstream ?? world.reply,
    plugins: [autopath as AnyPlugin],
  });
  await both.apply(puts(service('prod/api', ['10.96.2.1'])));
  const say = async (question: string): Promise<string> => {
    const [name = '', type = 'A'] = question.split(' ');
    const { rcode, answer, authority } = readReply(await both.agree(t, asked(name, type), question, 3));
    const records = answer.map((record) => `${record.owner} ${record.ttl} ${record.type} ${record.rdata}`);
    return [rcode, ...records, ...authority.map(({ owner, type: kind }) => `(${owner} ${kind})`)].join(' | ');
  };
  return { both, world, say };
}

const S = 'default.svc.cluster.local';
const DENIED = 'NXDOMAIN | (cluster.local. SOA)';
const NODATA = 'NOERROR | (cluster.local. SOA)';
const completed = (base: string, ...records: readonly string[]): string =>
  [`NOERROR | ${base}.${S}. 5 CNAME ${records[0]}`, ...records.slice(1)].join(' | ');

const CASES: readonly (readonly [question: string, said: string])[] = [
  ['www.example.com A', completed('www.example.com', 'www.example.com.', 'www.example.com. 30 A 192.0.2.1')],
  ['www.example.com AAAA', NODATA],
  ['www.example.com HTTPS', NODATA],
  ['www.example.com CNAME', completed('www.example.com', 'www.example.com.')],
  [
    'dual.example.com AAAA',
    completed('dual.example.com', 'dual.example.com.', 'dual.example.com. 30 AAAA 2001:db8::2'),
  ],
  ['six.example.com A', NODATA],
  [
    'cdn.example.com A',
    completed(
      'cdn.example.com',
      'cdn.example.com.',
      'cdn.example.com. 30 CNAME www.example.com.',
      'www.example.com. 30 A 192.0.2.1',
    ),
  ],
  ['web.prod A', completed('web.prod', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1')],
  ['single.prod AAAA', NODATA],
  [
    'web.prod.svc A',
    completed('web.prod.svc', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'),
  ],
  [
    'web.prod.svc.cluster.local A',
    completed('web.prod.svc.cluster.local', 'web.prod.svc.cluster.local.', 'web.prod.svc.cluster.local. 5 A 10.96.1.1'),
  ],
  [
    'ext.prod A',
    'NXDOMAIN | (cluster.local. SOA)', // www.example.org, where it points to, is not there
  ],
  [
    'db-0.db.prod A',
    completed('db-0.db.prod', 'db-0.db.prod.svc.cluster.local.', 'db-0.db.prod.svc.cluster.local. 5 A 10.244.2.10'),
  ],
  ['nosuch.db.prod A', DENIED],
  ['nosuch.prod A', DENIED], // though there is a TLD of that name
  ['www.prod A', DENIED],
  ['kubernetes.nosuch A', DENIED],
  ['nosuch A', DENIED],
  ['x.kubernetes A', DENIED],
  ['mail.example.com A', DENIED],
  ['missing.example.com A', DENIED],
  ['half.example.com A', DENIED],
  ['odd.example.com A', DENIED],
  ['odd.example.com AAAA', DENIED],
  ['broken.example.com A', DENIED],
  ['closed.example.com AAAA', DENIED],
  ['circle.example.com A', DENIED],
  ['my_host.example.com A', DENIED],
  ['build.internal A', DENIED],
  ['com A', DENIED],
];

for (const [question, said] of CASES) {
  test(`the first search name of ${question}`, async (t) => {
    const { say } = await scene(t);
    const [base = '', type = ''] = question.split(' ');
    t.is(await say(`${base}.${S} ${type}`), said);
  });
}

test('what was completed once is said again by the express lane, with the TTLs that are left', async (t) => {
  const { both, say, world } = await scene(t);
  const name = `dual.example.com.${S}`;
  const said = (cname: number, a: number): string =>
    `NOERROR | ${name}. ${cname} CNAME dual.example.com. | dual.example.com. ${a} A 192.0.2.2`;
  t.is(await say(`${name} A`), said(5, 30));
  t.is(await say(`${name} AAAA`), said(5, 30).replace('A 192.0.2.2', 'AAAA 2001:db8::2'));
  const before = both.expressReplies;
  for (const [pass, cname, a] of [
    [0, 5, 30],
    [1_000, 5, 29],
    [24_500, 5, 5],
    [1_000, 4, 4],
    [2_499, 2, 2],
  ] as const) {
    both.pass(pass);
    t.is(await say(`${name} A`), said(cname, a));
  }
  t.true(both.expressReplies >= before + 25, `${both.expressReplies} ${before}`);
  t.deepEqual([...new Set(world.asked)], ['dual.example.com A', 'dual.example.com AAAA']);
  both.pass(2_000);
  t.is(await say(`${name} A`), said(5, 30));
});

test('a service is reached by the express lane too, until it is gone', async (t) => {
  const { both, say } = await scene(t);
  const question = `web.prod.${S} A`;
  await say(question);
  const before = both.expressReplies;
  t.regex(await say(question), /10\.96\.1\.1$/);
  t.is(both.expressReplies, before + 6);
  await both.apply(puts(service('prod/web', ['10.96.1.9'])));
  t.regex(await say(question), /10\.96\.1\.9$/);
  await both.apply([removal(service('prod/web', []))]);
  t.is(await say(question), DENIED);
});

test('that a service has no addresses of a type is said again until the serial is another', async (t) => {
  const { both, say } = await scene(t);
  const question = `single.prod.${S} AAAA`;
  const said = await say(question);
  const before = both.expressReplies;
  t.is(await say(question), said);
  t.is(both.expressReplies, before + 6);
  await both.apply(puts(service('empty/other', ['10.96.5.1'])));
  t.is(await say(question), said);
  await both.apply(puts(service('prod/single', ['fd00:96::77'])));
  t.regex(await say(question), /AAAA fd00:96::77$/);
});

test('where a namespace is called like a TLD, a question may be another client’s: that one’s name comes first', async (t) => {
  const { both, say, world } = await scene(t, {
    upstream: smallWorld(
      `${WORLD}\n foo.a.run.app 300 A 192.0.2.60\n foo.a.run 300 A 192.0.2.61\n bar.a.run 300 A 192.0.2.62`,
    ).reply,
  });
  await both.apply(puts(namespace('app'), namespace('run'), service('run/a', ['10.96.6.1'])));
  const first = (base: string): string => `${base}.app.svc.cluster.local A`;
  await both.apply([removal(namespace('run'))]);
  t.is(await say(first('foo.a.run')), DENIED);
  t.regex(await say(first('bar.a.run')), /A 192\.0\.2\.62$/);
  t.is(await say(first('web.prod')), DENIED);
  t.regex(await say(first('web.prod.svc')), /A 10\.96\.1\.1$/);
  t.regex(await say(first('web.prod.svc.cluster.local')), /A 10\.96\.1\.1$/);
  t.is(world.asked.length, 0);
});

test('what the node searches above the cluster’s own zone is searched', async (t) => {
  const { say } = await scene(t, {
    nodeDomains: ['local'],
    upstream: smallWorld(`${WORLD}\n www.example.com.local 20 A 192.0.2.80`).reply,
  });
  t.regex(await say(`www.example.com.${S} A`), /CNAME www\.example\.com\.local\. \| .* A 192\.0\.2\.80$/);
});

test('a name of a hidden namespace’s service does not leave', async (t) => {
  const { say, world } = await scene(t, { kubernetes: 'namespaces default' });
  t.is(await say(`www.prod.${S} A`), DENIED);
  t.deepEqual(world.asked, []);
});

test('a name of the clusterset that comes is found, however well it was known not to be there', async (t) => {
  const world = smallWorld(WORLD);
  const both = await BothLanes.start(t, {
    corefile: `.:0 {
      bind 127.0.0.1
      autopath @kubernetes
      kubernetes cluster.local clusterset.local {
        multicluster clusterset.local
      }
      forward . 192.0.2.1
    }`,
    upstream: world.reply,
  });
  const ask = async (): Promise<string> =>
    readReply(await both.agree(t, asked(`later.prod.svc.clusterset.local.${S}`, 'A'), '', 3)).rcode;
  t.is(await ask(), 'NXDOMAIN');
  await both.apply(puts(serviceImport('prod/later', ['10.99.0.1'])));
  t.is(await ask(), 'NOERROR');
});

/** Steps of the cluster's that decide about a walk, and what `www.example.com` gets after each. */
const OVERTAKEN: readonly (readonly [title: string, changes: readonly ClusterChange[], said: RegExp | string])[] = [
  ['a service of its own namespace is called like its last label', puts(service('default/com', ['10.96.3.1'])), DENIED],
  ['that service is gone', [removal(service('default/com', []))], /192\.0\.2\.1$/],
  ['a namespace is called like its last label', puts(namespace('com')), DENIED],
  ['a service there has the name', puts(service('com/example', ['10.96.3.2'])), DENIED],
  ['that namespace is gone', [removal(namespace('com'))], /192\.0\.2\.1$/],
  ['its namespace asks not to be completed', puts({ ...namespace('default'), refusesCompletion: true }), DENIED],
  ['its namespace does so no more', puts(namespace('default')), /192\.0\.2\.1$/],
  ['its namespace is gone', [removal(namespace('default'))], DENIED],
  ['its namespace is there again', puts(namespace('default')), /192\.0\.2\.1$/],
];

test('what a cluster has become decides at once, for both lanes', async (t) => {
  const { both, say } = await scene(t);
  for (const [title, changes, said] of OVERTAKEN) {
    await both.apply(changes);
    for (const _ of [1, 2]) {
      const found = await say(`www.example.com.${S} A`);
      if (typeof said === 'string') t.is(found, said, title);
      else t.regex(found, said, title);
    }
  }
  t.true(both.expressReplies > 30);
});

test('what is completed for A is completed for AAAA: with the entry of one ends the reply of the other', async (t) => {
  const { both, say, world } = await scene(t);
  const name = `dual.example.com.${S}`;
  await say(`${name} A`);
  await say(`${name} A`);
  both.pass(20_000);
  await say('dual.example.com A');
  both.pass(10_001);
  world.asked.length = 0;
  await say(`${name} A`);
  t.deepEqual(new Set(world.asked), new Set(['dual.example.com A', 'dual.example.com AAAA']));
});

/** What is not completed, for as long as the cache knows why. */
for (const base of ['missing.example.com', 'mail.example.com', 'odd.example.com']) {
  test(`that ${base} is not completed is known to the express lane as long as the cache knows why`, async (t) => {
    let text = WORLD;
    const { both, say } = await scene(t, { upstream: (query) => smallWorld(text).reply(query) });
    const name = `${base}.${S}`;
    for (const type of ['A', 'AAAA']) t.is(await say(`${name} ${type}`), DENIED);
    const before = both.expressReplies;
    for (const type of ['A', 'AAAA', 'HTTPS']) t.is(await say(`${name} ${type}`), DENIED);
    t.is(both.expressReplies, before + 18);
    text = `${base} 300 A 192.0.2.50`;
    both.pass(29_000);
    t.is(await say(`${name} A`), DENIED);
    both.pass(1_001);
    t.regex(await say(`${name} A`), /A 192\.0\.2\.50$/);
    text = '';
    both.pass(30_001);
    t.is(await say(`${name} A`), DENIED);
    await both.apply(puts(namespace('com'), service('com/example', ['10.96.3.2'])));
    await both.apply(puts(externalName(`com/${base.split('.')[0]}`, 'web.prod.svc.cluster.local')));
    t.is(await say(`${name} A`), DENIED);
  });
}

test('a name that a service gets in the client’s way is found, however well it was known not to be', async (t) => {
  const { both, say } = await scene(t, { options: 'suffix prod' });
  const name = `later.prod.${S}`;
  for (const _ of [1, 2, 3]) t.is(await say(`${name} A`), DENIED);
  await both.apply(puts(service('prod/later', ['10.96.4.1'])));
  t.regex(await say(`${name} A`), /A 10\.96\.4\.1$/);
});

test('a name below what the node searches is found before the name itself, once it is there', async (t) => {
  let text = WORLD;
  const { both, say } = await scene(t, { ...NODE, upstream: (query) => smallWorld(text).reply(query) });
  const name = `dual.example.com.${S}`;
  t.regex(await say(`${name} A`), /192\.0\.2\.2$/);
  both.pass(20_000);
  await say('dual.example.com A');
  both.pass(10_001);
  await say('dual.example.com A');
  await say('dual.example.com AAAA');
  text = `${WORLD}\n dual.example.com.corp.example 30 A 192.0.2.77`;
  t.regex(await say(`${name} A`), /192\.0\.2\.77$/);
});

test('with fallthrough a name that comes to be outside under the cluster’s own zone is found', async (t) => {
  let text = WORLD;
  const { both, say } = await scene(t, {
    kubernetes: 'fallthrough',
    upstream: (query) => smallWorld(text).reply(query),
  });
  const name = `dual.example.com.${S}`;
  t.regex(await say(`${name} A`), /192\.0\.2\.2$/);
  both.pass(20_000);
  for (const type of ['A', 'AAAA']) await say(`dual.example.com ${type}`);
  both.pass(10_001);
  for (const type of ['A', 'AAAA']) await say(`dual.example.com ${type}`);
  text = `${WORLD}\n ${name} 300 A 192.0.2.78`;
  t.is(await say(`${name} A`), `NOERROR | ${name}. 30 A 192.0.2.78`);
});

test('a completion that rests on denials from outside counts each of them once, in both lanes', async (t) => {
  const { both, say } = await scene(t, { words: 'fixtures/resolv-conf/company.conf' });
  t.regex(await say('www.example.com.lab.example A'), /CNAME www\.example\.com\.corp\.example\. /);
  t.regex(await say('www.example.com.lab.example AAAA'), /^NOERROR \| \(/);
  const ofCaches = both.sides.map(({ test: { series } }) => [...series()].filter(([row]) => row.includes('_cache_')));
  t.deepEqual(ofCaches[0], ofCaches[1]);
  t.true(both.expressReplies > 0);
});

test('with fallthrough a name that was denied outside is completed as soon as its namespace is there', async (t) => {
  const { both, say } = await scene(t, { kubernetes: 'fallthrough' });
  const name = 'www.example.com.later.svc.cluster.local';
  t.regex(await say(`${name} A`), /^NXDOMAIN/);
  await both.apply(puts(namespace('later')));
  for (const type of ['A', 'AAAA']) t.regex(await say(`${name} ${type}`), /^NOERROR/);
});

test('a candidate that falls through is asked, though the question does not', async (t) => {
  const { say } = await scene(t, {
    kubernetes: 'fallthrough other.cluster.local',
    upstream: smallWorld('web.other.cluster.local 30 A 192.0.2.44').reply,
  });
  t.regex(await say(`web.other.${S} A`), /CNAME web\.other\.cluster\.local\. \| .* A 192\.0\.2\.44$/);
});

const NODE = { nodeDomains: ['corp.example', 'default.svc.cluster.local', 'cluster.local'] };

test('what the node searches comes before the name itself', async (t) => {
  const { say, world } = await scene(t, NODE);
  t.regex(await say(`www.example.com.${S} A`), /CNAME www\.example\.com\.corp\.example\. \| .* A 192\.0\.2\.20$/);
  t.regex(await say(`dual.example.com.${S} A`), /CNAME dual\.example\.com\. \|/);
  t.is(await say(`nosuch.${S} A`), DENIED);
  t.is(await say(`nosuch.prod.${S} A`), DENIED);
  t.false(world.asked.some((question) => question.startsWith('nosuch')));
});

test('a domain in which everything exists is found for everything that may leave', async (t) => {
  const { say } = await scene(t, { nodeDomains: ['wild.example'] });
  t.regex(
    await say(`missing.example.com.${S} A`),
    /CNAME missing\.example\.com\.wild\.example\. \| .* A 192\.0\.2\.21$/,
  );
  t.is(await say(`missing.${S} A`), DENIED);
});

test('a candidate that is too long for a name is left out', async (t) => {
  const long = ['a', 'b', 'c'].map((letter) => letter.repeat(60)).join('.');
  const { say, world } = await scene(t, { nodeDomains: [`${'d'.repeat(60)}.example`, 'wild.example'] });
  t.regex(await say(`${long}.com.${S} A`), /192\.0\.2\.21$/);
  t.true(world.asked.every((question) => !question.includes('dddd')));
});

const SETTINGS: readonly (readonly [title: string, options: string, question: string, said: RegExp | string])[] = [
  ['except', 'except prod default', `www.example.com.${S} A`, DENIED],
  ['except another', 'except prod', `www.example.com.${S} A`, /192\.0\.2\.1$/],
  ['suffix', 'suffix other.example internal', `build.internal.${S} A`, /192\.0\.2\.6$/],
  ['suffix that is a namespace', 'suffix prod', `www.prod.${S} A`, /192\.0\.2\.7$/],
  ['suffix below which a service points nowhere', 'suffix prod', `gone.prod.${S} A`, DENIED],
  ['suffix below which a service has no endpoint', 'suffix prod', `down.prod.${S} A`, DENIED],
  ['suffix of a single label', 'suffix internal', `internal.${S} A`, DENIED],
  ['ttl', 'ttl 60', `www.example.com.${S} A`, new RegExp(`^NOERROR \\| www.example.com.${S}. 30 CNAME`)],
  ['ttl 0', 'ttl 0', `www.example.com.${S} A`, new RegExp(`^NOERROR \\| www.example.com.${S}. 0 CNAME .* 30 A`)],
  ['tld', 'tld fixtures/tlds/one.txt', `www.example.com.${S} A`, DENIED],
  ['tld that has it', 'tld fixtures/tlds/one.txt', `build.internal.${S} A`, /192\.0\.2\.6$/],
];

for (const [title, options, question, said] of SETTINGS) {
  test(`the option ${title}`, async (t) => {
    const { say } = await scene(t, { options });
    const found = await say(question);
    if (typeof said === 'string') t.is(found, said);
    else t.regex(found, said);
  });
}

test('names that are no walk of a client’s are left alone', async (t) => {
  const { both, say } = await scene(t);
  t.is(await say('www.example.com.nosuch.svc.cluster.local A'), DENIED);
  t.is(await say('www.example.com.svc.cluster.local A'), DENIED);
  t.is(await say('www.example.com.cluster.local A'), DENIED);
  t.is(await say(`${S} A`), 'NOERROR | (cluster.local. SOA)');
  t.is(
    await say('kubernetes.default.svc.cluster.local A'),
    'NOERROR | kubernetes.default.svc.cluster.local. 5 A 10.96.0.1',
  );
  const walk = (changes: Partial<Asked>): Promise<Buffer> =>
    both.agree(t, asked(`www.example.com.${S}`, 'A', changes), JSON.stringify(changes), 3);
  t.is(readReply(await walk({ recursionDesired: false })).rcode, 'NXDOMAIN');
  t.is(readReply(await walk({ class: 3 })).rcode, 'REFUSED');
});

test('DO and CD go along, and nobody has authenticated the alias', async (t) => {
  const seen: string[] = [];
  const { both } = await scene(t, {
    upstream: (query) => {
      seen.push(`${query.question.type} ${query.edns?.dnssecOk} ${query.checkingDisabled}`);
      return { ...smallWorld(WORLD).reply(query), authenticData: true };
    },
  });
  const edns = { payloadSize: 1232, version: 0, dnssecOk: true, reserved: 0, options: [] };
  const question = asked(`www.example.com.${S}`, 'A', { edns, checkingDisabled: true, authenticData: true });
  const { flags, rcode } = readReply(await both.agree(t, question));
  t.is(rcode, 'NOERROR');
  t.false(flags.has('ad'));
  t.deepEqual([...new Set(seen)], ['1 true true', '28 true true']);
});

test('spelling stays the client’s, and the found name is in lower case', async (t) => {
  const { both } = await scene(t);
  const { answer } = readReply(await both.agree(t, asked(`WwW.Example.com.${S}`, 'A'), '', 3));
  t.is(
    answer.map(({ owner, rdata }) => `${owner} ${rdata}`).join(),
    `WwW.Example.com.${S}. www.example.com.,www.example.com. 192.0.2.1`,
  );
});

test('what somebody else spelled in another way is told in lower case', async (t) => {
  const { both, say } = await scene(t, { upstream: spelledAsAsked });
  await both.agree(t, asked('wWw.eXample.com', 'A'));
  t.regex(await say(`www.example.com.${S} A`), /CNAME www\.example\.com\. \| www\.example\.com\. 30 A 192\.0\.2\.1$/);
});

/** As an upstream does that keeps the letters of the question (0x20). */
function spelledAsAsked(query: Query): Reply {
  const reply = smallWorld(WORLD).reply(query);
  return { ...reply, answer: reply.answer.map((rrset) => ({ ...rrset, owner: query.question.spelling })) };
}

/** 512 octets hold one of these replies, 1232 both. */
function wide(query: Query): Reply {
  const { name, type } = query.question;
  const good: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), upstream: '192.0.2.1:53' };
  const count = type === RRType.A ? 40 : type === RRType.AAAA ? 2 : 0;
  const rdatas = Array.from({ length: count }, (_, i) => new Uint8Array(type === RRType.A ? 4 : 16).fill(i));
  return { ...good, answer: count === 0 ? [] : [{ owner: name, type, ttl: 30, rdatas }] };
}

for (const type of ['A', 'AAAA', 'HTTPS', 'CNAME']) {
  test(`what would have to be cut for one kind of addresses is completed for none: ${type}`, async (t) => {
    const { both } = await scene(t, { upstream: wide });
    const ask = async (changes: Partial<Asked>, protocol: 'udp' | 'tcp'): Promise<string> => {
      const question = encodeQuery(1, asked(`www.example.com.${S}`, type, changes));
      const said: string[] = [];
      for (let i = 0; i < 3; i++) {
        const { express, plain } = await both.ask(question, protocol);
        if (express === undefined || plain === undefined) throw new Error('no reply');
        t.deepEqual(express, plain);
        const { rcode, flags } = readReply(plain);
        said.push(`${rcode}${flags.has('tc') ? ' cut' : ''}`);
      }
      return [...new Set(said)].join();
    };
    const edns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
    t.is(await ask({ edns }, 'udp'), 'NOERROR');
    t.is(await ask({}, 'udp'), 'NXDOMAIN');
    t.is(await ask({}, 'tcp'), 'NOERROR');
    t.is(await ask({ edns: { ...edns, payloadSize: 600 } }, 'udp'), 'NXDOMAIN');
  });
}

test('a list of a file is walked like that of a pod', async (t) => {
  const { say } = await scene(t, { words: 'fixtures/resolv-conf/pod.conf' });
  t.regex(await say(`www.example.com.${S} A`), /CNAME www\.example\.com\.corp\.example\. \|/);
  t.regex(await say(`web.prod.${S} A`), /10\.96\.1\.1$/);
  t.is(await say(`x.kubernetes.${S} A`), DENIED);
  t.is(await say('www.example.com.prod.svc.cluster.local A'), DENIED);
});

test('questions, completions and what they saved are counted alike in both lanes', async (t) => {
  const { both, say } = await scene(t, NODE);
  const rounds = [
    'www.example.com',
    'web.prod',
    'dual.example.com',
    'nosuch',
    'x.kubernetes',
    'build.internal',
    'my_x.com',
    'missing.example.com',
  ];
  for (const base of rounds) {
    await say(`${base}.${S} A`);
    await say(`${base}.${S} AAAA`);
    for (const suffix of ['svc.cluster.local', 'cluster.local', 'corp.example']) await say(`${base}.${suffix} A`);
  }
  const counted = both.sides.map(({ test: { series } }) =>
    [...series()].flatMap(([row, [value = 0]]) => {
      const [, metric = ''] = /^\w+_autopath_(.*)$/.exec(row.replace(/server="[^"]*",?|\{server="[^"]*"\}/, '')) ?? [];
      return metric === '' || value === 0 ? [] : [`${metric} ${value}`];
    }),
  );
  const ofCaches = both.sides.map(({ test: { series } }) => [...series()].filter(([row]) => row.includes('_cache_')));
  t.deepEqual(ofCaches[0], ofCaches[1]);
  t.deepEqual(counted[0], counted[1]);
  // Eight names, each asked for two types six times in each domain.
  t.deepEqual(counted[0], [
    'success_total 36',
    'completions_total{result="svc"} 12',
    'completions_total{result="node"} 12',
    'completions_total{result="name"} 12',
    'refused_total{reason="underscore"} 12',
    'refused_total{reason="endpoint"} 12',
    'refused_total{reason="private"} 24',
    'refused_total{reason="nowhere"} 12',
    'search_queries_total{suffix="namespace"} 96',
    'search_queries_total{suffix="svc"} 42',
    'search_queries_total{suffix="cluster"} 48',
    'search_queries_total{suffix="node"} 48',
    'saved_queries_total{by="client"} 96',
    'saved_queries_total{by="upstream"} 66',
  ]);
  t.true(both.expressReplies > 100);
});

test('each name of a walk is asked where a client’s own question for it would come to', async (t) => {
  const world = smallWorld(WORLD);
  const inner = {
    name: 'whoami',
    parse: () => undefined,
    layer: () => () => smallWorld('db.example.com 9 A 192.0.2.99').reply,
  };
  const both = await BothLanes.start(t, {
    corefile: `
      .:0 {
        bind 127.0.0.1
        autopath @kubernetes
        kubernetes cluster.local
        cache
        forward . 192.0.2.1
      }
      db.example.com:0 {
        bind 127.0.0.1
        whoami
      }`,
    upstream: world.reply,
    plugins: [inner],
  });
  const addresses = async (base: string): Promise<readonly string[]> =>
    readReply(await both.agree(t, asked(`${base}.${S}`, 'A'), base, 3)).answer.map(({ rdata }) => rdata);
  t.deepEqual(await addresses('db.example.com'), ['db.example.com.', '192.0.2.99']);
  t.deepEqual(await addresses('www.example.com'), ['www.example.com.', '192.0.2.1']);
  t.false(world.asked.some((question) => question.startsWith('db.')));
});

test('where no block has the outside, nothing of it is completed', async (t) => {
  const world = smallWorld(WORLD);
  const both = await BothLanes.start(t, {
    corefile: `cluster.local:0 {
      bind 127.0.0.1
      autopath @kubernetes
      kubernetes
      forward . 192.0.2.1
    }`,
    upstream: world.reply,
  });
  t.is(readReply(await both.agree(t, asked(`www.example.com.${S}`, 'A'), '', 3)).rcode, 'NXDOMAIN');
  t.is(readReply(await both.agree(t, asked(`web.prod.${S}`, 'A'), '', 3)).rcode, 'NOERROR');
  t.deepEqual(world.asked, []);
});
