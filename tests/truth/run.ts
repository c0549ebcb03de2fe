/**
 * `npm run truth -- N [--seed S]`: N pairs of a cluster's state and a question, asked of the server and of the model. Prints the
 * smallest case of each kind of difference, and ends with one line. Equal seeds give equal runs, on any number of threads.
 */

import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { caseOf, PAIRS_PER_CASE } from './cases.ts';
import type { Order, Played } from './player.ts';
import { report } from './report.ts';
import { shrink } from './shrink.ts';
import { Fivedots } from './subject.ts';
import { play } from './trial.ts';

const USAGE = `npm run truth -- N [--seed S] [--threads T]

  N            pairs of a cluster's state and a question
  --seed S     a whole number below 2^32; the same one gives the same clusters and questions (any if it is not said)
  --threads T  how many at once (as many as there are processors)
`;

/** Differences that are made small and shown, one of each kind. */
const SHOWN_MAX: Count = 5;
const PROGRESS_INTERVAL: Milliseconds = 10_000;

type Options = { readonly pairs: Count; readonly seed: number; readonly threads: Count };
type Result = { readonly pairs: Count; readonly differences: Count; readonly examples: ReadonlyMap<string, number> };

await main();

async function main(): Promise<void> {
  const options = optionsFrom(process.argv.slice(2));
  if (options === undefined) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const { pairs, differences, examples } = await run(options);
  for (const [what, number] of [...examples].slice(0, SHOWN_MAX)) {
    process.stdout.write(`${await explained(options.seed, number, what)}\n`);
  }
  process.stdout.write(`${pairs} pairs, ${differences} differences, seed ${options.seed}\n`);
  process.exitCode = differences === 0 ? 0 : 1;
}

function optionsFrom(words: readonly string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { seed: { type: 'string' }, threads: { type: 'string' } },
      allowPositionals: true,
    });
    const pairs = wholeFrom(positionals[0]);
    const seed = values.seed === undefined ? randomInt(2 ** 31) : wholeFrom(values.seed);
    const threads = values.threads === undefined ? availableParallelism() : wholeFrom(values.threads);
    const isWell = positionals.length === 1 && pairs > 0 && threads > 0 && seed < 2 ** 32;
    return isWell ? { pairs, seed, threads } : undefined;
  } catch {
    return undefined;
  }
}

/** NaN, which compares with nothing, unless it is written in digits only: `Number` takes an empty text for 0. */
function wholeFrom(text = ''): number {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
}

/** Hands out the cases by number to whoever is free. */
async function run({ pairs, seed, threads }: Options): Promise<Result> {
  const cases = Math.ceil(pairs / PAIRS_PER_CASE);
  const examples = new Map<string, number>();
  let next = 0;
  let done: Count = 0;
  let express: Count = 0;
  let completions: Count = 0;
  let expressCompletions: Count = 0;
  let differences: Count = 0;
  const began = performance.now();
  const progress = setInterval(() => {
    const perSecond = Math.round((1000 * done) / (performance.now() - began));
    process.stderr.write(`${done} pairs, ${differences} differences, ${perSecond} pairs/s\n`);
  }, PROGRESS_INTERVAL);
  const take = (played: Played): void => {
    done += played.pairs;
    express += played.express;
    completions += played.completions;
    expressCompletions += played.expressCompletions;
    differences += played.differences.length;
    for (const { kind, title } of played.differences) {
      const what = `${kind}: ${title}`;
      examples.set(what, Math.min(played.number, examples.get(what) ?? Infinity));
    }
  };
  const orders = function* (): Generator<Order> {
    while (next < cases) {
      const number = next++;
      yield { seed, number, pairsMax: Math.min(PAIRS_PER_CASE, pairs - number * PAIRS_PER_CASE) };
    }
  };
  const open = orders();
  try {
    await Promise.all(Array.from({ length: Math.min(threads, cases) }, () => playAll(open, take)));
  } finally {
    clearInterval(progress);
  }
  // Zero differences in what was not looked at would be no news.
  if (done !== pairs) throw new Error(`${done} pairs were played, not ${pairs}: a thread ended early`);
  if (express === 0 && pairs >= PAIRS_PER_CASE) throw new Error('no reply came from the express lane');
  if (completions === 0 && cases > 1) throw new Error('no question was completed');
  if (expressCompletions === 0 && cases > 1) throw new Error('no completed reply came from the express lane');
  process.stderr.write(
    `${express} replies from the express lane, ${completions} completed, ${expressCompletions} from the express lane\n`,
  );
  return { pairs: done, differences, examples };
}

/** One thread, from its start to the last order. */
function playAll(orders: Iterator<Order>, take: (played: Played) => void): Promise<void> {
  const worker = new Worker(new URL('player.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', () => resolve());
    worker.on('message', (played: Played | 'ready') => {
      if (played !== 'ready') take(played);
      const order = orders.next();
      worker.postMessage(order.done === true ? undefined : order.value);
    });
  });
}

/** The case once more, made small. */
async function explained(seed: number, number: number, what: string): Promise<string> {
  const subject = await Fivedots.start();
  try {
    const played = caseOf(seed, number);
    const { differences } = await play(subject, played);
    const difference = differences.find(({ kind, title }) => `${kind}: ${title}` === what);
    if (difference === undefined) return `${what}\n# case ${number} of seed ${seed} did not show it a second time\n`;
    process.stderr.write(`making case ${number} small\n`);
    const found = await shrink(subject, { played, difference });
    return report(found, subject.corefile(found.played.setting), `case ${number} of seed ${seed}`);
  } finally {
    await subject.close();
  }
}
