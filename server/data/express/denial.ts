/**
 * The one record of a denial, the zone's SOA (RFC 2308 section 3), as it stands behind any question below the zone: the
 * zone's name in it is a pointer into the question. Knows nothing of which names do not exist.
 */

import { ROOT, type Spelling } from '../../../zones/name.ts';
import { RRClass, type RRset } from '../../../zones/rr.ts';
import type { Bytes } from '../../../zones/units.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';

/** Of one SOA record. */
export class Denial {
  readonly #zone: Spelling;
  /** The last labels in front of the zone in MNAME and RNAME: behind such a label in the question the packer would point to more. */
  readonly #fronts: readonly string[];
  readonly #octets: Uint8Array;
  /** Where in the octets the zone's name is to be pointed to. */
  readonly #pointers: readonly number[];

  private constructor(zone: Spelling, fronts: readonly string[], octets: Uint8Array, pointers: readonly number[]) {
    this.#zone = zone;
    this.#fronts = fronts;
    this.#octets = octets;
    this.#pointers = pointers;
  }

  /** Undefined if the names in the record are not below its owner, or the owner is the root, which nothing points to. */
  static of({ owner, type, ttl, rdatas }: RRset): Denial | undefined {
    const [rdata] = rdatas;
    if (rdata === undefined || rdatas.length !== 1 || owner === ROOT) return undefined;
    const names = namesOf(rdata);
    if (!names.every((name) => name.length > owner.length && name.endsWith(owner))) return undefined;
    const fronts = names.map((name) => name.slice(0, -owner.length));
    const numbers = rdata.subarray(names.join('').length);
    const size = fronts.join('').length + POINTER.length * names.length + numbers.length;
    const fixed = Buffer.alloc(RECORD_FIXED);
    fixed.writeUInt16BE(type, 0);
    fixed.writeUInt16BE(RRClass.IN, 2);
    fixed.writeUInt32BE(ttl, 4);
    fixed.writeUInt16BE(size, 8);
    const parts: Uint8Array[] = [POINTER, fixed];
    const pointers = [0];
    for (const front of fronts) {
      pointers.push(Buffer.concat(parts).length + front.length);
      parts.push(Buffer.from(front, 'latin1'), POINTER);
    }
    parts.push(numbers);
    return new Denial(owner, fronts.map(lastLabel), Buffer.concat(parts), pointers);
  }

  /** Octets of the record. */
  get size(): Bytes {
    return this.#octets.length;
  }

  /** Would the plain lane write it in the same octets behind a question for this name, which is in the zone? */
  fits(name: Spelling): boolean {
    const end = name.length - this.#zone.length;
    if (!name.endsWith(this.#zone)) return false;
    for (const front of this.#fronts) if (name.endsWith(front, end)) return false;
    return true;
  }

  /** Writes the record at `at`, behind a question for a name of that length; returns where it ends. */
  write(reply: Uint8Array, at: number, name: Bytes): number {
    const octets = this.#octets;
    for (let i = 0; i < octets.length; i++) reply[at + i] = octets[i] ?? 0;
    const zone = HEADER_SIZE + name - this.#zone.length;
    for (const pointer of this.#pointers) {
      reply[at + pointer] = 0xc0 | (zone >> 8);
      reply[at + pointer + 1] = zone & 0xff;
    }
    return at + octets.length;
  }
}

/** Room for a pointer (RFC 1035 section 4.1.4). */
const POINTER = new Uint8Array(2);
/** Type, class, TTL and length. */
const RECORD_FIXED: Bytes = 10;

/** MNAME and RNAME (RFC 1035 section 3.3.13). */
function namesOf(rdata: Uint8Array): readonly string[] {
  const names: string[] = [];
  for (let start = 0; names.length < 2;) {
    let end = start;
    while ((rdata[end] ?? 0) !== 0) end += 1 + (rdata[end] ?? 0);
    names.push(Buffer.from(rdata.subarray(start, end + 1)).toString('latin1'));
    start = end + 1;
  }
  return names;
}

/** The last of some labels, with its length octet. */
function lastLabel(labels: string): string {
  let last = 0;
  for (let at = 0; at < labels.length; at += 1 + labels.charCodeAt(at)) last = at;
  return labels.slice(last);
}
