/** Many values to the few that say how they are spread. */

import type { Milliseconds } from '../../zones/units.ts';

export type Spread = {
  readonly p50: Milliseconds;
  readonly p99: Milliseconds;
  readonly p999: Milliseconds;
  readonly max: Milliseconds;
};

export function spreadOf(values: readonly Milliseconds[]): Spread {
  const sorted = Float64Array.from(values).toSorted();
  const at = (share: number): Milliseconds => sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** `12.3 ms`. */
export function milliseconds(value: Milliseconds): string {
  return Number.isNaN(value) ? '–' : `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}
