/** Whether one upstream is thought to answer. Knows when to ask it, not how. */

import type { Count, Milliseconds } from '../../zones/units.ts';

export type HealthOptions = {
  /** The upstream is down when more checks than this failed in a row; 0: it is never checked and never down. */
  readonly maxFails: Count;
  /** Between checks, while they fail. */
  readonly interval: Milliseconds;
  readonly clock: () => Milliseconds;
  /** Asks the upstream; any reply is good. Rejects if there is none. */
  readonly check: () => Promise<void>;
  readonly failed: () => void;
  /** Told when it goes down or comes back. */
  readonly changed: (isDown: boolean, fails: Count) => void;
};

/** Checks are made only after a query failed, and only until one succeeds (CoreDNS plugin/forward). */
export class Health {
  readonly #options: HealthOptions;
  #fails: Count = 0;
  #isChecking = false;
  #lastSuccess: Milliseconds = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get isDown(): boolean {
    const { maxFails } = this.#options;
    return maxFails > 0 && this.#fails > maxFails;
  }

  /** A query got no reply: find out whether the upstream still answers anything, at most once per interval. */
  suspect(): void {
    const { maxFails, interval, clock } = this.#options;
    if (maxFails === 0 || this.#isChecking || this.#isClosed || clock() - this.#lastSuccess < interval) return;
    this.#isChecking = true;
    void this.#check();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const { check, interval, clock, failed, changed } = this.#options;
    const wasDown = this.isDown;
    try {
      await check();
      this.#fails = 0;
      this.#lastSuccess = clock();
      this.#isChecking = false;
    } catch {
      if (this.#isClosed) return;
      this.#fails++;
      failed();
      this.#timer = setTimeout(() => void this.#check(), interval);
    }
    if (this.isDown !== wasDown) changed(this.isDown, this.#fails);
  }
}
