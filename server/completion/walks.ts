/** Walks under way: equal ones are made once, and nobody waits long for one. Knows nothing of what they ask. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import type { Schedule } from '../timer.ts';
import type { Verdict } from './walk.ts';

/** Walks under way at once in one block, and clients that wait for them: half of those that a data thread lets wait at all (`WAITING_MAX`, data/serve.ts). */
export const WALKS_MAX: Count = 5_000;

/** Begins a walk. `isWanted`: does anybody wait for it? */
type Make = (mayLeave: boolean, isWanted: () => boolean) => Verdict | Promise<Verdict>;

export class Walks {
  readonly #walks = new Map<string, Promise<Verdict>>();
  readonly #patience: Milliseconds;
  readonly #schedule: Schedule;
  readonly #joined: Counter;
  readonly #tellFault: (fault: string) => void;
  #clients: Count = 0;

  /**
   * @param patience how long a client waits for a walk before it is left to its own; the look-ups under way go on, and fill the cache
   * @param tellFault told of what went wrong with those, for nobody has their reply to say it with
   */
  constructor(patience: Milliseconds, schedule: Schedule, joined: Counter, tellFault: (fault: string) => void) {
    this.#patience = patience;
    this.#schedule = schedule;
    this.#joined = joined;
    this.#tellFault = tellFault;
  }

  /**
   * The verdict of the walk with that key: of one under way, at once if that is known to be late, or of the one that `make` begins. With too
   * many under way it must not ask outside.
   */
  verdict(key: string, make: Make): Verdict | Promise<Verdict> {
    const known = this.#walks.get(key);
    const isBusy = this.#walks.size >= WALKS_MAX || this.#clients >= WALKS_MAX;
    if (known !== undefined) {
      if (isBusy) return BUSY;
      this.#joined.add(2);
      return this.#awaited(known.then(withoutFault));
    }
    let isLate = false;
    const walk = make(!isBusy, () => !isLate);
    if (!(walk instanceof Promise)) return walk;
    const late = Promise.withResolvers<Verdict>();
    const callOff = this.#schedule(this.#patience, () => {
      isLate = true;
      late.resolve(LATE);
    });
    const verdict = Promise.race([walk, late.promise]);
    this.#walks.set(key, verdict);
    const forget = (): void => {
      callOff();
      this.#walks.delete(key);
    };
    walk.then((ended) => {
      forget();
      if (isLate && 'refused' in ended && ended.fault !== undefined) this.#tellFault(ended.fault);
    }, forget);
    return this.#awaited(verdict);
  }

  #awaited(verdict: Promise<Verdict>): Promise<Verdict> {
    this.#clients++;
    return verdict.finally(() => this.#clients--);
  }
}

const BUSY: Verdict = { refused: 'busy', asked: [] };
const LATE: Verdict = { refused: 'late', asked: [] };

/** One fault is logged once, by the one who asked. */
function withoutFault(verdict: Verdict): Verdict {
  return 'refused' in verdict ? { ...verdict, fault: undefined } : verdict;
}
