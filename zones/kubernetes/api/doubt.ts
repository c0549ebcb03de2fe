/**
 * Whether a list is believed that lacks most of what was known. A server that was restored, or that stands before an empty
 * store, says so in good faith, and it may be about to say something else. Knows nothing of how lists come.
 */

import type { Count } from '../../units.ts';
import { ApiFault } from './api-fault.ts';
import { hasApiName } from '../object-text.ts';

/** One per kind. */
export class Doubt {
  readonly #known: () => ReadonlyMap<string, string>;
  /** A list that was not believed, until the next one. */
  #doubted: ReadonlyMap<string, string> | undefined;

  /** @param known texts by key of what was published */
  constructor(known: () => ReadonlyMap<string, string>) {
    this.#known = known;
  }

  /**
   * Texts by key of a whole list. What two lists in a row say is believed.
   * @throws ApiFault `shrunk` if it is to be asked for once more
   */
  check(listed: ReadonlyMap<string, string>): void {
    const before = this.#doubted ?? this.#known();
    let size: Count = 0;
    let missing: Count = 0;
    for (const key of before.keys()) {
      if (!hasApiName(key)) continue; // no list has it (departures.ts)
      size++;
      if (!listed.has(key)) missing++;
    }
    if (missing < MISSING_MIN || missing * 2 <= size) {
      this.#doubted = undefined;
      return;
    }
    this.#doubted = listed;
    throw new ApiFault('shrunk', `a list of ${listed.size} lacks ${missing} of ${size}`);
  }
}

/** Fewer than that may go together on any day, with a namespace. */
const MISSING_MIN: Count = 100;
