/** What stays the same in all measurements of one run, and how servers take turns in them. */

import type { Count } from '../zones/units.ts';
import type { Contender } from './contenders.ts';
import type { Load } from './job.ts';
import type { Surroundings } from './trial.ts';

export type Bench = Surroundings & {
  readonly rounds: Count;
  readonly load: Load;
  /** Services, or outside names. */
  readonly names: Count;
  /** Of the measurement of allocation. */
  readonly queries: Count;
  readonly peers: readonly Contender[];
};

/** Every one once a round, in turn the first; what was found of each, in the order of the rounds. */
export async function inTurns<Subject, Found>(
  subjects: readonly Subject[],
  rounds: Count,
  measure: (subject: Subject, round: Count) => Promise<Found>,
): Promise<ReadonlyMap<Subject, readonly Found[]>> {
  const found = new Map<Subject, Found[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % Math.max(1, subjects.length);
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      found.get(subject)?.push(await measure(subject, round));
    }
  }
  return found;
}

/** A line for who waits. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
