/** What fivedots is meant to cost, beside what a run has found. Knows nothing of how it was measured. */

import { median, presentTable, ratiosOf, type Rounds } from './figures.ts';

/** What was found, by the name of the figure. */
export type Goals = Map<FigureName, number>;

type FigureName =
  | 'CPU, cluster, against Knot'
  | 'CPU, cluster, against the floor'
  | 'CPU, mixed, against Knot'
  | 'CPU, cached, against Unbound'
  | 'CPU, --udp dgram against batches'
  | 'CPU, --no-express against express'
  | 'p99 at half of the peak'
  | 'p99.9 at half of the peak'
  | 'growth'
  | 'two threads, CPU'
  | 'two threads, answers'
  | 'allocation'
  | 'longest collection'
  | 'memory, idle'
  | 'memory, under load';

/** At most that much; undefined: only reported. */
type Figure = { readonly name: FigureName; readonly most?: number; readonly unit?: string };

const FIGURES: readonly Figure[] = [
  { name: 'CPU, cluster, against Knot', most: 1.15 },
  { name: 'CPU, cluster, against the floor' },
  { name: 'CPU, mixed, against Knot', most: 1.3 },
  { name: 'CPU, cached, against Unbound', most: 1.15 },
  { name: 'CPU, --udp dgram against batches' },
  { name: 'CPU, --no-express against express' },
  { name: 'p99 at half of the peak', most: 1.5 },
  { name: 'p99.9 at half of the peak', most: 1.5 },
  { name: 'growth', most: 1.1 },
  { name: 'two threads, CPU', most: 1.1 },
  { name: 'two threads, answers' },
  { name: 'allocation', unit: 'B/query' },
  { name: 'longest collection', unit: 'ms' },
  { name: 'memory, idle', unit: 'MiB' },
  { name: 'memory, under load', unit: 'MiB' },
];

/** Those that compare two servers under one workload. */
const RATIOS: readonly (readonly [FigureName, workload: string, server: string, other: string])[] = [
  ['CPU, cluster, against Knot', 'cluster', 'fivedots', 'Knot'],
  ['CPU, cluster, against the floor', 'cluster', 'fivedots', 'floor'],
  ['CPU, mixed, against Knot', 'mixed', 'fivedots', 'Knot'],
  ['CPU, cached, against Unbound', 'cached', 'fivedots', 'Unbound'],
  ['CPU, --udp dgram against batches', 'cluster', 'fivedots --udp dgram', 'fivedots'],
  ['CPU, --no-express against express', 'cluster', 'fivedots --no-express', 'fivedots'],
];

export function setRatios(goals: Goals, all: readonly Rounds[]): void {
  for (const [name, workload, server, other] of RATIOS) {
    const ratios = ratiosOf(all, workload, server, other);
    if (ratios.length > 0) goals.set(name, median(ratios));
  }
}

/** A row for each figure that was found; empty if there is none. */
export function presentGoals(goals: Goals): string {
  const rows = FIGURES.flatMap(({ name, most, unit }) => {
    const value = goals.get(name);
    if (value === undefined || Number.isNaN(value)) return [];
    const verdict = most === undefined ? '' : value <= most ? 'reached' : 'missed';
    return [[name, verdict, value.toFixed(unit === 'MiB' ? 0 : 2), most === undefined ? (unit ?? '') : `≤ ${most}`]];
  });
  return rows.length === 0 ? '' : presentTable([['figure', '', 'found', 'goal or unit'], ...rows]);
}
