/**
 * Services, imports and slices of one cluster, by name and by address. Knows nothing of namespaces, pods, or of when what it
 * is told becomes visible.
 */

import { AddressTree } from './address-tree.ts';
import { keyOf, readySliceFrom, type ReadyAddress, type ReadySlice } from './endpoints.ts';
import { MultiMap } from './multi-map.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { EndpointSlice, Service, ServiceImport } from '../objects.ts';
import { ServiceTable, type ServiceEntry } from './service-table.ts';

/** `putSlice` and what removes return whether an answer can depend on it. */
export class ServiceTables {
  readonly services: ServiceTable<Service> = new ServiceTable();
  readonly imports: ServiceTable<ServiceImport> = new ServiceTable();
  readonly byClusterIP: MultiMap<ServiceEntry> = new MultiMap();
  readonly byReadyAddress: MultiMap<ReadyAddress> = new MultiMap();
  /** The keys of both. */
  readonly addresses: AddressTree = new AddressTree();
  readonly #slices = new NamespacedMap<ReadySlice>();

  /** Makes the same tables again, one object for each step; what is in them is shared, the tables are not. */
  *copy(): Generator<undefined, ServiceTables> {
    const copy = new ServiceTables();
    for (const service of this.services.all()) {
      copy.putService(service);
      yield undefined;
    }
    for (const service of this.imports.all()) {
      copy.putImport(service);
      yield undefined;
    }
    for (const ready of this.#slices.values()) {
      copy.#enter(ready);
      yield undefined;
    }
    return copy;
  }

  putService(service: Service): void {
    const known = this.services.get(service.namespace, service.name);
    if (known?.service !== undefined) this.#forgetClusterIPs(known, known.service);
    const entry = this.services.put(service);
    for (const key of keysOf(service)) if (this.byClusterIP.add(key, entry)) this.addresses.add(key);
  }

  removeService(namespace: string, name: string): boolean {
    const entry = this.services.get(namespace, name);
    if (entry?.service === undefined) return false;
    this.#forgetClusterIPs(entry, entry.service);
    return this.services.remove(namespace, name);
  }

  putImport(service: ServiceImport): void {
    this.imports.put(service);
  }

  putSlice(slice: EndpointSlice): boolean {
    const old = this.#slices.get(slice.namespace, slice.name);
    if (old !== undefined) this.#detach(old);
    this.#enter(readySliceFrom(slice));
    return hasOwner(slice) || (old !== undefined && hasOwner(old));
  }

  removeSlice(namespace: string, name: string): boolean {
    const ready = this.#slices.get(namespace, name);
    if (ready === undefined) return false;
    this.#slices.delete(namespace, name);
    this.#detach(ready);
    return hasOwner(ready);
  }

  /** A slice may be of a Service here and of an import as well. */
  #enter(ready: ReadySlice): void {
    const { namespace, name, service, imported } = ready;
    this.#slices.set(namespace, name, ready);
    if (imported !== undefined) this.imports.attach(ready, namespace, imported.service);
    // A slice of no Service has no name to stand under: it must not show up in reverse zones either.
    if (service === '') return;
    this.services.attach(ready, namespace, service);
    for (const address of ready.addresses) {
      if (this.byReadyAddress.add(address.key, address)) this.addresses.add(address.key);
    }
  }

  #detach(ready: ReadySlice): void {
    const { namespace, service, imported } = ready;
    if (imported !== undefined) this.imports.detach(ready, namespace, imported.service);
    if (!this.services.detach(ready, namespace, service)) return;
    for (const address of ready.addresses) {
      const { key } = address;
      if (this.byReadyAddress.delete(key, address) && !this.byClusterIP.has(key)) this.addresses.delete(key);
    }
  }

  #forgetClusterIPs(entry: ServiceEntry, service: Service): void {
    for (const key of keysOf(service)) {
      if (this.byClusterIP.delete(key, entry) && !this.byReadyAddress.has(key)) this.addresses.delete(key);
    }
  }
}

/** Can it be in an answer? */
function hasOwner({ service, imported }: Pick<ReadySlice, 'service' | 'imported'> | EndpointSlice): boolean {
  return service !== '' || imported !== undefined;
}

/** `None` and what else is no address have no key. */
function keysOf(service: Service): readonly string[] {
  return service.clusterIPs.map(keyOf).filter((key) => key !== undefined);
}
