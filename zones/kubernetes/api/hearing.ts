/** When a kind was last heard of. Knows nothing of what was said. */

import type { Milliseconds, Seconds } from '../../units.ts';
import type { Freshness } from '../following.ts';
import type { Time } from './time.ts';

/** One per kind, over all its lists and watches. */
export class Hearing {
  readonly #time: Pick<Time, 'now'>;
  #watchingSince: Milliseconds | undefined;
  /** When all of it was known last; until that has been so, when it was first asked for. */
  #currentAt: Milliseconds;
  #byteAt: Milliseconds | undefined;
  #bookmarkAt: Milliseconds | undefined;

  constructor(time: Pick<Time, 'now'>) {
    this.#time = time;
    this.#currentAt = time.now();
  }

  /** Octets came. */
  heard(): void {
    this.#byteAt = this.#time.now();
  }

  bookmarked(): void {
    this.#bookmarkAt = this.#time.now();
  }

  /** A list is complete, or the server has said that there is nothing to list. */
  listed(): void {
    this.#currentAt = this.#time.now();
  }

  /** A watch goes on from a complete list. */
  watches(): void {
    this.#watchingSince ??= this.#time.now();
  }

  /** The watch is over. Returns how long it was open; 0 if it never was. */
  ended(): Milliseconds {
    const since = this.#watchingSince;
    this.#watchingSince = undefined;
    if (since === undefined) return 0;
    this.#currentAt = this.#time.now();
    return this.#currentAt - since;
  }

  read(): Pick<Freshness, 'staleness' | 'sinceByte' | 'sinceBookmark'> {
    return {
      staleness: this.#watchingSince !== undefined ? 0 : (this.#time.now() - this.#currentAt) / 1000,
      sinceByte: this.#since(this.#byteAt),
      sinceBookmark: this.#since(this.#bookmarkAt),
    };
  }

  #since(moment: Milliseconds | undefined): Seconds | undefined {
    return moment === undefined ? undefined : (this.#time.now() - moment) / 1000;
  }
}
