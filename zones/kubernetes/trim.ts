/**
 * Raw API objects, JSON or YAML and hostile, to trimmed ones: a bad part is left out, the rest is kept.
 * Knows nothing of where they come from, and never throws.
 */

import { isIP } from 'node:net';

import {
  addressTextFrom,
  fieldsOf,
  isAbsent,
  isHostName,
  isLabel,
  isPortNumber,
  isSubdomain,
  isTopologyZone,
  listOf,
  type Fields,
} from './api-values.ts';
import type {
  ClusterObject,
  Endpoint,
  EndpointSlice,
  ImportedFrom,
  Kind,
  Namespace,
  Pod,
  Port,
  Service,
  ServiceImport,
} from './objects.ts';
import { podResolverFrom } from './pod-resolver.ts';

/** Says, with the value `off`, that no search list is to be walked for the pods of a Namespace. */
export const SEARCH_COMPLETION_ANNOTATION = 'fivedots.dev/search-completion';
export const SEARCH_COMPLETION_OFF = 'off';

/** Names the Service an EndpointSlice belongs to. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** Names the ServiceImport that an EndpointSlice from another cluster belongs to (KEP-1645). */
export const IMPORT_NAME_LABEL = 'multicluster.kubernetes.io/service-name';
/** Names the cluster that it comes from. */
export const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster';

/** Names the controller that an EndpointSlice belongs to. */
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
/** The controller that makes the slices of Services with a selector. */
export const ENDPOINTSLICE_CONTROLLER = 'endpointslice-controller.k8s.io';
/** That controller marks the slices of headless Services with it. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** What stands in clusterIPs of a headless Service. */
export const HEADLESS = 'None';

/** Fields of EndpointSlices that not everybody needs; they are named as in `SourceOptions`. */
export type TrimOptions = {
  /** Keep `service`? */
  readonly endpointSlices: boolean;
  /** Keep `imported`? */
  readonly imports: boolean;
  /** Keep `topologyZones`? */
  readonly topologyZones: boolean;
  /** Keep `podName`? */
  readonly podNames: boolean;
};

/**
 * The few fields an answer can depend on. Undefined if the object has no usable name, or if it is a Pod that has ended. The
 * API server has validated what it stores, but not against every version of its rules, and a file nobody has.
 */
export function trim(kind: Kind, raw: unknown, options: TrimOptions = SERVICES_ONLY): ClusterObject | undefined {
  return TRIMMERS[kind](fieldsOf(raw), options);
}

/** The addresses that an EndpointSlice has in its endpoints that are not ready, which `trim` leaves out. */
export function notReadyAddresses(raw: unknown): readonly string[] {
  return listOf(fieldsOf(raw)['endpoints'])
    .filter((endpoint) => !isReady(fieldsOf(endpoint)))
    .flatMap((endpoint) => mapKept(listOf(fieldsOf(endpoint)['addresses']), addressTextFrom) ?? NO_TEXTS);
}

function namespaceFrom(object: Fields): Namespace | undefined {
  const { name, annotations } = fieldsOf(object['metadata']);
  if (!isLabel(name)) return undefined;
  const isRefused = fieldsOf(annotations)[SEARCH_COMPLETION_ANNOTATION] === SEARCH_COMPLETION_OFF;
  return { kind: 'Namespace', namespace: '', name, ...(isRefused ? { refusesCompletion: true } : undefined) };
}

function serviceFrom(object: Fields): Service | undefined {
  const { name, namespace } = fieldsOf(object['metadata']);
  if (!isLabel(name) || !isLabel(namespace)) return undefined;
  const spec = fieldsOf(object['spec']);
  const type = serviceTypeFrom(spec['type']);
  const isAlias = type === 'ExternalName';
  return {
    kind: 'Service',
    namespace,
    name,
    type,
    clusterIPs: isAlias ? NO_TEXTS : clusterIPsFrom(spec),
    externalName: isAlias ? externalNameFrom(spec['externalName']) : '',
    ports: mapKept(listOf(spec['ports']), servicePortFrom) ?? NO_PORTS,
  };
}

function endpointSliceFrom(object: Fields, options: TrimOptions): EndpointSlice | undefined {
  const { name, namespace, labels } = fieldsOf(object['metadata']);
  if (!isSubdomain(name) || !isLabel(namespace)) return undefined;
  const service = options.endpointSlices ? fieldsOf(labels)[SERVICE_NAME_LABEL] : '';
  const imported = options.imports ? importedFrom(fieldsOf(labels)) : undefined;
  const topologyZones = new Map<string, number>();
  const readEndpoint = (raw: unknown): Endpoint | undefined => {
    const endpoint = endpointFrom(raw, options.podNames);
    return endpoint !== undefined && options.topologyZones ? inZone(endpoint, raw, topologyZones) : endpoint;
  };
  // A name as an "endpoint" would be an alias beside other records (RFC 2181 section 10.1).
  const endpoints = object['addressType'] === 'FQDN' ? undefined : mapKept(listOf(object['endpoints']), readEndpoint);
  return {
    kind: 'EndpointSlice',
    namespace,
    name,
    service: isLabel(service) ? service : '',
    ...(imported === undefined ? undefined : { imported }),
    ports: mapKept(listOf(object['ports']), slicePortFrom) ?? NO_PORTS,
    endpoints: endpoints ?? NO_ENDPOINTS,
    ...(topologyZones.size === 0 ? undefined : { topologyZones: [...topologyZones.keys()] }),
  };
}

/** Label values may have upper case, and dots, which would make two labels of a name of one cluster. */
function importedFrom(labels: Fields): ImportedFrom | undefined {
  const service = labels[IMPORT_NAME_LABEL];
  const cluster = labels[SOURCE_CLUSTER_LABEL];
  if (!isLabel(service)) return undefined;
  const label = typeof cluster === 'string' ? cluster.toLowerCase() : '';
  return { service, cluster: isLabel(label) ? label : '' };
}

function serviceImportFrom(object: Fields): ServiceImport | undefined {
  const { name, namespace } = fieldsOf(object['metadata']);
  if (!isLabel(name) || !isLabel(namespace)) return undefined;
  const { type, ips, ports } = fieldsOf(object['spec']);
  return {
    kind: 'ServiceImport',
    namespace,
    name,
    clusterIPs: type === 'Headless' ? NO_CLUSTER_IP : (mapKept(listOf(ips), addressTextFrom) ?? NO_TEXTS),
    ports: mapKept(listOf(ports), servicePortFrom) ?? NO_PORTS,
  };
}

/** A Pod on its way out keeps its address until it is gone, which may take hours, and so its name. */
function podFrom(object: Fields): Pod | undefined {
  const { name, namespace } = fieldsOf(object['metadata']);
  if (!isSubdomain(name) || !isLabel(namespace)) return undefined;
  const { podIPs, podIP, phase } = fieldsOf(object['status']);
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Unknown') return undefined;
  const single = addressTextFrom(podIP);
  const spec = fieldsOf(object['spec']);
  const resolver = podResolverFrom(spec);
  return {
    kind: 'Pod',
    namespace,
    name,
    addresses:
      mapKept(listOf(podIPs), (entry) => addressTextFrom(fieldsOf(entry)['ip'])) ??
      (single === undefined ? NO_TEXTS : [single]),
    hostNetwork: spec['hostNetwork'] === true,
    ...(resolver === undefined ? undefined : { resolver }),
  };
}

/** The API server fills in `ClusterIP`; a file may leave it out. */
function serviceTypeFrom(value: unknown): string {
  return value === 'ExternalName' || value === 'NodePort' || value === 'LoadBalancer' ? value : 'ClusterIP';
}

function clusterIPsFrom({ clusterIPs, clusterIP }: Fields): readonly string[] {
  const list = listOf(clusterIPs);
  if (list[0] === HEADLESS) return NO_CLUSTER_IP;
  const addresses = mapKept(list, addressTextFrom);
  if (addresses !== undefined) return addresses;
  if (clusterIP === HEADLESS) return NO_CLUSTER_IP;
  const single = addressTextFrom(clusterIP);
  return single === undefined ? NO_TEXTS : [single];
}

function externalNameFrom(value: unknown): string {
  return isHostName(value) || (typeof value === 'string' && isIP(value) !== 0) ? value : '';
}

/** The API server fills in `TCP`; a file may leave it out. */
function servicePortFrom(raw: unknown): Port | undefined {
  const { name, protocol, port } = fieldsOf(raw);
  return isPortNumber(port) ? portFrom(name, isAbsent(protocol) ? 'TCP' : protocol, port) : undefined;
}

/** In a slice "no number" means every port, and nothing is filled in. */
function slicePortFrom(raw: unknown): Port | undefined {
  const { name, protocol, port } = fieldsOf(raw);
  const number = isAbsent(port) ? NO_NUMBER : port;
  return isPortNumber(number) || number === NO_NUMBER
    ? portFrom(name, isAbsent(protocol) ? '' : protocol, number)
    : undefined;
}

function portFrom(name: unknown, protocol: unknown, number: number): Port | undefined {
  const label = isAbsent(name) ? '' : name;
  if (label !== '' && !isLabel(label)) return undefined;
  if (protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'SCTP' && protocol !== '') return undefined;
  return { name: label, protocol, number };
}

/** A host name or pod name that cannot be a label is as good as none: the endpoint is then named after its address. */
function endpointFrom(raw: unknown, keepsPodName: boolean): Endpoint | undefined {
  const endpoint = fieldsOf(raw);
  if (!isReady(endpoint)) return undefined;
  const { addresses, hostname, targetRef } = endpoint;
  const texts = mapKept(listOf(addresses), addressTextFrom);
  if (texts === undefined) return undefined;
  const podName = keepsPodName ? fieldsOf(targetRef)['name'] : undefined;
  return {
    addresses: texts,
    ...(isLabel(hostname) ? { hostname } : undefined),
    ...(isLabel(podName) ? { podName } : undefined),
  };
}

/** `ready` unset counts as ready (EndpointConditions in discovery.k8s.io/v1). */
function isReady(endpoint: Fields): boolean {
  const { ready } = fieldsOf(endpoint['conditions']);
  return isAbsent(ready) || ready === true;
}

/** The endpoint with its topology zone, which is entered into `topologyZones`, numbered as they come. */
function inZone(endpoint: Endpoint, raw: unknown, topologyZones: Map<string, number>): Endpoint {
  const { zone } = fieldsOf(raw);
  if (!isTopologyZone(zone)) return endpoint;
  const name = zone.toLowerCase();
  const number = topologyZones.get(name) ?? topologyZones.size;
  topologyZones.set(name, number);
  return { ...endpoint, topologyZone: number };
}

/** The results that are not undefined; undefined if there is none, so that the caller can share an empty list. */
function mapKept<T>(values: readonly unknown[], read: (value: unknown) => T | undefined): T[] | undefined {
  const kept: T[] = [];
  for (const value of values) {
    const result = read(value);
    if (result !== undefined) kept.push(result);
  }
  return kept.length === 0 ? undefined : kept;
}

const TRIMMERS: { readonly [K in Kind]: (object: Fields, options: TrimOptions) => ClusterObject | undefined } = {
  Namespace: namespaceFrom,
  Service: serviceFrom,
  EndpointSlice: endpointSliceFrom,
  Pod: podFrom,
  ServiceImport: serviceImportFrom,
};

const SERVICES_ONLY: TrimOptions = { endpointSlices: true, imports: false, topologyZones: false, podNames: false };

const NO_NUMBER = -1;
const NO_TEXTS: readonly string[] = [];
const NO_CLUSTER_IP: readonly string[] = [HEADLESS];
const NO_PORTS: readonly Port[] = [];
const NO_ENDPOINTS: readonly Endpoint[] = [];
