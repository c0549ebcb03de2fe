/** Rcodes, types, labels and rdata in words (RFC 1035 section 5, RFC 3597 section 5). Knows nothing of whole messages, or of any server. */

import type { Bytes } from '../../zones/units.ts';
import type { MessageCursor } from './message-cursor.ts';

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9, RFC 7873 section 8. */
const RCODES: ReadonlyMap<number, string> = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
  [11, 'DSOTYPENI'],
  [16, 'BADVERS'],
  [23, 'BADCOOKIE'],
]);
const RCODE_NUMBERS: ReadonlyMap<string, number> = new Map([...RCODES].map(([number, name]) => [name, number]));

/** RFC 1035, 2782, 3403, 3596, 4034, 5155, 6672, 6891, 8659, 9460. */
const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [2, 'NS'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [10, 'NULL'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [28, 'AAAA'],
  [33, 'SRV'],
  [35, 'NAPTR'],
  [39, 'DNAME'],
  [41, 'OPT'],
  [43, 'DS'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [50, 'NSEC3'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [252, 'AXFR'],
  [255, 'ANY'],
  [257, 'CAA'],
]);
const TYPE_NUMBERS: ReadonlyMap<string, number> = new Map([...TYPES].map(([number, name]) => [name, number]));

/** `NXDOMAIN`; `RCODE17` where there is no name. */
export function rcodeName(rcode: number): string {
  return RCODES.get(rcode) ?? `RCODE${rcode}`;
}

/** @throws Error if there is no such rcode */
export function rcodeNumber(name: string): number {
  return RCODE_NUMBERS.get(name) ?? numbered('RCODE', name);
}

/** `AAAA`; `TYPE65280` where there is no name. */
export function typeName(type: number): string {
  return TYPES.get(type) ?? `TYPE${type}`;
}

/** @throws Error if there is no such type */
export function typeNumber(name: string): number {
  return TYPE_NUMBERS.get(name) ?? numbered('TYPE', name);
}

function numbered(kind: string, name: string): number {
  const number = name.startsWith(kind) ? Number(name.slice(kind.length)) : NaN;
  if (!Number.isInteger(number)) throw new Error(`"${name}" has no number here; write ${kind} and its number`);
  return number;
}

/** With a final dot. A label holds any octets, one character each (latin1). */
export function presentLabels(labels: readonly string[]): string {
  return labels.length === 0 ? '.' : labels.map((label) => `${presentLabel(label)}.`).join('');
}

/** What could be taken for something else is escaped (RFC 1035 section 5.1). */
export function presentLabel(label: string): string {
  if (PLAIN.test(label)) return label;
  return label.replace(/[^a-zA-Z0-9_*/-]/g, (character) => {
    const octet = character.charCodeAt(0);
    return octet > 0x20 && octet < 0x7f ? `\\${character}` : `\\${String(octet).padStart(3, '0')}`;
  });
}

const PLAIN = /^[a-zA-Z0-9_*/-]*$/;

/**
 * Reads the rdata that goes on to `end`; what type has which is as strict as the cursor is.
 * @throws MalformedError if a record of that type cannot have it
 */
export function presentRdata(type: string, cursor: MessageCursor, end: Bytes): string {
  const rdata = readRdata(type, cursor, end);
  if (cursor.at !== end) cursor.fail(`rdata of a ${type} record that does not end where it says`);
  return rdata;
}

function readRdata(type: string, cursor: MessageCursor, end: Bytes): string {
  switch (type) {
    case 'A':
      return `${cursor.uint8()}.${cursor.uint8()}.${cursor.uint8()}.${cursor.uint8()}`;
    case 'AAAA':
      return presentIPv6(Array.from({ length: 8 }, () => cursor.uint16()));
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return cursor.name('allowed');
    case 'MX':
      return `${cursor.uint16()} ${cursor.name('allowed')}`;
    case 'SRV':
      // RFC 2782: "name compression is not to be used for this field".
      return `${cursor.uint16()} ${cursor.uint16()} ${cursor.uint16()} ${cursor.name('forbidden')}`;
    case 'SOA': {
      const names = `${cursor.name('allowed')} ${cursor.name('allowed')} ${cursor.uint32()}`;
      return `${names} ${cursor.uint32()} ${cursor.uint32()} ${cursor.uint32()} ${cursor.uint32()}`;
    }
    case 'TXT': {
      const strings = [presentString(cursor)];
      while (cursor.at < end) strings.push(presentString(cursor));
      return strings.join(' ');
    }
    case 'HINFO':
      return `${presentString(cursor)} ${presentString(cursor)}`;
    default: {
      const octets = cursor.take(end - cursor.at);
      return `\\# ${octets.length} ${octets.toString('hex')}`.trimEnd();
    }
  }
}

function presentString(cursor: MessageCursor): string {
  return `"${cursor.take(cursor.uint8()).toString('latin1').replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 5952: the URL parser writes addresses so. */
function presentIPv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
