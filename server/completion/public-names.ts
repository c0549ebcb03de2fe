/** Which names may be asked for outside on somebody's behalf. Knows the lists, nothing of who asks. */

import { isWithin, type Name } from '../../zones/name.ts';
import { lastLabelOf } from './search-list.ts';

export type PublicNames = {
  /** In lower case, without dots. */
  readonly tlds: ReadonlySet<string>;
  /** Names that exist outside though no public TLD does above them. */
  readonly suffixes: readonly Name[];
};

/**
 * A single label never leaves, nor does what may be a mistyped name of the cluster: its last label is no public TLD, or it is one, such as
 * `dev` or `prod`, and a namespace as well. What is below a suffix leaves all the same.
 * @param base labels in wire form, without the root
 */
export function isPublic(names: PublicNames, base: string, isNamespace: (name: string) => boolean): boolean {
  const { label, count } = lastLabelOf(base);
  if (count < 2) return false;
  return mayBePublic(names, base) && (!isNamespace(label) || isBelowSuffix(names, base));
}

/** Might there be such a name outside? */
export function mayBePublic(names: PublicNames, base: string): boolean {
  return names.tlds.has(lastLabelOf(base).label) || isBelowSuffix(names, base);
}

function isBelowSuffix({ suffixes }: PublicNames, base: string): boolean {
  return suffixes.some((suffix) => isWithin(`${base}\0` as Name, suffix));
}
