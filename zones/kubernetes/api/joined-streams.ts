/**
 * One kind of object that is read over several streams, each with a selector of its own, told as one. An object whose labels
 * change goes from one stream to another, and nothing says which of the two tells of it first. Knows nothing of selectors,
 * nor of how a stream is read.
 */

import { isNotNewer } from './api-resources.ts';
import { Listing } from '../listing.ts';
import { keyOf, objectFrom, textOf } from '../object-text.ts';
import type { Kind } from '../objects.ts';
import type { WatchedChange } from './replica.ts';

/**
 * What any of the streams has is there, as the stream says that told of it at the newest version. Nothing is told until each
 * has been listed; from then on each list of one of them is a list of all.
 */
export class JoinedStreams {
  readonly #kind: Kind;
  readonly #tell: (changes: readonly WatchedChange[]) => void;
  readonly #streams: Stream[] = [];

  constructor(kind: Kind, tell: (changes: readonly WatchedChange[]) => void) {
    this.#kind = kind;
    this.#tell = tell;
  }

  /**
   * Adds a stream, before the first of them says anything. Returns whom it tells its changes, and the version at which it has
   * them so.
   */
  add(): (changes: readonly WatchedChange[], version: string) => void {
    const stream: Stream = { objects: new Map(), isListed: false };
    this.#streams.push(stream);
    return (changes, version) => {
      const news = changes.flatMap((change) => this.#follow(stream, change, version));
      if (news.length > 0) this.#tell(news);
    };
  }

  #follow(stream: Stream, change: WatchedChange, version: string): readonly WatchedChange[] {
    switch (change.verb) {
      case 'put': {
        const key = keyOf(change.object);
        const held = { text: textOf(change.object), version };
        stream.objects.set(key, held);
        return this.#isWhole && this.#find(key) === held ? [change] : [];
      }
      case 'remove': {
        const key = keyOf(change);
        const before = this.#find(key);
        stream.objects.delete(key);
        const left = this.#find(key);
        if (!this.#isWhole || left === before) return [];
        return [left === undefined ? change : { verb: 'put', object: objectFrom(left.text) }];
      }
      case 'replace': {
        stream.isListed = true;
        stream.objects = new Map(Array.from(change.listing.texts, ([key, text]) => [key, { text, version }]));
        return this.#isWhole ? [{ verb: 'replace', listing: this.#listing() }] : [];
      }
    }
  }

  get #isWhole(): boolean {
    return this.#streams.every(({ isListed }) => isListed);
  }

  #find(key: string): Held | undefined {
    let newest: Held | undefined;
    for (const { objects } of this.#streams) newest = newerOf(newest, objects.get(key));
    return newest;
  }

  #listing(): Listing {
    const listing = new Listing(this.#kind);
    for (const { objects } of this.#streams) {
      for (const [key, held] of objects) if (this.#find(key) === held) listing.putText(key, held.text);
    }
    return listing;
  }
}

/** What a stream has by key; as many objects as its replica lets through. */
type Stream = { objects: Map<string, Held>; isListed: boolean };

/** An object as `object-text.ts` has it, and a version at which its stream had it so. */
type Held = { readonly text: string; readonly version: string };

function newerOf(one: Held | undefined, other: Held | undefined): Held | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return isNotNewer(other.version, one.version) ? one : other;
}
