/** `npm run bench`: the words of its command line, and what is measured when. */

import { MEASUREMENTS, NDOTS, optionsFrom, USAGE, WATCH, type Options } from './arguments.ts';
import { presentAllocation } from './allocation.ts';
import type { Bench } from './bench.ts';
import { presentRounds, thousands, type Rounds } from './figures.ts';
import { withCompileCache } from './fivedots.ts';
import { presentGoals, setRatios, type Goals } from './goals.ts';
import { presentGrowth } from './growth.ts';
import { SOCKETS, WINDOW } from './job.ts';
import { presentLatency } from './latency.ts';
import { presentMemory } from './memory.ts';
import { withNative } from './native.ts';
import { ndots } from './ndots/command.ts';
import { chooseCores } from './processes.ts';
import { measureWorkload } from './rounds.ts';
import { presentThreads } from './threads.ts';
import { startUpstream } from './upstream.ts';
import { watch } from './watch/command.ts';
import { WORKLOADS } from './workloads.ts';

/** Benches of their own, by the first word. */
const OWN: ReadonlyMap<string, (words: readonly string[]) => Promise<number>> = new Map([
  [WATCH, watch],
  [NDOTS, ndots],
]);

await main();

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const words = process.argv.slice(2);
  try {
    const own = OWN.get(words[0] ?? '');
    process.exitCode = own === undefined ? await bench(words) : await own(words.slice(1));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** The exit code. */
async function bench(words: readonly string[]): Promise<number> {
  if (words.includes('--help')) {
    say(USAGE);
    return 0;
  }
  const options = optionsFrom(words);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${USAGE}`);
    return 2;
  }
  await withBench(options, (all) => run(all, options.wanted));
  return 0;
}

async function withBench(options: Options, use: (bench: Bench) => Promise<void>): Promise<void> {
  const cores = chooseCores();
  await withNative((native) =>
    withCompileCache(async (compileCache) => {
      const upstream = await startUpstream(native, cores?.generator);
      try {
        await use({ ...options, upstreamPort: upstream.port, compileCache, cores, native });
      } finally {
        await upstream.close();
      }
    }),
  );
}

async function run(bench: Bench, wanted: readonly string[]): Promise<void> {
  say(surroundingsOf(bench));
  const goals: Goals = new Map();
  const all: Rounds[] = [];
  const leftOut: string[] = [];
  for (const name of WORKLOADS.keys()) {
    if (!wanted.includes(name)) continue;
    const found = await measureWorkload(name, bench);
    all.push(...found.rounds);
    leftOut.push(...found.leftOut);
  }
  const others = ['floor', ...bench.peers.map((peer) => peer.name)];
  if (all.length > 0) say(`${presentRounds(all, others)}\n`);
  if (leftOut.length > 0) say(`left out: ${leftOut.join('; ')}\n`);
  setRatios(goals, all);
  for (const name of MEASUREMENTS) {
    if (wanted.includes(name)) say(`${await measured(name, bench, all, goals)}\n`);
  }
  say(presentGoals(goals));
}

async function measured(
  name: (typeof MEASUREMENTS)[number],
  bench: Bench,
  all: readonly Rounds[],
  goals: Goals,
): Promise<string> {
  switch (name) {
    case 'latency':
      return presentLatency(bench, all, goals);
    case 'threads':
      return presentThreads(bench, goals);
    case 'growth':
      return presentGrowth(bench, goals);
    case 'allocation':
      return presentAllocation(bench, goals);
    case 'memory':
      return presentMemory(bench, goals);
  }
}

function surroundingsOf({ rounds, load, names, cores, native }: Bench): string {
  const where =
    cores === undefined
      ? 'server and generator share the cores (two cores and taskset would keep them apart)'
      : `server on core ${cores.server}, generator on core ${cores.generator}`;
  const who =
    native === undefined
      ? 'The generator is in JavaScript, for no C compiler works here: servers that read many queries at once seem dearer than they are'
      : `The generator is in C, compiled by ${native.compiler}`;
  return [
    `${rounds} rounds of ${load.duration / 1000} s, ${thousands(names)} names, ${WINDOW} queries on the way from ${SOCKETS} sockets`,
    `${who}; ${where}`,
    'Figures are ratios within this run\n',
  ].join('\n');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
