/** Which pods of a namespace have an address. Knows nothing of pods but their addresses. */

import { NamespacedMap } from './namespaced-map.ts';
import type { Pod } from '../objects.ts';
import { areSameTexts } from './same-object.ts';

/** Of each pod all addresses count, and pods on the host's network share theirs, so holders are counted. */
export class PodAddresses {
  readonly #pods = new NamespacedMap<readonly string[]>();
  /** How many times pods of the namespace have that text. */
  readonly #holders = new NamespacedMap<number>();

  /** Has a pod of the namespace this address, in exactly this text? */
  has(namespace: string, address: string): boolean {
    return this.#holders.get(namespace, address) !== undefined;
  }

  /** Did it change anything? */
  put({ namespace, name, addresses }: Pod): boolean {
    const old = this.#pods.get(namespace, name);
    if (old !== undefined && areSameTexts(old, addresses)) return false;
    if (old !== undefined) this.#count(namespace, old, -1);
    this.#pods.set(namespace, name, addresses);
    this.#count(namespace, addresses, 1);
    return true;
  }

  /** Was it there? */
  remove(namespace: string, name: string): boolean {
    const addresses = this.#pods.get(namespace, name);
    if (addresses === undefined) return false;
    this.#pods.delete(namespace, name);
    this.#count(namespace, addresses, -1);
    return true;
  }

  /** `visit` may remove the pod that it is told of. */
  forEachName(visit: (namespace: string, name: string) => void): void {
    this.#pods.forEach((_addresses, namespace, name) => visit(namespace, name));
  }

  #count(namespace: string, addresses: readonly string[], by: 1 | -1): void {
    for (const address of addresses) {
      const count = (this.#holders.get(namespace, address) ?? 0) + by;
      if (count === 0) this.#holders.delete(namespace, address);
      else this.#holders.set(namespace, address, count);
    }
  }
}
