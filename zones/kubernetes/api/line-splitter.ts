/** Octets of a watch to its lines. Knows nothing of what is in a line. */

import type { Bytes } from '../../units.ts';
import { ApiFault } from './api-fault.ts';

/** Longest line of a watch: five times what etcd stores for one object (1.5 MiB), written as JSON. */
const LINE_MAX: Bytes = 8 * 1024 * 1024;

/** Splits at `\n` alone: JSON may hold every other line separator, and a character may be cut in two by a chunk's end. */
export class LineSplitter {
  readonly #max: Bytes;
  /** The line that has begun; its first `#used` octets are valid. */
  #begun: Buffer = EMPTY;
  #used: Bytes = 0;

  constructor(max: Bytes = LINE_MAX) {
    this.#max = max;
  }

  /**
   * The lines that end in `chunk`, without their `\n`, empty ones left out. A line is valid until the next one is taken.
   * @throws ApiFault if a line is too long
   */
  *push(chunk: Buffer): Generator<Buffer, void, void> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      if (this.#used + part.length > this.#max) {
        throw new ApiFault('protocol', `a line of a watch is longer than ${this.#max} octets`);
      }
      if (end === -1) {
        this.#keep(part);
        return;
      }
      const line = this.#used === 0 ? part : this.#finish(part);
      if (line.length > 0) yield line;
      start = end + 1;
    }
  }

  #finish(part: Buffer): Buffer {
    this.#keep(part);
    const line = this.#begun.subarray(0, this.#used);
    this.#used = 0;
    if (this.#begun.length > SPARE_MAX) this.#begun = EMPTY;
    return line;
  }

  /** Copies, for a chunk must not be kept alive by its tail; doubles, so that octets that come one by one cost no more. */
  #keep(part: Buffer): void {
    const size = this.#used + part.length;
    if (size > this.#begun.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#begun.length));
      this.#begun.copy(larger, 0, 0, this.#used);
      this.#begun = larger;
    }
    part.copy(this.#begun, this.#used);
    this.#used = size;
  }
}

const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);
/** A buffer up to this size stays for the next line. */
const SPARE_MAX: Bytes = 64 * 1024;
