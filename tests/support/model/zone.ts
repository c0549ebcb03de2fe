/**
 * One zone of the cluster, name by name (Kubernetes DNS spec 2): what stands at a name, whatever type is asked for. Knows
 * nothing of replies.
 */

import { addressFromDashes, canonical, isReverse } from './address.ts';
import type { Cluster } from './cluster.ts';
import { isEncodable, isSame, isWithin, lower, nameFrom, textOf, type Name } from './name.ts';
import { addressRecord, pointingRecord, type ModelRecord } from './records.ts';
import { hasPointersWithin, pointerRecords, primaryZone } from './reverse.ts';
import { serviceRecords, slicesOf } from './services.ts';
import type { ModelOptions, World } from './world.ts';

/** The longest of the zones that the name is in. */
export function zoneOf({ zones }: ModelOptions, name: Name): Name | undefined {
  return zones
    .map(nameFrom)
    .filter((zone) => isWithin(name, zone))
    .toSorted((one, other) => other.length - one.length)[0];
}

/** The zone that answers: a DS question at an apex is for the zone above it, if that is here (RFC 4035 section 3.1.4.1). */
export function answeringZone(options: ModelOptions, name: Name, type: string): Name | undefined {
  const above = options.zones.filter((zone) => !isSame(nameFrom(zone), name));
  return (type === 'DS' ? zoneOf({ ...options, zones: above }, name) : undefined) ?? zoneOf(options, name);
}

/**
 * Is everything known that the zone's names are made of? Names of Services come from the cluster or from the clusterset, those of
 * addresses always from the cluster, and a zone does not wait for what it has no names of.
 */
export function isKnown({ options, unlisted }: World, zone: Name): boolean {
  const isMulticluster = options.multicluster.some((other) => isSame(nameFrom(other), zone));
  const hasAddresses = isReverse(zone) || REVERSE_TREES.some((tree) => isWithin(nameFrom(tree), zone));
  const isWanted = (kind: string): boolean => {
    if (kind === 'Service') return !isMulticluster || hasAddresses;
    return kind !== 'ServiceImport' || isMulticluster;
  };
  return ![...unlisted].some(isWanted);
}

const REVERSE_TREES = ['in-addr.arpa.', 'ip6.arpa.'];

/** Is a name that is not there to be asked elsewhere? */
export function fallsThrough({ fallthrough }: ModelOptions, name: Name): boolean {
  return (fallthrough ?? []).some((zone) => isWithin(name, nameFrom(zone)));
}

/**
 * What is above something that is there is there too, and empty: above the names of addresses, above another zone (RFC 8020).
 * @returns undefined if there is no such name
 */
export function recordsAt(world: World, cluster: Cluster, zone: Name, qname: Name): readonly ModelRecord[] | undefined {
  const { options } = world;
  const records = ownRecordsAt(world, cluster, zone, qname);
  if (records !== undefined || fallsThrough(options, qname)) return records;
  const isAbove = [...options.zones, ...REVERSE_TREES].some((other) => isWithin(nameFrom(other), qname));
  return isAbove || hasPointersWithin(cluster, options, qname) ? [] : undefined;
}

function ownRecordsAt(world: World, cluster: Cluster, zone: Name, qname: Name): readonly ModelRecord[] | undefined {
  const { options } = world;
  const apex = qname.slice(qname.length - zone.length);
  const relative = qname.slice(0, qname.length - zone.length).map(lower);
  const pointers = pointerRecords(cluster, options, qname);
  const isMulticluster = options.multicluster.some((other) => isSame(nameFrom(other), zone));

  const servers = serverAddresses(world, cluster, apex, isMulticluster || isReverse(zone));
  if (relative.length === 0) return [startOfAuthority(options, apex), ...nameServers(servers, options), ...pointers];
  if (isSame(relative, ['dns-version'])) {
    // Each of the two specifications has its own version.
    return [{ type: 'TXT', ttl: 28800, rdata: isMulticluster ? '"1.0.0"' : '"1.1.0"', glue: [] }];
  }
  if (isSame(relative, ['dns'])) return [];
  if (isSame(relative, ['ns', 'dns'])) return servers.map(({ address }) => addressRecord(address, options.ttl));
  if (pointers.length > 0) return pointers;
  if (isReverse(zone)) return undefined;

  const [kind, namespace, name, ...labels] = relative.toReversed();
  if (kind !== 'svc' && kind !== 'pod') return undefined;
  if (namespace === undefined) return [];
  if (!cluster.namespaces.includes(namespace)) return undefined;
  if (kind === 'pod' && options.pods === 'disabled') return undefined;
  if (name === undefined) return [];
  if (kind === 'pod') return labels.length === 0 ? podRecords(options, cluster, namespace, name) : undefined;

  const among = isMulticluster ? cluster.imported : cluster.local;
  const service = among.services.find((service) => service.namespace === namespace && service.name === name);
  const place = { options, among, isMulticluster, parent: [namespace, 'svc', ...apex] };
  return service === undefined ? undefined : serviceRecords(place, service, labels.toReversed());
}

/** `<dashed address>.<namespace>.pod.<zone>`; verified means that there is a pod with exactly this address. */
function podRecords(
  options: ModelOptions,
  { pods }: Cluster,
  namespace: string,
  label: string,
): readonly ModelRecord[] | undefined {
  const address = addressFromDashes(label);
  if (address === undefined) return undefined;
  const isKnown = pods.some((pod) => pod.namespace === namespace && pod.addresses.includes(address));
  if (options.pods === 'verified' && !isKnown) return undefined;
  return [addressRecord(address, options.ttl)];
}

/** A denial lives for at most five minutes, whatever the records live for. */
export function startOfAuthority({ ttl }: ModelOptions, apex: Name): ModelRecord {
  const names = `${textOf(['ns', 'dns', ...apex])} ${textOf(['hostmaster', ...apex])}`;
  return { type: 'SOA', ttl: Math.min(ttl, 300), rdata: `${names} SERIAL 7200 1800 86400 ${ttl}`, glue: [] };
}

function nameServers(servers: readonly Server[], { ttl }: ModelOptions): readonly ModelRecord[] {
  return servers.flatMap(({ target, address }) => pointingRecord('NS', '', target, ttl, [address]));
}

type Server = { readonly target: Name; readonly address: string };

/**
 * The Services that may be seen and lead to this server; without one, the server itself. A zone without names of Services
 * borrows those of the primary zone; without that, or where its names would be too long, the server has the name in the SOA record.
 */
function serverAddresses(
  { localAddresses, options }: World,
  { namespaces, local }: Cluster,
  apex: Name,
  borrows: boolean,
): readonly Server[] {
  const primary = primaryZone(options);
  const parent = borrows ? (primary ?? apex) : apex;
  const itself = ['ns', 'dns', ...parent];
  const own = localAddresses.map(canonical);
  const slices = local.slices.filter(({ endpoints }) =>
    endpoints.some(({ address }) => own.includes(canonical(address))),
  );
  const leaders = local.services
    .filter(({ namespace }) => namespaces.includes(namespace))
    .flatMap((service): readonly Server[] => {
      const { namespace, name, isHeadless, addresses } = service;
      const target = [name, namespace, 'svc', ...parent];
      const leading = slicesOf(local, service).filter((slice) => slices.includes(slice));
      if (leading.length === 0) return [];
      if (!isHeadless) return addresses.map((address) => ({ target, address }));
      return leading.flatMap(({ endpoints }) =>
        endpoints.map((endpoint) => ({ target: [endpoint.name, ...target], address: endpoint.address })),
      );
    })
    .map((server) => (primary === undefined || !isEncodable(server.target) ? { ...server, target: itself } : server));
  return leaders.length > 0 ? leaders : own.map((address) => ({ target: itself, address }));
}
