/** The body of one watch to changes: lines, events, bookmarks. Knows nothing of connections, nor of what a fault leads to. */

import type { Count, Milliseconds } from '../../units.ts';
import { ApiFault, eventFault, plainText } from './api-fault.ts';
import { versionFrom } from './api-resources.ts';
import { fieldsOf, isFields, type Fields } from '../api-values.ts';
import { LineSplitter } from './line-splitter.ts';
import { WORK_SLICE } from './list.ts';
import type { Tally } from '../following.ts';
import type { Kind } from '../objects.ts';
import type { Replica, ResourceListing, WatchedChange } from './replica.ts';
import type { Resync } from './resync.ts';
import type { ProgrammedSlice } from '../source.ts';
import { nextTurn, type Time } from './time.ts';
import { SERVICE_NAME_LABEL } from '../trim.ts';

/** What one watch reads into, and who is told. */
export type WatchReaderOptions = {
  readonly replica: Replica;
  /** Does it begin with all objects there are (`sendInitialEvents`), ended by a marked bookmark? */
  readonly startsWithList: boolean;
  readonly time: Time;
  readonly signal: AbortSignal;
  readonly publish: (changes: readonly WatchedChange[]) => void;
  readonly programmed: ((slice: ProgrammedSlice) => void) | undefined;
  /** Told of a first list before it is published; what it throws ends the watch. */
  readonly believe: (listed: ReadonlyMap<string, string>) => void;
  /** Told of what is applied, asked before it is. */
  readonly resync: Pick<Resync, 'before' | 'applied'> | undefined;
  readonly count: (what: Tally, count: Count) => void;
  /** Something was left aside that a server of today does not send. */
  readonly odd: (text: string) => void;
};

export class WatchReader {
  readonly #options: WatchReaderOptions;
  readonly #lines = new LineSplitter();
  #listing: ResourceListing | undefined;
  #changes: WatchedChange[] = [];
  #programmed: ProgrammedSlice[] = [];
  #events: Count = 0;
  /** Not counted yet. */
  #news: Count = 0;
  #bookmarks: Count = 0;

  constructor(options: WatchReaderOptions) {
    this.#options = options;
    this.#listing = options.startsWithList ? options.replica.newListing() : undefined;
  }

  /** Is the first list still coming in? */
  get isListing(): boolean {
    return this.#listing !== undefined;
  }

  /** Events after the first list, bookmarks included. */
  get events(): Count {
    return this.#events;
  }

  get bookmarks(): Count {
    return this.#bookmarks;
  }

  /**
   * Reads on. What came in one chunk becomes visible in one step, also where it is so much work that others get their turn
   * in between. After a fault everything before it is published and the replica's version stands before the event that could
   * not be read.
   * @throws ApiFault
   */
  async take(chunk: Buffer): Promise<void> {
    const { time, signal } = this.#options;
    try {
      let began: Milliseconds = time.now();
      for (const line of this.#lines.push(chunk)) {
        this.#read(line);
        if (time.now() - began < WORK_SLICE) continue;
        await nextTurn();
        if (signal.aborted) throw new ApiFault('closed', 'closed');
        began = time.now();
      }
    } finally {
      this.#publish();
    }
  }

  #read(line: Buffer): void {
    const { type, object } = eventFrom(line);
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        this.#change(type, object);
        break;
      case 'BOOKMARK':
        this.#bookmark(object);
        break;
      case 'ERROR':
        throw eventFault(object);
      default:
        this.#options.odd(`a watch event of the unknown type "${plainText(type)}" was left aside`);
    }
  }

  #change(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Fields): void {
    const { replica, resync, programmed, count, odd } = this.#options;
    if (this.#listing !== undefined) {
      // In the order of names, not of versions: the version they stand for comes with the bookmark.
      if (type === 'DELETED') this.#listing.remove(object);
      else this.#listing.put(object);
      return;
    }
    const version = versionFrom(object);
    if (version !== undefined) this.#passTo(version);
    const change = replica.apply(type, object);
    if (change === 'old') {
      count('dropped-events', 1);
      odd('an event was older than the one before it and was left aside');
      return;
    }
    this.#events++;
    this.#news++;
    this.#changes.push(change);
    if (version !== undefined) resync?.applied(change, version);
    const slice = programmed === undefined ? undefined : programmedSliceFrom(replica.resource.kind, object);
    if (slice !== undefined) this.#programmed.push(slice);
  }

  #bookmark(object: Fields): void {
    const { replica, believe } = this.#options;
    const version = versionFrom(object);
    if (version === undefined) throw new ApiFault('protocol', 'a bookmark without a resourceVersion');
    this.#bookmarks++;
    if (this.#listing === undefined) {
      this.#events++;
      this.#passTo(version);
      replica.advance(version);
      return;
    }
    if (fieldsOf(fieldsOf(object['metadata'])['annotations'])[LIST_END] !== 'true') {
      throw new ApiFault('unmarked', 'a watch did not begin with a list');
    }
    believe(this.#listing.listing.texts);
    this.#changes.push(replica.replace(this.#listing, version));
    this.#listing = undefined;
  }

  /** What the watch should have told before it says something of this version. */
  #passTo(version: string): void {
    const gaps = this.#options.resync?.before(version, this.#changes) ?? [];
    this.#changes.push(...gaps);
  }

  #publish(): void {
    const { signal, publish, programmed, count } = this.#options;
    const changes = this.#changes;
    const slices = this.#programmed;
    const news = this.#news;
    this.#changes = [];
    this.#programmed = [];
    this.#news = 0;
    if (signal.aborted) return;
    if (news > 0) count('events', news);
    if (changes.length > 0) publish(changes);
    for (const slice of slices) programmed?.(slice);
  }
}

/** The annotation of the bookmark that ends the first list (KEP-3157). */
const LIST_END = 'k8s.io/initial-events-end';
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';

function eventFrom(line: Buffer): { readonly type: string; readonly object: Fields } {
  let event: unknown;
  try {
    event = JSON.parse(line.toString('utf8'));
  } catch (cause) {
    throw new ApiFault('protocol', `a line of a watch is not JSON: ${plainText(line.toString('utf8', 0, 80))}`, {
      cause,
    });
  }
  const { type, object } = fieldsOf(event);
  if (typeof type !== 'string' || !isFields(object)) {
    throw new ApiFault('protocol', 'a line of a watch is no event with type and object');
  }
  return { type, object };
}

function programmedSliceFrom(kind: Kind, raw: Fields): ProgrammedSlice | undefined {
  if (kind !== 'EndpointSlice') return undefined;
  const { namespace, labels, annotations } = fieldsOf(raw['metadata']);
  const service = fieldsOf(labels)[SERVICE_NAME_LABEL];
  const time = fieldsOf(annotations)[TRIGGER_TIME];
  if (typeof namespace !== 'string' || typeof service !== 'string' || typeof time !== 'string') return undefined;
  const triggered = Date.parse(time);
  return Number.isNaN(triggered) ? undefined : { namespace, service, triggered };
}
