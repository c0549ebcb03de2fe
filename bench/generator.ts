/**
 * The load generator, a process of its own: what it is told to ask, in which order of events. Reads what the server's process
 * spent itself, in the same instant as its own counts. Knows nothing of which server that is.
 */

import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../zones/units.ts';
import { Asker, type Tally } from './asker.ts';
import { cpuTimeOf, type Microseconds } from './process-cost.ts';
import type { BenchQuestion } from './question.ts';

/** What it is sent, once. */
export type Job = {
  readonly port: number;
  /** The process that answers there. */
  readonly pid: number;
  readonly questions: readonly BenchQuestion[];
  /** Undefined: only wait until the first question is answered rightly. */
  readonly load: Load | undefined;
};

export type Load = {
  /** For just-in-time compilers, which servers in C do not mind. */
  readonly warmUp: Milliseconds;
  readonly duration: Milliseconds;
};

/** What it sends back. */
export type Measurement = {
  /** Right answers within the measured time. */
  readonly answered: Count;
  readonly elapsed: Milliseconds;
  readonly cpuTime: Microseconds;
  /** Of the warm-up too. */
  readonly tally: Readonly<Tally>;
};

const START_DEADLINE: Milliseconds = 60_000;
const START_POLL: Milliseconds = 50;

process.once('message', (job: Job) => {
  run(job).then(
    (measurement) => void process.send?.(measurement, () => process.disconnect?.()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});

async function run(job: Job): Promise<Measurement> {
  await untilAnswered(job);
  const asker = await Asker.open(job.port, job.questions);
  try {
    return await measured(asker, job);
  } finally {
    asker.close();
  }
}

async function measured(asker: Asker, { pid, questions, load }: Job): Promise<Measurement> {
  const { tally } = asker;
  if (load === undefined) return { answered: 0, elapsed: 0, cpuTime: 0, tally };
  // Every question once, so that caches hold what they can.
  asker.ask(questions.length);
  await asker.finished();
  asker.ask(Infinity);
  await pause(load.warmUp);
  const before = { answered: tally.answered, at: performance.now(), cpuTime: cpuTimeOf(pid) };
  await pause(load.duration);
  const answered = tally.answered - before.answered;
  const elapsed = performance.now() - before.at;
  const cpuTime = cpuTimeOf(pid) - before.cpuTime;
  asker.stop();
  await asker.finished();
  return { answered, elapsed, cpuTime, tally };
}

/** A server that starts says nothing, refuses or fails; none of that is wrong yet. */
async function untilAnswered({ port, questions }: Job): Promise<void> {
  const asker = await Asker.open(port, questions.slice(0, 1));
  const deadline = performance.now() + START_DEADLINE;
  while (asker.tally.answered === 0) {
    if (performance.now() > deadline) {
      const last = asker.tally.faults.at(-1) ?? 'no reply at all';
      throw new Error(`no right answer within ${START_DEADLINE} ms: ${last}`);
    }
    asker.ask(1);
    await pause(START_POLL);
  }
  asker.close();
}
