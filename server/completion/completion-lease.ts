/** How long a completed reply may be said again. Knows nothing of what it says. */

import type { Life } from '../../zones/life.ts';
import type { Bytes, Milliseconds, Seconds } from '../../zones/units.ts';
import { LEASE_OVER, type Lease } from '../query.ts';
import type { Completed, CompletionCounters } from './completion-counters.ts';
import type { Grounds } from './grounds.ts';

export type CompletionTerms = {
  /** Of the records behind the alias. */
  readonly said: Lease;
  /** Of all else that decided. */
  readonly grounds: Grounds;
  /** Undefined for a reply without the alias. */
  readonly aliasTtlMax: Seconds | undefined;
  readonly leastSize: Bytes;
  readonly completed: Completed;
  readonly counters: CompletionCounters;
};

export class CompletionLease implements Lease {
  readonly isAuthentic = false;
  readonly aliasTtlMax: Seconds | undefined;
  readonly leastSize: Bytes;
  readonly #terms: CompletionTerms;

  constructor(terms: CompletionTerms) {
    this.aliasTtlMax = terms.aliasTtlMax;
    this.leastSize = terms.leastSize;
    this.#terms = terms;
  }

  isOver(now: Milliseconds): boolean {
    return this.#terms.said.isOver(now) || this.#terms.grounds.isOver(now);
  }

  renew(now: Milliseconds): Seconds {
    const { said, grounds, completed, counters } = this.#terms;
    if (!grounds.repeat(now)) return LEASE_OVER;
    const ttl = said.renew(now);
    if (ttl !== LEASE_OVER) counters.completedAgain(completed);
    return ttl;
  }
}

/** A lease that also ends with a life, and counts each reply. */
export function guardedLease(lease: Lease, life: Life | undefined, count: () => void): Lease {
  const isOver = (now: Milliseconds): boolean => life?.isOver === true || lease.isOver(now);
  return {
    isAuthentic: lease.isAuthentic,
    aliasTtlMax: lease.aliasTtlMax,
    leastSize: lease.leastSize,
    isOver,
    renew(now) {
      const ttl = isOver(now) ? LEASE_OVER : lease.renew(now);
      if (ttl !== LEASE_OVER) count();
      return ttl;
    },
  };
}
