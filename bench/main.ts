/** `npm run bench`: the words of its command line, and which server is measured when. */

import type { Bytes } from '../zones/units.ts';
import { checked } from './answers.ts';
import { MEMORY, optionsFrom, USAGE, WATCH, type Options } from './arguments.ts';
import { SOCKETS, WINDOW } from './asker.ts';
import { fivedots, type Contender } from './contenders.ts';
import { presentRounds, presentTable, thousands, type Figure, type Rounds } from './figures.ts';
import { MEMORY_ENDPOINTS, memoryOf } from './memory.ts';
import { chooseCores, withServer, type Cores } from './trial.ts';
import { startUpstream } from './upstream.ts';
import { watch } from './watch/command.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

/** What stays the same in all trials. */
type Bench = Options & { readonly upstreamPort: number; readonly cores: Cores };

await main();

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const words = process.argv.slice(2);
  if (words[0] === WATCH) return watchAs(words.slice(1));
  if (words.includes('--help')) return say(USAGE);
  const options = optionsFrom(words);
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const upstream = await startUpstream();
  try {
    await run({ ...options, upstreamPort: upstream.port, cores: chooseCores() });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    upstream.close();
  }
}

async function watchAs(words: readonly string[]): Promise<void> {
  try {
    process.exitCode = await watch(words);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function run(bench: Bench): Promise<void> {
  const { rounds, load, cores, names, peers } = bench;
  const pinned =
    cores === undefined
      ? 'server and generator share the cores (two cores and taskset would keep them apart)'
      : `server on core ${cores.server}, generator on core ${cores.generator}`;
  say(
    `${rounds} rounds of ${load.duration / 1000} s, ${thousands(names)} names, ${WINDOW} queries on the way from ${SOCKETS} sockets`,
  );
  say(`${pinned}; figures are ratios within this run\n`);
  const loads = bench.workloads.filter((name) => name !== MEMORY);
  const measured: Rounds[] = [];
  for (const name of loads) measured.push(...(await roundsOf(name, bench)));
  const peerNames = peers.map((peer) => peer.name);
  if (measured.length > 0) say(`${presentRounds(measured, peerNames)}\n`);
  if (bench.workloads.includes(MEMORY)) say(await presentMemory(bench));
}

/** Every server once a round, in turn the first. */
async function roundsOf(workloadName: string, bench: Bench): Promise<readonly Rounds[]> {
  const workload = WORKLOADS.get(workloadName)?.(bench.names);
  if (workload === undefined) return [];
  const contenders = [fivedots, ...bench.peers].filter((contender) => contender.answers.has(workload.needs));
  const figures = new Map<Contender, Figure[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < bench.rounds; round++) {
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const figure = await figureOf(contender, workload, bench);
      figures.get(contender)?.push(figure);
      const text = `${figure.cpuPerQuery.toFixed(1)} µs, ${thousands(figure.answersPerSecond)} answers/s`;
      process.stderr.write(`${workloadName}, round ${round + 1}: ${contender.name} ${text}\n`);
    }
  }
  return Array.from(figures, ([contender, list]) => ({
    workload: workloadName,
    server: contender.name,
    figures: list,
  }));
}

async function figureOf(contender: Contender, workload: Workload, bench: Bench): Promise<Figure> {
  const { services, questions } = workload;
  const { answered, elapsed, cpuTime } = checked(
    await withServer(contender, services, bench.upstreamPort, bench.cores, ({ measure }) =>
      measure(questions, bench.load),
    ),
    contender.name,
  );
  return { cpuPerQuery: cpuTime / answered, answersPerSecond: (1000 * answered) / elapsed };
}

async function presentMemory({ names, load, upstreamPort, cores, peers }: Bench): Promise<string> {
  const full = `${thousands(names)} services, ${thousands(names * MEMORY_ENDPOINTS)} endpoints`;
  const rows = [['workload', 'server', 'empty cluster', full, 'after load']];
  for (const contender of [fivedots, ...peers.filter((peer) => peer.answers.has('zone'))]) {
    const memory = await memoryOf(contender, names, load, upstreamPort, cores);
    rows.push([MEMORY, contender.name, ...[memory.idle, memory.full, memory.loaded].map(mebibytes)]);
  }
  return presentTable(rows);
}

function mebibytes(bytes: Bytes): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
