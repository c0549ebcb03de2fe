/**
 * A reply that the plain lane gave, ready to be said again: the octets behind its question, and what has to be changed in them.
 * Knows nothing of where replies are kept.
 */

import { lowerCase } from '../../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../../zones/rr.ts';
import type { Bytes, Count, Seconds } from '../../../zones/units.ts';
import type { Chance } from '../../pipeline.ts';
import type { Lease, Query, Reply } from '../../query.ts';
import { encode } from '../../wire/encode.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';
import type { Account } from './accounts.ts';

export type PreparedReply = {
  readonly hash: number;
  /** The question in lower case, then the records without OPT. */
  readonly octets: Uint8Array;
  /** Where in `octets` the question begins. */
  readonly at: number;
  /** Octets of the question. */
  readonly question: Bytes;
  /** Octets of the records. */
  readonly records: Bytes;
  /** The header's flags, without those that depend on the asker. */
  readonly flags: number;
  readonly answers: Count;
  readonly authorities: Count;
  readonly additionals: Count;
  /** Octets of the answer section if it is a single RRset, which then is sent whole or not at all; else 0. */
  readonly cuttable: Bytes;
  /** Does no record say a name that depends on how the question is spelled? */
  readonly fitsAnySpelling: boolean;
  /** Records of the last RRset of the answer section that have a new order in each reply. */
  readonly shuffled: Count;
  /** What makes the order; undefined if there is one order only. */
  readonly chance: Chance | undefined;
  /** Of one of them: octets from its beginning to the next one's, of which the last 4 or 16 are the address. */
  readonly stride: Bytes;
  /** Where the answer section ends, seen from its beginning. */
  readonly answerEnd: Bytes;
  /** Where TTLs stand, seen from the end of the question; undefined if they stay. */
  readonly ttls: Uint16Array | undefined;
  readonly lease: Lease;
  readonly account: Account;
  /** For those who are told of each exchange; undefined if there are none. */
  readonly reply: Reply | undefined;
};

/** Octets of question and records; larger ones are seldom, and fill the tables. A hundred addresses take 1,660. */
export const PREPARED_MAX: Bytes = 8 * 1024;
/** Records of a reply whose TTLs are counted down. */
const TTLS_MAX: Count = 256;
/** Behind the owner: type, class, TTL and length. */
const RECORD_FIXED: Bytes = 10;

/** What a prepared reply is made of, before it has a place. */
export type Preparation = Omit<PreparedReply, 'hash' | 'octets' | 'at' | 'account' | 'reply'> & {
  readonly packet: Buffer;
};

/** Undefined for a reply that cannot be said again just by its octets. `chance` is that of the block's layers, if one of them has any. */
export function prepare(query: Query, reply: Reply, chance: Chance | undefined): Preparation | undefined {
  const { lease, extendedError, options, rcode, truncated, fault } = reply;
  if (lease === undefined) return undefined;
  if (extendedError !== undefined || options.length > 0 || rcode > 0x0f || truncated || fault !== undefined) {
    return undefined;
  }
  const fitsAnySpelling = saysNoNames(reply, query);
  if (!fitsAnySpelling && query.question.spelling !== query.question.name) return undefined;
  const order = chance === undefined ? FIXED : orderOf(reply);
  if (order === undefined) return undefined;
  const whole = encode({ ...query, edns: undefined, peer: { ...query.peer, protocol: 'tcp' } }, reply);
  const { packet } = whole;
  if (whole.truncated || whole.sent !== reply || packet.length > PREPARED_MAX) return undefined;
  const question = query.question.spelling.length + 4;
  const start = HEADER_SIZE + question;
  const layout = layoutOf(packet, start);
  if (layout.ttls.length > TTLS_MAX) return undefined;
  return {
    packet,
    question,
    records: packet.length - start,
    flags: packet.readUInt16BE(2) & FLAGS_KEPT,
    answers: packet.readUInt16BE(6),
    authorities: packet.readUInt16BE(8),
    additionals: packet.readUInt16BE(10),
    cuttable: reply.answer.length === 1 ? layout.answerEnd : 0,
    fitsAnySpelling,
    shuffled: order.shuffled,
    chance: order.shuffled === 0 ? undefined : chance,
    stride: order.shuffled === 0 ? 0 : POINTER_SIZE + RECORD_FIXED + order.addressSize,
    answerEnd: layout.answerEnd,
    ttls: reply.fresh ? undefined : Uint16Array.from(layout.ttls),
    lease,
  };
}

/** QR, AA, RA and the rcode. RD is set in all queries that are answered so, AD depends on the asker, CD is never set. */
const FLAGS_KEPT = 0x848f;
const POINTER_SIZE: Bytes = 2;

/** The owner of every record is the asked name, which becomes a pointer, and no rdata has a name. */
function saysNoNames({ answer, authority, additional }: Reply, { question }: Query): boolean {
  if (authority.length > 0 || additional.length > 0) return false;
  return answer.every(({ owner, type }) => isAddress(type) && lowerCase(owner) === question.name);
}

/** How many records have a new order in each reply. */
type Order = { readonly shuffled: Count; readonly addressSize: Bytes };
const FIXED: Order = { shuffled: 0, addressSize: 0 };

/** Of a reply of `loadbalance` what it puts in order anew each time: at most the last RRset of the answer. Undefined for all that is less simple. */
function orderOf({ rcode, answer, authority, additional }: Reply): Order | undefined {
  if (rcode !== Rcode.NOERROR) return FIXED;
  if (![authority, additional].every(hasOneOrder)) return undefined;
  const last = answer.at(-1);
  if (last === undefined || !answer.slice(0, -1).every(({ type }) => type === RRType.CNAME)) {
    return hasOneOrder(answer) ? FIXED : undefined;
  }
  if (!isAddress(last.type)) return last.type === RRType.MX && last.rdatas.length > 1 ? undefined : FIXED;
  if (last.rdatas.length < 2) return FIXED;
  return { shuffled: last.rdatas.length, addressSize: last.type === RRType.A ? 4 : 16 };
}

/** Is there at most one record that could stand in another place? */
function hasOneOrder(rrsets: readonly RRset[]): boolean {
  let movable: Count = 0;
  for (const { type, rdatas } of rrsets) if (isAddress(type) || type === RRType.MX) movable += rdatas.length;
  return movable < 2;
}

function isAddress(type: number): boolean {
  return type === RRType.A || type === RRType.AAAA;
}

/** Where TTLs stand behind `start`, and where the answer section ends; both seen from `start`. The packet is one of ours. */
function layoutOf(packet: Buffer, start: number): { readonly ttls: number[]; readonly answerEnd: Bytes } {
  const answers = packet.readUInt16BE(6);
  const ttls: number[] = [];
  let answerEnd: Bytes = 0;
  for (let at = start; at < packet.length;) {
    while ((packet[at] ?? 0) !== 0 && (packet[at] ?? 0) < 0xc0) at += 1 + (packet[at] ?? 0);
    at += packet[at] === 0 ? 1 : POINTER_SIZE;
    ttls.push(at + 4 - start);
    at += RECORD_FIXED + packet.readUInt16BE(at + 8);
    if (ttls.length === answers) answerEnd = at - start;
  }
  return { ttls, answerEnd };
}

/** Writes a TTL over those of the records that begin at `records`. */
export function writeTtls(reply: Uint8Array, records: number, ttls: Uint16Array, ttl: Seconds): void {
  for (let i = 0; i < ttls.length; i++) {
    const at = records + (ttls[i] ?? 0);
    reply[at] = ttl >>> 24;
    reply[at + 1] = (ttl >>> 16) & 0xff;
    reply[at + 2] = (ttl >>> 8) & 0xff;
    reply[at + 3] = ttl & 0xff;
  }
}

/** Puts the addresses of the last RRset of the answer section, which ends at `end`, in a new order: Fisher and Yates' shuffle. */
export function shuffleAddresses(reply: Uint8Array, end: number, count: Count, stride: Bytes, chance: Chance): void {
  const size = stride - POINTER_SIZE - RECORD_FIXED;
  const first = end - (count - 1) * stride - size;
  for (let last = count - 1; last > 0; last--) {
    const other = chance(last + 1);
    if (other === last) continue;
    const a = first + last * stride;
    const b = first + other * stride;
    for (let i = 0; i < size; i++) {
      const octet = reply[a + i] ?? 0;
      reply[a + i] = reply[b + i] ?? 0;
      reply[b + i] = octet;
    }
  }
}
