/** A clock that stands still until a test moves it. Pauses end by themselves and are written down; deadlines do not. */

import type { Time } from '../../zones/kubernetes/api/time.ts';
import type { Milliseconds } from '../../zones/units.ts';

export class ManualTime implements Time {
  /** What `random` gives. */
  chance = 0.5;
  /** Each pause that was asked for, in order. */
  readonly pauses: Milliseconds[] = [];
  #now: Milliseconds = 0;
  readonly #deadlines = new Set<{ readonly at: Milliseconds; readonly run: () => void }>();
  #held: (() => void)[] | undefined;

  readonly now = (): Milliseconds => this.#now;
  readonly random = (): number => this.chance;

  readonly after = (delay: Milliseconds, run: () => void): (() => void) => {
    const deadline = { at: this.#now + delay, run };
    this.#deadlines.add(deadline);
    return () => this.#deadlines.delete(deadline);
  };

  /** Pauses that begin together end together; one that is held has its end on the clock at once. */
  readonly sleep = async (delay: Milliseconds, signal: AbortSignal): Promise<void> => {
    const end = this.#now + delay;
    this.pauses.push(delay);
    if (this.#held !== undefined) this.#now = end;
    if (this.#held === undefined) await new Promise((resolve) => setImmediate(resolve));
    else if (!signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#held?.push(resolve);
        signal.addEventListener('abort', () => resolve());
      });
    }
    if (!signal.aborted) this.#now = Math.max(this.#now, end);
  };

  /** How many deadlines are running. */
  get deadlines(): number {
    return this.#deadlines.size;
  }

  /** How many pauses wait for `release`. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  /** From now on pauses last until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const resume of held) resume();
  }

  /** Moves the clock and meets every deadline on the way. */
  advance(span: Milliseconds): void {
    this.#now += span;
    const due = [...this.#deadlines].filter(({ at }) => at <= this.#now).toSorted((a, b) => a.at - b.at);
    for (const deadline of due) {
      if (this.#deadlines.delete(deadline)) deadline.run();
    }
  }
}
