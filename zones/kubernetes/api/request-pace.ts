/** How fast, and how many at once, an API server may be asked. Knows nothing of what is asked. */

import type { Count, Milliseconds } from '../../units.ts';
import type { RequestLimits } from '../source.ts';
import type { Time } from './time.ts';

/** A token bucket and a number of places. Requests start in the order in which they came. */
export class RequestPace {
  readonly #time: Time;
  readonly #interval: Milliseconds;
  readonly #burst: Count;
  readonly #places: Count;
  /** When the bucket would be full again. */
  #fullAt: Milliseconds = 0;
  #inFlight: Count = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: RequestLimits, time: Time) {
    this.#time = time;
    this.#interval = positive(limits.perSecond) ? 1000 / limits.perSecond : 0;
    this.#burst = Math.max(1, (positive(limits.burst) ? limits.burst : limits.perSecond) ?? 1);
    this.#places = positive(limits.inFlight) ? limits.inFlight : Infinity;
  }

  /** Waits until a request may start. What it returns is to be called when the reply has begun, or there will be none. */
  async start(signal: AbortSignal): Promise<() => void> {
    const delay = this.#take();
    if (delay > 0) await this.#time.sleep(delay, signal);
    if (this.#inFlight >= this.#places) await this.#place(signal);
    else this.#inFlight++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#leave();
    };
  }

  /** Takes a token, which may be one of the future; returns how long until it is there. */
  #take(): Milliseconds {
    if (this.#interval === 0) return 0;
    const now = this.#time.now();
    this.#fullAt = Math.max(this.#fullAt, now) + this.#interval;
    return Math.max(0, this.#fullAt - now - this.#burst * this.#interval);
  }

  /** A place that somebody leaves is handed over, so `#inFlight` stays. An abort ends the wait; the request then fails by itself. */
  #place(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const enter = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        this.#inFlight++;
        resolve();
      };
      this.#waiting.push(enter);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#inFlight--;
    else next();
  }
}

function positive(count: Count | undefined): count is Count {
  return count !== undefined && count > 0;
}
