/** CPU time that one event costs, in clusters of several sizes. Knows nothing of how a server is started. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { presentTable, thousands } from '../figures.ts';
import { threadTimeOf, type Microseconds } from '../process-cost.ts';
import type { ChurnKind } from './churn.ts';
import type { Shape } from './cluster.ts';
import { withSubjects, type Bench, type Subject } from './subject.ts';

export type EventCostSettings = {
  /** Smallest first; the last one has a giant service. */
  readonly shapes: readonly Shape[];
  readonly rounds: Count;
  readonly duration: Milliseconds;
};

/** What the events of one kind have cost in one cluster. */
type Cost = { readonly kind: ChurnKind; readonly title: string; cpuTime: Microseconds; events: Count };

/** All clusters are there at once and have their turn in every round, so that what disturbs the machine disturbs them alike. */
export async function presentEventCost(bench: Bench, { shapes, rounds, duration }: EventCostSettings): Promise<string> {
  return withSubjects(bench, shapes, { pods: 'insecure' }, async (subjects) => {
    for (const { api, marker } of subjects) {
      await api.call('open');
      await marker.untilAll(0, 'insecure');
    }
    const costs = subjects.map((_, i) => kindsOf(shapes[i]));
    for (let round = -1; round < rounds; round++) {
      for (const [i, subject] of subjects.entries()) {
        for (const cost of costs[i] ?? []) {
          const { cpuTime, events } = await costOf(subject, cost.kind, duration);
          // The first round is for the just-in-time compilers.
          if (round < 0) continue;
          cost.cpuTime += cpuTime;
          cost.events += events;
        }
      }
    }
    const rows = costs.flatMap((ofOne, i) => ofOne.map((cost) => rowOf(cost, shapes[i], costs[0] ?? [])));
    return `${RATE} events/s, no queries; × smallest: of what the same event costs in the smallest cluster\n${presentTable([HEAD, ...rows])}`;
  });
}

/** Events a second. */
const RATE = 400;
/** For what a start or the churn before has left to do. */
const SETTLE: Milliseconds = 300;
const HEAD = ['cluster', 'server', 'an endpoint of', 'events', 'CPU/event', '× smallest'];

function kindsOf(shape: Shape | undefined): readonly Cost[] {
  const none = { cpuTime: 0, events: 0 };
  return [
    { kind: 'small', title: 'a slice of 3', ...none },
    { kind: 'full', title: 'a slice of 100', ...none },
    ...(shape === undefined || shape.giant === 0
      ? []
      : [{ kind: 'giant' as const, title: `${thousands(shape.giant)} in slices of 100`, ...none }]),
  ];
}

async function costOf(
  { pid, api }: Subject,
  kind: ChurnKind,
  duration: Milliseconds,
): Promise<Pick<Cost, 'cpuTime' | 'events'>> {
  await pause(SETTLE);
  const before = threadTimeOf(pid);
  const { written } = await api.call('churn', kind, RATE, (RATE * duration) / 1000);
  await pause(SETTLE);
  return { cpuTime: threadTimeOf(pid) - before, events: written };
}

function rowOf(cost: Cost, shape: Shape | undefined, smallest: readonly Cost[]): readonly string[] {
  const { title, cpuTime, events, kind } = cost;
  // An endpoint of the giant is one of a slice of 100.
  const base = smallest.find((other) => other.kind === (kind === 'giant' ? 'full' : kind));
  const ratio = base === undefined ? NaN : cpuTime / events / (base.cpuTime / base.events);
  const size = `${thousands(shape?.endpoints ?? 0)} endpoints`;
  return [size, 'fivedots', title, thousands(events), `${thousands(cpuTime / events)} µs`, ratio.toFixed(2)];
}
