/** Which pods have an address. Knows nothing of pods but their addresses. */

import { MultiMap } from './multi-map.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { Pod } from '../objects.ts';

/** Of each pod all addresses count, in the text that the API has for them, which is the canonical one (RFC 5952). */
export class PodAddresses {
  readonly #pods = new NamespacedMap<Pod>();
  readonly #byAddress = new MultiMap<Pod>();

  /** Has a pod of the namespace this address, in exactly this text? */
  has(namespace: string, address: string): boolean {
    return this.#byAddress.get(address).some((pod) => pod.namespace === namespace);
  }

  /** All pods, as they are now. */
  all(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  /**
   * The pod that sends from this address; undefined if there is none, or if it cannot be told: pods on the host's network
   * share theirs with the node, and a pod on its way out may still have one that another was given.
   */
  only(address: string): Pod | undefined {
    const [pod, ...others] = this.#byAddress.get(address).filter(({ hostNetwork }) => !hostNetwork);
    return others.length === 0 ? pod : undefined;
  }

  /** Did it change which addresses there are? */
  put(pod: Pod): boolean {
    const { namespace, name, addresses } = pod;
    const old = this.#pods.get(namespace, name);
    if (old !== undefined) this.#forget(old);
    this.#pods.set(namespace, name, pod);
    for (const address of addresses) this.#byAddress.add(address, pod);
    return (old?.addresses ?? []).join() !== addresses.join();
  }

  /** Did it change which addresses there are? */
  remove(namespace: string, name: string): boolean {
    const pod = this.#pods.get(namespace, name);
    if (pod === undefined) return false;
    this.#pods.delete(namespace, name);
    this.#forget(pod);
    return pod.addresses.length > 0;
  }

  /** Makes the same again, one pod for each step. */
  *copy(): Generator<undefined, PodAddresses> {
    const copy = new PodAddresses();
    for (const pod of this.#pods.values()) {
      copy.put(pod);
      yield undefined;
    }
    return copy;
  }

  #forget(pod: Pod): void {
    for (const address of pod.addresses) this.#byAddress.delete(address, pod);
  }
}
