/** Pods by address: `10-244-1-5.prod.pod.ZONE` (CoreDNS plugin/kubernetes `pods`). Knows one label, not the name around it. */

import { addressFrom, type Address } from '../ip.ts';

/** An address, and its text as a Pod's status would have it. */
export type PodAddress = { readonly address: Address; readonly text: string };

/**
 * The address in a label with dashes for its dots or colons; undefined if it is none. Only digits and dashes count: a label
 * may hold any octet, dots and colons too, and such a label is no address.
 */
export function podAddressFrom(label: string): PodAddress | undefined {
  let dashes = 0;
  for (let i = 0; i < label.length; i++) {
    const c = label.charCodeAt(i);
    if (c === DASH) dashes++;
    else if (!isHexDigit(c)) return undefined;
  }
  const isIpv4 = dashes === 3 && !label.includes('--');
  const text = label.replaceAll('-', isIpv4 ? '.' : ':');
  const address = addressFrom(text);
  return address === undefined ? undefined : { address, text };
}

const DASH = 0x2d;

function isHexDigit(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66);
}
