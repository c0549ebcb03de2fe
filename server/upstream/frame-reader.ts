/** Messages out of a TCP stream: each has its length in front in two octets (RFC 1035 section 4.2.2). Knows nothing of what they say. */

import type { Bytes } from '../../zones/units.ts';

/** Takes the stream in any pieces and gives each message in a buffer of its own. Holds at most one unfinished message. */
export class FrameReader {
  #length: Bytes = 0;
  #lengthOctets: 0 | 1 | 2 = 0;
  #message: Buffer = Buffer.alloc(0);
  #filled: Bytes = 0;

  /** Calls `take` with every message that these octets finish. */
  read(octets: Buffer, take: (message: Buffer) => void): void {
    let at = 0;
    while (at < octets.length) {
      if (this.#lengthOctets < 2) {
        this.#length = (this.#length << 8) | (octets[at++] ?? 0);
        this.#lengthOctets = this.#lengthOctets === 0 ? 1 : 2;
        if (this.#lengthOctets < 2) continue;
        this.#message = Buffer.alloc(this.#length);
        this.#filled = 0;
      }
      const copied = octets.copy(this.#message, this.#filled, at, at + this.#length - this.#filled);
      this.#filled += copied;
      at += copied;
      if (this.#filled < this.#length) return;
      const message = this.#message;
      this.#length = 0;
      this.#lengthOctets = 0;
      take(message);
    }
  }
}

/** The message with its length in front, for one write. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}
