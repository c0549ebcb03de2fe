import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';

import test from 'ava';
import fc from 'fast-check';

import { CHARACTERS_MAX, TOKENS_MAX, WARNINGS_MAX } from '../../../server/corefile/allowance.ts';
import { loadCorefile } from '../../../server/corefile/load.ts';
import { CorefileError } from '../../../server/errors.ts';
import { corefileOf, messageOf, outline } from '../../support/corefile.ts';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/corefiles');
const NOTHING: ReadonlyMap<string, string> = new Map();

for (const [what, text] of [
  ['empty', ''],
  ['only comments', '# nothing\n\n   # here\n'],
  ['only a snippet', '(x) {\n log\n}\n'],
] as const) {
  test(`a Corefile that is ${what} serves what CoreDNS would serve, with a warning`, (t) => {
    const corefile = corefileOf({ Corefile: text });
    t.deepEqual(outline(corefile.blocks), ['dns://.:', '  whoami', '  log']);
    t.deepEqual(corefile.warnings, [
      'Corefile:1:1: there is no server block in this file; every name is answered by "whoami", as in CoreDNS',
    ]);
  });
}

for (const [what, text, isSame] of [
  ['a comment', '# x\n. {\n log\n errors\n}\n', true],
  ['blanks and line ends', '.   {\r\n\r\n\tlog\r\n  errors # y\r\n}', true],
  ['quotes', '"." {\n "log"\n errors\n}\n', true],
  ['a brace on the next line', '.\n{\n log\n errors\n}\n', true],
  ['no braces', '.\nlog\nerrors\n', true],
  ['an import of the same words', '(x) {\n log\n}\n. {\n import x\n errors\n}\n', true],
  ['another word', '. {\n log\n ready\n}\n', false],
  ['another order', '. {\n errors\n log\n}\n', false],
  ['a word less', '. {\n log\n}\n', false],
  ['another zone', 'a {\n log\n errors\n}\n', false],
  ['a port', '.:53 {\n log\n errors\n}\n', false],
  ['a word that has become an argument', '. {\n log errors\n}\n', false],
  ['a word that has become an option', '. {\n log {\n errors\n }\n}\n', false],
  ['an empty argument', '. {\n log ""\n errors\n}\n', false],
  ['two words in one', '. {\n "log errors"\n}\n', false],
] as const) {
  test(`the digest ${isSame ? 'does not change' : 'changes'} with ${what}`, (t) => {
    const before = corefileOf({ Corefile: '. {\n log\n errors\n}\n' }).digest;
    t.regex(before, /^[0-9a-f]{128}$/);
    t.is(corefileOf({ Corefile: text }).digest === before, isSame);
  });
}

test('the digest changes with an imported file and with a variable', (t) => {
  const digest = (file: string, variable: string): string =>
    corefileOf({ Corefile: '. {\n import x\n log {$V}\n}\n', x: file }, { V: variable }).digest;
  t.is(digest('errors', 'a'), digest('# y\nerrors\n', 'a'));
  t.not(digest('errors', 'a'), digest('errors stdout', 'a'));
  t.not(digest('errors', 'a'), digest('errors', 'b'));
});

test('warnings are kept up to a limit, the rest is counted', (t) => {
  const { warnings } = corefileOf({ Corefile: `. {\n log\n${'import x*\n'.repeat(WARNINGS_MAX + 7)}}\n` });
  t.is(warnings.length, WARNINGS_MAX + 1);
  t.is(warnings.at(-1), '7 more warnings are left out');
});

test('a text larger than allowed is refused', (t) => {
  const files = { Corefile: `. {\n log\n}\nimport big\n`, big: ' '.repeat(CHARACTERS_MAX) };
  t.is(
    messageOf(() => corefileOf(files)),
    'Corefile:4:8: found more than the 16777216 allowed characters in a Corefile and its imports',
  );
});

test('more words than allowed are refused', (t) => {
  const text = `. {\n${'a '.repeat(TOKENS_MAX)}\n}\n`;
  t.regex(
    messageOf(() => corefileOf({ Corefile: text })) ?? '',
    /^Corefile:2:[0-9]+: found more than the 1000000 allowed words/,
  );
});

test('files are read from disk, through symbolic links as a ConfigMap has them', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'corefile-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, '..2026'));
  writeFileSync(join(directory, '..2026/Corefile'), '\ufeff. {\n import custom/*.override\n}\n');
  symlinkSync('..2026', join(directory, '..data'));
  symlinkSync('..data/Corefile', join(directory, 'Corefile'));
  mkdirSync(join(directory, 'custom'));
  writeFileSync(join(directory, 'custom/b.override'), 'log\n');
  writeFileSync(join(directory, 'custom/a.override'), 'errors\n');
  const corefile = loadCorefile(join(directory, 'Corefile'), { environment: NOTHING });
  t.deepEqual(outline(corefile.blocks), ['dns://.:', '  errors', '  log']);
  t.is(corefile.blocks[0]?.directives[0]?.name.position.file, join(directory, 'custom/a.override'));
});

test('what cannot be read from disk is an error that says why', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'corefile-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const big = join(directory, 'big');
  writeFileSync(big, '');
  truncateSync(big, CHARACTERS_MAX + 1);
  for (const [path, reason] of [
    [join(directory, 'missing'), 'ENOENT: no such file or directory'],
    [directory, 'it is a directory'],
    ['/dev/zero', 'it is not a regular file'],
    [big, `it is larger than ${CHARACTERS_MAX} octets`],
  ] as const) {
    const message = messageOf(() => loadCorefile(path, { environment: NOTHING }));
    t.true(message?.startsWith(`${path}:1:1: cannot read "`) && message.endsWith(`: ${reason}`), message);
  }
});

test('octets that are not UTF-8 become replacement characters', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'corefile-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'Corefile'), Buffer.from('. {\n log \xff\n}\n', 'latin1'));
  const { blocks } = loadCorefile(join(directory, 'Corefile'), { environment: NOTHING });
  t.is(blocks[0]?.directives[0]?.args[0]?.text, '\ufffd');
});

test('the path stdin is standard input', (t) => {
  const corefile = loadCorefile('stdin', {
    environment: NOTHING,
    readFile: (path) => (t.fail(`read ${path}`) ? path : ''),
    readStandardInput: () => '. {\n log\n}\n',
  });
  t.deepEqual(outline(corefile.blocks), ['dns://.:', '  log']);
});

test('standard input is read to its end', (t) => {
  const module = join(import.meta.dirname, '../../../server/corefile/load.ts');
  const script = `import { loadCorefile } from ${JSON.stringify(module)};
    console.log(loadCorefile('stdin', { environment: new Map() }).blocks[0].directives.length);`;
  const input = `. {\n${'log\n'.repeat(100_000)}}\n`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { input, encoding: 'utf8' });
  t.is(stdout, '100000\n');
});

// Whatever the text: a Corefile, or a CorefileError; and it ends.
function isHarmless(text: string): boolean {
  try {
    corefileOf({ Corefile: text, x: text, 'd/y': text }, { A: '{$B}}', B: '{%A%}{', C: 'import x' });
    return true;
  } catch (error) {
    if (error instanceof CorefileError && error.position.line > 0 && error.position.column > 0) return true;
    throw error;
  }
}

/** Words that mean something to the grammar are likelier than chance would make them. */
const SNIPS: readonly string[] = [
  '{',
  '}',
  '\n',
  ' ',
  '"',
  '#',
  '\\',
  ',',
  '(x)',
  'import',
  'import x',
  'import d/*',
  '{$A}',
  '{%B%}',
  '{$',
  '.',
  '.:53',
  'a.org',
  'tls://b',
  '10.0.0.0/9',
  '2001:db8::/33',
  'log',
  'forward . 192.0.2.1',
  '\r\n',
  '\ufeff',
  '\u00a0',
  '\0',
  '/',
  ':',
];

test('random words give a Corefile or a CorefileError', (t) => {
  const text = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...SNIPS) }, fc.string({ unit: 'binary' })), {
    maxLength: 60,
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(text, (parts) => isHarmless(parts.join(''))),
      { numRuns: 3000 },
    ),
  );
});

test('random text gives a Corefile or a CorefileError', (t) => {
  t.notThrows(() =>
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), isHarmless), { numRuns: 1000 }),
  );
});

test('a Corefile with a few changes gives a Corefile or a CorefileError', (t) => {
  const texts = readdirSync(FIXTURES).map((name) => readFileSync(join(FIXTURES, name), 'utf8'));
  const change = fc.record({ at: fc.nat(), length: fc.nat({ max: 12 }), put: fc.constantFrom('', ...SNIPS) });
  const property = fc.property(
    fc.constantFrom(...texts),
    fc.array(change, { minLength: 1, maxLength: 6 }),
    (text, changes) =>
      isHarmless(
        changes.reduce((changed, { at, length, put }) => {
          const start = at % (changed.length + 1);
          return changed.slice(0, start) + put + changed.slice(start + length);
        }, text),
      ),
  );
  t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});
