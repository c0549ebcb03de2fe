/** The zones of a block that can be given away whole: who has them says so here, and `transfer` finds them. Knows no cluster. */

import type { Name } from '../../zones/name.ts';
import type { RRset } from '../../zones/rr.ts';

export type TransferableZone = {
  /** Is all of it known? */
  readonly isComplete: () => boolean;
  readonly serial: () => number;
  readonly soa: () => readonly RRset[];
  /** All of it as it is when the first RRset is taken, SOA first and last; undefined is a turn for others. */
  readonly records: () => Iterable<RRset | undefined>;
};

/** By apex. `shared` is that of the block. */
export function transferableZones(shared: Map<string, unknown>): Map<Name, TransferableZone> {
  const known = shared.get(SHARED_KEY);
  if (known instanceof Map) return known as Map<Name, TransferableZone>; // nobody else writes under this key
  const made = new Map<Name, TransferableZone>();
  shared.set(SHARED_KEY, made);
  return made;
}

const SHARED_KEY = 'transferable zones';
