/** RRsets to octets with name compression (RFC 1035 section 4.1.4). Knows nothing of limits of transports or of flags. */

import { lowerCase, type Spelling } from '../../zones/name.ts';
import { RRType, type RRset } from '../../zones/rr.ts';
import type { Bytes, Count } from '../../zones/units.ts';
import { HEADER_SIZE } from './gate.ts';

/** The largest message: its length is a 16-bit number over TCP (RFC 1035 section 4.2.2). */
export const MESSAGE_MAX: Bytes = 65_535;
/** A compression pointer has 14 bits. */
const POINTER_MAX: Bytes = 0x3fff;
/** Suffixes remembered per message: bounds the work that a hostile upstream's large reply can cause. */
const SUFFIXES_MAX: Count = 2048;

/**
 * Writes one message at a time into a buffer of its own. An owner name is compressed whatever its case, so records of the
 * asked name are spelled as the question is (RFC 4343 section 4.1, what 0x20 clients expect); names in rdata keep their case, so they
 * are compressed only against the same spelling.
 */
export class Packer {
  /** Twice the size of a message and a bit: the record that turns out to be too long is written before it is taken back. */
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(2 * MESSAGE_MAX + 512);
  #at = 0;
  /** Where a suffix stands, by its lower-case form and by its exact spelling. */
  readonly #anyCase = new Map<string, number>();
  readonly #exact = new Map<string, number>();
  /** Keys in the order they were added, to forget those of an RRset that did not fit. */
  readonly #added: { readonly map: Map<string, number>; readonly key: string }[] = [];

  /** Octets written so far, header included. */
  get size(): Bytes {
    return this.#at;
  }

  /** Begins a message: room for the header, then the question if there is one. */
  begin(question: { readonly spelling: Spelling; readonly type: number; readonly class: number } | undefined): void {
    this.#anyCase.clear();
    this.#exact.clear();
    this.#added.length = 0;
    this.#at = HEADER_SIZE;
    if (question === undefined) return;
    this.#writeName(question.spelling, this.#exact, true);
    this.buffer.writeUInt16BE(question.type, this.#at);
    this.buffer.writeUInt16BE(question.class, this.#at + 2);
    this.#at += 4;
  }

  /** Writes an RRset whole and returns how many records that were, or -1 and nothing written if it goes beyond `limit`. */
  addRRset(rrset: RRset, rrclass: number, limit: Bytes): Count {
    const start = this.#at;
    const known = this.#added.length;
    for (const rdata of rrset.rdatas) {
      if (!this.#writeRecord(rrset, rdata, rrclass, limit)) {
        this.#rollBack(start, known);
        return -1;
      }
    }
    return rrset.rdatas.length;
  }

  #writeRecord(rrset: RRset, rdata: Uint8Array, rrclass: number, limit: Bytes): boolean {
    this.#writeName(rrset.owner, this.#anyCase, false);
    const { buffer } = this;
    const fixed = this.#at;
    buffer.writeUInt16BE(rrset.type, fixed);
    buffer.writeUInt16BE(rrclass, fixed + 2);
    buffer.writeUInt32BE(rrset.ttl, fixed + 4);
    this.#at = fixed + 10;
    this.#writeRdata(rrset.type, rdata);
    buffer.writeUInt16BE(this.#at - fixed - 10, fixed + 8);
    return this.#at <= limit;
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
    const name = Buffer.from(rdata.buffer, rdata.byteOffset + start, end - start).toString('latin1') as Spelling;
    this.#writeName(name, this.#exact, true);
    return end;
  }

  #copy(rdata: Uint8Array, start: number, end: number): void {
    this.buffer.set(start === 0 && end === rdata.length ? rdata : rdata.subarray(start, end), this.#at);
    this.#at += end - start;
  }

  /** Writes labels up to the longest suffix that `known` holds, then a pointer to it. `isExact`: the labels keep their spelling. */
  #writeName(name: Spelling, known: Map<string, number>, isExact: boolean): void {
    const lower = lowerCase(name);
    const wanted = known === this.#exact ? name : lower;
    let at = 0;
    for (;;) {
      const length = name.charCodeAt(at);
      if (length === 0) {
        this.buffer[this.#at++] = 0;
        return;
      }
      const suffix = at === 0 ? wanted : wanted.slice(at);
      const target = known.get(suffix);
      if (target !== undefined) {
        this.buffer.writeUInt16BE(0xc000 | target, this.#at);
        this.#at += 2;
        return;
      }
      this.#remember(this.#anyCase, at === 0 ? lower : lower.slice(at));
      if (isExact) this.#remember(this.#exact, at === 0 ? name : name.slice(at));
      this.buffer.write(name.slice(at, at + 1 + length), this.#at, 'latin1');
      this.#at += 1 + length;
      at += 1 + length;
    }
  }

  #remember(map: Map<string, number>, key: string): void {
    if (this.#at > POINTER_MAX || this.#added.length >= SUFFIXES_MAX || map.has(key)) return;
    map.set(key, this.#at);
    this.#added.push({ map, key });
  }

  #rollBack(start: number, known: number): void {
    for (const { map, key } of this.#added.splice(known)) map.delete(key);
    this.#at = start;
  }
}
