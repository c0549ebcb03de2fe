import test from 'ava';

import { CorefileError } from '../../../server/errors.ts';
import { compilePattern, PATTERN_MAX, patternFrom } from '../../../server/plugins/pattern.ts';

const position = { file: 'Corefile', line: 3, column: 20 };

for (const { text, fits, fitsNot } of [
  { text: '.* i/o timeout$', fits: 'read udp: i/o timeout', fitsNot: 'i/o timeout after 2s' },
  { text: '^Failed to .+', fits: 'Failed to dial', fitsNot: 'it Failed to dial' },
  { text: 'plain', fits: 'not so plain here', fitsNot: 'Plain' },
  { text: '(?i)plain', fits: 'PLAIN', fitsNot: 'pain' },
  { text: '(?is)^a.b$', fits: 'A\nB', fitsNot: 'a\n\nb' },
  { text: '(?m)^b$', fits: 'a\nb\nc', fitsNot: 'ab' },
  { text: '(?P<code>[0-9]+)x', fits: '12x', fitsNot: 'x' },
  { text: '(?:a|b){2}\\.', fits: 'ab.', fitsNot: 'ab,' },
  { text: '\\(?P<', fits: 'P<', fitsNot: 'p<' },
  { text: '\\\\A', fits: '\\A', fitsNot: 'A' },
  { text: '\\bnode\\b', fits: 'the node is', fitsNot: 'nodes' },
]) {
  test(`the pattern ${text} fits ${JSON.stringify(fits)}, not ${JSON.stringify(fitsNot)}`, (t) => {
    const pattern = patternFrom({ text, position });
    t.is(pattern.text, text);
    const search = compilePattern(structuredClone(pattern));
    t.true(search.test(fits));
    t.false(search.test(fitsNot));
    t.true(search.test(fits)); // no state between searches
  });
}

// What Go refuses, or what Go and JavaScript read differently.
for (const { text, reason } of [
  {
    text: '(',
    reason: /^"\(" is not a regular expression \(.*Unterminated group.*\); Go's syntax \(RE2\) is allowed$/,
  },
  { text: 'a**', reason: /is not a regular expression \(.*Nothing to repeat/ },
  { text: 'a(?i)b', reason: /is not a regular expression \(.*Invalid group/ },
  { text: '(?U)a', reason: /is not a regular expression \(.*Invalid group/ },
  { text: 'a(?=b)', reason: /contains \(\?=: RE2 has no look-around$/ },
  { text: 'a(?!b)', reason: /contains \(\?!: RE2 has no look-around$/ },
  { text: '(?<=a)b', reason: /contains \(\?<=: RE2 has no look-around$/ },
  { text: '(?<!a)b', reason: /contains \(\?<!: RE2 has no look-around$/ },
  { text: '(a)\\1', reason: /contains \\1: RE2 has no back-references$/ },
  { text: '(?P<x>a)\\k<x>', reason: /contains \\k: RE2 has no back-references$/ },
  { text: '[[:digit:]]', reason: /contains \[\[:: write the characters out/ },
  { text: '\\pL', reason: /contains \\p: write the characters out/ },
  { text: '\\Aa\\z', reason: /contains \\A: write \^$/ },
  { text: 'a\\z', reason: /contains \\z: write \$$/ },
  { text: '\\Qa.b\\E', reason: /contains \\Q: put a backslash before each sign$/ },
]) {
  test(`the pattern ${text} is refused at its token`, (t) => {
    const error = t.throws(() => patternFrom({ text, position }), { instanceOf: CorefileError });
    t.true(error.message.startsWith('Corefile:3:20: '));
    t.regex(error.message.slice('Corefile:3:20: '.length), reason);
  });
}

test('a pattern has at most 10000 characters, as in CoreDNS', (t) => {
  t.is(patternFrom({ text: 'a'.repeat(PATTERN_MAX), position }).source.length, 10_000);
  const error = t.throws(() => patternFrom({ text: 'a'.repeat(PATTERN_MAX + 1), position }), {
    instanceOf: CorefileError,
  });
  t.is(error.message, 'Corefile:3:20: the regular expression has 10001 characters, at most 10000 are allowed');
});
