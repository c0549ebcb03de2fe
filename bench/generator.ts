/**
 * The load generator, a process of its own: keeps a number of queries on the way to one server, checks every reply, and reads what
 * the server's process spent meanwhile. Knows nothing of which server that is.
 */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../zones/units.ts';
import { cpuTimeOf, type Microseconds } from './process-cost.ts';
import { faultOf, type BenchQuestion } from './question.ts';

/** What the bench sends. */
export type Job = {
  readonly port: number;
  readonly pid: number;
  readonly questions: readonly BenchQuestion[];
  /** Undefined: only wait until the first question is answered rightly. */
  readonly load: { readonly warmUp: Milliseconds; readonly duration: Milliseconds } | undefined;
};

/** What the bench gets. */
export type Measurement = {
  /** Within the measured time. */
  readonly answered: Count;
  readonly elapsed: Milliseconds;
  readonly cpuTime: Microseconds;
  /** From the first query to the last, the warm-up too. */
  readonly asked: Count;
  readonly missing: Count;
  readonly wrong: Count;
  /** The first of the wrong ones, in words. */
  readonly faults: readonly string[];
};

/** Queries on the way at once: enough to keep a server busy, few enough for the smallest receive buffer. */
export const WINDOW: Count = 128;
/** Sockets they are spread over, for servers that treat senders apart. */
export const SOCKETS: Count = 4;

const START_DEADLINE: Milliseconds = 60_000;
const START_POLL: Milliseconds = 50;
/** Later than this is missing. */
const REPLY_DEADLINE: Milliseconds = 2_000;
const SWEEP_INTERVAL: Milliseconds = 250;
const FAULTS_KEPT: Count = 5;
const RECEIVE_BUFFER = 4 * 1024 * 1024;

process.once('message', (job: Job) => {
  run(job).then(
    (measurement) => process.send?.(measurement, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});

async function run({ port, pid, questions, load }: Job): Promise<Measurement> {
  await untilAnswered(port, questions);
  const tally: Tally = { asked: 0, answered: 0, missing: 0, wrong: 0, faults: [] };
  if (load === undefined) return { ...tally, elapsed: 0, cpuTime: 0 };
  // Every question once, so that each has been answered rightly and caches hold what they can.
  await asking(port, questions, tally, (asker) => asker.stopped());
  return asking(port, questions, tally, async (asker) => {
    await pause(load.warmUp);
    const before = { answered: tally.answered, at: performance.now(), cpuTime: cpuTimeOf(pid) };
    await pause(load.duration);
    const elapsed = performance.now() - before.at;
    const cpuTime = cpuTimeOf(pid) - before.cpuTime;
    const answered = tally.answered - before.answered;
    return { ...tally, answered, elapsed, cpuTime };
  });
}
