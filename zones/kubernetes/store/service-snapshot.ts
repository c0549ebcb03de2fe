/** The services of one kind at one instant, with what they have in records. Knows nothing of other kinds, or of addresses. */

import type { Service, ServiceImport } from '../objects.ts';
import type { ReadySlice } from './endpoints.ts';
import type { NamespacedMap } from './namespaced-map.ts';
import { recordsFor, type ServiceRecords } from './records.ts';

/** A service with the slices that it had, or only the slices. */
export type FrozenService<Kind> = {
  readonly namespace: string;
  readonly name: string;
  readonly service: Kind | undefined;
  readonly slices: readonly ReadySlice[];
};

/** Records are made for one service at a time and not kept, for they would cost more than the services. */
export class ServiceSnapshot<Kind extends Service | ServiceImport> {
  readonly #services: NamespacedMap<FrozenService<Kind>>;
  #last:
    { readonly of: FrozenService<Kind>; readonly usesPodNames: boolean; readonly records: ServiceRecords } | undefined;

  constructor(services: NamespacedMap<FrozenService<Kind>>) {
    this.#services = services;
  }

  get(namespace: string, name: string): FrozenService<Kind> | undefined {
    return this.#services.get(namespace, name);
  }

  /** In order of namespace and name. */
  *all(): Generator<FrozenService<Kind>> {
    const namespaces = this.#services.names();
    for (const namespace of [...namespaces.keys()].toSorted()) {
      for (const name of [...(namespaces.get(namespace) ?? [])].toSorted()) {
        const service = this.#services.get(namespace, name);
        if (service !== undefined) yield service;
      }
    }
  }

  records(namespace: string, name: string, usesPodNames: boolean): ServiceRecords | undefined {
    const of = this.#services.get(namespace, name);
    if (of?.service === undefined) return undefined;
    if (this.#last?.of === of && this.#last.usesPodNames === usesPodNames) return this.#last.records;
    const records = recordsFor(of.service, of.slices, usesPodNames);
    this.#last = { of, usesPodNames, records };
    return records;
  }
}
