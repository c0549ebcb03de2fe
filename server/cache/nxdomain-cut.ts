/**
 * One NXDOMAIN for a name, every type of it and all that is below it (RFC 2308 section 5, RFC 8020), within the node's search domains.
 * Knows which denial that is, not how it is said.
 */

import { isWithin, parentOf, type Name } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { Query, Reply } from '../query.ts';
import { cutKeyOf, keyOf, type AnswerCache } from './answer-cache.ts';
import { Entry } from './entry.ts';

export type CutBounds = {
  /** Of the node: the cut is made strictly below the longest that holds a name, and nowhere else. */
  readonly domains: readonly Name[];
  /** Nothing at or below these is cut: others know what there is, or it may not be remembered. */
  readonly exempt: readonly Iterable<Name>[];
  /** What is said of a name above one of these says nothing of those at or below it, for another says it. */
  readonly borders: Iterable<Name>;
};

/** A denial that holds for a name, and where the cache has it. */
export type Cut = { readonly key: string; readonly entry: Entry };

/**
 * With ndots:5 every pod asks every outside name below the node's search domains first, where hardly any exists; elsewhere upstreams that
 * deny names with something below them (which RFC 8020 section 3.1 calls broken) would do harm for little. Within a domain they are believed: an upstream
 * that says NXDOMAIN for `com.corp.internal` denies all that is below that name, and nothing else, until that denial's TTL is over.
 *
 * The denials are entries of the cache like others, among its denials: they make room, and find it, as those do.
 */
export class NxdomainCut {
  readonly #bounds: CutBounds;
  readonly #cache: AnswerCache;

  constructor(bounds: CutBounds, cache: AnswerCache) {
    this.#bounds = bounds;
    this.#cache = cache;
  }

  /** The denial of the name, or of the nearest name above it, that is good now; it holds for queries with the same DO and CD. */
  find(query: Query, now: Milliseconds): Cut | undefined {
    const { name } = query.question;
    const top = this.#topOf(name);
    return top === undefined ? undefined : this.#nearest(query, name, top, now);
  }

  /** Told of each reply from below that is not the cluster's. `ttl`: for how long it is kept; 0 if it is not. */
  learn(query: Query, reply: Reply, ttl: Seconds, now: Milliseconds): void {
    const { name } = query.question;
    const top = this.#topOf(name);
    if (top === undefined) return;
    if (reply.rcode === Rcode.NOERROR) {
      // There is such a name, so there are all those above it.
      for (let at = name; at !== top; at = parentOf(at)) this.#cache.forget(cutKeyOf(query, at));
      return;
    }
    // Behind an alias it is the alias' target that is denied.
    if (reply.rcode !== Rcode.NXDOMAIN || reply.answer.length > 0 || ttl === 0 || name === top) return;
    if (this.#isKnownToExist(query, now)) return;
    // What a name above is denied by already stays: leases were given for it.
    if (this.#nearest(query, parentOf(name), top, now) !== undefined) return;
    const entry = new Entry({ class: 'denial', isPositive: false, ttl }, { ...reply, fault: undefined }, now);
    this.#cache.store(cutKeyOf(query, name), entry, now);
  }

  #nearest(query: Query, from: Name, top: Name, now: Milliseconds): Cut | undefined {
    for (let at = from; at !== top; at = parentOf(at)) {
      const key = cutKeyOf(query, at);
      const entry = this.#cache.find(key, now);
      if (entry !== undefined && now < entry.expires) return { key, entry };
    }
    return undefined;
  }

  /** Servers that deny AAAA of a name that has A (RFC 4074 section 4.2) are not believed while the cache knows better. */
  #isKnownToExist(query: Query, now: Milliseconds): boolean {
    return [RRType.A, RRType.AAAA].some((type) => {
      const known = this.#cache.find(keyOf({ ...query, question: { ...query.question, type } }), now);
      return known?.rcode === Rcode.NOERROR;
    });
  }

  /** The name strictly below which denials cut; undefined if none does so for this name. */
  #topOf(name: Name): Name | undefined {
    const { domains, exempt, borders } = this.#bounds;
    const domain = longestAround(name, domains);
    if (domain === undefined || exempt.some((zones) => longestAround(name, zones) !== undefined)) return undefined;
    const border = longestAround(name, borders);
    return border !== undefined && border.length > domain.length ? border : domain;
  }
}

function longestAround(name: Name, zones: Iterable<Name>): Name | undefined {
  let longest: Name | undefined;
  for (const zone of zones) {
    if (zone.length > (longest?.length ?? 0) && isWithin(name, zone)) longest = zone;
  }
  return longest;
}
