/** Several values under one key, when nearly every key has only one. Knows nothing of what keys and values mean. */

/**
 * A lone value stands in the Map itself: a Set for each of 100,000 addresses would cost more than the addresses. The order
 * of the values of a key means nothing.
 */
export class MultiMap<Value extends object | string> {
  readonly #values = new Map<string, Value | Set<Value>>();

  /** Was the key new? */
  add(key: string, value: Value): boolean {
    const held = this.#values.get(key);
    if (held === undefined) this.#values.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.#values.set(key, new Set([held, value]));
    return held === undefined;
  }

  /** Is the key gone now? */
  delete(key: string, value: Value): boolean {
    const held = this.#values.get(key);
    if (held instanceof Set) {
      held.delete(value);
      const [first] = held;
      if (held.size === 1 && first !== undefined) this.#values.set(key, first);
      return false;
    }
    return held === value && this.#values.delete(key);
  }

  /** Puts a value in the place of one that is there. */
  exchange(key: string, before: Value, value: Value): void {
    const held = this.#values.get(key);
    if (held === before) this.#values.set(key, value);
    else if (held instanceof Set && held.delete(before)) held.add(value);
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): readonly Value[] {
    const held = this.#values.get(key);
    if (held === undefined) return NONE;
    return held instanceof Set ? [...held] : [held];
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }
}

const NONE: readonly never[] = [];
