/** Names that are known not to be completed, so that nobody has to walk to see it again. Knows nothing of why. */

import type { Name } from '../../zones/name.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Grounds } from './grounds.ts';
import type { Refusal } from './walk.ts';

/** Names; each takes about a KiB. Names that nobody has are many, and asked for again and again. */
export const KNOWN_REFUSALS_MAX: Count = 4_096;

/** Why a name is not completed, and what that rests on. */
export type KnownRefusal = { readonly reason: Refusal; readonly grounds: Grounds };

/** The newest; the oldest makes room. */
export class KnownRefusals {
  readonly #known = new Map<Name, KnownRefusal>();

  /** Undefined if the name has to be looked at. */
  find(name: Name, now: Milliseconds): KnownRefusal | undefined {
    const known = this.#known.get(name);
    if (known === undefined || !known.grounds.isOver(now)) return known;
    this.#known.delete(name);
    return undefined;
  }

  keep(name: Name, refusal: KnownRefusal): void {
    this.#known.delete(name);
    if (this.#known.size >= KNOWN_REFUSALS_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(name, refusal);
  }
}
