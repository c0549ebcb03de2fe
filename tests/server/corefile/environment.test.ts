import test from 'ava';

import { Allowance } from '../../../server/corefile/allowance.ts';
import { EXPANDED_MAX, expand, REFERENCES_MAX } from '../../../server/corefile/environment.ts';
import { corefileOf, messageOf, outline } from '../../support/corefile.ts';

const VARIABLES: ReadonlyMap<string, string> = new Map([
  ['A', 'one'],
  ['B', '{$A}-{%A%}'],
  ['C', '{$B}{$A}'],
  ['EMPTY', ''],
  ['PART', 'A'],
  ['BRACE', '{'],
  ['SELF', 'x{$SELF}'],
  ['DOUBLE', '{$DOUBLE}{$DOUBLE}'],
  ['BIG', 'x'.repeat(EXPANDED_MAX)],
]);

function expanded(text: string, allowance = new Allowance()): string {
  return expand({ text, position: { file: 'Corefile', line: 3, column: 5 } }, VARIABLES, allowance);
}

for (const [text, result] of [
  ['plain', 'plain'],
  ['{$A}', 'one'],
  ['{%A%}', 'one'],
  ['<{$A}:{%A%}>', '<one:one>'],
  ['{$B}', 'one-one'],
  ['{$C}', 'one-oneone'],
  ['{$EMPTY}x', 'x'],
  ['{${$PART}}', '}'], // the name ends at the first brace: `{$PART` is not set
  ['{$}', '{$}'],
  ['{$}{$A}', '{$}one'],
  ['{%%}', '{%%}'],
  ['{$A', '{$A'],
  ['{%A}', '{%A}'],
  ['{{$A}}', '{one}'], // a Go template's variable is eaten, as in CoreDNS
  ['{ $A }', '{ $A }'],
] as const) {
  test(`environment: ${text} becomes ${JSON.stringify(result)}`, (t) => t.is(expanded(text), result));
}

test('environment: an unset variable gives nothing and a warning', (t) => {
  const allowance = new Allowance();
  t.is(expanded('a{$NOT_THERE}b', allowance), 'ab');
  t.deepEqual(allowance.warnings(), [
    'Corefile:3:5: environment variable "NOT_THERE" is not set; it is taken as empty',
  ]);
});

test('environment: a variable that names itself ends at the limit', (t) => {
  t.is(
    messageOf(() => expanded('{$SELF}')),
    `Corefile:3:5: found "{$SELF}", expected at most ${REFERENCES_MAX} references to variables in one word; does a variable name itself?`,
  );
  t.regex(messageOf(() => expanded('{$DOUBLE}')) ?? '', /at most 100 references/);
});

test('environment: a word cannot grow without bound', (t) => {
  t.regex(messageOf(() => expanded('{$BIG}{$A}')) ?? '', /^Corefile:3:5: found .* expected at most 65536 characters/);
});

// CoreDNS: a value is not read again as words, so `a b` stays one argument or one key.
test('environment: variables work in keys, names, arguments, options and quotes, and never make a new word', (t) => {
  const text = '{$ZONE}:{$PORT} {\n {$NAME} {$TWO} "{$TWO}" {$NONE} {\n {$OPTION} {$BRACE}\n }\n}\n';
  const variables = {
    ZONE: 'Example.ORG',
    PORT: '1053',
    NAME: 'log',
    TWO: 'a b',
    NONE: '',
    OPTION: 'class',
    BRACE: '}',
  };
  t.deepEqual(outline(corefileOf({ Corefile: text }, variables).blocks), [
    'dns://example.org.:1053',
    '  log|a b|a b| {class|}}',
  ]);
});
