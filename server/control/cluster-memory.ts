/**
 * A cluster's objects as last reported: what of a report is new, and what a data thread that begins again has to be told.
 * Knows nothing of where they come from or what is answered from them.
 */

import type { ClusterChange, ClusterObject, Kind } from '../../zones/kubernetes/objects.ts';
import { isSameObject } from '../../zones/kubernetes/store/same-object.ts';
import type { Count } from '../../zones/units.ts';

/** As large as the cluster: the objects are those that the data thread holds too, trimmed. */
export class ClusterMemory {
  readonly #objects = new Map<Kind, Map<string, ClusterObject>>();
  readonly #whole = new Set<Kind>();

  /**
   * Returns what is new in the changes, in their order: most updates are of fields that were trimmed away, and a list that is
   * read again says little that was not known. The data thread, which answers nobody meanwhile, is told no more than that.
   */
  apply(changes: readonly ClusterChange[]): readonly ClusterChange[] {
    return changes.flatMap((change) => {
      switch (change.verb) {
        case 'put':
          return this.#put(change.object) ? [change] : [];
        case 'remove':
          return this.#objects.get(change.kind)?.delete(keyOf(change)) === true ? [change] : [];
        case 'replace':
          return this.#replace(change.kind, change.objects);
      }
    });
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

  /** Was it news? */
  #put(object: ClusterObject): boolean {
    const objects = this.#of(object.kind);
    const known = objects.get(keyOf(object));
    if (known !== undefined && isSameObject(known, object)) return false;
    objects.set(keyOf(object), object);
    return true;
  }

  /** The first list makes the kind whole; of a later one only the differences are news. */
  #replace(kind: Kind, objects: readonly ClusterObject[]): readonly ClusterChange[] {
    if (!this.#whole.has(kind)) {
      this.#whole.add(kind);
      this.#objects.set(kind, new Map(objects.map((object) => [keyOf(object), object])));
      return [{ verb: 'replace', kind, objects }];
    }
    const kept = new Set(objects.map(keyOf));
    const gone = [...this.#of(kind)].filter(([key]) => !kept.has(key));
    return this.apply([
      ...gone.map(([, { namespace, name }]): ClusterChange => ({ verb: 'remove', kind, namespace, name })),
      ...objects.map((object): ClusterChange => ({ verb: 'put', object })),
    ]);
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
