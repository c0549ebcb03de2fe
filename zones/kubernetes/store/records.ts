/**
 * What a Service and its slices say in records: a small tree of names below the service's own, each part made when it is
 * first asked for (Kubernetes DNS spec 2.3 to 2.5). Knows no store, no zone and no TTL.
 */

import { isIP } from 'node:net';

import { NameError, spellingFrom, wireLabel, type Spelling } from '../../name.ts';
import { Life } from '../../life.ts';
import { isLabel } from '../api-values.ts';
import type { ReadySlice } from './endpoints.ts';
import { clusterIPMembers, endpointMembers, importedMembers, type Member } from './members.ts';
import type { Port, Service, ServiceImport } from '../objects.ts';
import { serviceNode, type AskedPort, type ServiceNode } from './service-node.ts';
import { HEADLESS } from '../trim.ts';

/** The names of one Service or ServiceImport. Its lazily made fields make it an object to be dropped, never changed, when the cluster does. */
export type ServiceRecords = {
  /** The target of an ExternalName; then nothing else is set. */
  readonly alias: Spelling | undefined;
  /** At the service's own name; undefined if that name does not exist. */
  readonly own: ServiceNode | undefined;
  /** Neither headless nor an alias, and without a ready endpoint: what `ignore empty_service` hides. */
  readonly isEmptyService: boolean;
  readonly isHeadless: boolean;
  /** Of a ServiceImport: below it, endpoints stand under their clusters. */
  readonly isImport: boolean;
  /** Labels between zone and endpoint names: service, namespace, `svc`. */
  readonly front: string;
  /** Its own ports, which have names even while it has no address; none if it is headless, for then they are its endpoints'. */
  readonly servicePorts: readonly Port[];
  readonly slices: readonly ReadySlice[];
  readonly usesPodNames: boolean;
  /** Of all that is said here. */
  readonly life: Life;
  /** By their labels before the service's name, in wire form: the endpoint's and, in an import, the cluster's. */
  endpoints: ReadonlyMap<string, ServiceNode> | undefined;
  /** Of an import: the clusters that its endpoints stand under. */
  clusters: ReadonlySet<string> | undefined;
  /** By protocol, then by port name, both in lower case and without the underscore. */
  ports: ReadonlyMap<string, ReadonlyMap<string, ServiceNode>> | undefined;
  /** By topology zone, as labels in wire form. */
  topologyZones: ReadonlyMap<string, ServiceNode> | undefined;
};

/** `usesPodNames` is the option `endpoint_pod_names`. */
export function recordsFor(
  service: Service | ServiceImport,
  slices: Iterable<ReadySlice>,
  usesPodNames: boolean,
): ServiceRecords {
  const front = serviceFront(service.namespace, service.name);
  if (front === undefined) return NO_RECORDS;
  // Events come in any order; the order of records in an answer must not show it.
  const sorted = [...slices].toSorted(bySliceName);
  const isImport = service.kind === 'ServiceImport';
  if (!isImport && service.type === 'ExternalName') return aliasRecords(service, front);
  const isHeadless = service.clusterIPs[0] === HEADLESS;
  const membersOf = isImport ? importedMembers : endpointMembers;
  const members = isHeadless ? membersOf(sorted, usesPodNames) : clusterIPMembers(service);
  // Kubernetes DNS spec 2.4.1: a headless service without ready endpoints has no name at all.
  const exists = !isHeadless || members.length > 0;
  return {
    alias: undefined,
    own: exists ? serviceNode(front, members, undefined) : undefined,
    isEmptyService: !isHeadless && !sorted.some(hasReadyAddress),
    isHeadless,
    isImport,
    front,
    servicePorts: isHeadless ? [] : service.ports,
    slices: sorted,
    usesPodNames,
    life: new Life(),
    endpoints: undefined,
    clusters: undefined,
    ports: undefined,
    topologyZones: undefined,
  };
}

/** Labels in front of the zone in a service's name; undefined if the objects' names are not labels, and so not names either. */
export function serviceFront(namespace: string, service: string): string | undefined {
  return isLabel(namespace) && isLabel(service) ? `${wireLabel(service)}${wireLabel(namespace)}\x03svc` : undefined;
}

/**
 * The records of one endpoint name, given as the labels before the service's name in wire form; every service with a slice
 * has them, headless or not.
 */
export function endpointNode(records: ServiceRecords, labels: string): ServiceNode | undefined {
  records.endpoints ??= endpointNodes(records);
  return records.endpoints.get(labels);
}

/** All endpoint names, as `endpointNode` takes them, in no order. */
export function endpointNames(records: ServiceRecords): Iterable<string> {
  records.endpoints ??= endpointNodes(records);
  return records.endpoints.keys();
}

/** All `port.protocol` names, without the underscores, in no order. */
export function portNames(records: ServiceRecords): readonly AskedPort[] {
  records.ports ??= portNodes(records);
  return Array.from(records.ports, ([protocol, named]) =>
    Array.from(named.keys(), (name) => ({ name, protocol })),
  ).flat();
}

/**
 * The records at `port.protocol` below the service. The underscores of RFC 2782 may be missing, as in CoreDNS; a port
 * without a name has no such name (Kubernetes DNS spec 2.3.2).
 */
export function portNode(records: ServiceRecords, port: string, protocol: string): ServiceNode | undefined {
  records.ports ??= portNodes(records);
  return records.ports.get(withoutUnderscore(protocol))?.get(withoutUnderscore(port));
}

/**
 * Is the label below the service one that only has names below it, an empty non-terminal (RFC 8020): the protocol of a named
 * port, or the cluster of an import's endpoints?
 */
export function isBetween(records: ServiceRecords, label: string): boolean {
  records.ports ??= portNodes(records);
  if (records.ports.has(withoutUnderscore(label))) return true;
  records.clusters ??= clustersOf(records);
  return records.clusters.has(label);
}

/** Of a headless service the endpoints in a topology zone, given as labels in wire form; undefined if there are none. */
export function topologyZoneNode(records: ServiceRecords, zone: string): ServiceNode | undefined {
  records.topologyZones ??= topologyZoneNodes(records);
  return records.topologyZones.get(zone);
}

/** All topology zones with endpoints, as `topologyZoneNode` takes them, in no order. */
export function topologyZoneNames(records: ServiceRecords): readonly string[] {
  records.topologyZones ??= topologyZoneNodes(records);
  return [...records.topologyZones.keys()].filter((zone) => zone !== '');
}

function aliasRecords(service: Service, front: string): ServiceRecords {
  // An address is not a name (RFC 1123 section 2.1), and a name that cannot be one says as little as none.
  if (isIP(service.externalName) !== 0) return NO_RECORDS;
  const alias = spellingOf(service.externalName);
  return {
    ...NO_RECORDS,
    alias,
    own: alias === undefined ? serviceNode(front, [], undefined) : undefined,
    front,
    life: new Life(),
  };
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

function endpointNodes({ slices, isImport, usesPodNames, front }: ServiceRecords): ReadonlyMap<string, ServiceNode> {
  const members = isImport ? importedMembers(slices, usesPodNames) : endpointMembers(slices, usesPodNames);
  // An imported endpoint of no known cluster has no name of its own.
  const named = members.filter(({ labels }) => labels !== '');
  return nodesBy((member) => member.labels, named, front);
}

function topologyZoneNodes({ own, front }: ServiceRecords): ReadonlyMap<string, ServiceNode> {
  return nodesBy((member) => member.topologyZone, own?.members ?? [], front);
}

function nodesBy(
  keyOf: (member: Member) => string,
  members: readonly Member[],
  front: string,
): ReadonlyMap<string, ServiceNode> {
  const groups = Map.groupBy(members, keyOf);
  return new Map(Array.from(groups, ([key, group]) => [key, serviceNode(front, group, undefined)]));
}

function clustersOf({ slices, isImport }: ServiceRecords): ReadonlySet<string> {
  const full = isImport ? slices.filter(hasReadyAddress) : [];
  return new Set(full.map(({ head }) => head.imported?.cluster ?? ''));
}

function portNodes({
  own,
  front,
  servicePorts,
}: ServiceRecords): ReadonlyMap<string, ReadonlyMap<string, ServiceNode>> {
  const nodes = new Map<string, Map<string, ServiceNode>>();
  const members = own?.members ?? [];
  for (const ports of new Set([servicePorts, ...members.map((member) => member.ports)])) {
    for (const { name, protocol } of ports) {
      if (name === '' || protocol === '') continue;
      const port = { name: name.toLowerCase(), protocol: protocol.toLowerCase() };
      const named = nodes.get(port.protocol) ?? new Map<string, ServiceNode>();
      nodes.set(port.protocol, named);
      if (!named.has(port.name)) named.set(port.name, serviceNode(front, members, port));
    }
  }
  return nodes;
}

function hasReadyAddress({ addresses }: ReadySlice): boolean {
  return addresses.length > 0;
}

function bySliceName(a: ReadySlice, b: ReadySlice): number {
  return a.head.name < b.head.name ? -1 : Number(a.head.name > b.head.name);
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}

/** Of a service that has no name: everything at and below it does not exist. */
const NO_RECORDS: ServiceRecords = {
  alias: undefined,
  own: undefined,
  isEmptyService: false,
  isHeadless: false,
  isImport: false,
  front: '',
  servicePorts: [],
  slices: [],
  usesPodNames: false,
  life: new Life(),
  endpoints: new Map(),
  clusters: new Set(),
  ports: new Map(),
  topologyZones: new Map(),
};
