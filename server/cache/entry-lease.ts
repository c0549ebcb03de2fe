/** What lets a remembered reply be said again without a look into the cache's layer. Knows nothing of who says it. */

import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import { LEASE_OVER, type Lease } from '../query.ts';
import type { AnswerCache } from './answer-cache.ts';
import type { Entry } from './entry.ts';

/** What a hit is counted in. */
export type HitCounters = { readonly requests: Counter; readonly successHits: Counter; readonly denialHits: Counter };

/** Holds no plan, for an entry may outlive the one that it was asked for in. */
export class EntryLease implements Lease {
  readonly isAuthentic: boolean;
  readonly #key: string;
  readonly #cache: AnswerCache;
  readonly #counters: HitCounters;
  readonly #keepsTtl: boolean;
  #entry: Entry | undefined;

  constructor(entry: Entry, key: string, cache: AnswerCache, counters: HitCounters, keepsTtl: boolean) {
    this.isAuthentic = entry.isAuthentic;
    this.#entry = entry;
    this.#key = key;
    this.#cache = cache;
    this.#counters = counters;
    this.#keepsTtl = keepsTtl;
  }

  isOver(now: Milliseconds): boolean {
    return this.#entry === undefined || now >= this.#entry.expires;
  }

  renew(now: Milliseconds): Seconds {
    const entry = this.#entry;
    // The look into the cache is also what keeps the entry among those used last.
    if (entry === undefined || now >= entry.expires || this.#cache.find(this.#key, now) !== entry) return LEASE_OVER;
    countHit(this.#counters, entry);
    return entry.shownTtl(now, this.#keepsTtl);
  }

  /** The entry left the cache: nothing here keeps it in memory. */
  end(): void {
    this.#entry = undefined;
  }
}

/** For a question that is denied because its name is, or one above it: as long as nothing is known of that question itself. */
export class CutLease implements Lease {
  readonly #key: string;
  readonly #cache: AnswerCache;
  readonly #denial: EntryLease;
  readonly #hits: Counter;

  constructor(key: string, cache: AnswerCache, denial: EntryLease, hits: Counter) {
    this.#key = key;
    this.#cache = cache;
    this.#denial = denial;
    this.#hits = hits;
  }

  get isAuthentic(): boolean {
    return this.#denial.isAuthentic;
  }

  isOver(now: Milliseconds): boolean {
    return this.#denial.isOver(now) || this.#cache.find(this.#key, now) !== undefined;
  }

  renew(now: Milliseconds): Seconds {
    if (this.isOver(now)) return LEASE_OVER;
    const ttl = this.#denial.renew(now);
    if (ttl !== LEASE_OVER) this.#hits.add();
    return ttl;
  }
}

export function countHit({ requests, successHits, denialHits }: HitCounters, entry: Entry): void {
  requests.add();
  (entry.class === 'success' ? successHits : denialHits).add();
}
