/**
 * A place in a DNS message that moves on as it is read, strictly: what is not exactly as RFC 1035 section 4 has it is no message. Knows
 * octets, numbers and names, neither sections nor records.
 */

import type { Bytes } from '../../zones/units.ts';
import { presentLabel } from './presentation.ts';

/** Octets that are no proper message. */
export class MalformedError extends Error {}

export const HEADER_SIZE: Bytes = 12;

export class MessageCursor {
  readonly octets: Buffer;
  at: Bytes = 0;
  /** Names that pointers led to: the records of an RRset all point to their owner. */
  readonly #pointed = new Map<number, string>();

  constructor(octets: Buffer) {
    this.octets = octets;
  }

  uint8(): number {
    return this.octets.readUInt8(this.#pass(1));
  }

  uint16(): number {
    return this.octets.readUInt16BE(this.#pass(2));
  }

  uint32(): number {
    return this.octets.readUInt32BE(this.#pass(4));
  }

  /** The next octets, not copied. */
  take(count: Bytes): Buffer {
    const start = this.#pass(count);
    return this.octets.subarray(start, this.at);
  }

  /**
   * In presentation format, with a final dot and letters as they were sent. Pointers must lead backwards (RFC 1035 section 4.1.4: "a prior
   * occurrence"), labels be of type 0, the name have at most 255 octets.
   * @param pointers where they are `forbidden`, the name must stand there in full
   */
  name(pointers: 'allowed' | 'forbidden'): string {
    const { octets } = this;
    const isPointer = pointers === 'allowed' && (octets[this.at] ?? 0) >= 0xc0;
    const pointer = isPointer ? pointerAt(octets, this.at) : -1;
    const known = this.#pointed.get(pointer);
    if (known !== undefined) {
      this.at += 2;
      return known;
    }
    let name = '';
    let size: Bytes = 1;
    let at = this.at;
    let runStart = at;
    let end: Bytes | undefined;
    for (;;) {
      const length = octets[at] ?? this.fail('cut off in a name');
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = pointerAt(octets, at);
        if (target === -1) this.fail('cut off in a pointer');
        if (pointers === 'forbidden') this.fail(`a pointer at ${at}, where a name stands in full`);
        if (target < HEADER_SIZE || target >= runStart)
          this.fail(`a pointer at ${at} that does not lead back to a name`);
        end ??= at + 2;
        at = runStart = target;
        continue;
      }
      if (length > 63) this.fail(`label type 0x${(length & 0xc0).toString(16)}`);
      size += 1 + length;
      if (size > 255) this.fail('a name of more than 255 octets');
      const next = at + 1 + length;
      name += `${presentLabel(octets.toString('latin1', at + 1, next))}.`;
      at = next;
    }
    this.at = end ?? at + 1;
    name ||= '.';
    if (pointer !== -1) this.#pointed.set(pointer, name);
    return name;
  }

  /** @throws MalformedError that says what the message is or has, and its octets */
  fail(how: string): never {
    const shown = this.octets.toString('hex', 0, SHOWN_MAX) + (this.octets.length > SHOWN_MAX ? '…' : '');
    throw new MalformedError(`expected a message, got ${how}: ${shown}`);
  }

  /** Moves on. @returns where it was */
  #pass(count: Bytes): Bytes {
    const start = this.at;
    this.at += count;
    if (this.at > this.octets.length) this.fail('one that is cut off');
    return start;
  }
}

/** RFC 1035 section 4.1.4; -1 if it is cut off. */
function pointerAt(octets: Buffer, at: Bytes): number {
  return at + 1 < octets.length ? octets.readUInt16BE(at) & 0x3fff : -1;
}

/** Most octets of a message that are shown. */
const SHOWN_MAX: Bytes = 100;
