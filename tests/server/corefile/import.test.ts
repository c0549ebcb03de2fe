import test from 'ava';

import { FILE_IMPORTS_MAX, SNIPPET_IMPORTS_MAX } from '../../../server/corefile/allowance.ts';
import { corefileOf, messageOf, outline, type Texts } from '../../support/corefile.ts';

const BLOCK = '. {\n whoami\n}\n';

// CoreDNS: doImport and snippets of caddyfile/parse.go.
const GOOD: readonly (readonly [behaviour: string, files: Texts, lines: readonly string[]])[] = [
  [
    'a snippet in a block',
    { Corefile: '(x) {\n log\n errors\n}\n. {\n import x\n whoami\n}\n' },
    ['dns://.:', '  log', '  errors', '  whoami'],
  ],
  [
    'a snippet written on one line with its braces',
    { Corefile: '(x) { log\n}\n. {\n whoami\n import x\n}\n' },
    ['dns://.:', '  whoami', '  log'],
  ],
  [
    'a snippet of arguments and blocks',
    { Corefile: '(x) {\n cache 30 {\n success 1\n }\n}\n. {\n import x\n}\n' },
    ['dns://.:', '  cache|30 {success|1}'],
  ],
  [
    'a snippet in the block of a directive',
    { Corefile: '(x) {\n success 1\n denial 2\n}\n. {\n cache {\n import x\n }\n}\n' },
    ['dns://.:', '  cache {success|1;denial|2}'],
  ],
  [
    'a snippet of whole server blocks',
    { Corefile: '(x) {\n a {\n log\n }\n}\nimport x\nb {\n log\n}\n' },
    ['dns://a.:', '  log', 'dns://b.:', '  log'],
  ],
  [
    'a snippet in a snippet',
    { Corefile: '(x) {\n log\n}\n(y) {\n import x\n errors\n}\n. {\n import y\n}\n' },
    ['dns://.:', '  log', '  errors'],
  ],
  ['a snippet twice', { Corefile: '(x) {\n log\n}\n. {\n import x\n import x\n}\n' }, ['dns://.:', '  log', '  log']],
  ['an empty snippet', { Corefile: '(x) {\n}\n. {\n import x\n log\n}\n' }, ['dns://.:', '  log']],
  [
    'a snippet with its brace on the next line',
    { Corefile: '(x)\n{\n log\n}\n. {\n import x\n}\n' },
    ['dns://.:', '  log'],
  ],
  ['a snippet in a block without braces', { Corefile: '(x) {\n log\n}\n.\nimport x\n' }, ['dns://.:', '  log']],
  ['a file', { Corefile: 'import blocks\n', blocks: BLOCK }, ['dns://.:', '  whoami']],
  [
    'a file in a block',
    { Corefile: '. {\n import plugins\n}\n', plugins: 'log\nerrors' },
    ['dns://.:', '  log', '  errors'],
  ],
  [
    'a file twice, each time on lines of its own',
    { Corefile: '. {\n import p\n import p\n}\n', p: 'log' },
    ['dns://.:', '  log', '  log'],
  ],
  [
    'a file that holds snippets',
    { Corefile: 'import s\n. {\n import x\n}\n', s: '(x) {\n log\n}\n' },
    ['dns://.:', '  log'],
  ],
  [
    'a file relative to the one that imports it',
    { Corefile: 'import d/a\n', 'd/a': 'import e/b\n', 'd/e/b': 'import ../c\n', 'd/c': BLOCK },
    ['dns://.:', '  whoami'],
  ],
  [
    'a snippet whose file is relative to where the snippet stands',
    { Corefile: 'import d/s\n. {\n import x\n}\n', 'd/s': '(x) {\n import y\n}\n', 'd/y': 'log\n' },
    ['dns://.:', '  log'],
  ],
  ['an absolute path', { Corefile: 'import /etc/d/a\n', '/etc/d/a': BLOCK }, ['dns://.:', '  whoami']],
  [
    'a snippet before a file of that name',
    { Corefile: '(x) {\n log\n}\n. {\n import x\n}\n', x: 'errors\n' },
    ['dns://.:', '  log'],
  ],
  [
    'a file that closes a block which another one opened',
    { Corefile: '. {\n import end\n', end: 'log\n}\n' },
    ['dns://.:', '  log'],
  ],
  [
    'files that match a pattern, in the order of their names',
    { Corefile: 'import d/*.conf\n', 'd/b.conf': 'b {\n log\n}\n', 'd/a.conf': 'a {\n log\n}\n', 'd/c.txt': '}' },
    ['dns://a.:', '  log', 'dns://b.:', '  log'],
  ],
  ['a pattern with one ?', { Corefile: '. {\n import p?\n}\n', p1: 'log', p: 'x', p22: 'x' }, ['dns://.:', '  log']],
  [
    'a pattern in a directory',
    { Corefile: '. {\n import */plugins\n}\n', 'b/plugins': 'log', 'a/plugins': 'errors', 'c/x': 'x' },
    ['dns://.:', '  errors', '  log'],
  ],
  [
    'a pattern whose files import each other',
    { Corefile: '. {\n import d/*\n}\n', 'd/a': 'import b\n', 'd/b': 'log\n' },
    ['dns://.:', '  log', '  log'],
  ],
  [
    'a name with signs of regular expressions',
    { Corefile: '. {\n import d.(+*\n}\n', 'd.(+x': 'log', 'dd(+x': 'x' },
    ['dns://.:', '  log'],
  ],
];
for (const [behaviour, files, lines] of GOOD) {
  test(`import: ${behaviour}`, (t) => {
    const corefile = corefileOf(files);
    t.deepEqual(outline(corefile.blocks), lines);
    t.deepEqual(corefile.warnings, []);
  });
}

test('import: a pattern that matches nothing is a warning', (t) => {
  const corefile = corefileOf({ Corefile: 'import d/*.conf\n. {\n import nothing?\n log\n}\n' });
  t.deepEqual(outline(corefile.blocks), ['dns://.:', '  log']);
  t.deepEqual(corefile.warnings, [
    'Corefile:1:8: no file matches "d/*.conf"; nothing is imported',
    'Corefile:3:9: no file matches "nothing?"; nothing is imported',
  ]);
});

const BAD: readonly (readonly [behaviour: string, files: Texts, message: string])[] = [
  [
    'a missing file',
    { Corefile: '. {\n import x\n}\n' },
    'Corefile:2:9: cannot read "x": ENOENT: no such file or directory',
  ],
  ['a directory', { Corefile: 'import d\n', 'd/a': '' }, 'Corefile:1:8: cannot read "d": it is a directory'],
  [
    'a directory that matches',
    { Corefile: 'import c/*\n', 'c/d/a': '' },
    'Corefile:1:8: cannot read "c/d": it is a directory',
  ],
  [
    'no argument',
    { Corefile: '. {\n import\n log\n}\n' },
    'Corefile:2:2: found the end of the line after "import", expected the name of a snippet or of a file',
  ],
  [
    'no argument at the end of a file',
    { Corefile: 'import x\nx\n', x: 'import' },
    'x:1:1: found the end of the line after "import", expected the name of a snippet or of a file',
  ],
  [
    'a brace as argument',
    { Corefile: '. {\n import {\n}\n' },
    'Corefile:2:9: found "{", expected the name of a snippet or of a file to import',
  ],
  [
    'an empty argument',
    { Corefile: '. {\n import ""\n}\n' },
    'Corefile:2:9: found "", expected the name of a snippet or of a file to import',
  ],
  [
    'two arguments',
    { Corefile: '. {\n import x y\n}\n' },
    'Corefile:2:11: found "y", expected the end of the line: import takes one name',
  ],
  [
    'two stars',
    { Corefile: 'import */*\n' },
    'Corefile:1:8: found "*/*", expected at most one "*" and one "?" in a pattern, and no brackets',
  ],
  [
    'two question marks',
    { Corefile: 'import ??\n' },
    'Corefile:1:8: found "??", expected at most one "*" and one "?" in a pattern, and no brackets',
  ],
  [
    'brackets',
    { Corefile: 'import [ab]*\n' },
    'Corefile:1:8: found "[ab]*", expected at most one "*" and one "?" in a pattern, and no brackets',
  ],
  [
    'a second snippet of a name',
    { Corefile: '(x) {\n log\n}\n(x) {\n log\n}\n' },
    'Corefile:4:1: found "(x)", expected a new name: this snippet is already defined at Corefile:1:1',
  ],
  [
    'a snippet without braces',
    { Corefile: '(x)\nlog\n' },
    'Corefile:2:1: found "log", expected "{" after the name of snippet "(x)"',
  ],
  [
    'a snippet at the end',
    { Corefile: '(x)' },
    'Corefile:1:1: found the end of the file, expected "{" after the name of snippet "(x)"',
  ],
  [
    'a snippet without a name',
    { Corefile: '() {\n}\n' },
    'Corefile:1:1: found "()", expected a name between the parentheses of a snippet',
  ],
  [
    'a snippet that is never closed',
    { Corefile: '(x) {\n cache {\n }\n' },
    'Corefile:1:5: found a "{" that is never closed, expected a "}" before the end of the file',
  ],
  [
    'a snippet among zones',
    { Corefile: 'a (x) {\n}\n' },
    'Corefile:1:3: found "(x)", expected a snippet to stand alone before its "{"',
  ],
  [
    'a snippet that is used before it is defined',
    { Corefile: '. {\n import x\n}\n(x) {\n log\n}\n' },
    'Corefile:2:9: cannot read "x": ENOENT: no such file or directory',
  ],
  [
    'a snippet that imports itself',
    { Corefile: '(x) {\n log\n import x\n}\n. {\n import x\n}\n' },
    'Corefile:3:9: found an import that never ends: snippet (x) imports snippet (x)',
  ],
  [
    'two snippets that import each other',
    { Corefile: '(x) {\n import y\n}\n(y) {\n import x\n}\n. {\n import x\n}\n' },
    'Corefile:5:9: found an import that never ends: snippet (x) imports snippet (y) imports snippet (x)',
  ],
  [
    'a file that imports itself',
    { Corefile: 'import Corefile\n' },
    'Corefile:1:8: found an import that never ends: file Corefile imports file Corefile',
  ],
  [
    'files that import each other',
    { Corefile: 'import d/a\n', 'd/a': 'log\nimport ../d/b', 'd/b': 'import a' },
    'd/b:1:8: found an import that never ends: file d/a imports file d/b imports file d/a',
  ],
  [
    'a fault in an imported file',
    { Corefile: 'import d/a\n', 'd/a': '. {\n log }\n' },
    'd/a:2:6: found "}", expected the end of the line; a closing "}" must stand on a line of its own',
  ],
];
for (const [behaviour, files, message] of BAD) {
  test(`import: ${behaviour} is an error`, (t) => {
    t.is(
      messageOf(() => corefileOf(files)),
      message,
    );
  });
}

test('import: snippets that double each other end at the limit', (t) => {
  const snippets = Array.from({ length: 30 }, (_, i) => `(s${i + 1}) {\n import s${i}\n import s${i}\n}\n`);
  const text = `(s0) {\n log\n}\n${snippets.join('')}. {\n import s30\n}\n`;
  t.regex(
    messageOf(() => corefileOf({ Corefile: text })) ?? '',
    /found more than the 10000 allowed imports of snippets$/,
  );
});

test('import: long snippets that are repeated end at the limit', (t) => {
  const text = `(s) {\n ${'log\n'.repeat(2_000)} }\n. {\n ${'import s\n'.repeat(1_000)} }\n`;
  t.regex(messageOf(() => corefileOf({ Corefile: text })) ?? '', /found more than the 1000000 allowed words/);
});

test('import: as many snippets as CoreDNS allows are imported, and no more', (t) => {
  const text = (count: number): string => `(s) {\n log\n}\n. {\n ${'import s\n'.repeat(count)} }\n`;
  t.is(corefileOf({ Corefile: text(SNIPPET_IMPORTS_MAX) }).blocks[0]?.directives.length, SNIPPET_IMPORTS_MAX);
  t.truthy(messageOf(() => corefileOf({ Corefile: text(SNIPPET_IMPORTS_MAX + 1) })));
});

test('import: as many files as CoreDNS allows are imported, and no more', (t) => {
  const text = (count: number): string => `. {\n log\n ${'import e\n'.repeat(count)} }\n`;
  t.is(corefileOf({ Corefile: text(FILE_IMPORTS_MAX), e: '' }).blocks.length, 1);
  t.regex(
    messageOf(() => corefileOf({ Corefile: text(FILE_IMPORTS_MAX + 1), e: '' })) ?? '',
    /^Corefile:100003:8: found more than the 100000 allowed imports of files$/,
  );
});

test('import: a chain of thousands of snippets needs no deep stack', (t) => {
  const links = Array.from({ length: 5_000 }, (_, i) => `(s${i + 1}) {\n import s${i}\n}\n`);
  const text = `(s0) {\n log\n}\n${links.join('')}. {\n import s5000\n}\n`;
  t.deepEqual(outline(corefileOf({ Corefile: text }).blocks), ['dns://.:', '  log']);
});
