/** What a process has cost so far, as Linux counts it (proc(5)). Knows nothing of what the process does. */

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
