/**
 * A reply that the plain lane gave, ready to be said again: the octets behind its question, and what has to be changed in them.
 * Knows nothing of where replies are kept.
 */

import { lowerCase } from '../../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../../zones/rr.ts';
import type { Bytes, Count, Seconds } from '../../../zones/units.ts';
import type { Chance } from '../../pipeline.ts';
import type { Lease, Query, Reply } from '../../query.ts';
import { OPT_SIZE, UDP_PAYLOAD_MIN } from '../../wire/edns.ts';
import { encode } from '../../wire/encode.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';
import type { Account } from './accounts.ts';
import { TYPE_AND_CLASS } from './ordinary-question.ts';

/** Small and in few pieces: what is far from what in memory is most of what a reply costs among a hundred thousand. */
export type PreparedReply = {
  readonly hash: number;
  /** Header, question in lower case, and the records without OPT. */
  readonly octets: Uint8Array;
  /** Where in `octets` the header begins. */
  readonly at: number;
  /** Octets of the question. */
  readonly question: Bytes;
  /** Octets of the records. */
  readonly records: Bytes;
  /** Does no record say a name that depends on how the question is spelled? */
  readonly fitsAnySpelling: boolean;
  /** Undefined for records that are the same in each reply, and fit into all of them. */
  readonly changes: Changes | undefined;
  readonly lease: Lease;
  readonly account: Account;
  /** For those who are told of each exchange; undefined if there are none. */
  readonly reply: Reply | undefined;
};

/** What differs from one reply to the next. Places are seen from the end of the question. */
type Changes = {
  /** Octets of the answer section if it is a single RRset, which then is sent whole or not at all; else 0. */
  readonly cuttable: Bytes;
  /** Where TTLs stand; undefined if they stay. */
  readonly ttls: Uint16Array | undefined;
  /** The most that the first of them may be. */
  readonly firstTtlMax: Seconds | undefined;
  /** Octets of UDP reply that an asker has to take; 0 if any will do. */
  readonly leastSize: Bytes;
  /** The addresses that have a new order in each reply; undefined if there are none. */
  readonly order: Order | undefined;
};

/** The last RRset of an answer section. */
export type Order = {
  readonly chance: Chance;
  readonly count: Count;
  /** Octets of an address, 4 or 16. */
  readonly size: Bytes;
  /** Where the last address ends. */
  readonly end: Bytes;
};

/** Octets of question and records; larger ones are seldom, and fill the tables. A hundred addresses take 1,660. */
export const PREPARED_MAX: Bytes = 8 * 1024;
/** Records of a reply whose TTLs are counted down. */
const TTLS_MAX: Count = 256;
/** Behind the owner: type, class, TTL and length. */
const RECORD_FIXED: Bytes = 10;
/** Behind the owner: type and class. */
const TTL_OFFSET: Bytes = 4;

/** What a prepared reply is made of, before it has a place. */
export type Preparation = Pick<PreparedReply, 'question' | 'records' | 'fitsAnySpelling' | 'changes' | 'lease'> & {
  /** As `octets`, the question spelled as it was asked. */
  readonly message: Uint8Array;
};

/** Undefined for a reply that cannot be said again just by its octets. `chance` is that of the block's layers, if one of them has any. */
export function prepare(query: Query, reply: Reply, chance: Chance | undefined): Preparation | undefined {
  const { lease, extendedError, options, rcode, truncated, fault } = reply;
  if (lease === undefined || truncated || fault !== undefined) return undefined;
  if (extendedError !== undefined || options.length > 0 || rcode > RCODE_MAX) return undefined;
  const fitsAnySpelling = saysNoNames(reply, query);
  if (!fitsAnySpelling && query.question.spelling !== query.question.name) return undefined;
  const moving = chance === undefined ? NONE : movingAddresses(reply);
  if (moving === undefined || isTooLarge(reply)) return undefined;
  const whole = encode(plainQuery(query), reply);
  const { packet } = whole;
  if (whole.truncated || whole.sent !== reply || packet.length > PREPARED_MAX) return undefined;
  const question = query.question.spelling.length + TYPE_AND_CLASS;
  const layout = layoutOf(packet, HEADER_SIZE + question);
  const { ttls, answerEnd } = layout;
  if (!areEvenlyApart(layout, moving) || (!reply.fresh && ttls.length > TTLS_MAX)) return undefined;
  const changes: Changes = {
    cuttable: reply.answer.length === 1 ? answerEnd : 0,
    // What zones say has the TTL that it had.
    ttls: reply.fresh ? undefined : Uint16Array.from(ttls),
    firstTtlMax: lease.aliasTtlMax,
    leastSize: lease.leastSize ?? 0,
    order:
      chance === undefined || moving.length < 2
        ? undefined
        : { chance, count: moving.length, size: moving[0]?.length ?? 0, end: answerEnd },
  };
  const isFixed = changes.ttls === undefined && changes.order === undefined && changes.leastSize === 0;
  return {
    message: packet,
    question,
    records: packet.length - HEADER_SIZE - question,
    fitsAnySpelling,
    changes: isFixed && packet.length + OPT_SIZE <= UDP_PAYLOAD_MIN ? undefined : changes,
    lease,
  };
}

/** Without OPT, as over a transport that takes everything, and from nobody who wants to know of authenticity or sets CD. */
function plainQuery(query: Query): Query {
  return { ...query, id: 0, edns: undefined, peer: { ...query.peer, protocol: 'tcp' } };
}

/** The largest without an OPT record (RFC 6891 section 6.1.3). */
const RCODE_MAX = 0x0f;
const POINTER_SIZE: Bytes = 2;

/** The owner of every record is the asked name, which becomes a pointer, and no rdata has a name. */
function saysNoNames({ answer, authority, additional }: Reply, { question }: Query): boolean {
  if (authority.length > 0 || additional.length > 0) return false;
  return answer.every(({ owner, type }) => isAddress(type) && lowerCase(owner) === question.name);
}

const NONE: readonly Uint8Array[] = [];

/** Of a reply of `loadbalance` the addresses that it puts in order anew each time: at most the last RRset of the answer. Undefined for all that is less simple. */
function movingAddresses({ rcode, answer, authority, additional }: Reply): readonly Uint8Array[] | undefined {
  if (rcode !== Rcode.NOERROR) return NONE;
  const last = answer.at(-1);
  const isChain =
    last !== undefined && isAddress(last.type) && answer.slice(0, -1).every(({ type }) => type === RRType.CNAME);
  if (!hasOneOrder(authority) || !hasOneOrder(additional) || !(isChain || hasOneOrder(answer))) return undefined;
  return isChain && last.rdatas.length > 1 ? last.rdatas : NONE;
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

/** Is it so large, however well its names are compressed, that it need not be encoded to see that? */
function isTooLarge({ answer, authority, additional }: Reply): boolean {
  let least: Bytes = 0;
  for (const section of [answer, authority, additional]) {
    for (const { type, rdatas } of section) {
      least += rdatas.length * (1 + RECORD_FIXED);
      if (least > PREPARED_MAX) return true;
      if (hasNoCompression(type)) for (const rdata of rdatas) least += rdata.length;
    }
  }
  return least > PREPARED_MAX;
}

/** Of the types that come in large numbers. */
function hasNoCompression(type: number): boolean {
  return isAddress(type) || type === RRType.SRV || type === RRType.TXT;
}

/** Where things stand, seen from where the records begin. */
type Layout = {
  /** Of each record the TTL. */
  readonly ttls: readonly number[];
  readonly answers: Count;
  readonly answerEnd: Bytes;
};

/**
 * Do the records of those addresses, the last of the answer section, have owners that are pointers, from the second one on? The root's own
 * addresses have not: it is shorter than a pointer to it. Nor need those whose owner came after more names than can be pointed to.
 */
function areEvenlyApart({ ttls, answers }: Layout, { length, [0]: address }: readonly Uint8Array[]): boolean {
  const stride = strideOf(address?.length ?? 0);
  for (let i = answers - length + 1; i < answers; i++) {
    if ((ttls[i] ?? 0) - (ttls[i - 1] ?? 0) !== stride) return false;
  }
  return true;
}

/** From one record of addresses of that size to the next. */
function strideOf(size: Bytes): Bytes {
  return POINTER_SIZE + RECORD_FIXED + size;
}

/** The packet is one of ours, and its records begin at `start`. */
function layoutOf(packet: Buffer, start: number): Layout {
  const answers = packet.readUInt16BE(6);
  const ttls: number[] = [];
  let answerEnd: Bytes = 0;
  for (let at = start; at < packet.length;) {
    while ((packet[at] ?? 0) !== 0 && (packet[at] ?? 0) < 0xc0) at += 1 + (packet[at] ?? 0);
    at += packet[at] === 0 ? 1 : POINTER_SIZE;
    ttls.push(at + TTL_OFFSET - start);
    at += RECORD_FIXED + packet.readUInt16BE(at + 8);
    if (ttls.length === answers) answerEnd = at - start;
  }
  return { ttls, answers, answerEnd };
}

/** Writes a TTL over those of the records that begin at `records`; the first has at most `firstMax`. */
export function writeTtls(
  reply: Uint8Array,
  records: number,
  ttls: Uint16Array,
  ttl: Seconds,
  firstMax: Seconds = ttl,
): void {
  for (let i = 0; i < ttls.length; i++) writeTtl(reply, records + (ttls[i] ?? 0), ttl);
  if (firstMax < ttl) writeTtl(reply, records + (ttls[0] ?? 0), firstMax);
}

function writeTtl(reply: Uint8Array, at: number, ttl: Seconds): void {
  reply[at] = ttl >>> 24;
  reply[at + 1] = (ttl >>> 16) & 0xff;
  reply[at + 2] = (ttl >>> 8) & 0xff;
  reply[at + 3] = ttl & 0xff;
}

/** Puts addresses in a new order, in records that begin at `records`: Fisher and Yates' shuffle. */
export function shuffleAddresses(reply: Uint8Array, records: number, { chance, count, size, end }: Order): void {
  const stride = strideOf(size);
  const first = records + end - size - (count - 1) * stride;
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
