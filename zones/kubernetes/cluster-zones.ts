/** All the zones that are made from one cluster. Knows which of them holds a name, not what is in them. */

import { IN_ADDR_ARPA, IP6_ARPA, isReverseName } from '../ip.ts';
import { isWithin, type Name } from '../name.ts';
import { clusterZone } from './cluster-zone.ts';
import { reverseZone } from './reverse-zone.ts';
import type { ClusterStore } from './store/store.ts';
import type { Zone, ZoneOptions } from './zone.ts';

/** How all zones show the cluster, and which of them are those of the clusterset (`multicluster`). */
export type ClusterZonesOptions = Omit<ZoneOptions, 'apex' | 'holds' | 'isMulticluster'> & {
  readonly multicluster: readonly Name[];
};

/** A zone for each apex; each is asked only for names that none of the longer ones holds. */
export function clusterZones(
  store: ClusterStore,
  apexes: readonly Name[],
  options: ClusterZonesOptions,
): readonly Zone[] {
  const sorted = apexes.toSorted((a, b) => b.length - a.length);
  return sorted.map((apex) => {
    const holds = (name: Name): boolean =>
      sorted.find((each) => isWithin(name, each)) === apex && isReverseName(name) === isReverseName(apex);
    const isMulticluster = options.multicluster.includes(apex);
    // A zone whose objects are all there does not wait for those of another.
    const kinds = options.kinds.filter((kind) => kind !== (isMulticluster ? 'Service' : 'ServiceImport'));
    const zonal = options.zonal && !isMulticluster;
    return zoneAt(store, { ...options, apex, holds, isMulticluster, kinds, zonal });
  });
}

/** The longest zone that is an ancestor of the name or the name itself; undefined if none is. */
export function zoneHolding(zones: readonly Zone[], name: Name): Zone | undefined {
  for (const zone of zones) if (isWithin(name, zone.apex)) return zone;
  return undefined;
}

function zoneAt(store: ClusterStore, options: ZoneOptions): Zone {
  const { apex } = options;
  if (isReverseName(apex)) return reverseZone(store, options);
  const names = clusterZone(store, options);
  if (!isWithin(IN_ADDR_ARPA, apex) && !isWithin(IP6_ARPA, apex)) return names;
  // The root and `arpa` hold both kinds of names.
  const addresses = reverseZone(store, options);
  return {
    apex,
    kinds: options.kinds,
    find: (name, spelling, type) => (isReverseName(name) ? addresses : names).find(name, spelling, type),
  };
}
