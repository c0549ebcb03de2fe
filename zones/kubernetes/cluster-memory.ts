/**
 * A cluster's objects as last reported, and what of a report is new. It is what the control thread keeps of a cluster: enough
 * for a data thread that begins again, a snapshot on disk, and for comparing the next list. Knows nothing of who is told.
 */

import type { Count } from '../units.ts';
import type { Listing } from './listing.ts';
import type { Kind } from './objects.ts';
import { keyOf, textOf } from './object-text.ts';
import type { SourceChange } from './source.ts';

/** Told of each object that is new, different or gone. */
export type Changed = (kind: Kind, key: string) => void;

/** As large as the cluster: one text for each object. */
export class ClusterMemory {
  readonly #texts = new Map<Kind, Map<string, string>>();
  readonly #whole = new Set<Kind>();
  readonly #loaded = new Set<Kind>();
  #changes: Count = 0;

  /**
   * Most updates are of fields that were trimmed away, and a list that is read again says little that was not known: only
   * what is news is told. A first list makes its kind whole.
   */
  apply(changes: readonly SourceChange[], changed: Changed): void {
    for (const change of changes) {
      switch (change.verb) {
        case 'put':
          this.#put(change.object.kind, keyOf(change.object), textOf(change.object), changed);
          break;
        case 'remove':
          this.#remove(change.kind, keyOf(change), changed);
          break;
        case 'replace':
          this.#replace(change.listing.kind, change.listing.texts, changed);
          break;
      }
    }
  }

  /**
   * What a snapshot has of kinds that nobody has reported whole yet: it is only what was known before, and gives way to
   * everything that is reported.
   */
  load(listings: readonly Listing[], changed: Changed): void {
    for (const { kind, texts } of listings) {
      if (this.#whole.has(kind)) continue;
      this.#loaded.add(kind);
      const known = this.#of(kind);
      for (const [key, text] of texts) if (!known.has(key)) this.#put(kind, key, text, changed);
    }
  }

  /** How many objects were new, different or gone so far. */
  get changes(): Count {
    return this.#changes;
  }

  /** Texts by key of one kind, as they are now. */
  texts(kind: Kind): ReadonlyMap<string, string> {
    return this.#texts.get(kind) ?? NO_TEXTS;
  }

  /** The kinds of which anything is known. */
  kinds(): readonly Kind[] {
    return [...new Set([...this.#texts.keys(), ...this.#whole])];
  }

  /** Has this kind been reported whole? */
  isWhole(kind: Kind): boolean {
    return this.#whole.has(kind);
  }

  /** Is what is known of this kind only what a snapshot had? */
  isLoaded(kind: Kind): boolean {
    return this.#loaded.has(kind) && !this.#whole.has(kind);
  }

  #put(kind: Kind, key: string, text: string, changed: Changed): void {
    const texts = this.#of(kind);
    if (texts.get(key) === text) return;
    texts.set(key, text);
    this.#changes++;
    changed(kind, key);
  }

  #remove(kind: Kind, key: string, changed: Changed): void {
    if (!this.#of(kind).delete(key)) return;
    this.#changes++;
    changed(kind, key);
  }

  #replace(kind: Kind, texts: ReadonlyMap<string, string>, changed: Changed): void {
    this.#whole.add(kind);
    for (const key of this.#of(kind).keys()) if (!texts.has(key)) this.#remove(kind, key, changed);
    for (const [key, text] of texts) this.#put(kind, key, text, changed);
  }

  #of(kind: Kind): Map<string, string> {
    const texts = this.#texts.get(kind) ?? new Map<string, string>();
    this.#texts.set(kind, texts);
    return texts;
  }
}

const NO_TEXTS: ReadonlyMap<string, string> = new Map();
