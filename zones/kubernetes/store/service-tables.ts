/**
 * Services, imports and slices of one cluster, by name and by address. Knows nothing of namespaces, pods, or of when what it
 * is told becomes visible.
 */

import { addressKeyFrom } from '../../ip.ts';
import type { Count } from '../../units.ts';
import { AddressTree } from './address-tree.ts';
import { readySliceFrom, type ReadyAddress, type ReadySlice, type SliceHead } from './endpoints.ts';
import { Lives } from './lives.ts';
import { MultiMap } from './multi-map.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { EndpointSlice, Service, ServiceImport } from '../objects.ts';
import { SharedPorts } from './shared-ports.ts';
import { ServiceTable, type ServiceEntry } from './service-table.ts';

/** `putSlice` and what removes return whether an answer can depend on it. */
export class ServiceTables {
  readonly services: ServiceTable<Service> = new ServiceTable();
  readonly imports: ServiceTable<ServiceImport> = new ServiceTable();
  readonly byClusterIP: MultiMap<ServiceEntry> = new MultiMap();
  readonly byReadyAddress: MultiMap<ReadyAddress> = new MultiMap();
  /** The keys of both. */
  readonly addresses: AddressTree = new AddressTree();
  /** Of the names of addresses. They depend on whose an address is, and on which of its services are headless. */
  readonly addressLives: Lives = new Lives();
  readonly #slices = new NamespacedMap<ReadySlice>();
  readonly #ports: SharedPorts;

  constructor(ports: SharedPorts = new SharedPorts()) {
    this.#ports = ports;
  }

  /** Makes the same tables again, one object for each step; what is in them is shared, the tables are not. */
  *copy(): Generator<undefined, ServiceTables> {
    const copy = new ServiceTables(this.#ports);
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
      copy.#move(undefined, ready);
      yield undefined;
    }
    return copy;
  }

  putService(service: Service): void {
    const known = this.services.get(service.namespace, service.name);
    if (known?.service !== undefined) this.#forgetClusterIPs(known, known.service);
    const entry = this.services.put({ ...service, ports: this.#ports.share(service.ports) });
    for (const key of keysOf(service)) {
      this.addressLives.end(key);
      if (this.byClusterIP.add(key, entry)) this.addresses.add(key);
    }
    this.#endNamesOf(entry);
  }

  removeService(namespace: string, name: string): boolean {
    const entry = this.services.get(namespace, name);
    if (entry?.service === undefined) return false;
    this.#forgetClusterIPs(entry, entry.service);
    this.#endNamesOf(entry);
    return this.services.remove(namespace, name);
  }

  putImport(service: ServiceImport): void {
    this.imports.put(service);
  }

  putSlice(slice: EndpointSlice): boolean {
    const old = this.#slices.get(slice.namespace, slice.name);
    const ready = readySliceFrom({ ...slice, ports: this.#ports.share(slice.ports) }, old);
    this.#leave(old);
    this.#enter(ready);
    this.#move(old, ready);
    return hasOwner(slice) || (old !== undefined && hasOwner(old.head));
  }

  removeSlice(namespace: string, name: string): boolean {
    const ready = this.#slices.get(namespace, name);
    if (ready === undefined) return false;
    this.#slices.delete(namespace, name);
    this.#leave(ready);
    this.#move(ready, undefined);
    return hasOwner(ready.head);
  }

  /** How many addresses a slice has; 0 if there is no such slice. */
  addressCount(namespace: string, name: string): Count {
    return this.#slices.get(namespace, name)?.addresses.length ?? 0;
  }

  /** A slice may be of a Service here and of an import as well. */
  #enter(ready: ReadySlice): void {
    const { namespace, name, service, imported } = ready.head;
    this.#slices.set(namespace, name, ready);
    if (imported !== undefined) this.imports.attach(ready, namespace, imported.service);
    if (service !== '') this.services.attach(ready, namespace, service);
  }

  #leave(ready: ReadySlice | undefined): void {
    if (ready === undefined) return;
    const { namespace, service, imported } = ready.head;
    if (imported !== undefined) this.imports.detach(ready, namespace, imported.service);
    if (service !== '') this.services.detach(ready, namespace, service);
  }

  /** Only addresses that come or go touch the tree: most changes of a slice are of one in a hundred. */
  #move(from: ReadySlice | undefined, to: ReadySlice | undefined): void {
    const leaving = new Map<string, ReadyAddress>();
    for (const address of namedAddresses(from)) {
      if (leaving.has(address.key)) {
        // Once more in the slice, under another name.
        this.addressLives.end(address.key);
        this.byReadyAddress.delete(address.key, address);
      } else leaving.set(address.key, address);
    }
    for (const address of namedAddresses(to)) {
      const { key } = address;
      const before = leaving.get(key);
      if (before !== address) this.addressLives.end(key);
      if (before !== undefined && before !== address) this.byReadyAddress.exchange(key, before, address);
      if (before !== undefined) leaving.delete(key);
      else if (this.byReadyAddress.add(key, address)) this.addresses.add(key);
    }
    for (const [key, address] of leaving) {
      this.addressLives.end(key);
      if (this.byReadyAddress.delete(key, address) && !this.byClusterIP.has(key)) this.addresses.delete(key);
    }
  }

  /** A service that comes, goes or becomes headless changes what its endpoints' addresses are called. */
  #endNamesOf({ slices }: ServiceEntry): void {
    if (this.addressLives.isEmpty) return;
    for (const { addresses } of slices) for (const { key } of addresses) this.addressLives.end(key);
  }

  #forgetClusterIPs(entry: ServiceEntry, service: Service): void {
    for (const key of keysOf(service)) {
      this.addressLives.end(key);
      if (this.byClusterIP.delete(key, entry) && !this.byReadyAddress.has(key)) this.addresses.delete(key);
    }
  }
}

/** A slice of no Service has no name to stand under: it must not show up in reverse zones either. */
function namedAddresses(ready: ReadySlice | undefined): readonly ReadyAddress[] {
  return ready === undefined || ready.head.service === '' ? [] : ready.addresses;
}

/** Can it be in an answer? */
function hasOwner({ service, imported }: Pick<SliceHead, 'service' | 'imported'> | EndpointSlice): boolean {
  return service !== '' || imported !== undefined;
}

/** `None` and what else is no address have no key. */
function keysOf(service: Service): readonly string[] {
  return service.clusterIPs.map(addressKeyFrom).filter((key) => key !== undefined);
}
