/**
 * The load generator for machines without a C compiler, a process of its own: UDP with a window only. It spends more on a query than a
 * server that reads many at once, which then waits for it. Reads what the server's processes spent in the same instant as its own counts.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

import { Asker } from './asker.ts';
import { jobFrom, type Job, type Measurement } from './job.ts';
import { cpuTimeOf, type Microseconds } from './process-cost.ts';
import { questionsFrom } from './question-file.ts';
import { spreadOf } from './watch/spread.ts';

process.stdout.write(`${JSON.stringify(await run(jobFrom(process.argv.slice(2))))}\n`);

async function run(job: Job): Promise<Measurement> {
  if (job.transport === 'tcp' || job.rate > 0) throw new Error('Only the generator in C knows TCP and rates.');
  const questions = questionsFrom(readFileSync(job.file));
  const asker = await Asker.open(job.port, questions, job.window, job.sockets);
  const { tally } = asker;
  try {
    // Every question once, so that caches hold what they can.
    asker.ask(questions.length);
    await asker.finished();
    asker.ask(Infinity);
    await pause(job.warmUp);
    const before = { answered: tally.answered, at: performance.now(), cpuTime: spentBy(job.pids) };
    if (job.count > 0) {
      asker.ask(job.count);
      await asker.finished();
    } else await pause(job.duration);
    const answered = tally.answered - before.answered;
    const elapsed = performance.now() - before.at;
    const cpuTime = spentBy(job.pids) - before.cpuTime;
    asker.stop();
    await asker.finished();
    return { answered, elapsed, cpuTime, tally, latency: spreadOf([]) };
  } finally {
    asker.close();
  }
}

function spentBy(pids: readonly number[]): Microseconds {
  return pids.reduce((sum, pid) => sum + cpuTimeOf(pid), 0);
}
