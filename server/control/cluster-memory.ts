/**
 * A cluster's objects as last reported, for a data thread that has to begin again. Knows nothing of where they come from or
 * what is answered from them.
 */

import type { ClusterChange, ClusterObject, Kind } from '../../zones/kubernetes/objects.ts';
import type { Count } from '../../zones/units.ts';

/** As large as the cluster: the objects are those that the data thread holds too, trimmed. */
export class ClusterMemory {
  readonly #objects = new Map<Kind, Map<string, ClusterObject>>();
  readonly #whole = new Set<Kind>();

  apply(changes: readonly ClusterChange[]): void {
    for (const change of changes) {
      switch (change.verb) {
        case 'put':
          this.#of(change.object.kind).set(keyOf(change.object), change.object);
          break;
        case 'remove':
          this.#of(change.kind).delete(keyOf(change));
          break;
        case 'replace':
          this.#objects.set(change.kind, new Map(change.objects.map((object) => [keyOf(object), object])));
          this.#whole.add(change.kind);
          break;
      }
    }
  }

  /** The changes that lead from nothing to here. */
  changes(): ClusterChange[] {
    return [...this.#objects].flatMap(([kind, objects]): ClusterChange[] => {
      const all = [...objects.values()];
      if (this.#whole.has(kind)) return [{ verb: 'replace', kind, objects: all }];
      return all.map((object) => ({ verb: 'put', object }));
    });
  }

  /** One object as last reported. */
  find(kind: Kind, namespace: string, name: string): ClusterObject | undefined {
    return this.#objects.get(kind)?.get(keyOf({ namespace, name }));
  }

  /** Has this kind been reported whole? */
  isWhole(kind: Kind): boolean {
    return this.#whole.has(kind);
  }

  count(kind: Kind): Count {
    return this.#objects.get(kind)?.size ?? 0;
  }

  #of(kind: Kind): Map<string, ClusterObject> {
    const objects = this.#objects.get(kind) ?? new Map<string, ClusterObject>();
    this.#objects.set(kind, objects);
    return objects;
  }
}

/** Neither part can contain a slash. */
function keyOf(object: { readonly namespace: string; readonly name: string }): string {
  return `${object.namespace}/${object.name}`;
}
