/**
 * Counters of all data threads that ever ran, as one: what a thread counted stays when the thread has ended, so no series
 * goes backwards. Knows nothing of how metrics are printed.
 */

import type { Count } from '../../zones/units.ts';
import { COUNTER_SLOTS, OVERFLOW_SLOT, type Labels, type Series } from '../counters.ts';

/** One series with what it holds now: one value, or a histogram's buckets, +Inf and sum (counters.ts). */
export type Sample = {
  readonly metric: string;
  readonly type: Series['type'];
  readonly labels: Labels;
  readonly bounds: readonly number[];
  readonly values: readonly number[];
};

/** The counters of one data thread while it runs. */
export type ThreadSeries = {
  /** The thread has begun to count this. */
  readonly announce: (series: Series) => void;
  /** The thread has ended: its counters are kept, its gauges forgotten. */
  readonly retire: () => void;
};

/** Series kept for ended threads: four times what one thread can have. A thread's own memory bounds the living ones. */
const ENDED_SERIES_MAX: Count = 4 * COUNTER_SLOTS;

export class SeriesBook {
  readonly #living = new Set<{ readonly slots: Float64Array; readonly series: Map<string, Series> }>();
  readonly #ended = new Map<string, Sample>();
  #overflow: Count = 0;

  /** Begins to read the counters of a thread. */
  attach(memory: SharedArrayBuffer): ThreadSeries {
    const thread = { slots: new Float64Array(memory), series: new Map<string, Series>() };
    this.#living.add(thread);
    return {
      announce: (series) => void thread.series.set(keyOf(series), series),
      retire: () => {
        if (!this.#living.delete(thread)) return;
        this.#overflow += thread.slots[OVERFLOW_SLOT] ?? 0;
        for (const [key, series] of thread.series) {
          if (series.type !== 'gauge') this.#keep(key, sampleOf(series, thread.slots));
        }
      },
    };
  }

  /** Every series once. */
  samples(): Sample[] {
    const sums = new Map(this.#ended);
    for (const { slots, series } of this.#living) {
      for (const [key, one] of series) {
        const sample = sampleOf(one, slots);
        const known = sums.get(key);
        sums.set(key, known === undefined ? sample : sumOf(known, sample));
      }
    }
    return [...sums.values()];
  }

  /** How often something was counted nowhere, for want of room. */
  get overflow(): Count {
    let overflow = this.#overflow;
    for (const { slots } of this.#living) overflow += slots[OVERFLOW_SLOT] ?? 0;
    return overflow;
  }

  #keep(key: string, sample: Sample): void {
    const known = this.#ended.get(key);
    if (known === undefined && this.#ended.size >= ENDED_SERIES_MAX) this.#overflow++;
    else this.#ended.set(key, known === undefined ? sample : sumOf(known, sample));
  }
}

/** Bounds are part of the key: histograms of different shape cannot be added up. */
function keyOf(series: Series): string {
  const labels = Object.entries(series.labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([series.metric, series.type, labels, series.bounds ?? []]);
}

function sampleOf(series: Series, slots: Float64Array): Sample {
  const bounds = series.bounds ?? [];
  const size = series.type === 'histogram' ? bounds.length + 2 : 1;
  const values = Array.from(slots.subarray(series.slot, series.slot + size));
  return { metric: series.metric, type: series.type, labels: series.labels, bounds, values };
}

function sumOf(a: Sample, b: Sample): Sample {
  return { ...a, values: a.values.map((value, i) => value + (b.values[i] ?? 0)) };
}
