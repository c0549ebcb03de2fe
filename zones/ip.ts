/** IP addresses as octets, their text, and the reverse names that stand for them. Knows nothing of zones. */

import { isIPv4, isIPv6 } from 'node:net';

import { nameFrom, type Name } from './name.ts';

/** 4 or 16 octets in network order. */
export type Address = Uint8Array;

/** The octets of an address in text form (RFC 4291 section 2.2 for IPv6, no zone identifier); undefined if it is none. */
export function addressFrom(text: string): Address | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return ipv6From(text);
}

/** The octets as one latin1 character each: equal addresses are equal keys, however they were written. */
export function addressKey(address: Address): string {
  return String.fromCharCode(...address);
}

/** Canonical text (RFC 5952 for IPv6). */
export function presentAddress(address: Address): string {
  if (address.length === 4) return address.join('.');
  return new URL(`http://[${hextets(address).join(':')}]`).hostname.slice(1, -1);
}

/** The full reverse name: four labels below in-addr.arpa (RFC 1035 section 3.5) or 32 below ip6.arpa (RFC 3596 section 2.5). */
export function reverseNameOf(address: Address): Name {
  const octets = [...address].reverse();
  if (address.length === 4) return nameFrom(`${octets.join('.')}.in-addr.arpa`);
  const nibbles = octets.flatMap((octet) => [octet & 15, octet >> 4].map((nibble) => nibble.toString(16)));
  return nameFrom(`${nibbles.join('.')}.ip6.arpa`);
}

function ipv6From(text: string): Address {
  const dotted = /^(.*:)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text);
  const plain =
    dotted === null
      ? text
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = Array<string>(8 - before.length - after.length).fill('0');
  const address = new Uint8Array(16);
  [...before, ...gap, ...after].forEach((group, i) => {
    const value = Number.parseInt(group, 16);
    address[2 * i] = value >> 8;
    address[2 * i + 1] = value & 255;
  });
  return address;
}

function hextets(address: Address): string[] {
  return Array.from({ length: 8 }, (_, i) => (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16));
}
