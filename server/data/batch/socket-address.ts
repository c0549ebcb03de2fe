/** The sender and the asked address of a datagram as the kernel writes them: sockaddr and packet info. Knows nothing of sockets. */

import { addressFrom, presentAddress } from '../../../zones/ip.ts';
import type { Bytes } from '../../../zones/units.ts';
import { FAMILIES, IP_PACKET_INFO, Ipv6Option, Level } from './system-calls.ts';

/** `sockaddr_in` and `sockaddr_in6`: family, port, (flow,) address, (scope). */
export const ADDRESS_SIZES = { 4: 16, 6: 28 } as const;
/** Of the larger of the two. */
export const ADDRESS_SIZE: Bytes = ADDRESS_SIZES[6];
/** A control message with an `in_pktinfo` or `in6_pktinfo`, with its padding. */
export const INFO_SIZES = { 4: 32, 6: 40 } as const;
/** Of the larger of the two. */
export const INFO_SIZE: Bytes = INFO_SIZES[6];

const PORT = 2;
const ADDRESS = { 4: 4, 6: 8 } as const;
const FLOW = 4;
const SCOPE = 24;
const DOT = 0x2e;
const ZERO = 0x30;
const NOWHERE = new Uint8Array(16);

/** Where the control message has the interface, and the address that was asked: for IPv4 `ipi_spec_dst`, which is never a broadcast's. */
const INFO_INTERFACE = { 4: 16, 6: 32 } as const;
const INFO_ADDRESS = { 4: 20, 6: 16 } as const;
/** Length without padding, level and type of the control message. */
const INFO_HEADERS = {
  4: { length: 28, level: Level.IP, type: IP_PACKET_INFO },
  6: { length: 36, level: Level.IPV6, type: Ipv6Option.PACKET_INFO },
} as const;

/** An address in text, without zone identifier, and the number of its interface where there was one. */
export function writeAddress(view: DataView, at: Bytes, text: string, port: number, scope = 0): void {
  view.setUint16(at + PORT, port);
  if (text.includes(':')) {
    const octets = addressFrom(text) ?? NOWHERE;
    view.setUint16(at, FAMILIES[6], true);
    view.setUint32(at + FLOW, 0);
    for (let i = 0; i < octets.length; i++) view.setUint8(at + ADDRESS[6] + i, octets[i] ?? 0);
    view.setUint32(at + SCOPE, scope, true);
    return;
  }
  view.setUint16(at, FAMILIES[4], true);
  // Once for each time that a socket wakes: with `split` it would cost five times as much.
  let octet = 0;
  let to = at + ADDRESS[4];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      view.setUint8(to++, octet);
      octet = 0;
    } else octet = octet * 10 + code - ZERO;
  }
  view.setUint8(to, octet);
}

export function portOf(view: DataView, at: Bytes): number {
  return view.getUint16(at + PORT);
}

/** Canonical text; a link-local address ends in the name of its interface (RFC 4007 section 11). */
export function textOf(octets: Uint8Array, at: Bytes, family: 4 | 6, nameOf: (scope: number) => string): string {
  const start = at + ADDRESS[family];
  if (family === 4) return `${octets[start]}.${octets[start + 1]}.${octets[start + 2]}.${octets[start + 3]}`;
  const text = presentAddress(octets.subarray(start, start + 16));
  if (!isLinkLocal(octets, start)) return text;
  return `${text}%${nameOf(new DataView(octets.buffer).getUint32(octets.byteOffset + at + SCOPE, true))}`;
}

/** The address in a control message, as text; the same rule for link-local ones. */
export function askedText(octets: Uint8Array, at: Bytes, family: 4 | 6, nameOf: (scope: number) => string): string {
  const start = at + INFO_ADDRESS[family];
  const text = presentAddress(octets.subarray(start, start + (family === 4 ? 4 : 16)));
  if (family === 4 || !isLinkLocal(octets, start)) return text;
  return `${text}%${nameOf(new DataView(octets.buffer).getUint32(octets.byteOffset + at + INFO_INTERFACE[6], true))}`;
}

/**
 * Can a reply go to this sender? What `isAnswerable` (wire/gate.ts) says of text, said of octets. The address that was asked stands in `own`,
 * from `ownAt` on.
 */
export function isAnswerableAddress(
  octets: Uint8Array,
  at: Bytes,
  family: 4 | 6,
  own: Uint8Array,
  ownAt: Bytes,
  ownPort: number,
): boolean {
  const port = ((octets[at + PORT] ?? 0) << 8) | (octets[at + PORT + 1] ?? 0);
  if (port === 0) return false;
  const start = at + ADDRESS[family];
  if (port === ownPort && isEqual(octets, start, own, ownAt, family === 4 ? 4 : 16)) return false;
  const first = octets[start] ?? 0;
  if (family === 4) return first > 0 && first < 224 && !(first === 127 && isLastOfLoopback(octets, start));
  if (first === 0xff) return false;
  for (let i = start; i < start + 16; i++) if (octets[i] !== 0) return true;
  return false;
}

/** Where the address stands in a control message that starts there. */
export function infoAddress(at: Bytes, family: 4 | 6): Bytes {
  return at + INFO_ADDRESS[family];
}

/**
 * Makes of what came with a query what goes with its reply: the address that was asked becomes the sender, by whatever interface the way
 * back leads, except for link-local ones. Returns the size to send: 0 where there is none, or the kernel has to choose the address.
 */
export function turnInfo(view: DataView, octets: Uint8Array, at: Bytes, size: Bytes, family: 4 | 6): Bytes {
  const { level, type } = INFO_HEADERS[family];
  if (size < INFO_HEADERS[family].length) return 0;
  if (view.getInt32(at + 8, true) !== level || view.getInt32(at + 12, true) !== type) return 0;
  const start = at + INFO_ADDRESS[family];
  if (family === 6 && octets[start] === 0xff) return 0;
  if (family === 4 || !isLinkLocal(octets, start)) view.setUint32(at + INFO_INTERFACE[family], 0, true);
  return INFO_SIZES[family];
}

function isEqual(one: Uint8Array, at: Bytes, other: Uint8Array, otherAt: Bytes, size: Bytes): boolean {
  for (let i = 0; i < size; i++) if (one[at + i] !== other[otherAt + i]) return false;
  return true;
}

/** 127.255.255.255, which the kernel takes for a broadcast. */
function isLastOfLoopback(octets: Uint8Array, start: Bytes): boolean {
  return octets[start + 1] === 255 && octets[start + 2] === 255 && octets[start + 3] === 255;
}

/** fe80::/10, RFC 4291 section 2.5.6. */
function isLinkLocal(octets: Uint8Array, start: Bytes): boolean {
  return octets[start] === 0xfe && ((octets[start + 1] ?? 0) & 0xc0) === 0x80;
}
