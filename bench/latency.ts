/** Latency at half of what the slower server can answer, the same rate for all. Knows nothing of how a server is started. */

import type { Count } from '../zones/units.ts';
import { checked } from './answers.ts';
import { inTurns, note, type Bench } from './bench.ts';
import type { Contender } from './contenders.ts';
import { median, presentTable, thousands, type Rounds } from './figures.ts';
import { fivedots } from './fivedots.ts';
import type { Goals } from './goals.ts';
import type { Measurement } from './job.ts';
import { figureOf } from './rounds.ts';
import { withServer } from './trial.ts';
import { milliseconds } from './watch/spread.ts';
import { WORKLOADS } from './workloads.ts';

/**
 * Share of the queries that may stay without a reply: nothing waits for replies, so where a machine stalls for some milliseconds they are lost from
 * a full receive buffer. They are in the table, and in the latencies as two seconds.
 */
const MISSING_MAX = 0.25;
const WORKLOAD = 'cluster';
/** fivedots is compared with it. */
const PEER = 'Knot';

/** `known` may have the peak rates already. */
export async function presentLatency(bench: Bench, known: readonly Rounds[], goals: Goals): Promise<string> {
  if (bench.native === undefined) return 'latency: left out, for without a C compiler nobody asks at a rate';
  const contenders = [fivedots, ...bench.peers.filter(({ name }) => name === PEER)];
  const peaks: number[] = [];
  for (const contender of contenders) peaks.push(await peakOf(contender, bench, known));
  const rate = Math.floor(Math.min(...peaks) / 2);
  const found = await inTurns(contenders, bench.rounds, async (contender, round) => {
    const { latency, tally } = await calmest(() => measured(contender, bench, rate), contender.name);
    note(
      `latency, round ${round + 1}: ${contender.name} p99 ${milliseconds(latency.p99)}, p99.9 ${milliseconds(latency.p999)}`,
    );
    return { ...latency, missing: tally.missing };
  });
  const head = ['latency', 'server', 'p50', 'p99', 'p99.9', 'max', 'missing'];
  const rows = Array.from(found, ([{ name }, rounds]) => {
    const middle = (field: keyof (typeof rounds)[number]): number => median(rounds.map((round) => round[field]));
    const spread = (['p50', 'p99', 'p999', 'max'] as const).map((field) => milliseconds(middle(field)));
    return [`${thousands(rate)}/s`, name, ...spread, thousands(middle('missing'))];
  });
  const [own, others] = contenders.map((contender) => found.get(contender));
  for (const [figure, field] of [
    ['p99', 'p99'],
    ['p99.9', 'p999'],
  ] as const) {
    const ratios = own?.map((round, i) => round[field] / (others?.[i]?.[field] ?? NaN)) ?? [];
    goals.set(`${figure} at half of the peak`, median(ratios));
  }
  return presentTable([head, ...rows]);
}

async function peakOf(contender: Contender, bench: Bench, known: readonly Rounds[]): Promise<number> {
  const rounds = known.find(({ workload, server }) => workload === WORKLOAD && server === contender.name);
  if (rounds !== undefined) return median(rounds.figures.map(({ answersPerSecond }) => answersPerSecond));
  return figureOf(checked(await measured(contender, bench), contender.name)).answersPerSecond;
}

async function measured(contender: Contender, bench: Bench, rate: Count = 0): Promise<Measurement> {
  const workload = WORKLOADS.get(WORKLOAD)?.(bench.names);
  if (workload === undefined) throw new Error(`no workload ${WORKLOAD}`);
  return withServer(contender, bench, workload, ({ measure }) => measure(workload.questions, { ...bench.load, rate }));
}

/** The first try without a stall of the machine, else the one that lost least. */
async function calmest(measure: () => Promise<Measurement>, server: string): Promise<Measurement> {
  const tries: Measurement[] = [];
  while (tries.length < TRIES_MAX) {
    const one = checked(await measure(), server, MISSING_MAX);
    if (one.tally.missing <= CALM_MAX * one.tally.asked) return one;
    note(`latency: ${server} lost ${one.tally.missing} of ${one.tally.asked}; once more`);
    tries.push(one);
  }
  return tries.reduce((best, one) => (one.tally.missing < best.tally.missing ? one : best));
}

const TRIES_MAX: Count = 3;
const CALM_MAX = 0.001;
