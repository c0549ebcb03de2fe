import test from 'ava';

import { local } from '../../../server/plugins/local.ts';
import { emptyReply, type Reply } from '../../../server/query.ts';
import { reverseNameOf, presentAddress } from '../../../zones/ip.ts';
import { present } from '../../../zones/name.ts';
import { nameOf } from '../../../zones/rdata.ts';
import { Rcode, rcodeName, RRType, typeName, type RRset } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery, type TestContext } from '../../support/plugin-context.ts';

const BELOW = emptyReply(Rcode.REFUSED, 'below');

type Local = TestContext & { readonly ask: (name: string, type: string) => Reply };

function localOf(text: string): Local {
  const made = testContext();
  const handler = local.layer?.(optionsFrom(local, text), made.context)(() => BELOW);
  return {
    ...made,
    ask(name, type) {
      const reply = handler?.(testQuery(name, type));
      if (reply === undefined || reply instanceof Promise) throw new Error('local has its reply at once');
      return reply;
    },
  };
}

/** `NOERROR localhost. A 127.0.0.1`, and for a denial `NXDOMAIN invalid. SOA`. */
function shown({ rcode, answer, authority }: Reply): string {
  return [rcodeName(rcode), ...[...answer, ...authority].flatMap(shownSet)].join(' ');
}

function shownSet({ owner, type, rdatas }: RRset): readonly string[] {
  const head = `${present(owner)} ${typeName(type)}`;
  if (type === RRType.SOA) return [head];
  const isAddress = type === RRType.A || type === RRType.AAAA;
  return rdatas.map((rdata) => `${head} ${isAddress ? presentAddress(rdata) : present(nameOf(rdata))}`);
}

const ONE = present(reverseNameOf(Uint8Array.from([...Array<number>(15).fill(0), 1])));
const UNSPECIFIED = present(reverseNameOf(new Uint8Array(16)));

// RFC 6761 sections 6.3 and 6.4, RFC 6303 section 4, RFC 7686 section 2, CoreDNS plugin/local.
for (const [question, expected] of [
  ['localhost A', 'NOERROR localhost. A 127.0.0.1'],
  ['LocalHost AAAA', 'NOERROR LocalHost. AAAA ::1'],
  ['localhost SOA', 'NOERROR localhost. SOA'],
  ['localhost NS', 'NOERROR localhost. NS localhost.'],
  ['localhost MX', 'NOERROR localhost. SOA'],
  ['localhost ANY', 'NOERROR localhost. SOA'],
  ['a.b.localhost A', 'NOERROR a.b.localhost. A 127.0.0.1'],
  ['a.localhost AAAA', 'NOERROR a.localhost. AAAA ::1'],
  ['a.localhost TXT', 'NOERROR localhost. SOA'],
  ['a.localhost NS', 'NOERROR localhost. SOA'],
  ['localhost.example.org A', 'NOERROR localhost.example.org. A 127.0.0.1'],
  ['localhost.example.org TXT', 'NOERROR localhost.example.org. SOA'],
  ['127.in-addr.arpa SOA', 'NOERROR 127.in-addr.arpa. SOA'],
  ['127.in-addr.arpa NS', 'NOERROR 127.in-addr.arpa. NS localhost.'],
  ['127.in-addr.arpa A', 'NOERROR 127.in-addr.arpa. SOA'],
  ['1.0.0.127.in-addr.arpa PTR', 'NOERROR 1.0.0.127.in-addr.arpa. PTR localhost.'],
  ['1.0.0.127.in-addr.arpa A', 'NOERROR 127.in-addr.arpa. SOA'],
  ['0.127.in-addr.arpa PTR', 'NOERROR 127.in-addr.arpa. SOA'],
  ['2.0.0.127.in-addr.arpa PTR', 'NXDOMAIN 127.in-addr.arpa. SOA'],
  ['1.1.0.0.127.in-addr.arpa PTR', 'NXDOMAIN 127.in-addr.arpa. SOA'],
  ['0.in-addr.arpa PTR', 'NOERROR 0.in-addr.arpa. SOA'],
  ['0.0.0.0.in-addr.arpa PTR', 'NXDOMAIN 0.in-addr.arpa. SOA'],
  ['255.255.255.255.in-addr.arpa PTR', 'NXDOMAIN 255.in-addr.arpa. SOA'],
  [`${ONE} PTR`, `NOERROR ${ONE} PTR localhost.`],
  [`${ONE} SOA`, `NOERROR ${ONE} SOA`],
  [`${ONE} A`, `NOERROR ${ONE} SOA`],
  [`${UNSPECIFIED} PTR`, `NOERROR ${UNSPECIFIED} SOA`],
  [`0.${UNSPECIFIED} PTR`, `NXDOMAIN ${UNSPECIFIED} SOA`],
  ['invalid A', 'NXDOMAIN invalid. SOA'],
  ['a.invalid SOA', 'NXDOMAIN invalid. SOA'],
  ['onion NS', 'NXDOMAIN onion. SOA'],
  ['x.onion AAAA', 'NXDOMAIN onion. SOA'],
] as const) {
  test(`${question} is ${expected}`, (t) => {
    const [name = '', type = ''] = question.split(' ');
    const reply = localOf('local').ask(name, type);
    t.is(shown(reply), expected);
    t.true(reply.authoritative);
    t.is(reply.plugin, 'local');
    t.true([...reply.answer, ...reply.authority].every(({ ttl }) => ttl === 604_800));
  });
}

for (const name of [
  'example.org',
  'localhosts',
  'mylocalhost.example.org',
  'my.localhost.example.org',
  '128.in-addr.arpa',
  'in-addr.arpa',
  '10.in-addr.arpa',
  'notinvalid',
  'test',
  '.',
]) {
  test(`${name} is left to others`, (t) => t.is(localOf('local').ask(name, 'A'), BELOW));
}

test('names other than localhost itself that stand for this machine are counted, as in CoreDNS', (t) => {
  const made = localOf('local');
  for (const name of ['localhost', 'a.localhost', 'localhost.example.org', 'x.invalid']) made.ask(name, 'A');
  t.deepEqual([...made.series()], [['coredns_local_localhost_requests_total{}', [2]]]);
});

test('with localhost_prefix off a first label localhost means nothing', (t) => {
  const { ask } = localOf('local {\n localhost_prefix off\n}');
  t.is(ask('localhost.example.org', 'A'), BELOW);
  t.is(shown(ask('localhost', 'A')), 'NOERROR localhost. A 127.0.0.1');
  t.is(shown(ask('localhost.localhost', 'A')), 'NOERROR localhost.localhost. A 127.0.0.1');
});

for (const { text, fault } of [
  { text: 'local', fault: undefined },
  { text: 'local\nlocal {\n localhost_prefix on\n}', fault: undefined },
  {
    text: 'local host',
    fault: 'Corefile:2:7: found "host", expected the end of the line: local (it takes no arguments)',
  },
  {
    text: 'local {\n localhost_prefix\n}',
    fault: 'Corefile:3:2: found the end of the line after "localhost_prefix", expected: localhost_prefix on|off',
  },
  {
    text: 'local {\n localhost_prefix no\n}',
    fault: 'Corefile:3:19: found "no", expected on or off; did you mean "on"?',
  },
  {
    text: 'local {\n prefix on\n}',
    fault: 'Corefile:3:2: found "prefix", which is not an option of local, expected localhost_prefix',
  },
]) {
  test(`local: ${JSON.stringify(text)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(local, text), fault);
  });
}
