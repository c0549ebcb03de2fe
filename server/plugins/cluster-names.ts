/** The names of the cluster that a block answers for, as `autopath` has to know them: `kubernetes` says them here. Knows no reply. */

import { isReverseName } from '../../zones/ip.ts';
import { zoneHolding } from '../../zones/kubernetes/cluster-zones.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import { isExposed, type Zone, type ZoneOptions } from '../../zones/kubernetes/zone.ts';
import type { Name } from '../../zones/name.ts';
import { RRType } from '../../zones/rr.ts';
import type { ClusterNames } from '../completion/cluster-names.ts';
import { isPodName } from '../completion/search-list.ts';

/** How the zones are shown. */
type Shown = Pick<ZoneOptions, 'namespaces' | 'passesOn' | 'pods'> & {
  readonly multicluster: readonly Name[];
  /** Would a client's question for the name be this block's? */
  readonly isOwn: (name: Name) => boolean;
  readonly isSynced: () => boolean;
};

export function clusterNamesIn(store: ClusterStore, zones: readonly Zone[], shown: Shown): ClusterNames {
  const hasNamespace = (namespace: string): boolean => isExposed(store, shown, namespace);
  const holding = (name: Name): Zone | undefined => zoneHolding(zones, name, RRType.A);
  const exists = (name: Name): boolean => holding(name)?.find(name, name, RRType.A).outcome !== 'nxdomain';
  const apexes = zones
    .map(({ apex }) => apex)
    .filter((apex) => !isReverseName(apex) && !shown.multicluster.includes(apex));
  const decides = (name: Name): boolean => {
    const zone = holding(name);
    if (zone === undefined || !apexes.includes(zone.apex) || shown.passesOn(name)) return false;
    return !isPodName(name, zone.apex) && zone.find(name, name, RRType.A).outcome !== 'alias';
  };
  return {
    apexes,
    isSynced: shown.isSynced,
    knowsPods: shown.pods === 'verified',
    isNamespace: (name) => store.hasNamespace(name),
    decides,
    holds: (name) => holding(name) !== undefined && shown.isOwn(name),
    exists,
    mayExist: (name) => shown.passesOn(name) || exists(name),
    hasNamespace,
    refusesCompletion: (namespace) => store.refusesCompletion(namespace),
    hasService: ({ namespace, name }) =>
      hasNamespace(namespace) && store.service(namespace, name)?.service !== undefined,
    podAt: (address) => store.podAt(address),
    serial: () => store.serial,
    life: () => store.life,
  };
}

/** What the plugins of a block know of its cluster, once `kubernetes` has been made. `shared` is that of the block. */
export function sharedClusterNames(shared: Map<string, unknown>): { names: ClusterNames | undefined } {
  const known = shared.get(SHARED_KEY) as { names: ClusterNames | undefined } | undefined; // nobody else writes under this key
  if (known !== undefined) return known;
  const made = { names: undefined };
  shared.set(SHARED_KEY, made);
  return made;
}

const SHARED_KEY = 'cluster names';
