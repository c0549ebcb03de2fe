/** All the zones that are made from one cluster. Knows which of them holds a name, not what is in them. */

import { IN_ADDR_ARPA, IP6_ARPA, isReverseName } from '../ip.ts';
import { isWithin, lowerCase, parentOf, ROOT, type Name } from '../name.ts';
import { RRType } from '../rr.ts';
import { aliasTarget } from './alias.ts';
import { clusterZone } from './cluster-zone.ts';
import type { Kind } from './objects.ts';
import { reverseZone } from './reverse-zone.ts';
import type { ClusterView } from './store/cluster-view.ts';
import type { Zone, ZoneOptions } from './zone.ts';

/** How all zones show the cluster, and which of them show the clusterset (`multicluster`), names of addresses excepted. */
export type ClusterZonesOptions = Omit<ZoneOptions, 'apex' | 'holds' | 'isMulticluster'> & {
  readonly multicluster: readonly Name[];
};

/** A zone for each apex; each is asked only for names that none of the longer ones holds. */
export function clusterZones(
  store: ClusterView,
  apexes: readonly Name[],
  options: ClusterZonesOptions,
): readonly Zone[] {
  const sorted = apexes.toSorted((a, b) => b.length - a.length);
  const existing = withNamesAbove([...apexes, IN_ADDR_ARPA, IP6_ARPA]);
  return sorted.map((apex) => {
    const holds = (name: Name): boolean =>
      sorted.find((each) => isWithin(name, each)) === apex && isReverseName(name) === isReverseName(apex);
    const isMulticluster = options.multicluster.includes(apex) && !isReverseName(apex);
    // A zone whose objects are all there does not wait for those of another.
    const needs: { readonly [K in Kind]?: boolean } = {
      Service: !isMulticluster || holdsAddresses(apex),
      ServiceImport: isMulticluster,
    };
    const kinds = options.kinds.filter((kind) => needs[kind] ?? true);
    const zonal = options.zonal && !isMulticluster;
    const zone = zoneAt(store, { ...options, apex, holds, isMulticluster, kinds, zonal });
    const below = new Set(existing.filter((name) => name !== apex && isWithin(name, apex)));
    return below.size === 0 ? zone : withZonesBelow(zone, (name) => below.has(name) && !options.passesOn(name));
  });
}

/**
 * The longest zone that is an ancestor of the name or the name itself; undefined if none is. A DS question at a zone's own
 * apex belongs to the zone above it, if that is one of ours (RFC 4035 section 3.1.4.1).
 */
export function zoneHolding(zones: readonly Zone[], name: Name, type: number): Zone | undefined {
  let own: Zone | undefined;
  for (const zone of zones) {
    if (!isWithin(name, zone.apex)) continue;
    if (type !== RRType.DS || zone.apex !== name) return zone;
    own = zone;
  }
  return own;
}

function withNamesAbove(apexes: readonly Name[]): readonly Name[] {
  const names = new Set<Name>([ROOT]);
  for (const apex of apexes) for (let name = apex; name !== ROOT; name = parentOf(name)) names.add(name);
  return [...names];
}

/** A zone with zones below it: their apexes and the names above those exist, whatever else it has there (RFC 8020). */
function withZonesBelow(zone: Zone, exists: (name: Name) => boolean): Zone {
  return {
    ...zone,
    find(name, spelling, type) {
      const found = zone.find(name, spelling, type);
      if (found.outcome !== 'nxdomain') return found;
      const target = aliasTarget(found.answer);
      return exists(target === undefined ? name : lowerCase(target)) ? { ...found, outcome: 'nodata' } : found;
    },
  };
}

function zoneAt(store: ClusterView, options: ZoneOptions): Zone {
  const { apex } = options;
  if (isReverseName(apex)) return reverseZone(store, options);
  const names = clusterZone(store, options);
  if (!holdsAddresses(apex)) return names;
  // The root and `arpa` hold both kinds of names.
  const addresses = reverseZone(store, options);
  return {
    apex,
    kinds: options.kinds,
    find: (name, spelling, type) => (isReverseName(name) ? addresses : names).find(name, spelling, type),
  };
}

/** Are there names of addresses in the zone? They are those of this cluster's services, in every zone. */
function holdsAddresses(apex: Name): boolean {
  return isReverseName(apex) || isWithin(IN_ADDR_ARPA, apex) || isWithin(IP6_ARPA, apex);
}
