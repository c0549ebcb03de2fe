/** A clock that a test turns by hand. Knows nothing of what waits on it. */

import { setImmediate } from 'node:timers/promises';

import type { Stop, Timers } from '../../server/control/timers.ts';
import type { Milliseconds } from '../../zones/units.ts';

type Alarm = { at: Milliseconds; readonly run: () => void; readonly interval: Milliseconds | undefined };

export class FakeTimers implements Timers {
  #now: Milliseconds = 1_000_000;
  readonly #alarms = new Set<Alarm>();

  readonly now = (): Milliseconds => this.#now;
  readonly wall = (): Milliseconds => 1_800_000_000_000 + this.#now;
  readonly after = (delay: Milliseconds, run: () => void): Stop => this.#set(delay, run, undefined);
  readonly every = (interval: Milliseconds, run: () => void): Stop => this.#set(interval, run, interval);

  /** How many alarms are set. */
  get pending(): number {
    return this.#alarms.size;
  }

  /** Lets time pass: everything that is due runs in order, with what it promises done before the next. */
  async advance(span: Milliseconds): Promise<void> {
    const end = this.#now + span;
    await setImmediate();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      if (next.interval === undefined) this.#alarms.delete(next);
      else next.at += next.interval;
      next.run();
      await setImmediate();
    }
    this.#now = end;
  }

  /** Time passes while this thread does not run: what was due is late, as after a long pause of the process. */
  freeze(span: Milliseconds): void {
    this.#now += span;
    for (const alarm of this.#alarms) if (alarm.interval !== undefined) alarm.at = Math.max(alarm.at, this.#now);
  }

  #set(delay: Milliseconds, run: () => void, interval: Milliseconds | undefined): Stop {
    const alarm: Alarm = { at: this.#now + delay, run, interval };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  #next(end: Milliseconds): Alarm | undefined {
    return [...this.#alarms].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
  }
}
