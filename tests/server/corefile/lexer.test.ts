import test from 'ava';

import { Allowance } from '../../../server/corefile/allowance.ts';
import { lexemesOf, type Lexeme } from '../../../server/corefile/lexer.ts';
import { messageOf } from '../../support/corefile.ts';

function lex(text: string): { lexemes: readonly Lexeme[]; warnings: readonly string[] } {
  const allowance = new Allowance();
  return { lexemes: lexemesOf(text, 'Corefile', new Map(), allowance), warnings: allowance.warnings() };
}

/** `line:column word`, with `>` in front of the first word of a line. */
function summary(text: string): readonly string[] {
  return lex(text).lexemes.map(
    ({ text, position, startsLine }) => `${startsLine ? '>' : ''}${position.line}:${position.column} ${text}`,
  );
}

// CoreDNS: caddyfile/lexer.go, each row as its lexer reads it.
for (const [behaviour, text, words] of [
  ['words are separated by blanks and tabs', 'log  a\tb', ['>1:1 log', '1:6 a', '1:8 b']],
  ['a line feed begins a line', 'log\n\n  errors', ['>1:1 log', '>3:3 errors']],
  [
    'every Unicode space separates',
    'a\u00a0b\u2003c\u3000d\u0085e\vf\fg',
    ['>1:1 a', '1:3 b', '1:5 c', '1:7 d', '1:9 e', '1:11 f', '1:13 g'],
  ],
  ['a zero-width space does not separate', 'a\u200bb', ['>1:1 a\u200bb']],
  ['carriage returns are left out, also inside a word', 'a\r\nb\rc\r\n', ['>1:1 a', '>2:1 bc']],
  ['a byte order mark at the start is left out', '\ufefflog x', ['>1:1 log', '1:5 x']],
  ['a comment reaches to the end of its line', '# x { "\nlog # y\n#\nerrors', ['>2:1 log', '>4:1 errors']],
  ['a comment at the end of the file ends there', 'log # y', ['>1:1 log']],
  [
    'a # in a word takes the rest of the word, the next word is read again',
    'log foo#bar baz',
    ['>1:1 log', '1:5 foo', '1:13 baz'],
  ],
  ['quotes keep blanks, # and braces', '"a # {b}" c', ['>1:1 a # {b}', '1:11 c']],
  ['a quoted token may be empty', 'x "" y', ['>1:1 x', '1:3 ', '1:6 y']],
  [
    'a quoted token spans lines and the word after it is on the same line',
    '"a\nb" c\nd',
    ['>1:1 a\nb', '2:4 c', '>3:1 d'],
  ],
  ['\\" is the only escape', String.raw`"a\"b\n\\" c`, [String.raw`>1:1 a"b\n\\`, '1:12 c']],
  ['the closing quote ends the token at once', '"a"b', ['>1:1 a', '1:4 b']],
  ['quotes in the middle of a word are ordinary', 'a"b c"', ['>1:1 a"b', '1:5 c"']],
  ['there are no single quotes and no continued lines', "'a b' \\\nc", [">1:1 'a", "1:4 b'", '1:7 \\', '>2:1 c']],
  ['a quoted carriage return stays', '"a\r\nb"', ['>1:1 a\r\nb']],
  ['an empty file has no words', ' \n\t# nothing\n', []],
] as const) {
  test(`lexer: ${behaviour}`, (t) => t.deepEqual(summary(text), [...words]));
}

for (const [text, kinds] of [
  ['{ } import', ['open', 'close', 'import']],
  ['"{" "}" "import"', ['word', 'word', 'word']],
  ['{} {x }x }} {$', ['word', 'word', 'word', 'word', 'word']],
] as const) {
  test(`lexer: braces and import count only bare and alone: ${text}`, (t) =>
    t.deepEqual(
      lex(text).lexemes.map(({ kind }) => kind),
      [...kinds],
    ));
}

test('lexer: a # in the middle of a word is warned of, with what is left of the word', (t) => {
  t.deepEqual(lex('log foo#bar baz').warnings, [
    'Corefile:1:5: found "foo#bar": only "foo" is read and the next word is read again; put a blank before "#" for a comment, or quotes around the word',
  ]);
  t.deepEqual(lex('log # foo#bar\n"a#b"').warnings, []);
});

test('lexer: a quote that is never closed is an error at the quote', (t) => {
  t.is(
    messageOf(() => lex('log\n  "a b\nerrors\n')),
    'Corefile:2:3: found "\\"a b\\nerrors\\n", expected a closing quote before the end of the file',
  );
  t.regex(messageOf(() => lex('"a\\')) ?? '', /^Corefile:1:1: found .* expected a closing quote/);
});
