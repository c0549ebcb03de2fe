/** How long a completed reply may be said again. Knows nothing of what it says. */

import type { Life } from '../../zones/life.ts';
import type { Bytes, Milliseconds, Seconds } from '../../zones/units.ts';
import { LEASE_OVER, type Lease } from '../query.ts';

/** What has to stay as it is for a completed reply to be said again. */
export type CompletionTerms = {
  /** Of the records that are said; of both kinds of addresses, for what is completed for one type is completed for all. */
  readonly said: Lease;
  readonly beside: readonly Lease[];
  /** Of the cluster's namespaces, if there is a cluster. */
  readonly life: Life | undefined;
  /** Has a service come that would decide otherwise? */
  readonly isOvertaken: () => boolean;
  readonly aliasTtlMax: Seconds;
  readonly leastSize: Bytes;
  /** Counts one more completed reply. */
  readonly count: () => void;
};

export class CompletionLease implements Lease {
  readonly isAuthentic = false;
  readonly aliasTtlMax: Seconds;
  readonly leastSize: Bytes;
  readonly #terms: CompletionTerms;

  constructor(terms: CompletionTerms) {
    this.aliasTtlMax = terms.aliasTtlMax;
    this.leastSize = terms.leastSize;
    this.#terms = terms;
  }

  isOver(now: Milliseconds): boolean {
    const { said, beside, life, isOvertaken } = this.#terms;
    return life?.isOver === true || said.isOver(now) || beside.some((lease) => lease.isOver(now)) || isOvertaken();
  }

  renew(now: Milliseconds): Seconds {
    if (this.isOver(now)) return LEASE_OVER;
    const { said, count } = this.#terms;
    const ttl = said.renew(now);
    if (ttl !== LEASE_OVER) count();
    return ttl;
  }
}

/** A lease that also counts each reply. */
export function countedLease(lease: Lease, count: () => void): Lease {
  return {
    isAuthentic: lease.isAuthentic,
    aliasTtlMax: lease.aliasTtlMax,
    leastSize: lease.leastSize,
    isOver: (now) => lease.isOver(now),
    renew(now) {
      const ttl = lease.renew(now);
      if (ttl !== LEASE_OVER) count();
      return ttl;
    },
  };
}
