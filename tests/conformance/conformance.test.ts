/** fivedots against every check, the table in README.md against what came of it, and the checks against servers that are no good. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { ROOT } from '../support/server.ts';
import { DIFFERENCES } from './differences.ts';
import { columnsOf } from './report.ts';
import { startFivedots, type RunningSubject } from './subjects.ts';
import { CHECKS, Turns, verdictOf } from './suite.ts';

const table = columnsOf(readFileSync(join(ROOT, 'tests/conformance/README.md'), 'utf8'));

let begun: Promise<RunningSubject> | undefined;
const fivedots = (): Promise<RunningSubject> => (begun ??= startFivedots());
test.after.always('the server ends', async () => (await begun)?.close());

const turns = new Turns();
for (const check of CHECKS) {
  const difference = DIFFERENCES.get(check.id);
  test(`${check.id}: ${check.title}${difference === undefined ? '' : ' (not so here, on purpose)'}`, async (t) => {
    const subject = await fivedots();
    const result = await turns.take(() => verdictOf(check, subject));
    const expected = difference === undefined ? 'pass' : 'FAIL';
    t.is(result.verdict, expected, result.verdict === 'FAIL' ? result.seen : (difference ?? ''));
    t.is(table.get('fivedots')?.get(check.id), expected, 'npm run conformance -- --write brings README.md up to date');
  });
}
