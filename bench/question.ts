/** One question of a bench with the one right answer, and whether a reply gives it. Shares no code with the servers measured. */

import { present, type Spelling } from '../zones/name.ts';
import { RRClass, RRType, Rcode } from '../zones/rr.ts';
import type { Bytes, Count } from '../zones/units.ts';

/** Plain data: it crosses to the generator's process. */
export type BenchQuestion = {
  /** The message with id 0; the question is all that is in it. */
  readonly query: Uint8Array;
  readonly rcode: number;
  /** What the A records must hold, as numbers in ascending order. */
  readonly addresses: readonly number[];
};

/** An A question as stub resolvers send it: recursion desired, no EDNS. The answer is these addresses, or NXDOMAIN if there are none. */
export function addressQuestion(name: string, addresses: readonly string[]): BenchQuestion {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = [0, 0, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  const query = Buffer.concat([Buffer.from(header), ...labels, Buffer.from([0, 0, RRType.A, 0, RRClass.IN])]);
  return {
    query,
    rcode: addresses.length === 0 ? Rcode.NXDOMAIN : Rcode.NOERROR,
    addresses: addresses.map(numberOf).toSorted((a, b) => a - b),
  };
}

/** The name that is asked. */
export function presentQuestion({ query }: BenchQuestion): string {
  const name = Buffer.from(query).toString('latin1', HEADER_SIZE, query.length - TYPE_AND_CLASS);
  return present(name as Spelling); // of our own question
}

/**
 * What is wrong with a reply, in words; undefined if nothing is. Every address must be there once, in any order, owned by the
 * asked name; a denial must have its SOA (RFC 2308 section 3). TTLs are the server's own.
 */
export function faultOf(reply: Buffer, question: BenchQuestion): string | undefined {
  try {
    return headFault(reply, question) ?? recordFault(reply, question);
  } catch (error) {
    if (error instanceof RangeError) return 'it ends too early';
    throw error;
  }
}

const HEADER_SIZE: Bytes = 12;
/** Behind the name of a question. */
const TYPE_AND_CLASS: Bytes = 4;
const REPLY_FLAG = 0x8000;
const TRUNCATED_FLAG = 0x0200;
/** A compression pointer to the question's name. */
const TO_QUESTION = 0xc000 | HEADER_SIZE;

function headFault(reply: Buffer, { query, rcode, addresses }: BenchQuestion): string | undefined {
  const flags = reply.readUInt16BE(2);
  if ((flags & REPLY_FLAG) === 0) return 'it is no reply';
  if ((flags & TRUNCATED_FLAG) !== 0) return 'it is truncated';
  if ((flags & 15) !== rcode) return `its rcode is ${flags & 15}, not ${rcode}`;
  const hasQuestion = reply.compare(query, HEADER_SIZE, query.length, HEADER_SIZE, query.length) === 0;
  if (reply.readUInt16BE(4) !== 1 || !hasQuestion) return 'it has another question';
  const count = reply.readUInt16BE(6);
  return count === addresses.length ? undefined : `it has ${count} answers, not ${addresses.length}`;
}

function recordFault(reply: Buffer, { query, addresses }: BenchQuestion): string | undefined {
  if (addresses.length === 0) return denialFault(reply, query);
  const found = new Uint32Array(addresses.length);
  let at = query.length;
  for (let i = 0; i < found.length; i++) {
    const fixed = endOfName(reply, at);
    if (!isAsked(reply, at, query)) return 'an answer has another owner';
    const isAddress = reply.readUInt16BE(fixed) === RRType.A && reply.readUInt16BE(fixed + 8) === 4;
    if (!isAddress) return 'an answer is no A record';
    found[i] = reply.readUInt32BE(fixed + 10);
    at = fixed + 14;
  }
  found.sort();
  const wrong = addresses.findIndex((address, i) => found[i] !== address);
  return wrong === -1
    ? undefined
    : `an address is ${presentNumber(found[wrong])}, not ${presentNumber(addresses[wrong])}`;
}

function denialFault(reply: Buffer, query: Uint8Array): string | undefined {
  const hasSoa = reply.readUInt16BE(8) === 1 && reply.readUInt16BE(endOfName(reply, query.length)) === RRType.SOA;
  return hasSoa ? undefined : 'it denies without an SOA';
}

/** Is the owner name at `at` the question's, pointed to or spelled out? */
function isAsked(reply: Buffer, at: number, query: Uint8Array): boolean {
  if (reply.readUInt16BE(at) === TO_QUESTION) return true;
  const nameEnd = query.length - TYPE_AND_CLASS;
  return reply.compare(query, HEADER_SIZE, nameEnd, at, at + nameEnd - HEADER_SIZE) === 0;
}

function endOfName(reply: Buffer, start: number): number {
  for (let at = start; ;) {
    const length = reply.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}

function presentNumber(address: number | undefined): string {
  const octets = [24, 16, 8, 0].map((shift): Count => ((address ?? 0) >>> shift) & 255);
  return octets.join('.');
}
