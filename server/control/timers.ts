/** Time as the control thread sees it, so that a test can turn the clock by hand. Knows nothing of what is waited for. */

import type { Milliseconds } from '../../zones/units.ts';

export type Timers = {
  /** Monotonic. */
  readonly now: () => Milliseconds;
  /** Since 1970: for what others wrote down. It may jump, so nothing is waited for by it. */
  readonly wall: () => Milliseconds;
  /** Runs once after the delay; the function that comes back calls it off. */
  readonly after: (delay: Milliseconds, run: () => void) => Stop;
  /** Runs at every interval until it is stopped. */
  readonly every: (interval: Milliseconds, run: () => void) => Stop;
};

export type Stop = () => void;

/** The machine's clock. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  wall: () => new Date().getTime(),
  after(delay, run) {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
  every(interval, run) {
    const timer = setInterval(run, interval);
    return () => clearInterval(timer);
  },
};

/** Resolves after the delay, or at once when `cut` settles first. */
export function pause(timers: Timers, delay: Milliseconds, cut?: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const stop = timers.after(delay, resolve);
    const end = (): void => {
      stop();
      resolve();
    };
    cut?.then(end, end);
  });
}
