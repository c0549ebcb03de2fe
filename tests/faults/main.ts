/** `npm run faults`: plays each fault of the table and prints what came of it, as a table in Markdown. */

import { Asker } from './asker.ts';
import { CASES } from './cases.ts';
import type { FaultCase } from './fault-case.ts';
import { figureText } from './figures.ts';
import { play, type Outcome } from './trial.ts';

const USAGE = `npm run faults -- [NUMBER…]

  NUMBER  of a case; all of them if none is given
`;

const HEAD = [
  '| case | what the server did | queries | lost | longest, ms | healed after, clock | and in fact, ms | told by |',
  '|---|---|---|---|---|---|---|---|',
];

await main();
// After dozens of data threads Node 26.9 does not always find its own end.
process.exit();

async function main(): Promise<void> {
  const wanted = process.argv.slice(2).map(Number);
  if (wanted.some((number) => !CASES.some((one) => one.number === number))) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const asker = new Asker();
  try {
    for (const line of HEAD) process.stdout.write(`${line}\n`);
    const notes: string[] = [];
    for (const one of CASES) {
      if (wanted.length > 0 && !wanted.includes(one.number)) continue;
      const outcome = await play(one, asker);
      process.stdout.write(`${row(one, outcome)}\n`);
      if (one.note !== undefined) notes.push(`${one.number}: ${one.note}.`);
      for (const fault of outcome.faults) notes.push(`${one.number} FAILED: ${fault}`);
      if (outcome.faults.length > 0) process.exitCode = 1;
    }
    for (const note of notes) process.stdout.write(`\n${note}\n`);
  } finally {
    await asker.close();
  }
}

/** The clock is the one that the API server is followed by: pauses and deadlines, turned by hand. */
function row(one: FaultCase, { queries, lost, largestDelay, healing, faults }: Outcome): string {
  const cells = [
    `${one.number} ${one.title}${faults.length === 0 ? '' : ' **failed**'}`,
    one.server,
    queries,
    lost,
    largestDelay.toFixed(1),
    `${(healing.clock / 1000).toFixed(1)} s`,
    Math.round(healing.wall),
    `\`${figureText(one.tells)}\``,
  ];
  return `| ${cells.join(' | ')} |`;
}
