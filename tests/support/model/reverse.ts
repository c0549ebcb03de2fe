/** Names of addresses (Kubernetes DNS spec 2.3.3 and 2.4.3). Knows nothing of the zone that is asked. */

import { isReverse, reverseName } from './address.ts';
import type { Cluster } from './cluster.ts';
import { isEncodable, isSame, isWithin, nameFrom, type Name } from './name.ts';
import { pointingRecord, type ModelRecord } from './records.ts';
import type { ModelOptions } from './world.ts';

/** One address and the name it has. */
type Pointer = { readonly address: string; readonly target: Name };

/** The PTR records of a reverse name: of the Service that has the address, else of all endpoints that have it. */
export function pointerRecords(cluster: Cluster, options: ModelOptions, name: Name): readonly ModelRecord[] {
  if (!isReverse(name)) return [];
  const isHere = ({ address, target }: Pointer) => isEncodable(target) && isSame(reverseName(address), name);
  const services = servicePointers(cluster, options).filter(isHere);
  const pointers = services.length > 0 ? services.slice(0, 1) : endpointPointers(cluster, options).filter(isHere);
  return pointers.flatMap(({ target }) => pointingRecord('PTR', '', target, options.ttl, []));
}

/** Does an address with a name have its reverse name here or below, in the reverse tree? */
export function hasPointersWithin(cluster: Cluster, options: ModelOptions, name: Name): boolean {
  if (!isReverse(name)) return false;
  return [...servicePointers(cluster, options), ...endpointPointers(cluster, options)].some(
    ({ address, target }) => isEncodable(target) && isWithin(reverseName(address), name),
  );
}

/**
 * The zone of the names that addresses have: the first one that is not of addresses itself, nor of the clusterset, where the
 * cluster's own Services have no names.
 */
export function primaryZone({ zones, multicluster }: ModelOptions): Name | undefined {
  const zone = zones.find((zone) => !isReverse(nameFrom(zone)) && !multicluster.includes(zone));
  return zone === undefined ? undefined : nameFrom(zone);
}

/** In the order of namespace and name, for an address has one name only. */
function servicePointers({ namespaces, local }: Cluster, options: ModelOptions): readonly Pointer[] {
  const zone = primaryZone(options);
  if (zone === undefined) return [];
  return local.services
    .filter(({ namespace }) => namespaces.includes(namespace))
    .toSorted((one, other) => (`${one.namespace}/${one.name}` < `${other.namespace}/${other.name}` ? -1 : 1))
    .flatMap(({ namespace, name, addresses }) =>
      addresses.map((address) => ({ address, target: [name, namespace, 'svc', ...zone] })),
    );
}

function endpointPointers({ namespaces, local }: Cluster, options: ModelOptions): readonly Pointer[] {
  const zone = primaryZone(options);
  if (zone === undefined) return [];
  return local.slices
    .filter(({ namespace }) => namespaces.includes(namespace))
    .flatMap(({ namespace, service, endpoints }) =>
      endpoints.map(({ address, name }) => ({
        address,
        target: [name, service, namespace, 'svc', ...zone],
      })),
    );
}
