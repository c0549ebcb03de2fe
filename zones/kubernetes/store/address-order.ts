/**
 * Address keys in ascending order, to say whether any address begins with some digits: an empty non-terminal of a reverse
 * zone exists exactly then (RFC 8020). Knows nothing of names.
 */

import type { ReverseDigits } from '../../ip.ts';
import type { Count } from '../../units.ts';

/** Changes that are sorted in one by one; more of them cost as much as sorting anew. */
export const PENDING_MAX: Count = 1000;

/**
 * Nothing is kept until the first question, and no change of the cluster is ever sorted in before a question needs it, so
 * that clusters where nobody asks for half a reverse name pay nothing.
 */
export class AddressOrder {
  readonly #all: () => Iterable<string>;
  readonly #has: (key: string) => boolean;
  #sorted: string[] | undefined;
  readonly #pending = new Set<string>();

  /** @param all the keys there are, some perhaps twice; @param has whether a key is among them */
  constructor(all: () => Iterable<string>, has: (key: string) => boolean) {
    this.#all = all;
    this.#has = has;
  }

  /** The key came or went. */
  touch(key: string): void {
    if (this.#sorted === undefined) return;
    this.#pending.add(key);
    if (this.#pending.size <= PENDING_MAX) return;
    this.#sorted = undefined;
    this.#pending.clear();
  }

  /** Does an address of that family begin with these digits? */
  hasBeginning({ family, digits }: ReverseDigits): boolean {
    const sorted = this.#upToDate();
    const least = orderKey(family, family === 4 ? digits : octetsOfNibbles(digits));
    const found = sorted[lowerBound(sorted, least)];
    return found !== undefined && beginsWith(found, family, digits);
  }

  #upToDate(): readonly string[] {
    if (this.#sorted === undefined) {
      const keys = new Set<string>();
      for (const key of this.#all()) keys.add(orderKey(key.length === 4 ? 4 : 6, key));
      this.#sorted = [...keys].toSorted(ascending);
      return this.#sorted;
    }
    for (const key of this.#pending) {
      const ordered = orderKey(key.length === 4 ? 4 : 6, key);
      const at = lowerBound(this.#sorted, ordered);
      const isThere = this.#sorted[at] === ordered;
      if (this.#has(key) === isThere) continue;
      this.#sorted.splice(at, isThere ? 1 : 0, ...(isThere ? [] : [ordered]));
    }
    this.#pending.clear();
    return this.#sorted;
  }
}

/** All IPv4 addresses come before all IPv6 addresses. */
function orderKey(family: 4 | 6, octets: string): string {
  return (family === 4 ? '4' : '6') + octets;
}

function beginsWith(ordered: string, family: 4 | 6, digits: string): boolean {
  const whole = family === 4 ? digits : octetsOfNibbles(digits.slice(0, digits.length & ~1));
  if (!ordered.startsWith(orderKey(family, whole))) return false;
  if (family === 4 || digits.length % 2 === 0) return true;
  return ordered.charCodeAt(1 + whole.length) >> 4 === digits.charCodeAt(digits.length - 1);
}

/** Two nibbles to an octet; a lone last one gets a zero. */
function octetsOfNibbles(nibbles: string): string {
  let octets = '';
  for (let i = 0; i < nibbles.length; i += 2) {
    const low = i + 1 < nibbles.length ? nibbles.charCodeAt(i + 1) : 0;
    octets += String.fromCharCode((nibbles.charCodeAt(i) << 4) | low);
  }
  return octets;
}

/** Index of the first key that is not below `least`. */
function lowerBound(sorted: readonly string[], least: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ascending(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
