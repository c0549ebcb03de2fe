/** The clock, the timers and the chance that a source lives by, so that tests can put their own in. Knows no source. */

import { randomInt } from 'node:crypto';
import { performance } from 'node:perf_hooks';

import type { Milliseconds } from '../../units.ts';

export type Time = {
  /** Monotonic. */
  readonly now: () => Milliseconds;
  /** Runs `run` once after `delay`; what it returns cancels that. For deadlines. */
  readonly after: (delay: Milliseconds, run: () => void) => () => void;
  /** Waits; an abort ends the wait early and is no error. For pauses between attempts. */
  readonly sleep: (delay: Milliseconds, signal: AbortSignal) => Promise<void>;
  /** Evenly distributed, 0 included, 1 not. */
  readonly random: () => number;
};

export const SYSTEM_TIME: Time = {
  now: () => performance.now(),
  after(delay, run) {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
  sleep(delay, signal) {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, delay);
      signal.addEventListener('abort', finish);
    });
  },
  random: () => randomInt(RANDOM_STEPS) / RANDOM_STEPS,
};

/** Lets everything else that waits for the event loop go first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Steps of `random`: the largest power of two that randomInt takes. */
const RANDOM_STEPS = 2 ** 47;
