/** What the Corefile says of a cache, as plain data. Knows nothing else. */

import type { Name } from '../../zones/name.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';

export type CacheOptions = {
  /** Names outside these pass by. */
  readonly zones: readonly Name[];
  readonly success: ClassOptions;
  readonly denial: ClassOptions;
  /** How long failures are remembered; 0: not at all. */
  readonly failureFor: Milliseconds;
  readonly prefetch: PrefetchOptions | undefined;
  readonly stale: StaleOptions | undefined;
  /** Hits keep the TTL that the reply came with. */
  readonly keepTtl: boolean;
  /** Of the node: a denial of a name below one of them denies every type of it, and all that is below it. */
  readonly searchDomains: readonly Name[];
};

export type ClassOptions = {
  /** Entries; 0 remembers nothing of that kind. */
  readonly capacity: Count;
  readonly maxTtl: Seconds;
  readonly minTtl: Seconds;
  /** Names at or below these are not remembered. */
  readonly disabled: readonly Name[];
};

/** A reply that was asked for `amount` times, with gaps below `within`, is asked anew when `percentage` of its TTL is left. */
export type PrefetchOptions = { readonly amount: Count; readonly within: Milliseconds; readonly percentage: number };

/** RFC 8767. */
export type StaleOptions = {
  readonly window: Milliseconds;
  /** `immediate`: answer stale and refresh meanwhile. `verify`: refresh first, stale if that fails. */
  readonly mode: 'immediate' | 'verify';
  /** How long `verify` waits; 0 for as long as it takes. */
  readonly verifyTimeout: Milliseconds;
  readonly ttl: Seconds;
  /** After a refresh that failed, none for that long. */
  readonly recheck: Milliseconds;
  /** An answer with data is better than a newer denial. */
  readonly prefersPositive: boolean;
};
