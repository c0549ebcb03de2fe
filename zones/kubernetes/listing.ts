/** All objects of one kind at one moment, while they come in and until they are compared. Knows nothing of where they come from. */

import type { ClusterObject, Kind } from './objects.ts';
import { keyOf, objectFrom, textOf } from './object-text.ts';
import type { Count } from '../units.ts';

export class Listing {
  readonly kind: Kind;
  readonly #texts = new Map<string, string>();
  readonly #known: ReadonlyMap<string, string>;

  /** @param known texts by key that are kept anyway: what is said again shares them, for most of a relist is no news */
  constructor(kind: Kind, objects: Iterable<ClusterObject> = [], known: ReadonlyMap<string, string> = NO_TEXTS) {
    this.kind = kind;
    this.#known = known;
    for (const object of objects) this.put(object);
  }

  get size(): Count {
    return this.#texts.size;
  }

  put(object: ClusterObject): void {
    const key = keyOf(object);
    const text = textOf(object);
    const known = this.#known.get(key);
    this.#texts.set(key, known === text ? known : text);
  }

  /** Takes an object as `texts` of another listing has it. */
  putText(key: string, text: string): void {
    this.#texts.set(key, text);
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

const NO_TEXTS: ReadonlyMap<string, string> = new Map();
