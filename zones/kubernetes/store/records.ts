/**
 * What a Service and its slices say in records: a small tree of names below the service's own, each part made when it is
 * first asked for (Kubernetes DNS spec 2.3 to 2.5). Knows no store, no zone and no TTL.
 */

import { isIP } from 'node:net';

import { NameError, spellingFrom, wireLabel, type Spelling } from '../../name.ts';
import { isLabel } from '../api-values.ts';
import { endpointLabel, forEachAddress, keyOf, type ReadySlice } from './endpoints.ts';
import type { Port, Service } from '../objects.ts';
import { serviceNode, type Member, type ServiceNode } from './service-node.ts';
import { HEADLESS } from '../trim.ts';

/** The names of one Service. Its lazily made fields make it an object to be dropped, never changed, when the cluster does. */
export type ServiceRecords = {
  /** The target of an ExternalName; then nothing else is set. */
  readonly alias: Spelling | undefined;
  /** At the service's own name; undefined if that name does not exist. */
  readonly own: ServiceNode | undefined;
  /** Neither headless nor an alias, and without a ready endpoint: what `ignore empty_service` hides. */
  readonly isEmptyService: boolean;
  /** Labels between zone and endpoint names: service, namespace, `svc`. */
  readonly front: string;
  readonly slices: readonly ReadySlice[];
  readonly usesPodNames: boolean;
  endpoints: ReadonlyMap<string, ServiceNode> | undefined;
  /** By protocol, then by port name, both in lower case and without the underscore. */
  ports: ReadonlyMap<string, ReadonlyMap<string, ServiceNode>> | undefined;
};

/** `usesPodNames` is the option `endpoint_pod_names`. */
export function recordsFor(service: Service, slices: Iterable<ReadySlice>, usesPodNames: boolean): ServiceRecords {
  const front = serviceFront(service.namespace, service.name);
  if (front === undefined) return NO_RECORDS;
  // Events come in any order; the order of records in an answer must not show it.
  const sorted = [...slices].toSorted(bySliceName);
  if (service.type === 'ExternalName') return aliasRecords(service, front);
  const isHeadless = service.clusterIPs[0] === HEADLESS;
  const members = isHeadless ? endpointMembers(sorted, usesPodNames) : clusterIPMembers(service);
  // Kubernetes DNS spec 2.4.1: a headless service without ready endpoints has no name at all.
  const exists = !isHeadless || members.length > 0;
  return {
    alias: undefined,
    own: exists ? serviceNode(front, members, undefined) : undefined,
    isEmptyService: !isHeadless && !sorted.some(hasReadyAddress),
    front,
    slices: sorted,
    usesPodNames,
    endpoints: undefined,
    ports: undefined,
  };
}

/** Labels in front of the zone in a service's name; undefined if the objects' names are not labels, and so not names either. */
export function serviceFront(namespace: string, service: string): string | undefined {
  return isLabel(namespace) && isLabel(service) ? `${wireLabel(service)}${wireLabel(namespace)}\x03svc` : undefined;
}

/** The records of one endpoint name; every service with a slice has them, headless or not. */
export function endpointNode(records: ServiceRecords, label: string): ServiceNode | undefined {
  records.endpoints ??= endpointNodes(records);
  return records.endpoints.get(label);
}

/**
 * The records at `port.protocol` below the service. The underscores of RFC 2782 may be missing, as in CoreDNS; a port
 * without a name has no such name (Kubernetes DNS spec 2.3.2).
 */
export function portNode(records: ServiceRecords, port: string, protocol: string): ServiceNode | undefined {
  records.ports ??= portNodes(records);
  return records.ports.get(withoutUnderscore(protocol))?.get(withoutUnderscore(port));
}

/** Does any `port.protocol` name stand below the label, so that it is an empty non-terminal (RFC 8020)? */
export function isProtocol(records: ServiceRecords, label: string): boolean {
  records.ports ??= portNodes(records);
  return records.ports.has(withoutUnderscore(label));
}

function aliasRecords(service: Service, front: string): ServiceRecords {
  // An address is not a name (RFC 1123 section 2.1), and a name that cannot be one says as little as none.
  if (isIP(service.externalName) !== 0) return NO_RECORDS;
  const alias = spellingOf(service.externalName);
  return { ...NO_RECORDS, alias, own: alias === undefined ? serviceNode(front, [], undefined) : undefined, front };
}

function spellingOf(text: string): Spelling | undefined {
  if (text === '') return undefined;
  try {
    return spellingFrom(text);
  } catch (error) {
    if (error instanceof NameError) return undefined;
    throw error;
  }
}

function clusterIPMembers(service: Service): readonly Member[] {
  return service.clusterIPs.flatMap((text) => {
    const key = keyOf(text);
    return key === undefined ? [] : [{ label: '', key, ports: service.ports }];
  });
}

function endpointMembers(slices: readonly ReadySlice[], usesPodNames: boolean): readonly Member[] {
  const members: Member[] = [];
  for (const ready of slices) {
    const { ports } = ready.slice;
    forEachAddress(ready, (key, endpoint, text) => {
      members.push({ label: endpointLabel(endpoint, text, usesPodNames), key, ports });
    });
  }
  return members;
}

function endpointNodes({ slices, usesPodNames, front }: ServiceRecords): ReadonlyMap<string, ServiceNode> {
  const members = Map.groupBy(endpointMembers(slices, usesPodNames), (member) => member.label);
  return new Map(Array.from(members, ([label, group]) => [label, serviceNode(front, group, undefined)]));
}

function portNodes({ own, front }: ServiceRecords): ReadonlyMap<string, ReadonlyMap<string, ServiceNode>> {
  const nodes = new Map<string, Map<string, ServiceNode>>();
  const seen = new Set<readonly Port[]>();
  for (const { ports } of own?.members ?? []) {
    if (seen.has(ports)) continue;
    seen.add(ports);
    for (const { name, protocol } of ports) {
      if (name === '' || protocol === '') continue;
      const port = { name: name.toLowerCase(), protocol: protocol.toLowerCase() };
      const named = nodes.get(port.protocol) ?? new Map<string, ServiceNode>();
      nodes.set(port.protocol, named);
      if (!named.has(port.name)) named.set(port.name, serviceNode(front, own?.members ?? [], port));
    }
  }
  return nodes;
}

function hasReadyAddress(ready: ReadySlice): boolean {
  return ready.keys.some((key) => key !== '');
}

function bySliceName(a: ReadySlice, b: ReadySlice): number {
  return a.slice.name < b.slice.name ? -1 : Number(a.slice.name > b.slice.name);
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}

/** Of a service that has no name: everything at and below it does not exist. */
const NO_RECORDS: ServiceRecords = {
  alias: undefined,
  own: undefined,
  isEmptyService: false,
  front: '',
  slices: [],
  usesPodNames: false,
  endpoints: new Map(),
  ports: new Map(),
};
