/** All that a store has, found in every way in which it can be found, so that two stores can be compared. */

import { addressOfKey, presentAddress } from '../../zones/ip.ts';
import { KINDS } from '../../zones/kubernetes/objects.ts';
import type { ServiceEntry } from '../../zones/kubernetes/store/service-table.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';

/** In an order that does not depend on how it came. */
export function contentOf(store: ClusterStore): unknown {
  const snapshot = store.snapshot();
  const services = [...snapshot.services.all()];
  const imports = [...snapshot.imports.all()];
  const keys = ([4, 6] as const).flatMap((family) => keysOf(store, family)).toSorted();
  return {
    kinds: KINDS.map((kind) => [kind, store.isSynced(kind), store.isStale(kind)]),
    namespaces: [...new Set([...services, ...imports].map(({ namespace }) => namespace)), 'a', 'b']
      .filter((namespace) => store.hasNamespace(namespace))
      .toSorted(),
    services: inOrder(services.map(entryOf)),
    imports: inOrder(imports.map(entryOf)),
    pods: inOrder(snapshot.pods()),
    keys: keys.map((key) => [
      presentAddress(addressOfKey(key)),
      inOrder(store.servicesByClusterIP(key).map(entryOf)),
      inOrder(store.readyAddresses(key)),
    ]),
  };
}

function entryOf({
  namespace,
  name,
  service,
  slices,
}: Pick<ServiceEntry, 'namespace' | 'name' | 'slices'> & { service: unknown }): unknown {
  return [namespace, name, service, inOrder(slices)];
}

function keysOf(store: ClusterStore, family: 4 | 6): readonly string[] {
  const keys: string[] = [];
  store.hasAddressUnder({ family, digits: '' }, (key) => {
    keys.push(key);
    return false;
  });
  return keys;
}

function inOrder(all: Iterable<unknown>): readonly string[] {
  return Array.from(all, (one) => JSON.stringify(one)).toSorted();
}
