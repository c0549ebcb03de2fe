import test from 'ava';

import type { Exchange, Observer } from '../../../server/pipeline.ts';
import { prometheus } from '../../../server/plugins/prometheus.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { TEST_PEER, testContext, testExchange, testQuery, type TestContext } from '../../support/plugin-context.ts';

for (const { text, host, port } of [
  { text: 'prometheus', host: 'localhost', port: 9153 },
  { text: 'prometheus :9153', host: '', port: 9153 },
  { text: 'prometheus 127.0.0.1:1 {\n  runtime_metrics\n}', host: '127.0.0.1', port: 1 },
]) {
  test(`prometheus: ${JSON.stringify(text)} listens on "${host}" port ${port}`, (t) => {
    t.deepEqual(optionsFrom(prometheus, text), { address: { host, port } });
  });
}

for (const { text, fault } of [
  { text: 'prometheus 9153', fault: /^Corefile:2:12: found "9153", expected an address to listen on/ },
  { text: 'prometheus :1 :2', fault: /^Corefile:2:15: found ":2", expected the end of the line/ },
  { text: 'prometheus\nprometheus', fault: /^Corefile:3:1: found a second "prometheus"/ },
  { text: 'prometheus {\n  tls a.pem b.pem\n}', fault: /^Corefile:3:3: tls is not supported yet: remove it/ },
  { text: 'prometheus {\n  runtime_metrics on\n}', fault: /^Corefile:3:19: found "on", expected the end of the line/ },
  { text: 'prometheus {\n  runtime\n}', fault: /^Corefile:3:3: found "runtime".* expected runtime_metrics/ },
]) {
  test(`prometheus: ${JSON.stringify(text)} is refused at the word that is wrong`, (t) => {
    t.regex(faultOf(prometheus, text) ?? 'taken', fault);
  });
}

function observe(test: TestContext, ...exchanges: readonly Exchange[]): void {
  const observer: Observer | undefined = prometheus.observer?.(optionsFrom(prometheus, 'prometheus'), test.context);
  for (const exchange of exchanges) observer?.(exchange);
}

/** Metrics and values of counters; of a histogram `count/sum`. */
function rows(test: TestContext): readonly string[] {
  return [...test.series()].map(([row, slots]) => {
    const count = slots.slice(0, -1).reduce((sum, slot) => sum + slot, 0);
    return slots.length === 1 ? `${row} ${slots[0]}` : `${row} ${count}/${slots.at(-1)}`;
  });
}

// Names and labels: CoreDNS plugin/metrics/vars.
test('one query over UDP makes exactly these series', (t) => {
  const context = testContext();
  observe(
    context,
    testExchange(testQuery('a.example.org'), { plugin: 'forward' }, { size: 56, duration: 250, zone: 'example.org.' }),
  );
  const common = 'server="dns://:53",zone="example.org.",view=""';
  t.deepEqual(rows(context).toSorted(), [
    `coredns_dns_request_duration_seconds{${common}} 1/0.25`,
    `coredns_dns_request_size_bytes{${common},proto="udp"} 1/40`,
    `coredns_dns_requests_total{${common},proto="udp",family="1",type="A"} 1`,
    `coredns_dns_response_size_bytes{${common},proto="udp"} 1/56`,
    `coredns_dns_responses_total{${common},rcode="NOERROR",plugin="forward"} 1`,
  ]);
});

const overTcp6 = { ...TEST_PEER, protocol: 'tcp', family: 6, address: '2001:db8::7' } as const;
for (const { name, exchange, expected } of [
  {
    name: 'a TCP query over IPv6 is family 2',
    exchange: testExchange(testQuery('a.example.org', 'AAAA', { peer: overTcp6 })),
    expected: 'coredns_dns_requests_total{server="dns://:53",zone=".",view="",proto="tcp",family="2",type="AAAA"} 1',
  },
  {
    name: 'a type without a label of its own is other',
    exchange: testExchange(testQuery('a.example.org', 'CAA')),
    expected: 'coredns_dns_requests_total{server="dns://:53",zone=".",view="",proto="udp",family="1",type="other"} 1',
  },
  {
    name: 'the highest type is other',
    exchange: testExchange(testQuery('a.example.org', 'TYPE65535')),
    expected: 'coredns_dns_requests_total{server="dns://:53",zone=".",view="",proto="udp",family="1",type="other"} 1',
  },
  {
    name: 'ANY is a type with a label',
    exchange: testExchange(testQuery('a.example.org', 'ANY')),
    expected: 'coredns_dns_requests_total{server="dns://:53",zone=".",view="",proto="udp",family="1",type="ANY"} 1',
  },
  {
    name: 'a query with DO is counted once more',
    exchange: testExchange(
      testQuery('a.example.org', 'A', { edns: { payloadSize: 1232, dnssecOk: true, wantsNsid: false } }),
    ),
    expected: 'coredns_dns_do_requests_total{server="dns://:53",zone=".",view=""} 1',
  },
  {
    name: 'a reply of the server itself has no plugin',
    exchange: testExchange(testQuery('a.example.org'), { rcode: 5 }, { zone: 'dropped' }),
    expected: 'coredns_dns_responses_total{server="dns://:53",zone="dropped",view="",rcode="REFUSED",plugin=""} 1',
  },
  {
    name: 'an rcode without a name is RCODE and its number',
    exchange: testExchange(testQuery('a.example.org'), { rcode: 11 }),
    expected: 'coredns_dns_responses_total{server="dns://:53",zone=".",view="",rcode="RCODE11",plugin=""} 1',
  },
  {
    name: 'the last rcode with a label is 23',
    exchange: testExchange(testQuery('a.example.org'), { rcode: 23 }),
    expected: 'coredns_dns_responses_total{server="dns://:53",zone=".",view="",rcode="BADCOOKIE",plugin=""} 1',
  },
]) {
  test(`prometheus: ${name}`, (t) => {
    const context = testContext();
    observe(context, exchange);
    t.true(rows(context).includes(expected), rows(context).join('\n'));
  });
}

test('no DO bit, no row for it', (t) => {
  const context = testContext();
  observe(
    context,
    testExchange(testQuery('a.example.org', 'A', { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: false } })),
  );
  t.false(rows(context).some((row) => row.startsWith('coredns_dns_do_requests_total')));
});

test('an upstream that sends every rcode cannot make series without end', (t) => {
  const context = testContext();
  const query = testQuery('a.example.org');
  observe(context, ...Array.from({ length: 4096 }, (_, rcode) => testExchange(query, { rcode, plugin: 'forward' })));
  const responses = rows(context).filter((row) => row.startsWith('coredns_dns_responses_total'));
  t.is(responses.length, 25);
  t.true(responses.some((row) => row.endsWith('rcode="other",plugin="forward"} 4072')));
});

test('a client that asks for every type makes 20 series', (t) => {
  const context = testContext();
  const query = testQuery('a.example.org');
  const types = Array.from({ length: 65_536 }, (_, type) => type);
  observe(context, ...types.map((type) => testExchange({ ...query, question: { ...query.question, type } })));
  const requests = rows(context).filter((row) => row.startsWith('coredns_dns_requests_total'));
  t.is(requests.length, 20);
  t.is(
    requests.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0),
    65_536,
  );
});

test('durations fall into buckets from 0.25 ms to 8.192 s, sizes from 0 to 64000 octets', (t) => {
  const context = testContext();
  const query = testQuery('a.example.org', 'A', { size: 511 });
  observe(
    context,
    testExchange(query, {}, { duration: 0.25, size: 512 }),
    testExchange(query, {}, { duration: 0.251, size: 0 }),
    testExchange(query, {}, { duration: 8_192, size: 8_291 }),
    testExchange(query, {}, { duration: 8_193, size: 64_001 }),
  );
  const slots = (metric: string): readonly number[] =>
    [...context.series()].find(([row]) => row.startsWith(metric))?.[1] ?? [];
  const times = slots('coredns_dns_request_duration_seconds');
  t.is(times.length, 18);
  t.deepEqual([times[0], times[1], times[15], times[16]], [1, 1, 1, 1]);
  t.is(slots('coredns_dns_request_size_bytes')[5], 4);
  const replies = slots('coredns_dns_response_size_bytes');
  t.is(replies.length, 16);
  t.deepEqual([replies[0], replies[6], replies[9], replies[14]], [1, 1, 1, 1]);
});

test('a reload goes on counting where it was', (t) => {
  const context = testContext();
  observe(context, testExchange(testQuery('a.example.org')));
  observe(context, testExchange(testQuery('a.example.org')));
  t.true(rows(context).some((row) => row.startsWith('coredns_dns_requests_total') && row.endsWith(' 2')));
});
