/**
 * Address keys as a tree of octets, to say whether any address with a name begins with some digits: an empty non-terminal of
 * a reverse zone exists exactly then (RFC 8020). Knows nothing of names.
 */

import type { ReverseDigits } from '../../ip.ts';
import type { Count } from '../../units.ts';

/**
 * Keys that one leaf holds, and that one question may have to look at; one more and it becomes a branch. More than that
 * cannot differ in their last octet alone, so a leaf that is full can always be divided.
 */
export const LEAF_MAX: Count = 256;

/**
 * Keys that one question has looked up by name. Beyond so many that are hidden, one that is shown is taken for granted: nobody
 * should be able to have a whole cluster searched again and again, and NODATA denies less than NXDOMAIN.
 */
export const LOOKS_MAX: Count = 64;

/** The keys that go on alike so far; branches are by the next octet, and none is empty. */
type Node = Leaf | Branch;
type Leaf = Set<string>;
type Branch = Map<number, Node>;

/** Coming and going cost a few steps, whatever the number of addresses, and so does a question. */
export class AddressTree {
  readonly #ipv4: Branch = new Map();
  readonly #ipv6: Branch = new Map();

  /** To add a key that is there changes nothing. */
  add(key: string): void {
    let branch = this.#rootOf(key.length);
    for (let depth = 0; ; depth++) {
      const octet = key.charCodeAt(depth);
      const node = branch.get(octet);
      if (node === undefined) return void branch.set(octet, new Set([key]));
      if (node instanceof Map) {
        branch = node;
        continue;
      }
      node.add(key);
      if (node.size > LEAF_MAX) branch.set(octet, branchFrom(node, depth + 1));
      return;
    }
  }

  /** To delete a key that is not there changes nothing. */
  delete(key: string): void {
    deleteBelow(this.#rootOf(key.length), key, 0);
  }

  /** Does an address of that family begin with these digits, one that `isShown` is true of? */
  hasBeginning(beginning: ReverseDigits, isShown: (key: string) => boolean): boolean {
    let looks: Count = 0;
    for (const key of this.#keysFrom(beginning)) if (++looks > LOOKS_MAX || isShown(key)) return true;
    return false;
  }

  *#keysFrom({ family, digits }: ReverseDigits): Iterable<string> {
    let branch = this.#rootOf(family === 4 ? 4 : 16);
    const width = family === 4 ? 1 : 2;
    for (let depth = 0; ; depth++) {
      const rest = digits.length - depth * width;
      if (rest < width) {
        for (const [octet, node] of branch) {
          if (rest === 0 || octet >> 4 === digits.charCodeAt(depth * width)) yield* keysOf(node);
        }
        return;
      }
      const node = branch.get(octetAt(digits, depth, width));
      if (node instanceof Set) for (const key of node) if (beginsWith(key, digits, width)) yield key;
      if (!(node instanceof Map)) return;
      branch = node;
    }
  }

  /** All of them, those of IPv4 first, in ascending order. */
  *keys(): Generator<string> {
    yield* keysBelow(this.#ipv4);
    yield* keysBelow(this.#ipv6);
  }

  #rootOf(length: number): Branch {
    return length === 4 ? this.#ipv4 : this.#ipv6;
  }
}

function* keysOf(node: Node): Iterable<string> {
  if (node instanceof Set) yield* node;
  else for (const below of node.values()) yield* keysOf(below);
}

function branchFrom(leaf: Leaf, depth: number): Branch {
  const branch: Branch = new Map();
  for (const key of leaf) {
    const octet = key.charCodeAt(depth);
    const node = branch.get(octet);
    if (node instanceof Set) node.add(key);
    else branch.set(octet, new Set([key]));
  }
  return branch;
}

function* keysBelow(branch: Branch): Generator<string> {
  for (const [, node] of [...branch].toSorted(([a], [b]) => a - b)) {
    if (node instanceof Map) yield* keysBelow(node);
    else yield* [...node].toSorted();
  }
}

function deleteBelow(branch: Branch, key: string, depth: number): void {
  const octet = key.charCodeAt(depth);
  const node = branch.get(octet);
  if (node instanceof Map) deleteBelow(node, key, depth + 1);
  else node?.delete(key);
  if (node?.size === 0) branch.delete(octet);
}

/** The digit of an IPv4 address, two digits of an IPv6 address. */
function octetAt(digits: string, at: number, width: number): number {
  return width === 1 ? digits.charCodeAt(at) : (digits.charCodeAt(2 * at) << 4) | digits.charCodeAt(2 * at + 1);
}

function beginsWith(key: string, digits: string, width: number): boolean {
  const whole = Math.floor(digits.length / width);
  for (let at = 0; at < whole; at++) if (key.charCodeAt(at) !== octetAt(digits, at, width)) return false;
  return whole * width === digits.length || key.charCodeAt(whole) >> 4 === digits.charCodeAt(whole * width);
}
