/**
 * The names of one Service (Kubernetes DNS spec 2.3, 2.4 and 2.5): what stands at it and at the labels below it. Knows
 * nothing of zones.
 */

import { isAddress } from './address.ts';
import type { Endpoint, Port, Service, Services, Slice } from './cluster.ts';
import { isSame, lower, nameFrom, type Name } from './name.ts';
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
  /** The name of the address; undefined if it has none. */
  readonly target: Name | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly cluster: string | undefined;
};

/**
 * @param labels those to the left of the Service's, lower case
 * @returns undefined if there is no such name
 */
export function serviceRecords(place: Place, service: Service, labels: Name): readonly ModelRecord[] | undefined {
  const { options, isMulticluster } = place;
  const endpoints = endpointItems(place, service);
  const isAlias = service.alias !== undefined;
  const isEmpty = endpoints.length === 0;
  if (options.ignoreEmptyService && !isAlias && !service.isHeadless && isEmpty) return undefined;
  if (isAlias) return labels.length === 0 ? aliasRecords(service.alias, options.ttl) : undefined;

  const items = service.isHeadless ? endpoints : clusterItems(place, service);
  const found = (some: readonly Item[]) => (some.length === 0 ? undefined : itemRecords(some, options.ttl));
  const [left = '', right = ''] = labels;
  if (options.zonal && !isMulticluster && service.isHeadless && labels.at(-1) === '_zone')
    return zonalRecords(endpoints, labels.slice(0, -1), options.ttl);
  if (labels.length === 0) return found(items);
  if (labels.length === 1) {
    // RFC 8020: a name that has names below it exists.
    if (items.some(({ port }) => hasName(port) && left === `_${port.protocol}`)) return [];
    if (isMulticluster) return endpoints.some(({ cluster }) => cluster === left) ? [] : undefined;
    return found(endpoints.filter(({ endpoint }) => lower(endpoint?.name ?? '') === left));
  }
  if (labels.length > 2) return undefined;
  if (isMulticluster && !left.startsWith('_') && !right.startsWith('_'))
    return found(
      endpoints.filter(({ endpoint, cluster }) => lower(endpoint?.name ?? '') === left && cluster === right),
    );
  const [name, protocol] = [left.replace(/^_/, ''), right.replace(/^_/, '')];
  return found(items.filter(({ port }) => hasName(port) && port.name === name && port.protocol === protocol));
}

/** An unnamed port has no name of its own (Kubernetes DNS spec 2.3.2). */
function hasName({ name, protocol }: Port): boolean {
  return name !== '' && protocol !== '';
}

function clusterItems({ parent }: Place, { name, addresses, ports }: Service): readonly Item[] {
  const target = [name, ...parent];
  return ports.flatMap((port) =>
    (addresses.length === 0 ? [undefined] : addresses).map((address) => ({
      address,
      port,
      target,
      endpoint: undefined,
      cluster: undefined,
    })),
  );
}

function endpointItems(place: Place, service: Service): readonly Item[] {
  return slicesOf(place.among, service).flatMap(({ cluster, ports, endpoints }) =>
    endpoints.flatMap((endpoint) => {
      const below = place.isMulticluster ? cluster : [];
      const target = below === undefined ? undefined : [endpoint.name, below, service.name, ...place.parent].flat();
      return ports.map((port) => ({
        address: endpoint.address,
        port,
        target,
        endpoint,
        cluster: cluster === undefined ? undefined : lower(cluster),
      }));
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
  if (directive === undefined) return [];
  if (directive !== 'pin' && directive !== 'prefer') return undefined;
  if (zone.length === 0) return [];
  const near = endpoints.filter(({ endpoint }) => isSame(nameFrom(endpoint?.topologyZone ?? ''), zone));
  return itemRecords(directive === 'prefer' && near.length === 0 ? endpoints : near, ttl);
}

function aliasRecords(alias: string | undefined, ttl: number): readonly ModelRecord[] | undefined {
  const text = alias ?? '';
  if (isAddress(text)) return undefined;
  const target = nameFrom(text);
  return target.length === 0 ? [] : pointingRecord('CNAME', '', target, ttl, []);
}

/** The weights share 100 among all there is, spoken of or not. */
function itemRecords(items: readonly Item[], ttl: number): readonly ModelRecord[] {
  const weight = Math.max(1, Math.floor(100 / items.length));
  return items.flatMap(({ address, port, target }) => {
    if (address === undefined) return [];
    const services =
      port.number === undefined || target === undefined
        ? []
        : pointingRecord('SRV', `0 ${weight} ${port.number}`, target, ttl, [address]);
    return [addressRecord(address, ttl), ...services];
  });
}
