/** The table of mutants is of the code as it is: who changes a line that a mutant changes mends the table. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { ROOT } from '../support/server.ts';
import { MUTANTS } from './mutants.ts';

for (const { about, file, from, to } of MUTANTS) {
  test(`can be made: ${about}`, (t) => {
    t.is(readFileSync(join(ROOT, file), 'utf8').split(from).length, 2, `${file} has this once:\n${from}`);
    t.not(from, to);
  });
}
