/** What time is it for a server under test, and how long does it wait. Knows nothing of what it waits for. */

import type { Schedule } from '../../server/timer.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';

/** A monotonic clock that runs, or stands still but for what passes. */
export class Clock {
  /** Ahead of the process's. */
  #ahead: Milliseconds = 0;
  /** Undefined while it runs. */
  #standing: Milliseconds | undefined;

  readonly now = (): Milliseconds => this.#standing ?? performance.now() + this.#ahead;

  /** Long after what was before: nothing is cached for so long. */
  use(manner: 'running' | 'standing'): void {
    const now = this.now() + LONG;
    this.#ahead = now - performance.now();
    this.#standing = manner === 'standing' ? now : undefined;
  }

  pass(span: Milliseconds): void {
    if (this.#standing !== undefined) this.#standing += span;
  }
}

const LONG: Milliseconds = 3_600_000;

/** How long the server waits for others before it does without them: until they have spoken, or not at all. */
export type Patience = 'endless' | 'none';

/** Timers that never end, or at once, whatever span they were set for. */
export class PatienceTimers {
  #patience: Patience = 'endless';
  #actions: Count = 0;

  readonly schedule: Schedule = (_, run) => {
    if (this.#patience === 'endless') return () => {};
    const timer = setImmediate(run);
    return () => clearImmediate(timer);
  };

  /** Those that are set while `action` goes on are of that patience. Actions at one time have the same. */
  async during<T>(patience: Patience, action: () => Promise<T>): Promise<T> {
    if (this.#actions > 0 && patience !== this.#patience) throw new Error('two kinds of patience at one time');
    this.#patience = patience;
    this.#actions++;
    try {
      return await action();
    } finally {
      this.#actions--;
      if (this.#actions === 0) this.#patience = 'endless';
    }
  }
}
