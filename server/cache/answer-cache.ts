/** Remembered replies by question, within limits. Knows what may be used when, not how to get a better one. */

import { LRUCache } from 'lru-cache';

import type { Name } from '../../zones/name.ts';
import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { Counter, Counters, Gauge, Labels } from '../counters.ts';
import type { Kept } from '../pipeline.ts';
import type { Query } from '../query.ts';
import type { Entry } from './entry.ts';

/** Memory for each entry of the capacity, on average: four times what common answers take, so that large ones cannot fill the machine. */
const ENTRY_SHARE: Bytes = 4 * 1024;
/** A small cache still holds a few of the largest answers. */
const SHARE_MIN: Bytes = 1024 * 1024;

export type AnswerCacheOptions = {
  /** Entries; 0 remembers nothing of that kind. */
  readonly successCapacity: Count;
  /** For denials and failures. */
  readonly denialCapacity: Count;
  /** How long after its time an entry may still be used; 0 if never. */
  readonly staleFor: Milliseconds;
  /** Does an answer with data stay until its time, stale time included, is over, whatever newer replies without data say? */
  readonly prefersPositive: boolean;
  readonly counters: Counters;
  readonly labels: Labels;
};

/** One entry for each key, the newest; but a failure never takes the place of an answer that may still be used. */
export class AnswerCache implements Kept {
  readonly #staleFor: Milliseconds;
  readonly #prefersPositive: boolean;
  readonly #successes: Shelf;
  readonly #denials: Shelf;
  readonly #dropped: Counter;

  constructor(options: AnswerCacheOptions) {
    const { counters, labels, successCapacity, denialCapacity } = options;
    this.#staleFor = options.staleFor;
    this.#prefersPositive = options.prefersPositive;
    this.#successes = new Shelf(successCapacity, counters, { ...labels, type: 'success' });
    this.#denials = new Shelf(denialCapacity, counters, { ...labels, type: 'denial' });
    this.#dropped = counters.counter('coredns_cache_drops_total', labels);
  }

  /** The entry that may be used for a key now, fresh or stale. */
  find(key: string, now: Milliseconds): Entry | undefined {
    return this.#usable(this.#successes, key, now) ?? this.#usable(this.#denials, key, now);
  }

  store(key: string, entry: Entry, now: Milliseconds): void {
    const before = this.find(key, now);
    if (before !== undefined) {
      if (entry.class === 'failure' && before.class !== 'failure') return;
      if (this.#prefersPositive && before.isPositive && !entry.isPositive) return;
      entry.inherit(before);
    }
    const [shelf, other] =
      entry.class === 'success' ? [this.#successes, this.#denials] : [this.#denials, this.#successes];
    other.delete(key);
    if (!shelf.set(key, entry)) this.#dropped.add();
  }

  /** Forgets what is known, for something newer is known and may not be remembered. */
  forget(key: string): void {
    this.#successes.delete(key);
    this.#denials.delete(key);
  }

  close(): void {
    this.#successes.close();
    this.#denials.close();
  }

  #usable(shelf: Shelf, key: string, now: Milliseconds): Entry | undefined {
    const entry = shelf.get(key);
    if (entry === undefined) return undefined;
    if (now < entry.expires + (entry.class === 'failure' ? 0 : this.#staleFor)) return entry;
    shelf.delete(key);
    return undefined;
  }
}

/** Name, type, DO and CD: replies to queries that differ in any of these differ (RFC 6840 section 5.9 for CD). The class is always IN. */
export function keyOf(query: Query): string {
  const { name, type } = query.question;
  return name + String.fromCharCode(type >> 8, type & 0xff, flagsOf(query));
}

/** Of what is known of a name, whatever the type. A name says where it ends, so it is never the key of a question. */
export function cutKeyOf(query: Query, name: Name): string {
  return name + String.fromCharCode(flagsOf(query));
}

function flagsOf({ edns, checkingDisabled }: Query): number {
  return (edns?.dnssecOk === true ? 1 : 0) | (checkingDisabled ? 2 : 0);
}

/** A bounded table of entries, with its series. */
class Shelf {
  #entries: LRUCache<string, Entry> | undefined;
  readonly #count: Gauge;

  constructor(capacity: Count, counters: Counters, labels: Labels) {
    const evictions = counters.counter('coredns_cache_evictions_total', labels);
    this.#count = counters.gauge('coredns_cache_entries', labels);
    if (capacity === 0) return;
    this.#entries = new LRUCache<string, Entry>({
      max: capacity,
      maxSize: Math.max(SHARE_MIN, capacity * ENTRY_SHARE),
      sizeCalculation: (entry, key) => entry.size + key.length,
      dispose: (entry, _key, reason) => {
        entry.lease?.end();
        if (reason === 'evict') evictions.add();
      },
    });
  }

  get(key: string): Entry | undefined {
    return this.#entries?.get(key);
  }

  /** False if the entry alone is larger than all may be. */
  set(key: string, entry: Entry): boolean {
    if (this.#entries === undefined) return true;
    this.#entries.set(key, entry);
    this.#count.set(this.#entries.size);
    return this.#entries.peek(key) === entry;
  }

  delete(key: string): void {
    if (this.#entries?.delete(key) === true) this.#count.set(this.#entries.size);
  }

  /** For good: a reply that is still on its way is not kept. An empty shelf may have a twin in use, whose count it leaves alone. */
  close(): void {
    if (this.#entries !== undefined && this.#entries.size > 0) this.#count.set(0);
    this.#entries = undefined;
  }
}
