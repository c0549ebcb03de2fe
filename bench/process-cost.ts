/** What processes have cost so far, as Linux counts it (proc(5)). Knows nothing of what they do. */

import { readdirSync, readFileSync } from 'node:fs';

import type { Bytes } from '../zones/units.ts';

export type Microseconds = number;

/** User and system time of all its threads, those that ended included. */
export function cpuTimeOf(pid: number): Microseconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may hold anything; utime and stime are the 12th and 13th fields behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** The process and all that it started and they started, as they are now. */
export function processesOf(pid: number): readonly number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name): [number, number] => [Number(name), parentOf(name)]);
  const found = [pid];
  for (const parent of found) found.push(...parents.flatMap(([child, of]) => (of === parent ? [child] : [])));
  return found;
}

/** 0 if there is no such process any more. */
function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

/** What its threads have run so far, without those that ended: finer than `cpuTimeOf`, for what costs little. */
export function threadTimeOf(pid: number): Microseconds {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
    return sum + Number(nanoseconds) / 1000;
  }, 0);
}

/** Resident memory, pages shared with other processes included. */
export function residentMemoryOf(pid: number): Bytes {
  return statusOf(pid, 'VmRSS');
}

/** Resident memory of them together: pages that several of them share count once. */
export function residentMemoryOfAll(pids: readonly number[]): Bytes {
  const [only, ...others] = pids;
  if (only !== undefined && others.length === 0) return residentMemoryOf(only);
  return pids.reduce((sum, pid) => {
    const shares = /^Pss:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return sum + Number(shares) * 1024;
  }, 0);
}

/** The most that its resident memory has ever been. */
export function peakMemoryOf(pid: number): Bytes {
  return statusOf(pid, 'VmHWM');
}

function statusOf(pid: number, field: string): Bytes {
  const found = new RegExp(`^${field}:\\s+([0-9]+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(found?.[1]) * 1024;
}

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICK: Microseconds = 10_000;
