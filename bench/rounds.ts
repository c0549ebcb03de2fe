/** Workloads in rounds: CPU time per query of each server that can answer them. Knows nothing of how a server is started. */

import { measuredRightly } from './answers.ts';
import { inTurns, note, type Bench } from './bench.ts';
import type { Contender } from './contenders.ts';
import { thousands, type Figure, type Rounds } from './figures.ts';
import { fivedots, inPlainLane, overDgram } from './fivedots.ts';
import type { Measurement } from './job.ts';
import { floorOf } from './peers.ts';
import { withServer } from './trial.ts';
import { WORKLOADS, type Workload } from './workloads.ts';

/** What was measured, and what was left out and why. */
export type Measured = { readonly rounds: readonly Rounds[]; readonly leftOut: readonly string[] };

export async function measureWorkload(name: string, bench: Bench): Promise<Measured> {
  const workload = WORKLOADS.get(name)?.(bench.names);
  if (workload === undefined) return { rounds: [], leftOut: [] };
  if (workload.transport === 'tcp' && bench.native === undefined)
    return { rounds: [], leftOut: [`${name}: without a C compiler nobody asks over TCP`] };
  const able = bench.peers.filter((peer) => workload.needs.every((ability) => peer.abilities.has(ability)));
  const unable = bench.peers.filter((peer) => !able.includes(peer)).map((peer) => peer.name);
  const figures = await inTurns(contendersFor(workload, able, bench), bench.rounds, async (contender, round) => {
    const figure = figureOf(await measured(contender, workload, bench));
    const told = `${figure.cpuPerQuery.toFixed(2)} µs, ${thousands(figure.answersPerSecond)} answers/s`;
    note(`${name}, round ${round + 1}: ${contender.name} ${told}`);
    return figure;
  });
  return {
    rounds: Array.from(figures, ([contender, list]) => ({ workload: name, server: contender.name, figures: list })),
    leftOut: unable.length === 0 ? [] : [`${name}: ${unable.join(', ')} cannot answer it`],
  };
}

export function figureOf({
  answered,
  elapsed,
  cpuTime,
}: Pick<Measurement, 'answered' | 'elapsed' | 'cpuTime'>): Figure {
  return { cpuPerQuery: cpuTime / answered, answersPerSecond: (1000 * answered) / elapsed };
}

function contendersFor(workload: Workload, peers: readonly Contender[], { native }: Bench): readonly Contender[] {
  if (!workload.comparesWays) return [fivedots, ...peers];
  const floor = native === undefined ? [] : [floorOf(native.floor)];
  return [fivedots, inPlainLane, overDgram, ...peers, ...floor];
}

async function measured(contender: Contender, workload: Workload, bench: Bench): Promise<Measurement> {
  const load = workload.transport === 'tcp' ? { ...bench.load, transport: workload.transport } : bench.load;
  const { questions, first } = workload;
  return withServer(contender, bench, workload, ({ measure }) =>
    measuredRightly(() => measure(questions, load, first), contender.name),
  );
}
