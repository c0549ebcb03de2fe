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

  /** Adds a stream, before the first of them says anything. */
  add(): JoinedStream {
    const stream: Stream = { texts: new Map(), versions: new Map(), isListed: false };
    this.#streams.push(stream);
    return {
      publish: (changes, version) => {
        const news = changes.flatMap((change) => this.#follow(stream, change, version));
        if (news.length > 0) this.#tell(news);
      },
      known: () => stream.texts,
    };
  }

  #follow(stream: Stream, change: WatchedChange, version: string): readonly WatchedChange[] {
    switch (change.verb) {
      case 'put': {
        const key = keyOf(change.object);
        stream.texts.set(key, textOf(change.object));
        stream.versions.set(key, version);
        return this.#isWhole && this.#newest(key) === stream ? [change] : [];
      }
      case 'remove': {
        const key = keyOf(change);
        const before = this.#newest(key);
        stream.texts.delete(key);
        stream.versions.delete(key);
        const left = this.#newest(key);
        if (!this.#isWhole || left === before) return [];
        const text = left?.texts.get(key);
        return [text === undefined ? change : { verb: 'put', object: objectFrom(text) }];
      }
      case 'replace': {
        stream.texts = new Map(change.listing.texts);
        stream.versions = new Map(Array.from(stream.texts.keys(), (key) => [key, version]));
        stream.isListed = true;
        return this.#isWhole ? [{ verb: 'replace', listing: this.#listing() }] : [];
      }
    }
  }

  get #isWhole(): boolean {
    return this.#streams.every(({ isListed }) => isListed);
  }

  /** The stream that is right about an object; undefined if none has it. */
  #newest(key: string): Stream | undefined {
    let newest: Stream | undefined;
    let version = '';
    for (const stream of this.#streams) {
      const other = stream.versions.get(key);
      if (other === undefined || (newest !== undefined && isNotNewer(other, version))) continue;
      newest = stream;
      version = other;
    }
    return newest;
  }

  #listing(): Listing {
    const listing = new Listing(this.#kind);
    for (const stream of this.#streams) {
      for (const [key, text] of stream.texts) if (this.#newest(key) === stream) listing.putText(key, text);
    }
    return listing;
  }
}

/** What whoever reads a stream is given. */
export type JoinedStream = {
  /** Takes changes, and the version at which the stream has them so. */
  readonly publish: (changes: readonly WatchedChange[], version: string) => void;
  /** Texts by key of what the stream has, whatever the others say of it. */
  readonly known: () => ReadonlyMap<string, string>;
};

type Stream = {
  /** As many as its replica lets through. */
  texts: Map<string, string>;
  /** By key: the last version at which the stream was heard to have it. */
  versions: Map<string, string>;
  isListed: boolean;
};
