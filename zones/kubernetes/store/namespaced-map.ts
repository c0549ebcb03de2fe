/** Values by namespace and name, with no trace left of an empty namespace. Knows nothing of what the values are. */

/** Two levels of Maps: a foreign name such as `constructor` or `__proto__` is a key like any other. */
export class NamespacedMap<Value> {
  readonly #namespaces = new Map<string, Map<string, Value>>();

  get(namespace: string, name: string): Value | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  set(namespace: string, name: string, value: Value): void {
    const values = this.#namespaces.get(namespace);
    if (values === undefined) this.#namespaces.set(namespace, new Map([[name, value]]));
    else values.set(name, value);
  }

  delete(namespace: string, name: string): void {
    const values = this.#namespaces.get(namespace);
    if (values === undefined) return;
    values.delete(name);
    if (values.size === 0) this.#namespaces.delete(namespace);
  }

  /** The names of each namespace, as they are now. */
  names(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map(Array.from(this.#namespaces, ([namespace, values]) => [namespace, new Set(values.keys())]));
  }

  *values(): Generator<Value> {
    for (const values of this.#namespaces.values()) yield* values.values();
  }

  /** Calls `visit` for every value; it may delete the value that it is told of. */
  forEach(visit: (value: Value, namespace: string, name: string) => void): void {
    for (const [namespace, values] of this.#namespaces) {
      for (const [name, value] of values) visit(value, namespace, name);
    }
  }
}
