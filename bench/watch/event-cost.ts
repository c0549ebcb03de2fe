/** CPU time that one event costs, in clusters of several sizes. Knows nothing of how a server is started. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { median, presentRatio, presentTable, thousands } from '../figures.ts';
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
type Cost = { readonly kind: ChurnKind; readonly title: string; readonly perEvent: Microseconds[] };

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
          const perEvent = await costOf(subject, cost.kind, duration);
          // The first round is for the just-in-time compilers.
          if (round >= 0) cost.perEvent.push(perEvent);
        }
      }
    }
    const rows = costs.flatMap((ofOne, i) => ofOne.map((cost) => rowOf(cost, shapes[i], costs[0] ?? [])));
    const head = `${RATE} events/s, no queries, ${rounds} rounds of ${thousands((RATE * duration) / 1000)} events in each row`;
    return `${head}\n${presentTable([HEAD, ...rows])}`;
  });
}

/** Events a second. */
const RATE = 400;
/** For what a start or the churn before has left to do. */
const SETTLE: Milliseconds = 300;
const HEAD = ['cluster', 'server', 'an endpoint of', 'CPU/event (range)', '× smallest cluster'];

function kindsOf(shape: Shape | undefined): readonly Cost[] {
  const giant = shape?.giant ?? 0;
  return [
    { kind: 'small', title: 'a slice of 3', perEvent: [] },
    { kind: 'full', title: 'a slice of 100', perEvent: [] },
    ...(giant === 0 ? [] : [{ kind: 'giant' as const, title: `${thousands(giant)} in slices of 100`, perEvent: [] }]),
  ];
}

async function costOf({ pid, api }: Subject, kind: ChurnKind, duration: Milliseconds): Promise<Microseconds> {
  await pause(SETTLE);
  const before = threadTimeOf(pid);
  const { written } = await api.call('churn', kind, RATE, (RATE * duration) / 1000);
  await pause(SETTLE);
  return (threadTimeOf(pid) - before) / written;
}

function rowOf(
  { title, kind, perEvent }: Cost,
  shape: Shape | undefined,
  smallest: readonly Cost[],
): readonly string[] {
  // An endpoint of the giant is one of a slice of 100.
  const base = smallest.find((other) => other.kind === (kind === 'giant' ? 'full' : kind))?.perEvent ?? [];
  const range = `${thousands(Math.min(...perEvent))}–${thousands(Math.max(...perEvent))}`;
  const cost = `${thousands(median(perEvent))} µs (${range})`;
  return [`${thousands(shape?.endpoints ?? 0)} endpoints`, 'fivedots', title, cost, presentRatio(perEvent, base)];
}
