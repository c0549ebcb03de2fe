/**
 * The names of one Service (Kubernetes DNS spec 2.3, 2.4 and 2.5): what stands at it and at the labels below it. Knows
 * nothing of zones.
 */

import { isAddress } from './address.ts';
import { NO_PORT, type Port, type Service, type Services, type Slice } from './cluster.ts';
import { isSame, nameFrom, type Name } from './name.ts';
import { addressRecord, pointingRecord, type ModelRecord } from './records.ts';
import type { ModelOptions } from './world.ts';

/** Where the Service is looked for. */
export type Place = {
  readonly options: ModelOptions;
  readonly among: Services;
  readonly isMulticluster: boolean;
  /** `<namespace>.svc.<zone>` as the records shall spell it. */
  readonly parent: Name;
};

/** One port at one address. */
type Item = {
  /** Undefined for a Service that has none yet. */
  readonly address: string | undefined;
  readonly port: Port;
  /** Labels of an endpoint to the left of its Service's; none for the Service itself. */
  readonly labels: Name;
  /** The name of the address; undefined if it has none. */
  readonly target: Name | undefined;
  readonly topologyZone: string;
};

/**
 * @param labels those to the left of the Service's, lower case
 * @returns undefined if there is no such name
 */
export function serviceRecords(place: Place, service: Service, labels: Name): readonly ModelRecord[] | undefined {
  const { ttl, zonal, ignoreEmptyService } = place.options;
  if (service.alias !== undefined) return labels.length === 0 ? aliasRecords(service.alias, ttl) : undefined;

  const endpoints = endpointItems(place, service);
  if (ignoreEmptyService && !service.isHeadless && endpoints.length === 0) return undefined;
  if (zonal && service.isHeadless && !place.isMulticluster && labels.at(-1) === '_zone')
    return zonalRecords(endpoints, labels.slice(0, -1), ttl);

  const items = service.isHeadless ? endpoints : serviceItems(place, service);
  const here = itemsAt(place, items, endpoints, labels);
  if (here.length > 0) return itemRecords(here, ttl);
  return hasNamesBelow(items, endpoints, labels) ? [] : undefined;
}

/** Below the Service there are its ports and, with the names that they have, its endpoints. */
function itemsAt(place: Place, items: readonly Item[], endpoints: readonly Item[], labels: Name): readonly Item[] {
  if (labels.length === 0) return items;
  const [left = '', right = ''] = labels;
  const hasUnderscore = left.startsWith('_') || right.startsWith('_');
  if (labels.length !== 2 || (place.isMulticluster && !hasUnderscore))
    return endpoints.filter((item) => isSame(item.labels, labels));
  const name = left.replace(/^_/, '');
  const protocol = right.replace(/^_/, '');
  return items.filter(({ port }) => hasName(port) && port.name === name && port.protocol === protocol);
}

/** `_tcp` above its ports and, among imported ones, a cluster above its endpoints (RFC 8020). */
function hasNamesBelow(items: readonly Item[], endpoints: readonly Item[], labels: Name): boolean {
  const [label = ''] = labels;
  const hasPorts = items.some(({ port }) => hasName(port) && label.replace(/^_/, '') === port.protocol);
  const hasEndpoints = endpoints.some((item) => item.labels.length === 2 && isSame(item.labels.slice(1), labels));
  return labels.length === 1 && (hasPorts || hasEndpoints);
}

/** An unnamed port has no name of its own (Kubernetes DNS spec 2.3.2). */
function hasName({ name, protocol }: Port): boolean {
  return name !== '' && protocol !== '';
}

function serviceItems({ parent }: Place, { name, addresses, ports }: Service): readonly Item[] {
  const all = addresses.length === 0 ? [undefined] : addresses;
  const target = [name, ...parent];
  return ports.flatMap((port) => all.map((address) => ({ address, port, labels: [], target, topologyZone: '' })));
}

function endpointItems({ among, isMulticluster, parent }: Place, service: Service): readonly Item[] {
  return slicesOf(among, service).flatMap(({ cluster, ports, endpoints }) =>
    endpoints.flatMap(({ address, name, topologyZone }) => {
      const isNameless = isMulticluster && cluster === undefined;
      const labels = isMulticluster ? [name, cluster ?? ''] : [name];
      const target = isNameless ? undefined : [...labels, service.name, ...parent];
      // Nothing could be said of the ports of what has no name.
      const spoken = isNameless ? [NO_PORT] : ports;
      return spoken.map((port) => ({ address, port, labels, target, topologyZone }));
    }),
  );
}

export function slicesOf(among: Services, { namespace, name }: Service): readonly Slice[] {
  return among.slices.filter((slice) => slice.namespace === namespace && slice.service === name);
}

/** `<zone>.pin._zone` and `<zone>.prefer._zone` below a headless Service; `labels` without the `_zone`. */
function zonalRecords(endpoints: readonly Item[], labels: Name, ttl: number): readonly ModelRecord[] | undefined {
  const directive = labels.at(-1);
  const zone = labels.slice(0, -1);
  // Below what is not there there is nothing (RFC 8020).
  if (endpoints.length === 0) return undefined;
  if (directive === undefined) return [];
  if (directive !== 'pin' && directive !== 'prefer') return undefined;
  if (zone.length === 0) return [];
  const near = endpoints.filter(({ topologyZone }) => isSame(nameFrom(topologyZone), zone));
  return itemRecords(directive === 'prefer' && near.length === 0 ? endpoints : near, ttl);
}

/** An address is no name: there is no such Service (CoreDNS plugin/kubernetes). */
function aliasRecords(alias: string, ttl: number): readonly ModelRecord[] | undefined {
  if (isAddress(alias)) return undefined;
  const target = nameFrom(alias);
  return target.length === 0 ? [] : pointingRecord('CNAME', '', target, ttl, []);
}

/** The weights share 100 among all there is, spoken of or not. The addresses of a target come all or none (RFC 2181 section 5). */
function itemRecords(items: readonly Item[], ttl: number): readonly ModelRecord[] {
  const weight = Math.max(1, Math.floor(100 / items.length));
  const addressesAt = (name: Name) =>
    items.flatMap(({ target, address }) => (address !== undefined && isSame(target ?? [], name) ? [address] : []));
  return items.flatMap(({ address, port, target }) => {
    if (address === undefined) return [];
    const services =
      port.number === undefined || target === undefined
        ? []
        : pointingRecord('SRV', `0 ${weight} ${port.number}`, target, ttl, addressesAt(target));
    return [addressRecord(address, ttl), ...services];
  });
}
