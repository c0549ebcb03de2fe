/**
 * A cluster's state at one instant, for a reader who needs longer than one step of the thread. Knows nothing of names, and
 * nothing of what happened to the cluster since.
 */

import { addressKeyFrom, type ReverseDigits } from '../../ip.ts';
import type { Count } from '../../units.ts';
import { AddressTree } from './address-tree.ts';
import type { ClusterView, NamedService } from './cluster-view.ts';
import type { ReadyAddress } from './endpoints.ts';
import { MultiMap } from './multi-map.ts';
import type { Pod, Service, ServiceImport } from '../objects.ts';
import type { ServiceRecords } from './records.ts';
import type { ServiceSnapshot } from './service-snapshot.ts';

/** Endpoints that are looked at before others have their turn: about a millisecond. */
const STEP: Count = 2_000;

/** Made of what the store never changes, only replaces. */
export class ClusterSnapshot implements ClusterView {
  readonly serial: number;
  readonly #namespaces: ReadonlySet<string>;
  readonly life: undefined;
  readonly services: ServiceSnapshot<Service>;
  readonly imports: ServiceSnapshot<ServiceImport>;
  readonly #pods: readonly Pod[];
  #podsByNamespace: ReadonlyMap<string, readonly Pod[]> | undefined;
  /** Of the pods of a namespace, made for one after the other. */
  readonly #podAddresses = new Map<string, ReadonlySet<string>>();
  readonly #byClusterIP = new MultiMap<NamedService>();
  readonly #byReadyAddress = new MultiMap<ReadyAddress>();
  /** The keys of both. */
  readonly #addresses = new AddressTree();
  /** Runs once; whoever needs the index runs it on. */
  readonly #indexing: Generator<undefined>;

  constructor(
    serial: number,
    namespaces: ReadonlySet<string>,
    services: ServiceSnapshot<Service>,
    imports: ServiceSnapshot<ServiceImport>,
    pods: readonly Pod[],
  ) {
    this.serial = serial;
    this.#namespaces = namespaces;
    this.services = services;
    this.imports = imports;
    this.#pods = pods;
    this.#indexing = this.#index();
  }

  /** Addresses of pods, in order of namespace and text. */
  *pods(): Generator<{ readonly namespace: string; readonly address: string }> {
    for (const namespace of [...this.#namespacesOfPods().keys()].toSorted()) {
      for (const address of [...this.#addressesOf(namespace)].toSorted()) yield { namespace, address };
    }
  }

  /** The `addressKey`s of all cluster IPs and ready addresses, ascending; undefined where others may have their turn. */
  *addresses(): Generator<string | undefined> {
    while (this.#indexing.next().done !== true) yield undefined;
    yield* this.#addresses.keys();
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  service(namespace: string, name: string): NamedService | undefined {
    return this.services.get(namespace, name);
  }

  records(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.services.records(namespace, name, usesPodNames);
  }

  importRecords(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    return this.imports.records(namespace, name, usesPodNames);
  }

  servicesByClusterIP(key: string): readonly NamedService[] {
    this.#finishIndex();
    return this.#byClusterIP.get(key);
  }

  readyAddresses(key: string): readonly ReadyAddress[] {
    this.#finishIndex();
    return this.#byReadyAddress.get(key);
  }

  lifeOfAddress(): undefined {
    return undefined;
  }

  hasAddressUnder(digits: ReverseDigits, isShown: (key: string) => boolean): boolean {
    this.#finishIndex();
    return this.#addresses.hasBeginning(digits, isShown);
  }

  hasPod(namespace: string, address: string): boolean {
    return this.#addressesOf(namespace).has(address);
  }

  #namespacesOfPods(): ReadonlyMap<string, readonly Pod[]> {
    this.#podsByNamespace ??= Map.groupBy(this.#pods, ({ namespace }) => namespace);
    return this.#podsByNamespace;
  }

  #addressesOf(namespace: string): ReadonlySet<string> {
    const known = this.#podAddresses.get(namespace);
    if (known !== undefined) return known;
    const pods = this.#namespacesOfPods().get(namespace) ?? [];
    const addresses = new Set(pods.flatMap((pod) => pod.addresses));
    this.#podAddresses.set(namespace, addresses);
    return addresses;
  }

  #finishIndex(): void {
    while (this.#indexing.next().done !== true);
  }

  *#index(): Generator<undefined> {
    let looked: Count = 0;
    for (const each of this.services.all()) {
      for (const text of each.service?.clusterIPs ?? []) {
        const key = addressKeyFrom(text);
        if (key === undefined) continue;
        this.#byClusterIP.add(key, each);
        this.#addresses.add(key);
      }
      for (const { addresses } of each.slices) {
        for (const address of addresses) {
          this.#byReadyAddress.add(address.key, address);
          this.#addresses.add(address.key);
        }
        looked += addresses.length;
        if (looked < STEP) continue;
        looked = 0;
        yield undefined;
      }
      looked++;
    }
  }
}
