/**
 * `npm run outcomes -- N [--seed S]`: N random scenarios, in each of which every resolver looks a name up with search completion and without.
 * Prints the smallest scenario of each kind of difference, and ends with one line.
 */

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { Random } from '../support/random.ts';
import { randomScenario } from './random-scenario.ts';
import { report, titleOf } from './report.ts';
import { playScenario } from './trial.ts';

const USAGE = `npm run outcomes -- N [--seed S]

  N         scenarios
  --seed S  of the first one; the next has S+1 (any if it is not said)
`;

/** Differences that are made small and shown, of each kind. */
const SHOWN_MAX: Count = 3;
const PROGRESS_INTERVAL: Milliseconds = 10_000;

await main();

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true });
  const scenarios = Number(positionals[0]);
  const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
  if (!(scenarios > 0) || !Number.isInteger(seed)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const shown = new Map<string, Count>();
  let differences: Count = 0;
  let lookUps: Count = 0;
  let completions: Count = 0;
  let excluded: Count = 0;
  let told = performance.now();
  for (let number = 0; number < scenarios; number++) {
    const scenario = randomScenario(new Random(seed + number));
    const trial = await playScenario(scenario);
    lookUps += trial.lookUps;
    completions += trial.completions;
    excluded += trial.excluded;
    for (const difference of trial.differences) {
      differences++;
      const title = titleOf(difference);
      const count = (shown.get(title) ?? 0) + 1;
      shown.set(title, count);
      if (count <= SHOWN_MAX) process.stdout.write(`${await report(scenario, difference, `seed ${seed + number}`)}\n`);
    }
    if (performance.now() - told < PROGRESS_INTERVAL) continue;
    told = performance.now();
    process.stderr.write(`${number + 1} scenarios, ${differences} differences\n`);
  }
  for (const [title, count] of shown) process.stdout.write(`${count} times ${title}\n`);
  const sum = `${scenarios} scenarios, ${lookUps} look-ups, ${completions} questions completed, ${excluded} known differences, ${differences} others`;
  process.stdout.write(`${sum}, seed ${seed}\n`);
  process.exitCode = differences === 0 ? 0 : 1;
}
