/**
 * A whole zone, RRset by RRset (RFC 5936 section 3). Knows which names there may be; what they have it asks the zone
 * itself, so that a transfer cannot say anything else than an answer does.
 */

import { addressOfKey, IN_ADDR_ARPA, IP6_ARPA, isReverseName, reverseNameOf } from '../ip.ts';
import { isWithin, nameUnder, wireLabel, type Name } from '../name.ts';
import { RRType, type RRset } from '../rr.ts';
import type { Count } from '../units.ts';
import { isLabel } from './api-values.ts';
import { clusterZones, zoneHolding, type ClusterZonesOptions } from './cluster-zones.ts';
import { namesBelow } from './service-names.ts';
import { serviceFront } from './store/records.ts';
import type { ClusterSnapshot } from './store/snapshot.ts';
import type { ClusterStore } from './store/store.ts';
import { isExposed, type Zone } from './zone.ts';
import { HEAD_NAMES } from './zone-head.ts';

/** Names without records that are looked at before others have their turn: about a millisecond. */
const BARREN_MAX: Count = 500;

/**
 * The zone with that apex as it is when the first RRset is taken, its SOA record first and last (RFC 5936 section 2.2); the
 * cluster may change before the last one is. Each RRset is made when it is taken; undefined stands where the thread has
 * worked for long enough without one.
 */
export function* zoneTransfer(
  store: ClusterStore,
  apexes: readonly Name[],
  options: ClusterZonesOptions,
  apex: Name,
): Generator<RRset | undefined, void> {
  const head = headOf(clusterZones(store, apexes, options), apex);
  const snapshot = store.snapshot();
  const zones = clusterZones(snapshot, apexes, options);
  yield* head;
  let barren: Count = 0;
  for (const candidate of candidates(snapshot, options, apex)) {
    const sets = candidate === undefined ? [] : setsAt(zones, apex, candidate);
    yield* sets;
    barren = sets.length === 0 ? barren + 1 : 0;
    if (candidate !== undefined && barren < BARREN_MAX) continue;
    barren = 0;
    yield undefined;
  }
  yield head[0];
}

/** A name that may have records, and the types that these may have. */
type Candidate = { readonly name: Name; readonly types: readonly number[] };

const SERVICE_TYPES = [RRType.CNAME, RRType.A, RRType.AAAA, RRType.SRV];
const NODE_TYPES = [RRType.A, RRType.AAAA, RRType.SRV];
const POD_TYPES = [RRType.A, RRType.AAAA];
const POINTER_TYPES = [RRType.PTR];

/** SOA, NS and the well-known names. Of the cluster as it is now, which finds its name servers by an index that a snapshot would have to build. */
function headOf(zones: readonly Zone[], apex: Name): readonly RRset[] {
  const names = [{ relative: '', types: [RRType.SOA] }, ...HEAD_NAMES];
  return names.flatMap(({ relative, types }) => {
    const name = nameUnder(relative, apex);
    return name === undefined ? [] : setsAt(zones, apex, { name, types });
  });
}

/** What is at a name; nothing if it is another zone's. */
function setsAt(zones: readonly Zone[], apex: Name, { name, types }: Candidate): readonly RRset[] {
  const sets: RRset[] = [];
  for (const type of types) {
    const zone = zoneHolding(zones, name, type);
    if (zone?.apex !== apex) return [];
    const [set] = zone.find(name, name, type).answer;
    if (set?.type !== type) continue;
    sets.push(set);
    // An alias has nothing beside it (RFC 1034 section 3.6.2); further questions would be answered for its target.
    if (type === RRType.CNAME) break;
  }
  return sets;
}

/** Each name once, in the order of what it was made from; undefined where others may have their turn. */
function* candidates(
  snapshot: ClusterSnapshot,
  options: ClusterZonesOptions,
  apex: Name,
): Generator<Candidate | undefined> {
  if (!isReverseName(apex)) {
    yield* serviceNames(snapshot, options, apex);
    if (options.pods === 'verified') yield* podNames(snapshot, options, apex);
  }
  const holdsAddresses = isReverseName(apex) || isWithin(IN_ADDR_ARPA, apex) || isWithin(IP6_ARPA, apex);
  if (holdsAddresses) yield* reverseNames(snapshot);
}

/** Services and what is below them (Kubernetes DNS spec 2.3 to 2.5, KEP-1645 for those of the clusterset). */
function* serviceNames(snapshot: ClusterSnapshot, options: ClusterZonesOptions, apex: Name): Generator<Candidate> {
  const isMulticluster = options.multicluster.includes(apex);
  const services = isMulticluster ? snapshot.imports : snapshot.services;
  for (const { namespace, name: service } of services.all()) {
    const front = serviceFront(namespace, service);
    if (front === undefined || !isExposed(snapshot, options, namespace)) continue;
    const records = services.records(namespace, service, options.endpointPodNames);
    if (records === undefined) continue;
    yield* candidatesAt(front, apex, SERVICE_TYPES);
    for (const below of namesBelow(records, options.zonal)) yield* candidatesAt(below + front, apex, NODE_TYPES);
  }
}

/** `10-244-1-5.namespace.pod`, where the addresses of pods are known. */
function* podNames(snapshot: ClusterSnapshot, options: ClusterZonesOptions, apex: Name): Generator<Candidate> {
  for (const { namespace, address } of snapshot.pods()) {
    if (!isLabel(namespace) || !isExposed(snapshot, options, namespace)) continue;
    const label = wireLabel(address.replace(/[.:]/g, '-'));
    yield* candidatesAt(`${label}${wireLabel(namespace)}\x03pod`, apex, POD_TYPES);
  }
}

/** Of all addresses: which of them the zone holds is seen when it is asked. */
function* reverseNames(snapshot: ClusterSnapshot): Generator<Candidate | undefined> {
  for (const key of snapshot.addresses()) {
    yield key === undefined ? undefined : { name: reverseNameOf(addressOfKey(key)), types: POINTER_TYPES };
  }
}

function candidatesAt(front: string, apex: Name, types: readonly number[]): readonly Candidate[] {
  const name = nameUnder(front, apex);
  return name === undefined ? [] : [{ name, types }];
}
