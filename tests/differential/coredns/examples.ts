/** Where differences are kept that were recorded with a real CoreDNS, and how they are read. Knows no rule. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../../support/server.ts';
import type { Example } from './contest.ts';

/** Written by `npm run differential -- N --coredns COMMAND --record`. */
const EXAMPLES: string = join(ROOT, 'fixtures/departures/coredns.json');

export async function recordedExamples(): Promise<readonly Example[]> {
  // Only `--record` writes the file, with objects of this type.
  return JSON.parse(await readFile(EXAMPLES, 'utf8')) as readonly Example[];
}

/** One of each departure; those that were not met stay as they are. */
export async function record(examples: readonly Example[]): Promise<void> {
  const known = (await recordedExamples()).map((example) => [example.departure, example] as const);
  const all = new Map([...known, ...examples.map((example) => [example.departure, example] as const)]);
  await writeFile(EXAMPLES, `${JSON.stringify([...all.values()], undefined, 2)}\n`);
}
