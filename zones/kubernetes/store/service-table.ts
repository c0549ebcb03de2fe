/**
 * Services of one kind by namespace and name, the slices that name them, and the records that follow from both. Knows
 * nothing of other ways to find a service.
 */

import type { ReadySlice } from './endpoints.ts';
import { NamespacedMap } from './namespaced-map.ts';
import type { Service, ServiceImport } from '../objects.ts';
import { recordsFor, type ServiceRecords } from './records.ts';
import { ServiceSnapshot, type FrozenService } from './service-snapshot.ts';

/** A service, or slices that name one which is not there (yet). */
export type ServiceEntry<Kind extends Service | ServiceImport = Service> = {
  readonly namespace: string;
  readonly name: string;
  readonly service: Kind | undefined;
  /** In no order. */
  readonly slices: readonly ReadySlice[];
};

/** An entry is one object for as long as it has a service or slices. */
export class ServiceTable<Kind extends Service | ServiceImport> {
  readonly #entries = new NamespacedMap<Entry<Kind>>();

  get(namespace: string, name: string): ServiceEntry<Kind> | undefined {
    return this.#entries.get(namespace, name);
  }

  /** The records of a service; undefined if there is no such service. They are made by the first question for them. */
  records(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    const entry = this.#entries.get(namespace, name);
    if (entry?.service === undefined) return undefined;
    if (usesPodNames) return (entry.podNameRecords ??= recordsFor(entry.service, entry.slices, true));
    return (entry.records ??= recordsFor(entry.service, entry.slices, false));
  }

  put(service: Kind): ServiceEntry<Kind> {
    const entry = this.#entry(service.namespace, service.name);
    entry.service = service;
    forgetRecords(entry);
    return entry;
  }

  /** Was it there? */
  remove(namespace: string, name: string): boolean {
    const entry = this.#entries.get(namespace, name);
    if (entry?.service === undefined) return false;
    entry.service = undefined;
    forgetRecords(entry);
    this.#dropIfEmpty(entry);
    return true;
  }

  attach(ready: ReadySlice, namespace: string, name: string): void {
    const entry = this.#entry(namespace, name);
    entry.slices.push(ready);
    forgetRecords(entry);
  }

  detach(ready: ReadySlice, namespace: string, name: string): void {
    const entry = this.#entries.get(namespace, name);
    const at = entry?.slices.indexOf(ready) ?? -1;
    if (entry === undefined || at === -1) return;
    const last = entry.slices.pop();
    if (last !== undefined && at < entry.slices.length) entry.slices[at] = last;
    forgetRecords(entry);
    this.#dropIfEmpty(entry);
  }

  /** The services as they are now. */
  snapshot(): ServiceSnapshot<Kind> {
    const frozen = new NamespacedMap<FrozenService<Kind>>();
    this.#entries.forEach(({ service, slices }, namespace, name) => {
      frozen.set(namespace, name, { namespace, name, service, slices: [...slices] });
    });
    return new ServiceSnapshot(frozen);
  }

  *all(): Generator<Kind> {
    for (const { service } of this.#entries.values()) if (service !== undefined) yield service;
  }

  #entry(namespace: string, name: string): Entry<Kind> {
    const known = this.#entries.get(namespace, name);
    if (known !== undefined) return known;
    const entry: Entry<Kind> = {
      namespace,
      name,
      service: undefined,
      slices: [],
      records: undefined,
      podNameRecords: undefined,
    };
    this.#entries.set(namespace, name, entry);
    return entry;
  }

  #dropIfEmpty({ namespace, name, service, slices }: Entry<Kind>): void {
    if (service === undefined && slices.length === 0) this.#entries.delete(namespace, name);
  }
}

type Entry<Kind> = {
  readonly namespace: string;
  readonly name: string;
  service: Kind | undefined;
  /** A Set for each of 10,000 services would cost more than their slices. */
  readonly slices: ReadySlice[];
  records: ServiceRecords | undefined;
  /** The same with `endpoint_pod_names`. */
  podNameRecords: ServiceRecords | undefined;
};

function forgetRecords<Kind>(entry: Entry<Kind>): void {
  entry.records?.life.end();
  entry.podNameRecords?.life.end();
  entry.records = undefined;
  entry.podNameRecords = undefined;
}
