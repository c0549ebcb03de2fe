/** What the probe in the data thread wrote about its heap. Knows nothing of what was asked of it meanwhile. */

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';

export type HeapSample = {
  /** All that the heap has ever been asked for. */
  readonly allocated: Bytes;
  readonly used: Bytes;
  /** Collections so far, forced ones too; `full` ones are not of the young generation alone. */
  readonly collections: Count;
  readonly full: Count;
  /** The longest since the sample before. */
  readonly longest: Milliseconds;
};

/** Names the file that the probe writes. */
export const HEAP_FILE_VARIABLE = 'FIVEDOTS_BENCH_HEAP';

/** With these in its environment a server writes its samples to `file`. */
export function heapProbeVariables(file: string): Readonly<Record<string, string>> {
  const probe = new URL('./heap-probe.ts', import.meta.url).href;
  return { [HEAP_FILE_VARIABLE]: file, NODE_OPTIONS: `--import=${probe}` };
}

export async function heapSamplesOf(file: string): Promise<readonly HeapSample[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as HeapSample); // the probe wrote it
}

/** How many samples there are once there are two more than now: the last one is of a quiet moment if it is quiet now. */
export async function quietSample(file: string): Promise<Count> {
  const wanted = (await heapSamplesOf(file)).length + 2;
  for (;;) {
    const { length } = await heapSamplesOf(file);
    if (length >= wanted) return length;
    await pause(POLL);
  }
}

const POLL: Milliseconds = 50;
