/** The trimmed objects of one cluster, found by what a question asks for. Knows nothing of zones, TTLs or the Corefile. */

import type { ReverseDigits } from '../../ip.ts';
import type { Seconds } from '../../units.ts';
import { AddressTree } from './address-tree.ts';
import type { ClusterView } from './cluster-view.ts';
import { keyOf, readySliceFrom, type ReadyAddress, type ReadySlice } from './endpoints.ts';
import { MultiMap } from './multi-map.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { ClusterChange, ClusterObject, EndpointSlice, Kind, Pod, Service, ServiceImport } from '../objects.ts';
import { PodAddresses } from './pod-addresses.ts';
import type { ServiceRecords } from './records.ts';
import { isSameImport, isSameService, isSameSlice } from './same-object.ts';
import { serialAfter } from './serial.ts';
import { ServiceTable, type ServiceEntry } from './service-table.ts';
import { ClusterSnapshot } from './snapshot.ts';

/**
 * Changes cost what they touch, never what the cluster holds. A service's records are made by the first question and hang on
 * the service's entry, so they go when the service or one of its slices does.
 */
export class ClusterStore implements ClusterView {
  readonly #wallClock: () => Seconds;
  #serial: number;
  readonly #synced = new Set<Kind>();
  readonly #namespaces = new Set<string>();
  readonly #services = new ServiceTable<Service>();
  readonly #imports = new ServiceTable<ServiceImport>();
  readonly #slices = new NamespacedMap<ReadySlice>();
  readonly #pods = new PodAddresses();
  readonly #byClusterIP = new MultiMap<ServiceEntry>();
  readonly #byReadyAddress = new MultiMap<ReadyAddress>();
  /** The keys of both. */
  readonly #addresses = new AddressTree();
  /** Of the state as it is, as long as somebody reads it. */
  #snapshot: WeakRef<ClusterSnapshot> | undefined;

  /** @param wallClock seconds since 1970, for the serial only */
  constructor(wallClock: () => Seconds) {
    this.#wallClock = wallClock;
    this.#serial = Math.floor(wallClock()) >>> 0;
  }

  /** Applies changes in order, in one step for every reader: nothing in here waits, and nothing in an object makes it throw. */
  apply(changes: readonly ClusterChange[]): void {
    let hasChanged = false;
    for (const change of changes) if (this.#applied(change)) hasChanged = true;
    if (hasChanged) this.advance();
  }

  /** Moves the serial on: answers may be others from now on. Also called where the objects stay and are shown in another way. */
  advance(): void {
    this.#serial = serialAfter(this.#serial, this.#wallClock());
    this.#snapshot = undefined;
  }

  /** Has this kind been received whole at least once? */
  isSynced(kind: Kind): boolean {
    return this.#synced.has(kind);
  }

  /** Serial of the zones made from this cluster: it moves with every change that can change an answer. */
  get serial(): number {
    return this.#serial;
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.#services.get(namespace, name);
  }

  /** The records of a service; undefined if there is no such service. */
  records(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.#services.records(namespace, name, usesPodNames);
  }

  /** The records of a service of the clusterset; undefined if there is no such import. */
  importRecords(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.#imports.records(namespace, name, usesPodNames);
  }

  /** Services with that cluster IP, by `addressKey`; one at most in a healthy cluster. In no order. */
  servicesByClusterIP(key: string): readonly ServiceEntry[] {
    return this.#byClusterIP.get(key);
  }

  /** Where in the slices that address is a ready one, by `addressKey`. In no order. */
  readyAddresses(key: string): readonly ReadyAddress[] {
    return this.#byReadyAddress.get(key);
  }

  /** Is there a cluster IP or ready address that begins with these digits, and whose key `isShown` is true of? */
  hasAddressUnder(digits: ReverseDigits, isShown: (key: string) => boolean): boolean {
    return this.#addresses.hasBeginning(digits, isShown);
  }

  /** Has a pod of the namespace this address, in the text that the API has for it? */
  hasPod(namespace: string, address: string): boolean {
    return this.#pods.has(namespace, address);
  }

  /** The pod that sends from this address, if that can be told. */
  podAt(address: string): Pod | undefined {
    return this.#pods.only(address);
  }

  /**
   * The state as it is now, for readers who need longer than one step. Only references are copied, and only once for all who
   * read the same state.
   */
  snapshot(): ClusterSnapshot {
    const known = this.#snapshot?.deref();
    if (known !== undefined) return known;
    const made = new ClusterSnapshot(
      this.#serial,
      new Set(this.#namespaces),
      this.#services.snapshot(),
      this.#imports.snapshot(),
      this.#pods.all(),
    );
    this.#snapshot = new WeakRef(made);
    return made;
  }

  /** Did it change anything that an answer depends on? */
  #applied(change: ClusterChange): boolean {
    switch (change.verb) {
      case 'put':
        return this.#put(change.object);
      case 'remove':
        return this.#remove(change.kind, change.namespace, change.name);
      case 'replace':
        this.#synced.add(change.kind);
        return this.#replace(change.kind, change.objects);
    }
  }

  #put(object: ClusterObject): boolean {
    switch (object.kind) {
      case 'Namespace':
        return this.#namespaces.size !== this.#namespaces.add(object.name).size;
      case 'Service':
        return this.#putService(object);
      case 'EndpointSlice':
        return this.#putSlice(object);
      case 'Pod':
        return this.#pods.put(object);
      case 'ServiceImport':
        return this.#putImport(object);
    }
  }

  #remove(kind: Kind, namespace: string, name: string): boolean {
    switch (kind) {
      case 'Namespace':
        return this.#namespaces.delete(name);
      case 'Service':
        return this.#removeService(namespace, name);
      case 'EndpointSlice':
        return this.#removeSlice(namespace, name);
      case 'Pod':
        return this.#pods.remove(namespace, name);
      case 'ServiceImport':
        return this.#imports.remove(namespace, name);
    }
  }

  #replace(kind: Kind, objects: readonly ClusterObject[]): boolean {
    const kept = new NamespacedMap<ClusterObject>();
    for (const object of objects) if (object.kind === kind) kept.set(object.namespace, object.name, object);
    let hasChanged = false;
    this.#forEachName(kind, (namespace, name) => {
      if (kept.get(namespace, name) === undefined && this.#remove(kind, namespace, name)) hasChanged = true;
    });
    kept.forEach((object) => {
      if (this.#put(object)) hasChanged = true;
    });
    return hasChanged;
  }

  /** `visit` may remove the object that it is told of. */
  #forEachName(kind: Kind, visit: (namespace: string, name: string) => void): void {
    switch (kind) {
      case 'Namespace':
        return this.#namespaces.forEach((name) => visit('', name));
      case 'Service':
        return this.#services.forEachName(visit);
      case 'EndpointSlice':
        return this.#slices.forEach((_slice, namespace, name) => visit(namespace, name));
      case 'Pod':
        return this.#pods.forEachName(visit);
      case 'ServiceImport':
        return this.#imports.forEachName(visit);
    }
  }

  #putService(service: Service): boolean {
    const known = this.#services.get(service.namespace, service.name);
    if (known?.service !== undefined) {
      if (isSameService(known.service, service)) return false;
      this.#forgetClusterIPs(known, known.service);
    }
    const entry = this.#services.put(service);
    for (const key of keysOf(service)) if (this.#byClusterIP.add(key, entry)) this.#addresses.add(key);
    return true;
  }

  #removeService(namespace: string, name: string): boolean {
    const entry = this.#services.get(namespace, name);
    if (entry?.service === undefined) return false;
    this.#forgetClusterIPs(entry, entry.service);
    return this.#services.remove(namespace, name);
  }

  #forgetClusterIPs(entry: ServiceEntry, service: Service): void {
    for (const key of keysOf(service)) {
      if (this.#byClusterIP.delete(key, entry) && !this.#byReadyAddress.has(key)) this.#addresses.delete(key);
    }
  }

  #putImport(service: ServiceImport): boolean {
    const old = this.#imports.get(service.namespace, service.name)?.service;
    if (old !== undefined && isSameImport(old, service)) return false;
    this.#imports.put(service);
    return true;
  }

  #putSlice(slice: EndpointSlice): boolean {
    const old = this.#slices.get(slice.namespace, slice.name);
    if (old !== undefined && isSameSlice(old.slice, slice)) return false;
    if (old !== undefined) this.#detach(old);
    const ready = readySliceFrom(slice);
    this.#slices.set(slice.namespace, slice.name, ready);
    this.#attach(ready);
    return hasOwner(slice) || (old !== undefined && hasOwner(old.slice));
  }

  #removeSlice(namespace: string, name: string): boolean {
    const ready = this.#slices.get(namespace, name);
    if (ready === undefined) return false;
    this.#slices.delete(namespace, name);
    this.#detach(ready);
    return hasOwner(ready.slice);
  }

  /** A slice may be of a Service here and of an import as well. */
  #attach(ready: ReadySlice): void {
    const { namespace, service, imported } = ready.slice;
    if (imported !== undefined) this.#imports.attach(ready, namespace, imported.service);
    // A slice of no Service has no name to stand under: it must not show up in reverse zones either.
    if (service === '') return;
    this.#services.attach(ready, namespace, service);
    for (const address of ready.addresses) {
      if (this.#byReadyAddress.add(address.key, address)) this.#addresses.add(address.key);
    }
  }

  #detach(ready: ReadySlice): void {
    const { namespace, service, imported } = ready.slice;
    if (imported !== undefined) this.#imports.detach(ready, namespace, imported.service);
    if (!this.#services.detach(ready, namespace, service)) return;
    for (const address of ready.addresses) {
      const { key } = address;
      if (this.#byReadyAddress.delete(key, address) && !this.#byClusterIP.has(key)) this.#addresses.delete(key);
    }
  }
}

/** Can it be in an answer? */
function hasOwner({ service, imported }: EndpointSlice): boolean {
  return service !== '' || imported !== undefined;
}

/** `None` and what else is no address have no key. */
function keysOf(service: Service): readonly string[] {
  return service.clusterIPs.map(keyOf).filter((key) => key !== undefined);
}
