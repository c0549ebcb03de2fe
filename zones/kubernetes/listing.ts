/** All objects of one kind at one moment, while they come in and until they are compared. Knows nothing of where they come from. */

import type { ClusterObject, Kind } from './objects.ts';
import { keyOf, objectFrom, textOf } from './object-text.ts';
import type { Count } from '../units.ts';

export class Listing {
  readonly kind: Kind;
  readonly #texts = new Map<string, string>();

  constructor(kind: Kind, objects: Iterable<ClusterObject> = []) {
    this.kind = kind;
    for (const object of objects) this.put(object);
  }

  get size(): Count {
    return this.#texts.size;
  }

  put(object: ClusterObject): void {
    this.#texts.set(keyOf(object), textOf(object));
  }

  remove(key: string): void {
    this.#texts.delete(key);
  }

  /** Texts by key, as `object-text.ts` has them. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** Made anew with each call. */
  *objects(): Generator<ClusterObject> {
    for (const text of this.#texts.values()) yield objectFrom(text);
  }
}
