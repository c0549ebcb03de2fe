/** A body kept whole, up to a size. Knows nothing of what is in it. */

import type { Bytes } from '../../units.ts';

export class BoundedBody {
  readonly #max: Bytes;
  readonly #chunks: Buffer[] = [];
  #size: Bytes = 0;

  constructor(max: Bytes) {
    this.#max = max;
  }

  /** False if there is no room for it. */
  add(chunk: Buffer): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#max) return false;
    this.#chunks.push(chunk);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
