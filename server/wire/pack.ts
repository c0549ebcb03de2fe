/** RRsets to octets with name compression (RFC 1035 section 4.1.4). Knows nothing of limits of transports or of flags. */

import { lowerCase, type Spelling } from '../../zones/name.ts';
import { RRType, type RRset } from '../../zones/rr.ts';
import type { Bytes, Count } from '../../zones/units.ts';
import type { Question } from '../query.ts';
import { HEADER_SIZE } from './gate.ts';

/** The largest message: its length is a 16-bit number over TCP (RFC 1035 section 4.2.2). */
export const MESSAGE_MAX: Bytes = 65_535;
/** A compression pointer has 14 bits. */
export const POINTER_MAX: Bytes = 0x3fff;
/** Suffixes remembered per message: bounds the work that a hostile upstream's large reply can cause. */
const SUFFIXES_MAX: Count = 2048;

/**
 * Writes one message at a time into a buffer of its own. An owner that is the asked name becomes a pointer to the question, so it is
 * spelled as the client spelled it (what 0x20 clients expect); all other names are compressed only against the same spelling, so their case survives.
 */
export class Packer {
  /** Twice the size of a message and a bit: the record that turns out to be too long is written before it is taken back. */
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(2 * MESSAGE_MAX + 512);
  #at = 0;
  /** The asked name, or empty without a question. */
  #asked = '';
  /** Where a suffix stands, by its spelling, in the order they were added. */
  readonly #offsets = new Map<string, number>();

  /** Octets written so far, header included. */
  get size(): Bytes {
    return this.#at;
  }

  /** Begins a message: room for the header, then the question if there is one. `asked`: the owner that is spelled as in the question. */
  begin(question: Question | undefined, asked: string = question?.name ?? ''): void {
    this.#offsets.clear();
    this.#at = HEADER_SIZE;
    this.#asked = asked;
    if (question === undefined) return;
    this.#writeName(question.spelling);
    this.buffer.writeUInt16BE(question.type, this.#at);
    this.buffer.writeUInt16BE(question.class, this.#at + 2);
    this.#at += 4;
  }

  /** Writes an RRset whole and returns how many records that were, or -1 and nothing written if it goes beyond `limit`. */
  addRRset(rrset: RRset, rrclass: number, limit: Bytes): Count {
    const start = this.#at;
    const known = this.#offsets.size;
    const count = this.addPart(rrset, rrclass, limit);
    if (count === rrset.rdatas.length) return count;
    this.#rollBack(start, known);
    return -1;
  }

  /** Writes as many records of an RRset, leaving out the first `from`, as there is room for and returns their number. */
  addPart(rrset: RRset, rrclass: number, limit: Bytes, from: Count = 0): Count {
    let count = 0;
    const isAsked =
      rrset.owner.length > 1 && rrset.owner.length === this.#asked.length && lowerCase(rrset.owner) === this.#asked;
    for (let i = from; i < rrset.rdatas.length; i++) {
      const rdata = rrset.rdatas[i];
      if (rdata === undefined) break;
      const start = this.#at;
      const known = this.#offsets.size;
      if (isAsked) this.#writePointer(HEADER_SIZE);
      else this.#writeName(rrset.owner);
      this.#writeFields(rrset, rdata, rrclass);
      if (this.#at > limit) {
        this.#rollBack(start, known);
        break;
      }
      count++;
    }
    return count;
  }

  #writeFields(rrset: RRset, rdata: Uint8Array, rrclass: number): void {
    const { buffer } = this;
    const fixed = this.#at;
    buffer.writeUInt16BE(rrset.type, fixed);
    buffer.writeUInt16BE(rrclass, fixed + 2);
    buffer.writeUInt32BE(rrset.ttl, fixed + 4);
    this.#at = fixed + 10;
    this.#writeRdata(rrset.type, rdata);
    buffer.writeUInt16BE(this.#at - fixed - 10, fixed + 8);
  }

  /** Compresses the names of the types that may be compressed: those of RFC 1035 (RFC 3597 section 4). */
  #writeRdata(type: number, rdata: Uint8Array): void {
    switch (type) {
      case RRType.NS:
      case RRType.CNAME:
      case RRType.PTR:
        this.#writeNameIn(rdata, 0);
        break;
      case RRType.MX:
        this.#copy(rdata, 0, 2);
        this.#writeNameIn(rdata, 2);
        break;
      case RRType.SOA:
        this.#copy(rdata, this.#writeNameIn(rdata, this.#writeNameIn(rdata, 0)), rdata.length);
        break;
      default:
        this.#copy(rdata, 0, rdata.length);
    }
  }

  /** Writes the name that begins at `start` of the rdata; returns where it ends there. */
  #writeNameIn(rdata: Uint8Array, start: number): number {
    let end = start;
    while ((rdata[end] ?? 0) !== 0) end += 1 + (rdata[end] ?? 0);
    end++;
    this.#writeName(Buffer.from(rdata.buffer, rdata.byteOffset + start, end - start).toString('latin1') as Spelling);
    return end;
  }

  #copy(rdata: Uint8Array, start: number, end: number): void {
    this.buffer.set(start === 0 && end === rdata.length ? rdata : rdata.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** Writes labels up to the longest suffix that stands in the message already, then a pointer to it. */
  #writeName(name: Spelling): void {
    const start = this.#at;
    let target: number | undefined;
    let end = 0;
    for (; name.charCodeAt(end) !== 0; end += 1 + name.charCodeAt(end)) {
      const suffix = end === 0 ? name : name.slice(end);
      target = this.#offsets.get(suffix);
      if (target !== undefined) break;
      if (start + end <= POINTER_MAX && this.#offsets.size < SUFFIXES_MAX) this.#offsets.set(suffix, start + end);
    }
    if (end > 0) this.buffer.write(name, start, end, 'latin1');
    this.#at = start + end;
    if (target === undefined) this.buffer[this.#at++] = 0;
    else this.#writePointer(target);
  }

  #writePointer(target: number): void {
    this.buffer.writeUInt16BE(0xc000 | target, this.#at);
    this.#at += 2;
  }

  /** Forgets what was written from `start` on, and the suffixes beyond the first `known`. */
  #rollBack(start: number, known: number): void {
    this.#at = start;
    let seen = 0;
    for (const suffix of this.#offsets.keys()) if (++seen > known) this.#offsets.delete(suffix);
  }
}
