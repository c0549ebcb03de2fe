/** Names that are known not to be completed, so that nobody has to walk to see it again. Knows nothing of why. */

import type { Name } from '../../zones/name.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Gauge } from '../counters.ts';
import type { Grounds } from './grounds.ts';
import type { Refusal } from './walk.ts';

/** Names; each takes about a KiB. Names that nobody has are many, and asked for again and again. */
export const KNOWN_REFUSALS_MAX: Count = 4_096;

/** As long as denials of the cluster's names are kept by default: who walks anew that seldom costs nothing. */
const KEPT_FOR: Milliseconds = 5_000;

/** Why a name is not completed, what that rests on, and when it is looked at again all the same. */
export type KnownRefusal = { readonly reason: Refusal; readonly grounds: Grounds; readonly until: Milliseconds };

/** The newest; the oldest makes room. */
export class KnownRefusals {
  readonly #known = new Map<Name, KnownRefusal>();
  readonly #count: Gauge;

  constructor(count: Gauge) {
    this.#count = count;
    count.set(0);
  }

  /** Undefined if the name has to be looked at. */
  find(name: Name, now: Milliseconds): KnownRefusal | undefined {
    const known = this.#known.get(name);
    if (known === undefined || (now < known.until && !known.grounds.isOver(now))) return known;
    this.#known.delete(name);
    this.#count.set(this.#known.size);
    return undefined;
  }

  keep(name: Name, reason: Refusal, grounds: Grounds, now: Milliseconds): void {
    this.#known.delete(name);
    if (this.#known.size >= KNOWN_REFUSALS_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(name, { reason, grounds, until: now + KEPT_FOR });
    this.#count.set(this.#known.size);
  }
}
