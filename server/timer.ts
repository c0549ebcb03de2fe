/** Timers in the data thread: how long one can run, and how one is started and called off. Knows nothing of what is waited for. */

import type { Milliseconds } from '../zones/units.ts';

/** 24 days: Node fires a timer at once whose delay is more than 2^31-1 ms. */
export const TIMER_MAX: Milliseconds = 24 * 24 * 3_600_000;

/** Runs once after the delay; the function that comes back calls it off. */
export type Schedule = (delay: Milliseconds, run: () => void) => () => void;

/** By the machine's clock; a timer does not keep the process alive. */
export const systemSchedule: Schedule = (delay, run) => {
  const timer = setTimeout(run, delay);
  timer.unref();
  return () => clearTimeout(timer);
};
