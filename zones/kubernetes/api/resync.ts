/**
 * From time to time a list taken aside, to find out whether a watch has told everything. It compares what was published with
 * what there was at the list's version: exactly, for the watch tells when it passes that version. Knows nothing of connections.
 */

import type { Count, Milliseconds } from '../../units.ts';
import { isNotNewer, type Resource } from './api-resources.ts';
import { list, type Lister } from './list.ts';
import { hasApiName, keyOf, objectFrom, placeOf, textOf } from '../object-text.ts';
import type { Happening, ResyncOutcome } from '../following.ts';
import type { Replica, WatchedChange } from './replica.ts';
import type { SourceEvents } from '../source.ts';
import type { Time } from './time.ts';

export type ResyncOptions = {
  readonly resource: Resource;
  readonly client: Lister;
  readonly time: Time;
  /** How far the watch has come. */
  readonly replica: Pick<Replica, 'version' | 'newListing'>;
  /** Texts by key of what was published. */
  readonly known: () => ReadonlyMap<string, string>;
  /** Told of a list before it is compared; what it throws ends the watch. */
  readonly believe: (listed: ReadonlyMap<string, string>) => void;
  readonly report: SourceEvents['report'];
  readonly happened: ((happening: Happening) => void) | undefined;
};

/** One per kind, over all its watches. */
export class Resync {
  readonly #options: ResyncOptions;
  #cancel: () => void = () => {};
  #running: Running | undefined;

  constructor(options: ResyncOptions) {
    this.#options = options;
  }

  start(): void {
    const { time } = this.#options;
    this.#cancel = time.after(INTERVAL_MIN + time.random() * INTERVAL_SPREAD, () => {
      this.start();
      void this.#list();
    });
  }

  close(): void {
    this.#cancel();
    this.#running?.abort.abort();
    this.#running = undefined;
  }

  /** The watch does not go on from where it is: a list is due that makes this one superfluous. */
  drop(): void {
    if (this.#running === undefined) return;
    this.#running.abort.abort();
    this.#end('dropped');
  }

  /** An object was put or removed by an event. */
  applied(change: WatchedChange, version: string): void {
    if (this.#running === undefined || this.#running.listed !== undefined) return;
    const { touched } = this.#running;
    for (const key of keysOf(change)) touched.set(key, version);
    if (touched.size > TOUCHED_MAX) this.drop();
  }

  /**
   * To be asked before an event or bookmark is applied; `pending` is what was read and not published yet.
   * @returns changes that make good what the watch has not told
   * @throws ApiFault if the list is not believed
   */
  before(version: string, pending: readonly WatchedChange[]): readonly WatchedChange[] {
    const listed = this.#running?.listed;
    if (this.#running === undefined || listed === undefined || !isOlder(listed.version, version)) return NOTHING;
    this.#options.believe(listed.texts);
    const { touched } = this.#running;
    const isTouched = (key: string): boolean => {
      const at = touched.get(key);
      return at !== undefined && isOlder(listed.version, at);
    };
    const gaps = this.#compare(listed.texts, pending, isTouched);
    this.#end('compared');
    return gaps;
  }

  async #list(): Promise<void> {
    const { resource, client, time, report, replica } = this.#options;
    this.drop();
    const from = replica.version;
    if (from === undefined) return; // A list is due anyway.
    const running: Running = { abort: new AbortController(), touched: new Map(), listed: undefined };
    this.#running = running;
    try {
      const { listing, version } = await list(client, resource, () => replica.newListing(), time, running.abort.signal);
      if (this.#running !== running) return;
      if (!isNotNewer(from, version)) {
        report(
          'debug',
          `${resource.plural}: a resync at version ${version} cannot be compared with a watch from ${from}`,
        );
        this.#end('dropped');
        return;
      }
      running.listed = { texts: listing.listing.texts, version };
    } catch (error) {
      if (this.#running !== running) return;
      const why = error instanceof Error ? error.message : String(error);
      report('debug', `${resource.plural}: a resync failed (${why}); the next one comes within the hour or so`);
      this.#end('failed');
    }
  }

  #end(outcome: ResyncOutcome): void {
    this.#running = undefined;
    const { happened, resource } = this.#options;
    happened?.({ what: 'resyncs', kind: resource.kind, outcome });
  }

  #compare(
    listed: ReadonlyMap<string, string>,
    pending: readonly WatchedChange[],
    isTouched: (key: string) => boolean,
  ): readonly WatchedChange[] {
    const { kind } = this.#options.resource;
    const told = withPending(this.#options.known(), pending);
    const gaps: WatchedChange[] = [];
    for (const [key, text] of listed) {
      if (told(key) !== text && !isTouched(key)) gaps.push({ verb: 'put', object: objectFrom(text) });
    }
    const missing = new Set<string>();
    for (const key of [...this.#options.known().keys(), ...pending.flatMap(keysOf)]) {
      if (!listed.has(key) && told(key) !== undefined && !isTouched(key) && hasApiName(key)) missing.add(key);
    }
    for (const key of missing) gaps.push({ verb: 'remove', kind, ...placeOf(key) });
    if (gaps.length > 0) this.#tell(gaps);
    return gaps;
  }

  #tell(gaps: readonly WatchedChange[]): void {
    const { resource, report, happened } = this.#options;
    const [first = ''] = gaps.flatMap(keysOf);
    happened?.({ what: 'gaps', kind: resource.kind, count: gaps.length });
    report(
      'warning',
      `${resource.plural}: ${gaps.length} were not as the API server has them, the first is ${first}; they are put right. ` +
        'Its watch has not told everything: look for errors in its log, and for proxies on the way to it.',
    );
  }
}

/** A list on its way, or one that waits for the watch to come to its version. */
type Running = {
  readonly abort: AbortController;
  /** Versions by key of what events have changed since the list was asked for; what they removed need never have been there. */
  readonly touched: Map<string, string>;
  listed: { readonly texts: ReadonlyMap<string, string>; readonly version: string } | undefined;
};

/** Objects that may change while a list is on its way: 1,000 a second for five minutes. */
const TOUCHED_MAX: Count = 300_000;
/** With half an hour between the earliest and the latest, replicas and kinds do not list in one moment. */
const INTERVAL_MIN: Milliseconds = 45 * 60_000;
const INTERVAL_SPREAD: Milliseconds = 30 * 60_000;
const NOTHING: readonly WatchedChange[] = [];

/** Certainly older: what is not comparable is not. */
function isOlder(version: string, than: string): boolean {
  return version !== than && isNotNewer(version, than);
}

/** What is known of a key once the changes are published. */
function withPending(
  known: ReadonlyMap<string, string>,
  pending: readonly WatchedChange[],
): (key: string) => string | undefined {
  let base = known;
  const later = new Map<string, string | undefined>();
  for (const change of pending) {
    if (change.verb === 'replace') {
      base = change.listing.texts;
      later.clear();
    } else if (change.verb === 'put') later.set(keyOf(change.object), textOf(change.object));
    else later.set(keyOf(change), undefined);
  }
  return (key) => (later.has(key) ? later.get(key) : base.get(key));
}

function keysOf(change: WatchedChange): readonly string[] {
  if (change.verb === 'replace') return [...change.listing.texts.keys()];
  return [keyOf(change.verb === 'put' ? change.object : change)];
}
