/**
 * Counters and histograms of one data thread, in memory that the control thread reads at scrape time: a scrape never
 * waits for a packet, nor a packet for a scrape. Knows nothing of Prometheus' text format.
 */

import type { Count } from '../zones/units.ts';

/** Label names to values. */
export type Labels = Readonly<Record<string, string>>;

/** A series and the slots that hold it: one for a counter or gauge, `bounds.length + 2` for a histogram. */
export type Series = {
  readonly metric: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: Labels;
  readonly slot: number;
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly bounds: readonly number[] | undefined;
};

export type Counter = { add(amount?: number): void };
export type Gauge = { set(value: number): void };
export type Histogram = { observe(value: number): void };

/** Slots in the shared array of one thread: 256 KiB of float64, enough for about 30,000 series. */
export const COUNTER_SLOTS: Count = 32_768;

/** CoreDNS's buckets for durations, in seconds: 0.00025 doubled fifteen times, up to 8.192. */
export const TIME_BUCKETS: readonly number[] = Array.from({ length: 16 }, (_, k) => 0.00025 * 2 ** k);

/** Slot 0 beats (heartbeat), slot 1 counts what was to be counted in series that found no room. */
export const HEARTBEAT_SLOT = 0;
export const OVERFLOW_SLOT = 1;
const FIRST_SLOT = 2;

/**
 * Hands out series. Asking twice for one metric with the same labels gives the same series, so a reload goes on counting
 * where the old plan stopped. When the slots are used up a series counts nowhere but in `OVERFLOW_SLOT`.
 */
export class Counters {
  readonly #slots: Float64Array;
  readonly #announce: (series: Series) => void;
  readonly #known = new Map<string, Series>();
  #next = FIRST_SLOT;

  constructor(memory: SharedArrayBuffer, announce: (series: Series) => void) {
    this.#slots = new Float64Array(memory);
    this.#announce = announce;
  }

  counter(metric: string, labels: Labels = {}): Counter {
    const slot = this.#slotOf({ metric, type: 'counter', labels, bounds: undefined }, 1);
    const slots = this.#slots;
    return { add: (amount = 1) => void (slots[slot] = (slots[slot] ?? 0) + amount) };
  }

  gauge(metric: string, labels: Labels = {}): Gauge {
    const slot = this.#slotOf({ metric, type: 'gauge', labels, bounds: undefined }, 1);
    const slots = this.#slots;
    if (slot === OVERFLOW_SLOT) return { set: () => void (slots[slot] = (slots[slot] ?? 0) + 1) };
    return { set: (value) => void (slots[slot] = value) };
  }

  /** Slots: one per bound, then +Inf, then the sum. Each bucket holds its own observations only. */
  histogram(metric: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    const slot = this.#slotOf({ metric, type: 'histogram', labels, bounds }, bounds.length + 2);
    const slots = this.#slots;
    const count = bounds.length;
    if (slot === OVERFLOW_SLOT) return { observe: () => void (slots[slot] = (slots[slot] ?? 0) + 1) };
    return {
      observe(value) {
        let bucket = 0;
        while (bucket < count && value > (bounds[bucket] ?? Infinity)) bucket++;
        slots[slot + bucket] = (slots[slot + bucket] ?? 0) + 1;
        slots[slot + count + 1] = (slots[slot + count + 1] ?? 0) + value;
      },
    };
  }

  #slotOf(wanted: Omit<Series, 'slot'>, size: number): number {
    const key = `${wanted.metric}\0${JSON.stringify(Object.entries(wanted.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known.slot;
    if (this.#next + size > this.#slots.length) return OVERFLOW_SLOT;
    const series: Series = { ...wanted, slot: this.#next };
    this.#next += size;
    this.#known.set(key, series);
    this.#announce(series);
    return series.slot;
  }
}
