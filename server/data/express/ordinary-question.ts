/** Reads an ordinary question where it stands, octet by octet and without making anything. Knows nothing of answers. */

import { randomInt } from 'node:crypto';

import { LABEL_MAX, NAME_MAX } from '../../../zones/name.ts';
import { RRClass, RRType } from '../../../zones/rr.ts';
import type { Bytes, Count } from '../../../zones/units.ts';
import { OPT_SIZE, UDP_PAYLOAD, UDP_PAYLOAD_MIN } from '../../wire/edns.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';

/**
 * What nearly all clients ask: opcode QUERY, one question of class IN for a type of data, RD set and CD not, and behind it nothing or an
 * OPT record of version 0 without DO and without options. One object reads one question after the other.
 */
export class OrdinaryQuestion {
  /** Where in the packet the header begins. */
  start = 0;
  /** Octets of the question: name, type and class. */
  size: Bytes = 0;
  type = 0;
  /** Of the question in lower case. */
  hash = 0;
  hasUpperCase = false;
  isAuthenticityAsked = false;
  hasOpt = false;
  /** Octets of UDP reply that the client takes. */
  udpLimit: Bytes = UDP_PAYLOAD_MIN;

  /** False for any other question, and for what is none. */
  read(packet: Uint8Array, start: number, end: number): boolean {
    if (end - start < QUERY_MIN || !hasOrdinaryHeader(packet, start)) return false;
    const name = start + HEADER_SIZE;
    let hash = HASH_SEED;
    let hasUpperCase = false;
    let at = name;
    for (;;) {
      const length = packet[at] ?? 0;
      if (length === 0) break;
      const next = at + 1 + length;
      if (length > LABEL_MAX || next - name >= NAME_MAX || next >= end) return false;
      hash = Math.imul(hash ^ length, HASH_FACTOR);
      while (++at < next) {
        const octet = packet[at] ?? 0;
        const lower = LOWER_CASE[octet] ?? 0;
        if (lower !== octet) hasUpperCase = true;
        hash = Math.imul(hash ^ lower, HASH_FACTOR);
      }
    }
    const fixed = at + 1;
    if (fixed + TYPE_AND_CLASS > end || packet[fixed + 2] !== 0 || packet[fixed + 3] !== RRClass.IN) return false;
    const type = packet[fixed] === 0 ? (packet[fixed + 1] ?? 0) : 0;
    if (type === 0 || type >= TYPES_MAX || type === RRType.OPT || type === RRType.DS) return false;
    this.start = start;
    this.size = fixed + TYPE_AND_CLASS - name;
    this.type = type;
    this.hash = mixed(Math.imul(hash ^ type, HASH_FACTOR));
    this.hasUpperCase = hasUpperCase;
    this.isAuthenticityAsked = ((packet[start + 3] ?? 0) & 0x20) !== 0;
    return this.#readOpt(packet, fixed + TYPE_AND_CLASS, end);
  }

  /** RFC 6891 section 6.1.2: root owner, type, payload size, extended rcode, version, DO and the rest of the flags, length. */
  #readOpt(packet: Uint8Array, at: number, end: number): boolean {
    this.hasOpt = packet[this.start + 11] === 1;
    if (!this.hasOpt) {
      this.udpLimit = UDP_PAYLOAD_MIN;
      return at === end;
    }
    if (end - at !== OPT_SIZE || packet[at] !== 0 || packet[at + 1] !== 0 || packet[at + 2] !== RRType.OPT)
      return false;
    if (packet[at + 6] !== 0 || ((packet[at + 7] ?? 0) & 0x80) !== 0) return false;
    const payload = ((packet[at + 3] ?? 0) << 8) | (packet[at + 4] ?? 0);
    this.udpLimit = payload < UDP_PAYLOAD_MIN ? UDP_PAYLOAD_MIN : payload > UDP_PAYLOAD ? UDP_PAYLOAD : payload;
    return packet[at + 9] === 0 && packet[at + 10] === 0;
  }
}

/** Octets in ASCII lower case (RFC 4343 section 3); length octets are below 64 and never letters. */
export const LOWER_CASE: Uint8Array = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet,
);

/** Octets behind the name of a question. */
export const TYPE_AND_CLASS: Bytes = 4;
const QUERY_MIN: Bytes = HEADER_SIZE + 1 + TYPE_AND_CLASS;
/** Types of 128 and more are meta types and questions (RFC 6895 section 3.1), or seldom asked for. */
const TYPES_MAX: Count = 128;

/** One question, no records but perhaps an additional one. AA, TC, RA and Z mean nothing in a query. */
function hasOrdinaryHeader(packet: Uint8Array, start: number): boolean {
  return (
    ((packet[start + 2] ?? 0) & 0xf9) === 0x01 && // QR, opcode and RD
    ((packet[start + 3] ?? 0) & 0x10) === 0 && // CD
    packet[start + 4] === 0 &&
    packet[start + 5] === 1 &&
    packet[start + 6] === 0 &&
    packet[start + 7] === 0 &&
    packet[start + 8] === 0 &&
    packet[start + 9] === 0 &&
    packet[start + 10] === 0 &&
    (packet[start + 11] ?? 2) <= 1
  );
}

/** FNV-1a over 32 bits, from a start of this process's own. */
const HASH_FACTOR = 0x0100_0193;
const HASH_SEED = randomInt(2 ** 31);

/** Tables use the low bits, which depend on too few of the last octets. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x45d9_f3b);
  return once ^ (once >>> 15);
}
