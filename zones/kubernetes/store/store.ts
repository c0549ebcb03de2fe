/** The trimmed objects of one cluster, found by what a question asks for. Knows nothing of zones, TTLs or the Corefile. */

import type { ReverseDigits } from '../../ip.ts';
import type { Seconds } from '../../units.ts';
import { AddressOrder } from './address-order.ts';
import { keyOf, readySliceFrom, type ReadySlice } from './endpoints.ts';
import { MultiMap } from './multi-map.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { ClusterChange, ClusterObject, EndpointSlice, Kind, Service } from '../objects.ts';
import { PodAddresses } from './pod-addresses.ts';
import { recordsFor, type ServiceRecords } from './records.ts';
import { isSameService, isSameSlice } from './same-object.ts';
import { serialAfter } from './serial.ts';

/** A service, or slices that name one which is not there (yet). */
export type ServiceEntry = {
  readonly namespace: string;
  readonly name: string;
  readonly service: Service | undefined;
  readonly slices: ReadonlySet<ReadySlice>;
};

/**
 * Changes cost what they touch, never what the cluster holds. A service's records are made by the first question and hang on
 * the service's entry, so they go when the service or one of its slices does.
 */
export class ClusterStore {
  readonly #wallClock: () => Seconds;
  #serial: number;
  readonly #synced = new Set<Kind>();
  readonly #namespaces = new Set<string>();
  readonly #services = new NamespacedMap<Entry>();
  readonly #slices = new NamespacedMap<ReadySlice>();
  readonly #pods = new PodAddresses();
  readonly #byClusterIP = new MultiMap<Entry>();
  readonly #byReadyAddress = new MultiMap<ReadySlice>();
  readonly #order = new AddressOrder(
    () => [...this.#byClusterIP.keys(), ...this.#byReadyAddress.keys()],
    (key) => this.#byClusterIP.has(key) || this.#byReadyAddress.has(key),
  );

  /** @param wallClock seconds since 1970, for the serial only */
  constructor(wallClock: () => Seconds) {
    this.#wallClock = wallClock;
    this.#serial = Math.floor(wallClock()) >>> 0;
  }

  /** Applies changes in order, in one step for every reader: nothing in here waits, and nothing in an object makes it throw. */
  apply(changes: readonly ClusterChange[]): void {
    let hasChanged = false;
    for (const change of changes) if (this.#applied(change)) hasChanged = true;
    if (hasChanged) this.#serial = serialAfter(this.#serial, this.#wallClock());
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
    const entry = this.#services.get(namespace, name);
    if (entry?.service === undefined) return undefined;
    if (usesPodNames) return (entry.podNameRecords ??= recordsFor(entry.service, entry.slices, true));
    return (entry.records ??= recordsFor(entry.service, entry.slices, false));
  }

  /** Services with that cluster IP, by `addressKey`; one at most in a healthy cluster. In no order. */
  servicesByClusterIP(key: string): readonly ServiceEntry[] {
    return this.#byClusterIP.get(key);
  }

  /** Slices with that address among their ready ones, by `addressKey`. In no order. */
  slicesByReadyAddress(key: string): readonly ReadySlice[] {
    return this.#byReadyAddress.get(key);
  }

  /** Is there a cluster IP or ready address that begins with these digits? */
  hasAddressUnder(digits: ReverseDigits): boolean {
    return this.#order.hasBeginning(digits);
  }

  /** Has a pod of the namespace this address, in the text that the API has for it? */
  hasPod(namespace: string, address: string): boolean {
    return this.#pods.has(namespace, address);
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
        return this.#services.forEach((_entry, namespace, name) => visit(namespace, name));
      case 'EndpointSlice':
        return this.#slices.forEach((_slice, namespace, name) => visit(namespace, name));
      case 'Pod':
        return this.#pods.forEachName(visit);
    }
  }

  #putService(service: Service): boolean {
    const entry = this.#entry(service.namespace, service.name);
    const old = entry.service;
    if (old !== undefined && isSameService(old, service)) return false;
    if (old !== undefined) this.#forgetClusterIPs(entry, old);
    setService(entry, service);
    for (const key of keysOf(service)) if (this.#byClusterIP.add(key, entry)) this.#order.touch(key);
    return true;
  }

  #removeService(namespace: string, name: string): boolean {
    const entry = this.#services.get(namespace, name);
    if (entry?.service === undefined) return false;
    this.#forgetClusterIPs(entry, entry.service);
    setService(entry, undefined);
    this.#dropIfEmpty(entry);
    return true;
  }

  #forgetClusterIPs(entry: Entry, service: Service): void {
    for (const key of keysOf(service)) if (this.#byClusterIP.delete(key, entry)) this.#order.touch(key);
  }

  #putSlice(slice: EndpointSlice): boolean {
    const old = this.#slices.get(slice.namespace, slice.name);
    if (old !== undefined && isSameSlice(old.slice, slice)) return false;
    if (old !== undefined) this.#detach(old);
    const ready = readySliceFrom(slice);
    this.#slices.set(slice.namespace, slice.name, ready);
    // A slice of no service has no name to stand under: it must not show up in reverse zones either.
    if (slice.service === '') return old !== undefined && old.slice.service !== '';
    const entry = this.#entry(slice.namespace, slice.service);
    entry.slices.add(ready);
    forgetRecords(entry);
    for (const key of new Set(ready.keys)) {
      if (key !== '' && this.#byReadyAddress.add(key, ready)) this.#order.touch(key);
    }
    return true;
  }

  #removeSlice(namespace: string, name: string): boolean {
    const ready = this.#slices.get(namespace, name);
    if (ready === undefined) return false;
    this.#slices.delete(namespace, name);
    this.#detach(ready);
    return ready.slice.service !== '';
  }

  #detach(ready: ReadySlice): void {
    const { namespace, service } = ready.slice;
    const entry = this.#services.get(namespace, service);
    if (entry === undefined || !entry.slices.delete(ready)) return;
    forgetRecords(entry);
    this.#dropIfEmpty(entry);
    for (const key of new Set(ready.keys)) if (this.#byReadyAddress.delete(key, ready)) this.#order.touch(key);
  }

  #entry(namespace: string, name: string): Entry {
    const known = this.#services.get(namespace, name);
    if (known !== undefined) return known;
    const entry: Entry = {
      namespace,
      name,
      service: undefined,
      slices: new Set(),
      records: undefined,
      podNameRecords: undefined,
    };
    this.#services.set(namespace, name, entry);
    return entry;
  }

  #dropIfEmpty({ namespace, name, service, slices }: Entry): void {
    if (service === undefined && slices.size === 0) this.#services.delete(namespace, name);
  }
}

type Entry = {
  readonly namespace: string;
  readonly name: string;
  service: Service | undefined;
  readonly slices: Set<ReadySlice>;
  records: ServiceRecords | undefined;
  /** The same with `endpoint_pod_names`. */
  podNameRecords: ServiceRecords | undefined;
};

function setService(entry: Entry, service: Service | undefined): void {
  entry.service = service;
  forgetRecords(entry);
}

function forgetRecords(entry: Entry): void {
  entry.records = undefined;
  entry.podNameRecords = undefined;
}

/** `None` and what else is no address have no key. */
function keysOf(service: Service): readonly string[] {
  return service.clusterIPs.map(keyOf).filter((key) => key !== undefined);
}
