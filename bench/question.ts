/** One question of a bench with the one right answer. Shares no code with the servers measured. */

import { present, type Spelling } from '../zones/name.ts';
import { RRClass, RRType, Rcode } from '../zones/rr.ts';
import type { Bytes, Count } from '../zones/units.ts';

export type BenchQuestion = {
  /** The message with id 0. */
  readonly query: Uint8Array;
  /** Behind the class: what follows are additional records. */
  readonly questionEnd: Bytes;
  readonly rcode: number;
  /** The answer section in ascending order: type and rdata, names in it in full. */
  readonly records: readonly Uint8Array[];
  /** A denial without an SOA is wrong (RFC 2308 section 3). */
  readonly wantsSoa: boolean;
  /** The answer does not fit: TC is set, and what is there is a part of `records`. */
  readonly isTruncated: boolean;
  /** Its name and its address hold a number that is another each time it is asked: `countedName`. */
  readonly isCounted: boolean;
};

export type QuestionOptions = {
  readonly type?: number;
  readonly rcode?: number;
  /** The UDP payload size of an OPT record (RFC 6891 section 6.2.3). */
  readonly payloadSize?: Bytes;
  readonly isTruncated?: boolean;
  readonly isCounted?: boolean;
};

/** An A question as stub resolvers send it: recursion desired, no EDNS. The answer is these addresses, or NXDOMAIN if there are none. */
export function addressQuestion(name: string, addresses: readonly string[]): BenchQuestion {
  const rcode = addresses.length === 0 ? Rcode.NXDOMAIN : Rcode.NOERROR;
  return questionOf(name, addresses.map(addressRecord), { rcode });
}

/** With recursion desired; NODATA if there are no records and no other rcode is wanted. */
export function questionOf(name: string, records: readonly Uint8Array[], options: QuestionOptions = {}): BenchQuestion {
  const {
    type = RRType.A,
    rcode = Rcode.NOERROR,
    payloadSize,
    isTruncated = false,
    isCounted = false,
  }: QuestionOptions = options;
  const additional = payloadSize === undefined ? [] : [0, 0, RRType.OPT, ...two(payloadSize), 0, 0, 0, 0, 0, 0];
  const header = [0, 0, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, additional.length === 0 ? 0 : 1];
  const question = [...header, ...octetsOf(name), ...two(type), ...two(RRClass.IN)];
  return {
    query: Uint8Array.from([...question, ...additional]),
    questionEnd: question.length,
    rcode,
    records: records.toSorted((a, b) => Buffer.compare(a, b)),
    wantsSoa: records.length === 0,
    isTruncated,
    isCounted,
  };
}

/** A (RFC 1035 section 3.4.1). */
export function addressRecord(address: string): Uint8Array {
  return Uint8Array.from([...two(RRType.A), ...address.split('.').map(Number)]);
}

/** AAAA (RFC 3596 section 2.2) that has the IPv4 address behind `MAPPED_PREFIX`. */
export function mappedRecord(address: string): Uint8Array {
  return Uint8Array.from([...two(RRType.AAAA), ...MAPPED_NET, ...address.split('.').map(Number)]);
}

/** CNAME (RFC 1035 section 3.3.1). */
export function aliasRecord(target: string): Uint8Array {
  return Uint8Array.from([...two(RRType.CNAME), ...octetsOf(target)]);
}

/** PTR (RFC 1035 section 3.3.12). */
export function pointerRecord(target: string): Uint8Array {
  return Uint8Array.from([...two(RRType.PTR), ...octetsOf(target)]);
}

/** SRV (RFC 2782). */
export function serviceRecord(priority: number, weight: number, port: number, target: string): Uint8Array {
  return Uint8Array.from([...two(RRType.SRV), ...two(priority), ...two(weight), ...two(port), ...octetsOf(target)]);
}

/** Before the digits of a counted name, which are six hexadecimal ones, and after them. */
export const COUNTED_PREFIX = 'u-';
/** First octet of a counted name's address; the number are the other three. */
export const COUNTED_NET = 11;
const COUNTED_DIGITS: Count = 6;

/** `u-00002a.example.org`. */
export function countedName(number: Count, domain: string): string {
  return `${COUNTED_PREFIX}${digitsOf(number)}.${domain}`;
}

/** The message with that id and, if it is counted, that number in its name. */
export function queryWith({ query, isCounted }: BenchQuestion, id: number, number: Count): Buffer {
  const copy = Buffer.from(query);
  copy.writeUInt16BE(id, 0);
  if (isCounted) copy.write(digitsOf(number), HEADER_SIZE + 1 + COUNTED_PREFIX.length, 'latin1');
  return copy;
}

/** The name that is asked. */
export function presentQuestion({ query, questionEnd }: BenchQuestion): string {
  const name = Buffer.from(query).toString('latin1', HEADER_SIZE, questionEnd - TYPE_AND_CLASS);
  return present(name as Spelling); // of our own question
}

/** Of the IPv6 addresses of outside names. */
export const MAPPED_PREFIX = '2001:db8::';
const MAPPED_NET: readonly number[] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0];

const HEADER_SIZE: Bytes = 12;
/** Behind the name of a question. */
const TYPE_AND_CLASS: Bytes = 4;

function digitsOf(number: Count): string {
  return (number & 0xffffff).toString(16).padStart(COUNTED_DIGITS, '0');
}

function octetsOf(name: string): readonly number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0];
}

function two(value: number): readonly [number, number] {
  return [value >> 8, value & 255];
}
