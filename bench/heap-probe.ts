/**
 * Loaded into fivedots' process before it starts (`--import`): in the data thread, a line in a file every now and then with what its heap has been
 * asked for so far and what its collections took.
 */

import { appendFileSync } from 'node:fs';
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import { HEAP_FILE_VARIABLE, type HeapSample } from './heap-samples.ts';

const INTERVAL: Milliseconds = 250;

const file = process.env[HEAP_FILE_VARIABLE];
if (!isMainThread && file !== undefined) observe(file);

function observe(path: string): void {
  let collections: Count = 0;
  let full: Count = 0;
  let pauses: Milliseconds[] = [];
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries() as Collection[]) {
      collections++;
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) full++;
      pauses.push(duration);
    }
  }).observe({ entryTypes: ['gc'] });
  setInterval(() => {
    const { total_allocated_bytes: allocated, used_heap_size: used } = getHeapStatistics() as Statistics;
    const sample: HeapSample = { allocated, used, collections, full, longest: Math.max(0, ...pauses) };
    pauses = [];
    appendFileSync(path, `${JSON.stringify(sample)}\n`);
  }, INTERVAL).unref();
}

/** What entries of the type `gc` have besides. */
type Collection = PerformanceEntry & { readonly detail: { readonly kind: number } };

/** Node 26 has it, its types do not know it yet. */
type Statistics = ReturnType<typeof getHeapStatistics> & { readonly total_allocated_bytes: Bytes };
