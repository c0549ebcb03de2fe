/** One remembered reply, and what it says as time goes by. Knows nothing of the cache around it. */

import { Rcode, type RRset } from '../../zones/rr.ts';
import type { Bytes, Count, Milliseconds, Seconds } from '../../zones/units.ts';
import { type ExtendedError, ExtendedErrorCode, type Lease, type Query, type Reply } from '../query.ts';
import type { EntryLease } from './entry-lease.ts';

export type EntryClass = 'success' | 'denial' | 'failure';

/** Octets of memory beside the rdata: measured with 10,000 entries, and rounded up. */
const ENTRY_SIZE: Bytes = 600;
const RRSET_SIZE: Bytes = 250;
const RDATA_SIZE: Bytes = 240;

export class Entry {
  readonly class: EntryClass;
  readonly isPositive: boolean;
  readonly ttl: Seconds;
  readonly expires: Milliseconds;
  /** Is a refresh on its way? */
  isRefreshing = false;
  /** No refresh before this: the last one brought nothing. */
  retryAt: Milliseconds = -Infinity;
  /** Given with each reply from now on. */
  lease: EntryLease | undefined;
  /** Hits without a long gap between them. */
  hits: Count = 0;
  #lastHit: Milliseconds = -Infinity;
  readonly #reply: Reply;
  readonly #stored: Milliseconds;
  /** What the last hit got: all those of one second get the same. */
  #shown: Reply | undefined;
  #shownTtl: Seconds = -1;

  constructor(what: { class: EntryClass; isPositive: boolean; ttl: Seconds }, reply: Reply, now: Milliseconds) {
    this.class = what.class;
    this.isPositive = what.isPositive;
    this.ttl = what.ttl;
    this.#reply = reply;
    this.#stored = now;
    this.expires = now + what.ttl * 1000;
  }

  get rcode(): number {
    return this.#reply.rcode;
  }

  /** Has the upstream authenticated it? */
  get isAuthentic(): boolean {
    return this.#reply.authenticData;
  }

  /** About how much memory it takes. */
  get size(): Bytes {
    let size = ENTRY_SIZE;
    for (const section of [this.#reply.answer, this.#reply.authority, this.#reply.additional]) {
      for (const rrset of section) {
        size += RRSET_SIZE + rrset.owner.length;
        for (const rdata of rrset.rdatas) size += RDATA_SIZE + rdata.length;
      }
    }
    return size;
  }

  /** Whole seconds that it may still be used, rounded up: 1 in its last one. */
  remaining(now: Milliseconds): Seconds {
    return Math.max(0, Math.ceil(this.ttl - Math.floor((now - this.#stored) / 1000)));
  }

  /** The TTL of all its records: what is left of it, or with `keepttl` all of it. */
  shownTtl(now: Milliseconds, keepsTtl: boolean): Seconds {
    return keepsTtl ? Math.ceil(this.ttl) : this.remaining(now);
  }

  /** Counts a hit; a gap longer than `within` begins anew. */
  hit(now: Milliseconds, within: Milliseconds): void {
    this.hits = now - this.#lastHit < within ? this.hits + 1 : 1;
    this.#lastHit = now;
  }

  /** Goes on counting where the entry that it replaces stopped. */
  inherit(before: Entry): void {
    this.hits = before.hits;
    this.#lastHit = before.#lastHit;
  }

  /** The reply with that TTL on every record, as CoreDNS does. AA is set for old stub resolvers that drop the rest (glibc before 2.20). */
  shown(query: Query, ttl: Seconds): Reply {
    if (this.#shown === undefined || this.#shownTtl !== ttl) {
      this.#shown = this.#show(ttl, this.#errorNow(), this.lease);
      this.#shownTtl = ttl;
    }
    return forAsker(this.#shown, query);
  }

  /** The reply after its time (RFC 8767), with the error that says so (RFC 8914 section 4.4 and 4.20). */
  stale(query: Query, ttl: Seconds): Reply {
    const error =
      this.#reply.rcode === Rcode.NXDOMAIN
        ? { code: ExtendedErrorCode.STALE_NXDOMAIN_ANSWER, text: 'stale NXDOMAIN answer' }
        : { code: ExtendedErrorCode.STALE_ANSWER, text: 'stale answer' };
    return forAsker(this.#show(ttl, error, undefined), query);
  }

  /** A SERVFAIL that is remembered says so, in the words of the one that is remembered (RFC 8914 section 4.14). */
  #errorNow(): ExtendedError | undefined {
    const { rcode, extendedError } = this.#reply;
    if (rcode !== Rcode.SERVFAIL) return extendedError;
    return { code: ExtendedErrorCode.CACHED_ERROR, text: extendedError?.text ?? '' };
  }

  #show(ttl: Seconds, extendedError: ExtendedError | undefined, lease: Lease | undefined): Reply {
    const { rcode, recursionAvailable, authenticData, answer, authority, additional } = this.#reply;
    return {
      rcode,
      authoritative: true,
      recursionAvailable,
      authenticData,
      truncated: false,
      answer: withTtl(answer, ttl),
      authority: withTtl(authority, ttl),
      additional: withTtl(additional, ttl),
      extendedError,
      options: [],
      plugin: 'cache',
      upstream: '',
      fresh: false,
      fault: undefined,
      lease,
    };
  }
}

/** AD only for those who asked for it with AD or DO (RFC 6840 section 5.8). */
export function forAsker(reply: Reply, query: Query): Reply {
  if (!reply.authenticData || query.authenticData || query.edns?.dnssecOk === true) return reply;
  return { ...reply, authenticData: false };
}

/** The records with one TTL for all. */
export function withTtl(rrsets: readonly RRset[], ttl: Seconds): readonly RRset[] {
  if (rrsets.length === 0) return rrsets;
  return rrsets.map(({ owner, type, rdatas }) => ({ owner, type, ttl, rdatas }));
}
