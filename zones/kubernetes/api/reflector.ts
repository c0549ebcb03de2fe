/**
 * Keeps one kind of object in step with an API server: list, then watch from where the list ended, for ever.
 * Knows nothing of DNS. It never clears what it has published: a server that is away changes nothing.
 */

import type { Count, Milliseconds, Seconds } from '../../units.ts';
import { ApiFault, internalFault, isAbsent } from './api-fault.ts';
import { watchParametersOf, type Resource } from './api-resources.ts';
import type { ApiClient } from './client.ts';
import { Doubt } from './doubt.ts';
import { Hearing } from './hearing.ts';
import { list } from './list.ts';
import { Listing } from '../listing.ts';
import { Recovery, type Phase, type Remedy } from './recovery.ts';
import { Replica, type WatchedChange } from './replica.ts';
import type { Freshness, Happening, Interruption, Tally } from '../following.ts';
import { Resync } from './resync.ts';
import type { ProgrammedSlice, SourceEvents } from '../source.ts';
import type { Time } from './time.ts';
import type { Trouble } from './trouble.ts';
import { WatchReader } from './watch-reader.ts';

export type ReflectorOptions = {
  readonly resource: Resource;
  readonly client: ApiClient;
  readonly time: Time;
  readonly trouble: Trouble;
  /** `version`: up to which the changes are the whole truth. */
  readonly publish: (changes: readonly WatchedChange[], version: string) => void;
  readonly known: SourceEvents['known'];
  readonly programmed: ((slice: ProgrammedSlice) => void) | undefined;
  readonly report: SourceEvents['report'];
  readonly happened: ((happening: Happening) => void) | undefined;
};

/** One request at a time, and beside it a resync; starts with the call of `start`, ends with `close`. */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #abort = new AbortController();
  readonly #replica: Replica;
  readonly #recovery: Recovery;
  readonly #hearing: Hearing;
  readonly #doubt: Doubt;
  readonly #resync: Resync | undefined;
  /** WatchList is not asked for before this moment. */
  #watchListFrom: Milliseconds = -Infinity;
  #mustPageOnce = false;
  #isSynced = false;
  /** Synced by a list, not only by word that there is nothing to list. */
  #isListed = false;
  /** Does this server send bookmarks? Then silence means something. */
  #hasBookmarks = false;
  #phase: Phase = 'list';
  #hadBytes = false;
  #isOddTold = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    const { resource, known } = options;
    this.#replica = new Replica(resource, () => known(resource.kind));
    this.#recovery = new Recovery(options.time);
    this.#hearing = new Hearing(options.time);
    this.#doubt = new Doubt(() => known(resource.kind));
    // A list of Pods is larger than all others together, and only `pods verified` asks for one.
    if (resource.kind !== 'Pod') {
      this.#resync = new Resync({
        ...options,
        replica: this.#replica,
        known: () => known(resource.kind),
        believe: (listed) => this.#doubt.check(listed),
      });
    }
  }

  start(): void {
    this.#resync?.start();
    // It ends only by `close`, and catches whatever is thrown until then.
    void this.#run();
  }

  close(): void {
    this.#abort.abort();
    this.#resync?.close();
  }

  freshness(): Freshness {
    const { trouble, resource } = this.#options;
    return { kind: resource.kind, ...this.#hearing.read(), trouble: trouble.of(resource) };
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const delay = await this.#attempt();
      if (delay > 0) await this.#options.time.sleep(delay, signal);
    }
  }

  /** One list or one watch, and how long to wait after it. */
  async #attempt(): Promise<Milliseconds> {
    try {
      return await this.#read();
    } catch (error) {
      return this.#abort.signal.aborted ? 0 : this.#recover(error);
    }
  }

  /**
   * A server that does not know the resource has none of it: nobody need wait for what may never come. Once it knew it, a 404
   * is not believed, for it may be a proxy's, and a server that lets go of a resource deletes its objects first.
   */
  async #read(): Promise<Milliseconds> {
    try {
      if (this.#replica.version !== undefined) return await this.#watch(false);
      const canWatchList = !this.#mustPageOnce && this.#options.time.now() >= this.#watchListFrom;
      return canWatchList ? await this.#watch(true) : await this.#list();
    } catch (error) {
      const { kind, isOptional } = this.#options.resource;
      const hasNone = isOptional && !this.#isListed && error instanceof ApiFault && isAbsent(error);
      if (hasNone && !this.#abort.signal.aborted) {
        if (!this.#isSynced) this.#tell([{ verb: 'replace', listing: new Listing(kind) }]);
        this.#hearing.listed();
      }
      throw error;
    }
  }

  async #list(): Promise<Milliseconds> {
    this.#phase = 'list';
    const { client, resource, time } = this.#options;
    const { listing, version } = await list(
      client,
      resource,
      () => this.#replica.newListing(),
      time,
      this.#abort.signal,
    );
    if (this.#abort.signal.aborted) return 0;
    this.#mustPageOnce = false;
    this.#hearing.heard();
    this.#doubt.check(listing.listing.texts);
    this.#publish([this.#replica.replace(listing, version)]);
    return 0;
  }

  async #watch(startsWithList: boolean): Promise<Milliseconds> {
    this.#phase = startsWithList ? 'first-list' : 'watch';
    this.#hadBytes = false;
    const { client, resource, time, programmed } = this.#options;
    const { signal } = this.#abort;
    const reader = new WatchReader({
      replica: this.#replica,
      startsWithList,
      time,
      signal,
      publish: (changes) => this.#publish(changes),
      programmed,
      believe: (listed) => this.#doubt.check(listed),
      resync: this.#resync,
      count: (what, count) => this.#count(what, count),
      odd: (text) => this.#odd(text),
    });
    const timeout = Math.round(WATCH_MIN + time.random() * WATCH_SPREAD);
    const get = {
      path: resource.path,
      parameters: watchParametersOf(resource, timeout, startsWithList ? undefined : this.#replica.version),
      headersWithin: HEADERS_WITHIN,
      idleWithin: () => this.#idleWithin(reader, timeout),
      wholeWithin: timeout * 1000 + GRACE,
      begun: () => {
        if (!startsWithList) this.#hearing.watches();
      },
    };
    const began = time.now();
    try {
      await client.get(get, signal, (chunk) => this.#take(chunk, reader));
    } finally {
      const open = this.#hearing.ended();
      this.#recovery.watched(this.#hadBytes, this.#hasBookmarks ? open : 0);
    }
    if (this.#recovery.isDeaf) throw new ApiFault('cut', 'watches end that have said nothing for minutes');
    if (reader.isListing) throw new ApiFault('cut', 'a watch ended before its first list was complete');
    if (time.now() - began >= SHORT_WATCH) {
      this.#succeeded();
      this.#interrupted('ended');
      return 0;
    }
    if (reader.events === 0) throw new ApiFault('cut', 'a watch ended as soon as it had begun');
    this.#interrupted('ended');
    return SHORT_WATCH;
  }

  async #take(chunk: Buffer, reader: WatchReader): Promise<void> {
    this.#hadBytes = true;
    this.#hearing.heard();
    const { bookmarks } = reader;
    const { version } = this.#replica;
    try {
      await reader.take(chunk);
    } finally {
      if (reader.bookmarks > bookmarks) this.#hearing.bookmarked();
      if (reader.bookmarks > 0) this.#hasBookmarks = true;
      if (!reader.isListing) {
        this.#phase = 'watch';
        this.#hearing.watches();
      }
      if (this.#replica.version !== version) this.#succeeded();
    }
  }

  #idleWithin(reader: WatchReader, timeout: Seconds): Milliseconds {
    if (reader.isListing) return LIST_IDLE_WITHIN;
    return this.#hasBookmarks ? WATCH_IDLE_WITHIN : timeout * 1000 + GRACE;
  }

  #publish(changes: readonly WatchedChange[]): void {
    const { report, resource } = this.#options;
    this.#tell(changes);
    const first = changes[0];
    if (first?.verb !== 'replace') return;
    this.#isListed = true;
    this.#hearing.listed();
    this.#succeeded();
    report('debug', `read ${first.listing.size} ${resource.plural} up to version ${this.#replica.version}`);
  }

  #tell(changes: readonly WatchedChange[]): void {
    try {
      this.#options.publish(changes, this.#replica.version ?? '');
    } catch (error) {
      throw internalFault(error);
    }
    if (changes[0]?.verb === 'replace') this.#isSynced = true;
  }

  #succeeded(): void {
    this.#recovery.succeeded();
    this.#options.trouble.succeeded(this.#options.resource);
  }

  #recover(error: unknown): Milliseconds {
    const { time, trouble, resource } = this.#options;
    const phase = this.#phase;
    const fault = error instanceof ApiFault ? error : internalFault(error);
    const remedy = this.#recovery.after(fault, phase, this.#hadBytes);
    if (remedy.mustList) {
      this.#replica.forgetVersion();
      this.#resync?.drop();
    }
    if (fault.code === 'stalled') this.#count('stalls', 1);
    if (fault.code === 'protocol') this.#count('protocol-errors', 1);
    this.#interrupted(remedy.reason);
    if (remedy.listBy === 'pages') this.#watchListFrom = time.now() + WATCH_LIST_AGAIN;
    if (remedy.listBy === 'pages-once') this.#mustPageOnce = true;
    if (isNews(fault, remedy))
      trouble.failed({ resource, phase, fault, delay: remedy.delay, isSynced: this.#isSynced });
    return remedy.delay;
  }

  /** What comes next is a list where there is no version to go on from. */
  #interrupted(reason: Interruption): void {
    const { happened, resource } = this.#options;
    const what = this.#replica.version === undefined ? 'relists' : 'reconnects';
    happened?.({ what, kind: resource.kind, reason });
  }

  #count(what: Tally, count: Count): void {
    this.#options.happened?.({ what, kind: this.#options.resource.kind, count });
  }

  #odd(text: string): void {
    const { report, resource } = this.#options;
    report(this.#isOddTold ? 'debug' : 'warning', `${resource.plural}: ${text}`);
    this.#isOddTold = true;
  }
}

/** Watches end after five to ten minutes, each at its own time, as client-go's do. */
const WATCH_MIN: Seconds = 300;
const WATCH_SPREAD: Seconds = 300;
/** Given to a server, beyond the time it was asked for, to end a watch itself. */
const GRACE: Milliseconds = 30_000;
/** Some proxies keep a watch's headers until its first event. */
const HEADERS_WITHIN: Milliseconds = 75_000;
/** A server that promised a list and says nothing has not understood. */
const LIST_IDLE_WITHIN: Milliseconds = 30_000;
/** Two and a half bookmarks: apiserver sends one a minute. */
const WATCH_IDLE_WITHIN: Milliseconds = 150_000;
/** A watch shorter than this is not taken up again at once. */
const SHORT_WATCH: Milliseconds = 1000;
/** When a server that knew no WatchList is asked for it again. */
const WATCH_LIST_AGAIN: Milliseconds = 3_600_000;

/** What is put right at once is not worth a word. */
function isNews(fault: ApiFault, remedy: Remedy): boolean {
  return remedy.delay > 0 || fault.code === 'protocol';
}
