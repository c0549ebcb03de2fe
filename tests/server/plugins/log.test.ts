import test from 'ava';
import fc from 'fast-check';

import { log } from '../../../server/plugins/log.ts';
import { metadataOf } from '../../../server/plugins/metadata.ts';
import type { Exchange } from '../../../server/pipeline.ts';
import type { Reply } from '../../../server/query.ts';
import { nameFrom, ROOT, type Name } from '../../../zones/name.ts';
import { RRType, type RRset } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testExchange, testQuery } from '../../support/plugin-context.ts';

/** What the directives write for one exchange, with that metadata: `level source text` of each line. */
function written(text: string, exchange: Exchange, values: Readonly<Record<string, string>> = {}): readonly string[] {
  const { context, lines } = testContext();
  const metadata = metadataOf(context.shared);
  metadata.collect([ROOT]);
  for (const [label, value] of Object.entries(values)) metadata.publish(label, () => value);
  log.observer?.(optionsFrom(log, text), context)(exchange);
  return lines;
}

function set(type: number): RRset {
  return { owner: nameFrom('example.org'), type, ttl: 30, rdatas: [new Uint8Array(4)] };
}

const query = testQuery('WWW.Example.org');
const success = testExchange(query, { answer: [set(RRType.A)] });

// Formats: CoreDNS plugin/log.
for (const { text, exchange, expected } of [
  {
    text: 'log',
    exchange: success,
    expected: '192.0.2.7:40000 - 4711 "A IN www.example.org. udp 40 false 512" NOERROR qr,rd 56 0.00025s',
  },
  {
    text: 'log . {common}',
    exchange: success,
    expected: '192.0.2.7:40000 - 4711 "A IN www.example.org. udp 40 false 512" NOERROR qr,rd 56 0.00025s',
  },
  {
    text: 'log . {combined}',
    exchange: success,
    expected: '192.0.2.7:40000 - 4711 "A IN www.example.org. udp 40 false 512" NOERROR qr,rd 56 0.00025s "0"',
  },
  {
    text: 'log . "{combined} {local}"',
    exchange: success,
    expected:
      '192.0.2.7:40000 - 4711 "A IN www.example.org. udp 40 false 512" NOERROR qr,rd 56 0.00025s "0" 192.0.2.53',
  },
  { text: 'log . "{name}{name} {type}"', exchange: success, expected: 'www.example.org.www.example.org. A' },
  {
    text: 'log . "{unknown} {/kubernetes/client-namespace} {>nothing} } {"',
    exchange: success,
    expected: '{unknown} - {>nothing} } {',
  },
  {
    text: 'log . "{remote}:{port} {local} {proto} {>bufsize}"',
    exchange: testExchange({
      ...query,
      peer: {
        address: '2001:db8::7',
        port: 5,
        family: 6,
        protocol: 'tcp',
        localAddress: '2001:db8::53',
        localPort: 53,
      },
    }),
    expected: '[2001:db8::7]:5 [2001:db8::53] tcp 65535',
  },
  {
    text: 'log . "{>do} {>bufsize} {>id} {>opcode}"',
    exchange: testExchange({ ...query, id: 0, edns: { payloadSize: 4096, dnssecOk: true, wantsNsid: false } }),
    expected: 'true 4096 0 0',
  },
  {
    text: 'log . {>bufsize}',
    exchange: testExchange({ ...query, edns: { payloadSize: 100, dnssecOk: false, wantsNsid: false } }),
    expected: '512',
  },
  {
    text: 'log . "{rcode} {rsize} {>rflags}"',
    exchange: testExchange(
      { ...query, checkingDisabled: true },
      { authoritative: true, recursionAvailable: true, authenticData: true, rcode: 11 },
      { truncated: true, size: 512 },
    ),
    expected: 'RCODE11 512 qr,aa,tc,rd,ra,ad,cd',
  },
  {
    text: 'log . {>rflags}',
    exchange: testExchange({ ...query, recursionDesired: false }),
    expected: 'qr',
  },
  {
    text: 'log . "{type} {class}"',
    exchange: testExchange({ ...query, question: { ...query.question, type: 65_280, class: 1000 } }),
    expected: 'TYPE65280 CLASS1000',
  },
  { text: 'log . {name}', exchange: testExchange(testQuery('.')), expected: '.' },
  { text: 'log . {name}', exchange: testExchange(testQuery('a\\.b\\"\\010.c')), expected: 'a\\.b\\"\\010.c.' },
]) {
  test(`${text} writes ${JSON.stringify(expected)}`, (t) => {
    t.deepEqual(written(text, exchange), [`info  ${expected}`]);
  });
}

for (const { duration, expected } of [
  { duration: 0, expected: '0s' },
  { duration: 0.123456, expected: '0.000123456s' },
  { duration: 0.12, expected: '0.00012s' },
  { duration: 10_000, expected: '10s' },
  { duration: 1_500, expected: '1.5s' },
  { duration: 0.0000001, expected: '0s' },
]) {
  test(`a duration of ${duration} ms is written ${expected}`, (t) => {
    t.deepEqual(written('log . {duration}', testExchange(query, {}, { duration })), [`info  ${expected}`]);
  });
}

// CoreDNS plugin/pkg/response: NODATA is told from a delegation by its SOA.
const replies: readonly {
  readonly kind: string;
  readonly type: string;
  readonly class: string;
  readonly reply: Partial<Reply>;
}[] = [
  { kind: 'an answer', type: 'NOERROR', class: 'success', reply: { answer: [set(RRType.A)] } },
  {
    kind: 'an answer with an SOA beside it',
    type: 'NOERROR',
    class: 'success',
    reply: { answer: [set(RRType.A)], authority: [set(RRType.SOA)] },
  },
  { kind: 'a delegation', type: 'DELEGATION', class: 'success', reply: { authority: [set(RRType.NS)] } },
  { kind: 'an empty answer without SOA', type: 'NOERROR', class: 'success', reply: {} },
  { kind: 'NODATA', type: 'NODATA', class: 'denial', reply: { authority: [set(RRType.SOA)] } },
  { kind: 'NXDOMAIN', type: 'NXDOMAIN', class: 'denial', reply: { rcode: 3, authority: [set(RRType.SOA)] } },
  {
    kind: 'NXDOMAIN behind an alias',
    type: 'NXDOMAIN',
    class: 'denial',
    reply: { rcode: 3, answer: [set(RRType.CNAME)] },
  },
  { kind: 'SERVFAIL', type: 'SERVERERROR', class: 'error', reply: { rcode: 2 } },
  { kind: 'REFUSED', type: 'OTHERERROR', class: 'error', reply: { rcode: 5 } },
];
for (const { kind, type, class: expected, reply } of replies) {
  test(`${kind} is ${type} and ${expected} in metadata`, (t) => {
    const line = written('log . "{/log/type} {/log/class}"', testExchange(query, reply));
    t.deepEqual(line, [`info  ${type} ${expected}`]);
  });
}
for (const { kind, class: expected, reply } of replies) {
  test(`${kind} is logged by class ${expected} and by no other`, (t) => {
    const classes = ['all', 'success', 'denial', 'error'].filter(
      (each) => written(`log {\n  class ${each}\n}`, testExchange(query, reply)).length === 1,
    );
    t.deepEqual(classes, ['all', expected]);
  });
}

for (const { text, name, expected } of [
  { text: 'log example.org', name: 'www.example.org', expected: 1 },
  { text: 'log EXAMPLE.org.', name: 'example.ORG', expected: 1 },
  { text: 'log example.org', name: 'badexample.org', expected: 0 },
  { text: 'log example.org example.net', name: 'www.example.net', expected: 1 },
  { text: 'log example.org example.net {name}', name: 'www.example.net', expected: 1 },
  { text: 'log example.org {name}', name: 'www.example.net', expected: 0 },
  { text: 'log {\n  class denial error\n}', name: 'example.org', expected: 0 },
  { text: 'log {\n  class denial\n  class success\n}', name: 'example.org', expected: 1 },
  { text: 'log {\n}', name: 'example.org', expected: 1 },
  { text: 'log example.net\nlog example.org', name: 'example.org', expected: 1 },
  // The first rule that has the name decides, even if its class does not fit.
  { text: 'log example.org {\n  class error\n}\nlog .', name: 'www.example.org', expected: 0 },
  { text: 'log\nlog example.org', name: 'www.example.org', expected: 1 },
]) {
  test(`${JSON.stringify(text)} writes ${expected} lines for ${name}`, (t) => {
    t.is(written(text, testExchange(testQuery(name), { answer: [set(RRType.A)] })).length, expected);
  });
}

for (const { text, fault } of [
  { text: 'log {combined}', fault: /^Corefile:2:5: a format needs the names that it is for: write log \. and then/ },
  { text: 'log "{name} {type}"', fault: /^Corefile:2:5: a format needs the names/ },
  { text: 'log a..b', fault: /^Corefile:2:5: found "a\.\.b", which is not a domain name: it has an empty label$/ },
  { text: 'log a..b {name}', fault: /^Corefile:2:5: found "a\.\.b"/ },
  { text: 'log {\n  class\n}', fault: /^Corefile:3:3: .*expected: class all\|success\|denial\|error/ },
  {
    text: 'log {\n  class all fail\n}',
    fault: /^Corefile:3:13: found "fail", expected all, success, denial or error$/,
  },
  {
    text: 'log {\n  classes all\n}',
    fault: /^Corefile:3:3: found "classes", which is not an option of log, expected class/,
  },
]) {
  test(`log: ${JSON.stringify(text)} is refused at the word that is wrong`, (t) => {
    t.regex(faultOf(log, text) ?? 'taken', fault);
  });
}

test('metadata is written where its name stands, and a dash where there is none', (t) => {
  const format = 'log . "{/kubernetes/namespace} {/kubernetes/service}/{/constructor} {name}"';
  const values = { 'kubernetes/namespace': 'prod', 'kubernetes/service': '' };
  t.deepEqual(written(format, success, values), ['info  prod -/- www.example.org.']);
});

for (const { title, collected, expected } of [
  {
    title: 'what no plugin says',
    collected: true,
    expected: ['warning plugin/log {/kubernetes/nosuch} will always be "-": no plugin of the server block says it'],
  },
  {
    title: 'that metadata is missing',
    collected: false,
    expected: [
      'warning plugin/log {/kubernetes/nosuch} will always be "-": no plugin of the server block says it',
      'warning plugin/log {/…} will always be "-": add metadata to the server block',
    ],
  },
]) {
  test(`a format is told once ${title}`, (t) => {
    const { context, lines, start } = testContext();
    const metadata = metadataOf(context.shared);
    if (collected) metadata.collect([ROOT]);
    const text = 'log a "{/kubernetes/namespace}"\nlog b "{/kubernetes/nosuch}"\nlog c "{/kubernetes/nosuch}"';
    log.observer?.(optionsFrom(log, text), context);
    metadata.publish('kubernetes/namespace', () => 'prod'); // by a plugin that is made later
    t.deepEqual(lines, []);
    start();
    t.deepEqual(lines, expected);
  });
}

test('no name that a client can send makes a second line, a quote or a control character', (t) => {
  const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(labels, (octets) => {
      const wire = octets.map((label) => String.fromCharCode(label.length, ...label)).join('') + '\0';
      const question = { ...query.question, name: wire as Name }; // labels of 1 to 20 octets, at most 211 in all
      const [line = ''] = written('log', testExchange({ ...query, question, peer: TEST_PEER }));
      t.regex(line, /^info {2}192\.0\.2\.7:40000 - 4711 "A IN (?:[\x21\x23-\x7e]|\\")+ udp 40 false 512" NOERROR /);
    }),
  );
});
