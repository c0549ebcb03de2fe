/** IP addresses as text: which there are, how records and reverse names spell them. Knows nothing of clusters. */

import { isIP } from 'node:net';

import { lower, type Name } from './name.ts';

/** An IPv6 address with a scope (`fe80::1%eth0`) is none that DNS could say. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/**
 * The addresses among some texts, spelled as they are there. What has dots in IPv6 is spelled without: one that is IPv4 in
 * disguise as IPv4, which it is for Go and so for the API (RFC 4291 section 2.5.5.2).
 */
export function addressesAmong(texts: readonly string[]): readonly string[] {
  return texts.filter(isAddress).map((text) => {
    const mapped = /^::ffff:(.{1,4}):(.{1,4})$/.exec(canonical(text));
    if (mapped === null) return text.includes('.') ? canonical(text) : text;
    const [high = 0, low = 0] = mapped.slice(1).map((group) => Number.parseInt(group, 16));
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  });
}

export function addressType(address: string): 'A' | 'AAAA' {
  return address.includes(':') ? 'AAAA' : 'A';
}

/** The one spelling of an address (RFC 5952), as URLs have it. */
export function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** `10.96.0.1` is `1.0.96.10.in-addr.arpa.`; IPv6 has a label for each of its 32 digits (RFC 3596 section 2.5). */
export function reverseName(address: string): Name {
  if (addressType(address) === 'A') return [...address.split('.').toReversed(), 'in-addr', 'arpa'];
  const [before = '', after = ''] = canonical(address).split('::');
  const left = before.split(':').filter((group) => group !== '');
  const right = after.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const digits = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('');
  return [...digits.split('').toReversed(), 'ip6', 'arpa'];
}

/** Is it a name of the reverse tree? */
export function isReverse(name: Name): boolean {
  const [kind = '', arpa = ''] = name.slice(-2).map(lower);
  return arpa === 'arpa' && (kind === 'in-addr' || kind === 'ip6');
}

/** The name of an endpoint without a better one: `10-244-3-4`, `fd00-244-3--0`. A label must not end in a dash. */
export function dashed(address: string): string {
  const label = lower(address).replace(/[.:]/g, '-');
  return label.endsWith('-') ? `${label}0` : label;
}

/** The address that a pod's label spells: `10-244-3-4`, `fd00-244--7`; undefined if none. */
export function addressFromDashes(label: string): string | undefined {
  if (!/^[0-9a-f-]+$/.test(label)) return undefined;
  const isIPv4 = label.split('-').length === 4 && !label.includes('--');
  const address = label.replaceAll('-', isIPv4 ? '.' : ':');
  return isAddress(address) ? address : undefined;
}
