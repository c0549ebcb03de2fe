/** When a kind was last heard of. Knows nothing of what was said. */

import type { Milliseconds, Seconds } from '../../units.ts';
import type { Freshness } from '../following.ts';
import type { Time } from './time.ts';

/** One per kind, over all its lists and watches. */
export class Hearing {
  readonly #time: Pick<Time, 'now'>;
  #isWatching = false;
  #currentAt: Milliseconds | undefined;
  #byteAt: Milliseconds | undefined;
  #bookmarkAt: Milliseconds | undefined;

  constructor(time: Pick<Time, 'now'>) {
    this.#time = time;
  }

  /** Octets came. */
  heard(): void {
    this.#byteAt = this.#time.now();
  }

  bookmarked(): void {
    this.#bookmarkAt = this.#time.now();
  }

  /** A list is complete. */
  listed(): void {
    this.#currentAt = this.#time.now();
  }

  /** A watch goes on from a complete list. */
  watches(): void {
    this.#isWatching = true;
  }

  /** The watch is over. */
  ended(): void {
    if (this.#isWatching) this.#currentAt = this.#time.now();
    this.#isWatching = false;
  }

  read(): Pick<Freshness, 'staleness' | 'sinceByte' | 'sinceBookmark'> {
    return {
      staleness: this.#isWatching ? 0 : this.#since(this.#currentAt),
      sinceByte: this.#since(this.#byteAt),
      sinceBookmark: this.#since(this.#bookmarkAt),
    };
  }

  #since(moment: Milliseconds | undefined): Seconds | undefined {
    return moment === undefined ? undefined : (this.#time.now() - moment) / 1000;
  }
}
