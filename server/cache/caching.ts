/** Answers from memory, and remembers what comes from below. Knows when, not how entries are kept. */

import { isWithin, ROOT } from '../../zones/name.ts';
import { Rcode } from '../../zones/rr.ts';
import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import { after, type Handler, type PluginContext } from '../pipeline.ts';
import type { Query, Reply } from '../query.ts';
import { keyOf, type AnswerCache } from './answer-cache.ts';
import { classify, type Classified } from './answer-class.ts';
import type { CacheOptions, StaleOptions } from './cache-options.ts';
import { countHit, CutLease, EntryLease, type HitCounters } from './entry-lease.ts';
import { Entry, forAsker, withTtl, type EntryClass } from './entry.ts';
import { Flights } from './flights.ts';
import type { Cut, NxdomainCut } from './nxdomain-cut.ts';

export class Caching {
  readonly #options: CacheOptions;
  readonly #context: PluginContext;
  readonly #cache: AnswerCache;
  readonly #next: Handler;
  readonly #flights: Flights;
  readonly #holdsAll: boolean;
  readonly #counters: HitCounters;
  readonly #misses: Counter;
  readonly #prefetches: Counter;
  readonly #staleServed: Counter;
  readonly #cut: NxdomainCut;
  readonly #cutHits: Counter;

  constructor(options: CacheOptions, known: Known, labels: CacheLabels, context: PluginContext, next: Handler) {
    const { counters } = context;
    this.#options = options;
    this.#context = context;
    this.#cache = known.answers;
    this.#cut = known.cut;
    this.#next = next;
    this.#flights = new Flights(counters, labels);
    this.#holdsAll = options.zones.includes(ROOT);
    this.#counters = {
      requests: counters.counter('coredns_cache_requests_total', labels),
      successHits: counters.counter('coredns_cache_hits_total', { ...labels, type: 'success' }),
      denialHits: counters.counter('coredns_cache_hits_total', { ...labels, type: 'denial' }),
    };
    this.#misses = counters.counter('coredns_cache_misses_total', labels);
    this.#prefetches = counters.counter('coredns_cache_prefetch_total', labels);
    this.#staleServed = counters.counter('coredns_cache_served_stale_total', labels);
    this.#cutHits = counters.counter('fivedots_cache_cut_hits_total', labels);
  }

  readonly handle: Handler = (query) => {
    // Without RD a query is for what this server itself knows; what others asked for is not told (RFC 8932 section 5.2.5).
    if (!query.recursionDesired) return this.#next(query);
    const { name } = query.question;
    if (!this.#holdsAll && !this.#options.zones.some((zone) => isWithin(name, zone))) return this.#next(query);
    const key = keyOf(query);
    const now = this.#context.clock();
    const entry = this.#cache.find(key, now);
    if (entry !== undefined && now < entry.expires) return this.#hit(key, query, entry, now);
    const cut = this.#cut.find(query, now);
    if (cut !== undefined && !this.#isBetterStale(entry)) return this.#deny(key, query, cut, now);
    if (entry === undefined) return this.#miss(key, query);
    return this.#answerStale(key, query, entry, now);
  };

  #hit(key: string, query: Query, entry: Entry, now: Milliseconds): Reply {
    countHit(this.#counters, entry);
    const { prefetch, keepTtl } = this.#options;
    if (prefetch === undefined) entry.lease ??= new EntryLease(entry, key, this.#cache, this.#counters, keepTtl);
    else {
      const left = entry.remaining(now);
      entry.hit(now, prefetch.within);
      const isDue = left <= Math.ceil((prefetch.percentage / 100) * entry.ttl);
      if (isDue && entry.hits >= prefetch.amount && entry.class !== 'failure') this.#refresh(key, query, entry, now);
    }
    return entry.shown(query, entry.shownTtl(now, keepTtl));
  }

  /** A name that is denied, or below one that is. */
  #deny(key: string, query: Query, cut: Cut, now: Milliseconds): Reply {
    const { entry } = cut;
    const { keepTtl } = this.#options;
    countHit(this.#counters, entry);
    this.#cutHits.add();
    entry.lease ??= new EntryLease(entry, cut.key, this.#cache, this.#counters, keepTtl);
    const lease = new CutLease(key, this.#cache, entry.lease, this.#cutHits);
    return { ...entry.shown(query, entry.shownTtl(now, keepTtl)), lease };
  }

  #isBetterStale(entry: Entry | undefined): boolean {
    return this.#options.stale?.prefersPositive === true && entry?.isPositive === true;
  }

  #miss(key: string, query: Query): Reply | Promise<Reply> {
    return after(this.#ask(key, query), (reply) => {
      // What the cluster's state says passes by: it is neither kept nor missed.
      if (reply.fresh) return reply;
      this.#counters.requests.add();
      this.#misses.add();
      return forAsker(reply, query);
    });
  }

  #answerStale(key: string, query: Query, entry: Entry, now: Milliseconds): Reply | Promise<Reply> {
    const { stale } = this.#options;
    if (stale === undefined) return this.#miss(key, query);
    const old = (): Reply => {
      this.#staleServed.add();
      return entry.stale(query, stale.ttl);
    };
    countHit(this.#counters, entry);
    if (stale.mode === 'immediate') {
      this.#refresh(key, query, entry, now);
      return old();
    }
    if (now < entry.retryAt) return old();
    return verified(this.#ask(key, query, entry), stale, (reply) => {
      const isNews = reply !== undefined && this.#replacesOld(reply, this.#classify(query, reply));
      return isNews ? forAsker(reply, query) : old();
    });
  }

  /** Asks anew in the background, once at a time for each entry. */
  #refresh(key: string, query: Query, entry: Entry, now: Milliseconds): void {
    if (entry.isRefreshing || now < entry.retryAt) return;
    entry.isRefreshing = true;
    this.#prefetches.add();
    const reply = this.#ask(key, query, entry);
    if (!(reply instanceof Promise)) {
      entry.isRefreshing = false;
      return;
    }
    // Nobody waits for it, so a fault has to end here.
    reply
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#context.log('error', 'plugin/cache', `a refresh ended in a fault of fivedots; please report it: ${text}`);
      })
      .finally(() => (entry.isRefreshing = false));
  }

  /** Asks below, once for all who want to know the same at the same time. `refreshed`: the entry that this is to replace. */
  #ask(key: string, query: Query, refreshed?: Entry): Reply | Promise<Reply> {
    const joined = this.#flights.join(key);
    if (joined !== undefined) return joined;
    // AD, so that the upstream says what it validated; who did not ask for it is not told (RFC 6840 section 5.7).
    const reply = this.#next({ ...query, authenticData: true });
    if (!(reply instanceof Promise)) return this.#remember(key, query, reply, refreshed);
    return this.#flights.start(
      key,
      reply.then((late) => this.#remember(key, query, late, refreshed)),
    );
  }

  /** Keeps the reply if it may be kept, and gives it with the TTL that it is or would be kept for. */
  #remember(key: string, query: Query, reply: Reply, refreshed: Entry | undefined): Reply {
    if (reply.fresh) return reply;
    const now = this.#context.clock();
    const classified = this.#classify(query, reply);
    const ttl = this.#keptFor(classified);
    const replacesOld = this.#replacesOld(reply, classified);
    if (refreshed !== undefined && !replacesOld) {
      const { stale, failureFor } = this.#options;
      refreshed.retryAt = now + Math.max(stale?.recheck ?? 0, failureFor);
    }
    const { class: kind, isPositive } = classified;
    const isKept = kind !== 'unfit' && ttl > 0 && !this.#isDisabled(kind, query);
    if (isKept) {
      this.#cache.store(key, new Entry({ class: kind, isPositive, ttl }, { ...reply, fault: undefined }, now), now);
    } else if (replacesOld) this.#cache.forget(key);
    this.#cut.learn(query, reply, isKept ? ttl : 0, now);
    if (kind === 'unfit') return reply;
    const shownTtl = Math.ceil(ttl);
    return {
      ...reply,
      answer: withTtl(reply.answer, shownTtl),
      authority: withTtl(reply.authority, shownTtl),
      additional: withTtl(reply.additional, shownTtl),
    };
  }

  #classify(query: Query, reply: Reply): Classified {
    return classify(query.question, reply, query.edns?.dnssecOk === true, wallClock);
  }

  #keptFor({ class: kind, ttl }: Classified): Seconds {
    const { success, denial, failureFor } = this.#options;
    if (kind === 'failure') return failureFor / 1000;
    const { minTtl, maxTtl } = kind === 'success' ? success : denial;
    return Math.min(Math.max(ttl, minTtl), maxTtl);
  }

  #isDisabled(kind: EntryClass, { question }: Query): boolean {
    const { disabled } = kind === 'success' ? this.#options.success : this.#options.denial;
    return disabled.some((zone) => isWithin(question.name, zone));
  }

  /** RFC 8767 section 4: NOERROR and NXDOMAIN end what was known before, even if they themselves may not be kept. */
  #replacesOld({ rcode, truncated }: Reply, { isPositive }: Classified): boolean {
    if (this.#options.stale?.prefersPositive === true) return isPositive;
    return !truncated && (rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN);
  }
}

/** What is remembered, and what that says of other questions. */
type Known = { readonly answers: AnswerCache; readonly cut: NxdomainCut };

/** Labels of the cache's series. */
export type CacheLabels = { readonly server: string; readonly zones: string; readonly view: string };

/** Only for signatures' dates: TTLs are counted on the monotonic clock. */
function wallClock(): Seconds {
  return Math.floor((performance.timeOrigin + performance.now()) / 1000);
}

/** What `choose` makes of the reply, or of undefined when it took too long. */
function verified(
  reply: Reply | Promise<Reply>,
  { verifyTimeout }: StaleOptions,
  choose: (reply: Reply | undefined) => Reply,
): Reply | Promise<Reply> {
  if (!(reply instanceof Promise) || verifyTimeout === 0) return after(reply, choose);
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), verifyTimeout)));
  return Promise.race([reply, tooLong])
    .then(choose)
    .finally(() => clearTimeout(timer));
}
