/**
 * `npm run mutations -- [WORD…]`: is the fast truth suite good enough to notice that zones/ is wrong? Makes each change of the
 * table that has one of the words in its description or file (all without words) in a copy of the tree, runs the suite there,
 * and prints who was caught. The tree itself is not touched.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { ROOT } from '../support/server.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants-of-completion.ts';
import { DIFFERENCE_KINDS } from './case.ts';

const AVA = 'node_modules/ava/entrypoints/cli.js';
/** Only the part that compares: the rest proves that the comparison can fail. */
const SUITE = ['tests/truth/truth.test.ts', '--match=*pairs of a state*', '--fail-fast', '--tap', '--timeout=5m'];
const NOT_COPIED: ReadonlySet<string> = new Set(['node_modules', '.git', '.compile-cache']);

process.exitCode = main(process.argv.slice(2));

function main(words: readonly string[]): number {
  const mutants = MUTANTS.filter(
    ({ about, file }) => words.length === 0 || words.some((word) => `${about} ${file}`.includes(word)),
  );
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  try {
    cpSync(ROOT, folder, { recursive: true, filter: (source) => !NOT_COPIED.has(basename(source)) });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const unchanged = differenceIn(folder);
    if (unchanged !== undefined) throw new Error(`the suite fails without any change:\n${unchanged}`);
    let caught = 0;
    for (const mutant of mutants) {
      const difference = withMutant(folder, mutant, () => differenceIn(folder));
      if (difference !== undefined) caught++;
      process.stdout.write(`${mutant.about.padEnd(60)} | ${difference ?? 'NOT CAUGHT'}\n`);
    }
    process.stdout.write(`${caught} of ${mutants.length} caught\n`);
    return caught === mutants.length ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @throws Error if the text to be changed does not stand in the file exactly once */
function withMutant<T>(folder: string, { file, from, to }: Mutant, run: () => T): T {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  const count = source.split(from).length - 1;
  if (count !== 1) throw new Error(`${file} has this ${count} times, not once; mend the table:\n${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    return run();
  } finally {
    writeFileSync(path, source);
  }
}

/**
 * The first difference that the suite finds; undefined if it finds none.
 * @throws Error if it did not get so far
 */
function differenceIn(folder: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(process.execPath, [AVA, ...SUITE], { cwd: folder, encoding: 'utf8' });
  if (status === 0) return undefined;
  const found = new RegExp(`(?:${DIFFERENCE_KINDS.join('|')}): .+`).exec(stdout)?.[0];
  if (found === undefined) throw new Error(`the suite did not run:\n${stdout}${stderr}`);
  return found.replace(/['"`]?$/, '');
}
