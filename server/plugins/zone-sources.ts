/** Which zones of a block are answered from elsewhere than what is around them: whose plugin does so says it here. Knows no plugin. */

import type { Name } from '../../zones/name.ts';

export type ZoneSources = {
  /** Their plugin knows itself which names there are. */
  readonly authoritative: Set<Name>;
  /** Sent elsewhere than the names above them, or kept from being sent. */
  readonly forwarded: Set<Name>;
};

/** Whole once all of the block's layers are made. `shared` is that of the block. */
export function zoneSources(shared: Map<string, unknown>): ZoneSources {
  const known = shared.get(SHARED_KEY);
  if (known !== undefined) return known as ZoneSources; // nobody else writes under this key
  const made: ZoneSources = { authoritative: new Set(), forwarded: new Set() };
  shared.set(SHARED_KEY, made);
  return made;
}

const SHARED_KEY = 'zone sources';
