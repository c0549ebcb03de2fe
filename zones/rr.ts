/** Resource records: types, rcodes, RRsets. Knows nothing of messages or zones. */

import type { Spelling } from './name.ts';
import type { Seconds } from './units.ts';

/** Record types that the code names. RFC 1035 section 3.2.2 unless said otherwise. */
export const RRType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  /** RFC 3596 */
  AAAA: 28,
  /** RFC 2782 */
  SRV: 33,
  /** RFC 6672 */
  DNAME: 39,
  /** RFC 6891 */
  OPT: 41,
  /** RFC 4034 */
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  /** RFC 5155 */
  NSEC3: 50,
  /** RFC 9460 */
  SVCB: 64,
  HTTPS: 65,
  /** RFC 8945, RFC 2930 */
  TKEY: 249,
  TSIG: 250,
  /** RFC 1995, RFC 5936 */
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  /** RFC 8482 */
  ANY: 255,
} as const;

/** Classes. RFC 1035 section 3.2.4. */
export const RRClass = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

/** Response codes. RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9. */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
} as const;

/**
 * Records of one owner and type with one TTL (RFC 2181 section 5). The class is that of the question it answers.
 * `rdatas` hold octets with every name in full: nothing in them is a compression pointer.
 */
export type RRset = {
  readonly owner: Spelling;
  readonly type: number;
  readonly ttl: Seconds;
  readonly rdatas: readonly Uint8Array[];
};

/** `A`, `HTTPS`, or `TYPE65280` for a type without a name here (RFC 3597 section 5). */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** The number of a type written `A` or `TYPE1`, any case; undefined if it is neither. */
export function typeFrom(text: string): number | undefined {
  const upper = text.toUpperCase();
  const number = TYPE_NUMBERS.get(upper);
  if (number !== undefined) return number;
  const generic = /^TYPE([0-9]{1,5})$/.exec(upper);
  if (generic === null) return undefined;
  const value = Number(generic[1]);
  return value <= 0xffff ? value : undefined;
}

/** `IN`, or `CLASS1000` (RFC 3597 section 5). */
export function className(value: number): string {
  return CLASS_NAMES.get(value) ?? `CLASS${value}`;
}

/** `NXDOMAIN`, or `RCODE11`. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}

/** The number of an rcode written as its mnemonic, any case. */
export function rcodeFrom(text: string): number | undefined {
  return RCODE_NUMBERS.get(text.toUpperCase());
}

const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(RRType),
  ['RP', 17],
  ['LOC', 29],
  ['NAPTR', 35],
  ['SSHFP', 44],
  ['TLSA', 52],
  ['CDS', 59],
  ['SPF', 99],
  ['URI', 256],
  ['CAA', 257],
  ['NULL', 10],
]);
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([...TYPE_NUMBERS].map(([name, value]) => [value, name]));
const CLASS_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(RRClass).map(([name, value]) => [value, name]));
const RCODE_NUMBERS: ReadonlyMap<string, number> = new Map<string, number>([
  ...Object.entries(Rcode),
  ['YXDOMAIN', 6],
  ['YXRRSET', 7],
  ['NXRRSET', 8],
  ['NOTZONE', 10],
  ['BADCOOKIE', 23],
]);
const RCODE_NAMES: ReadonlyMap<number, string> = new Map([...RCODE_NUMBERS].map(([name, value]) => [value, name]));
