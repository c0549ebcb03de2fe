import test from 'ava';

import { errors, type ErrorsOptions } from '../../../server/plugins/errors.ts';
import { servfail } from '../../../server/query.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testExchange, testQuery } from '../../support/plugin-context.ts';

function consolidated(line: string): ErrorsOptions['rules'][number] | undefined {
  return optionsFrom(errors, `errors {\n  consolidate ${line}\n}`).rules[0];
}

// CoreDNS plugin/errors: rcode as a number, name, type, and what went wrong.
for (const { name, type, fault, expected } of [
  {
    name: 'WWW.Example.org',
    type: 'AAAA',
    fault: 'all upstreams are down',
    expected: '2 www.example.org. AAAA: all upstreams are down',
  },
  { name: 'a\\010b.org', type: 'TYPE65280', fault: 'x', expected: '2 a\\010b.org. TYPE65280: x' },
  { name: '.', type: 'NS', fault: 'x', expected: '2 . NS: x' },
]) {
  test(`errors writes "${expected}"`, (t) => {
    const { context, lines } = testContext();
    const observe = errors.observer?.(optionsFrom(errors, 'errors'), context);
    observe?.(testExchange(testQuery(name, type), servfail('forward', fault)));
    t.deepEqual(lines, [`error plugin/errors ${expected}`]);
  });
}

for (const { name, reply } of [
  { name: 'an answer', reply: {} },
  { name: 'NXDOMAIN', reply: { rcode: 3 } },
  { name: 'a SERVFAIL that an upstream sent', reply: { rcode: 2 } },
]) {
  test(`errors writes nothing about ${name}`, (t) => {
    const { context, lines } = testContext();
    errors.observer?.(optionsFrom(errors, 'errors'), context)(testExchange(testQuery('example.org'), reply));
    t.deepEqual(lines, []);
  });
}

test('faults that a pattern fits wait for their summary, which comes at the latest when the block ends', (t) => {
  const { context, lines, close } = testContext();
  const options = optionsFrom(errors, 'errors {\n  consolidate 5m "^upstream .* silent$" warning\n}');
  const observe = errors.observer?.(options, context);
  observe?.(testExchange(testQuery('a.org'), servfail('forward', 'upstream 192.0.2.1 is silent')));
  observe?.(testExchange(testQuery('b.org'), servfail('forward', 'upstream 192.0.2.2 is silent')));
  t.deepEqual(lines, []);
  close();
  t.deepEqual(lines, ["warning plugin/errors 2 errors like '^upstream .* silent$' occurred in last 5m"]);
});

test('a reload without a change goes on counting, one with another rule begins anew', (t) => {
  const { context, lines, close } = testContext();
  for (const text of ['5m silent', '5m silent', '6m silent']) {
    const options = optionsFrom(errors, `errors {\n  consolidate ${text}\n}`);
    errors.observer?.(options, context)(testExchange(testQuery('a.org'), servfail('forward', 'silent')));
  }
  close();
  t.deepEqual(lines, [
    "error plugin/errors 2 errors like 'silent' occurred in last 5m",
    "error plugin/errors 1 errors like 'silent' occurred in last 6m",
  ]);
});

test('consolidate without a level is logged as an error, without show_first counts the first one too', (t) => {
  const rule = consolidated('1m30s timeout');
  t.is(rule?.period, 90_000);
  t.is(rule?.periodText, '1m30s');
  t.is(rule?.level, 'error');
  t.is(rule?.showFirst, false);
});

for (const { line, level, showFirst } of [
  { line: '5m x warning', level: 'warning', showFirst: false },
  { line: '5m x error', level: 'error', showFirst: false },
  { line: '5m x info show_first', level: 'info', showFirst: true },
  { line: '5m x debug', level: 'debug', showFirst: false },
  { line: '5m x show_first', level: 'error', showFirst: true },
] as const) {
  test(`consolidate ${line}: level ${level}, ${showFirst ? 'the first one is shown' : 'the first one is not shown'}`, (t) => {
    const rule = consolidated(line);
    t.is(rule?.level, level);
    t.is(rule?.showFirst, showFirst);
  });
}

const line65 = '  consolidate 5m x\n'.repeat(65);
for (const { text, fault } of [
  { text: 'errors', fault: undefined },
  { text: 'errors stdout', fault: undefined },
  { text: 'errors {\n  stacktrace\n}', fault: undefined },
  { text: 'errors {\n  consolidate 5m x\n  consolidate 6m y\n}', fault: undefined },
  { text: 'errors stderr', fault: /^Corefile:2:8: found "stderr", expected stdout/ },
  { text: 'errors stdout twice', fault: /^Corefile:2:15: found "twice", expected the end of the line/ },
  { text: 'errors\nerrors', fault: /^Corefile:3:1: found a second "errors"/ },
  { text: 'errors {\n  stacktrace on\n}', fault: /^Corefile:3:14: found "on", expected the end of the line/ },
  { text: 'errors {\n  consolidated\n}', fault: /^Corefile:3:3: found "consolidated".*did you mean "consolidate"\?$/ },
  { text: 'errors {\n  consolidate 5m\n}', fault: /^Corefile:3:15: .*expected: consolidate DURATION REGEX/ },
  { text: 'errors {\n  consolidate 5 x\n}', fault: /^Corefile:3:15: found "5", expected a duration with its unit/ },
  {
    text: 'errors {\n  consolidate 0s x\n}',
    fault: /^Corefile:3:15: found "0s", expected a duration of at least 1ms$/,
  },
  {
    text: 'errors {\n  consolidate 577h x\n}',
    fault: /^Corefile:3:15: found "577h", expected a duration of at most 576h$/,
  },
  { text: 'errors {\n  consolidate 5m (\n}', fault: /^Corefile:3:18: "\(" is not a regular expression/ },
  {
    text: 'errors {\n  consolidate 5m x fatal\n}',
    fault: /^Corefile:3:20: found "fatal", expected warning, error, info or debug/,
  },
  { text: 'errors {\n  consolidate 5m x info first\n}', fault: /^Corefile:3:25: found "first", expected show_first/ },
  {
    text: 'errors {\n  consolidate 5m x show_first info\n}',
    fault: /^Corefile:3:20: found "show_first", expected warning, error/,
  },
  {
    text: 'errors {\n  consolidate 5m x info show_first 1\n}',
    fault: /^Corefile:3:36: found "1", expected the end of the line/,
  },
  {
    text: `errors {\n${line65}}`,
    fault: /^Corefile:67:3: errors has more than 64 consolidate lines; join patterns with \|$/,
  },
]) {
  test(`errors: ${JSON.stringify(text.slice(0, 60))} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    if (fault === undefined) t.is(faultOf(errors, text), undefined);
    else t.regex(faultOf(errors, text) ?? 'taken', fault);
  });
}
