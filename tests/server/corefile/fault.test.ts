import test from 'ava';

import { byNearness, show, suggestion } from '../../../server/corefile/fault.ts';

for (const [text, shown] of [
  ['log', '"log"'],
  ['a "b" \\', '"a \\"b\\" \\\\"'],
  ['\u001b[31m\n\0', '"\\u001b[31m\\n\\u0000"'],
  ['\u009b\u202e\u200b', '"\\u009b\\u202e\\u200b"'],
  ['\u{e0001}', '"\\udb40\\udc01"'],
  ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
] as const) {
  test(`a foreign word is shown without harm: ${shown}`, (t) => t.is(show(text), shown));
}

const WORDS = ['cache', 'errors', 'forward', 'kubernetes', 'log', 'loop'];

for (const [found, suggested] of [
  ['kubernetse', '; did you mean "kubernetes"?'],
  ['foward', '; did you mean "forward"?'],
  ['error', '; did you mean "errors"?'],
  ['lop', '; did you mean "log"?'],
  ['proxy', ''],
  ['', ''],
  ['x'.repeat(100_000), ''],
] as const) {
  test(`a word like ${show(found)} ${suggested === '' ? 'is like none that is known' : `leads to ${suggested}`}`, (t) => {
    t.is(suggestion(found, WORDS), suggested);
  });
}

test('the nearest words come first, each once', (t) => {
  const words = byNearness('lopo', WORDS);
  t.is(words[0], 'loop');
  t.deepEqual(words.toSorted(), WORDS);
});
