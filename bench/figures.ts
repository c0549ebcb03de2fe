/** Rounds of measurements to medians, ratios and a table. Knows nothing of how they were measured. */

import type { Count } from '../zones/units.ts';
import type { Microseconds } from './process-cost.ts';

/** One server in one round. */
export type Figure = { readonly cpuPerQuery: Microseconds; readonly answersPerSecond: number };

/** The rounds of one server under one workload, in their order. */
export type Rounds = { readonly workload: string; readonly server: string; readonly figures: readonly Figure[] };

/**
 * A row for each server and workload. A ratio is the median of the rounds' own ratios: what disturbs the machine for longer than a
 * round disturbs both sides. `busy` is the share of the time that the server ran: one that waits for queries finds few of them at once.
 */
export function presentRounds(all: readonly Rounds[], peers: readonly string[]): string {
  const present = peers.filter((peer) => all.some(({ server }) => server === peer));
  const head = [
    'workload',
    'server',
    'CPU/query (range)',
    'answers/s',
    'busy',
    ...present.map((peer) => `CPU × ${peer}`),
  ];
  const rows = all.map(({ workload, server, figures }) => {
    const costs = figures.map((figure) => figure.cpuPerQuery);
    const range = `${Math.min(...costs).toFixed(2)}–${Math.max(...costs).toFixed(2)}`;
    const ratios = present.map((peer) => {
      const found = ratiosOf(all, workload, server, peer);
      return found.length === 0 ? '' : median(found).toFixed(2);
    });
    const rate = median(figures.map((figure) => figure.answersPerSecond));
    const busy = median(figures.map(({ cpuPerQuery, answersPerSecond }) => cpuPerQuery * answersPerSecond)) / 1e6;
    const cost = `${median(costs).toFixed(2)} µs (${range})`;
    return [workload, server, cost, thousands(rate), `${(100 * busy).toFixed(0)} %`, ...ratios];
  });
  return presentTable([head, ...rows]);
}

/** CPU time of one server against another's under one workload, round by round; empty if one of them was not measured. */
export function ratiosOf(all: readonly Rounds[], workload: string, server: string, other: string): readonly number[] {
  const [own, others] = [server, other].map(
    (name) => all.find((rounds) => rounds.workload === workload && rounds.server === name)?.figures,
  );
  if (own === undefined || others === undefined) return [];
  return own.map(({ cpuPerQuery }, round) => cpuPerQuery / (others[round]?.cpuPerQuery ?? NaN));
}

/** Columns as wide as they must be; the first two are words, the others numbers. */
export function presentTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
    )
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `12,345`. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** The middle one; of an even number of them the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle: Count = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The median of the rounds' own ratios. */
export function presentRatio(costs: readonly number[], others: readonly number[]): string {
  return median(costs.map((cost, round) => cost / (others[round] ?? NaN))).toFixed(2);
}
