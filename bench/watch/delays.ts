/** What the probe in the data thread wrote. Knows nothing of what delayed it. */

import { readFile } from 'node:fs/promises';

import type { Milliseconds } from '../../zones/units.ts';

/** A timer that came late: its end, by how much, and how long the thread ran since the timer before. */
export type Delay = { readonly at: Milliseconds; readonly late: Milliseconds; readonly busy: Milliseconds };

/** Names the file that the probe writes. */
export const DELAY_FILE_VARIABLE = 'FIVEDOTS_BENCH_DELAYS';

/** With these in its environment a server writes its delays to `file`. */
export function probeVariables(file: string): Readonly<Record<string, string>> {
  const probe = new URL('./delay-probe.ts', import.meta.url).href;
  return { [DELAY_FILE_VARIABLE]: file, NODE_OPTIONS: `--import=${probe}` };
}

/** Those that ended between two moments of `sharedNow`, in their order. */
export async function delaysBetween(file: string, from: Milliseconds, to: Milliseconds): Promise<readonly Delay[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Delay).filter(({ at }) => at >= from && at <= to); // the probe wrote it
}
