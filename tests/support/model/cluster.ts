/**
 * The cluster as the options let it be seen: API objects read into what names are made of. Knows nothing of names or
 * questions.
 */

import { matcherFrom } from '../fake-api-selectors.ts';
import type { RawObject } from '../raw-objects.ts';
import { addressesAmong, dashed } from './address.ts';
import { isLabel, lower } from './name.ts';
import type { ModelOptions, World } from './world.ts';

export type Cluster = {
  /** Names of the namespaces that may be seen. */
  readonly namespaces: readonly string[];
  /** Names of those that `namespaces` leaves out. */
  readonly hidden: readonly string[];
  readonly local: Services;
  /** What other clusters of the set export (KEP-1645). */
  readonly imported: Services;
  readonly pods: readonly Pod[];
};

export type Services = { readonly services: readonly Service[]; readonly slices: readonly Slice[] };

export type Service = {
  readonly namespace: string;
  readonly name: string;
  /** Of an ExternalName service. */
  readonly alias: string | undefined;
  readonly isHeadless: boolean;
  readonly addresses: readonly string[];
  readonly ports: readonly Port[];
};

/** Without number a port has no SRV record. */
export type Port = { readonly name: string; readonly protocol: string; readonly number: number | undefined };

export const NO_PORT: Port = { name: '', protocol: '', number: undefined };

export type Slice = {
  readonly namespace: string;
  readonly service: string;
  /** Of an imported slice. */
  readonly cluster: string | undefined;
  readonly ports: readonly Port[];
  /** Ready ones, one for each address. */
  readonly endpoints: readonly Endpoint[];
};

export type Endpoint = {
  readonly address: string;
  /** Its label below the service (Kubernetes DNS spec 2.1, hostname). */
  readonly name: string;
  readonly topologyZone: string;
};

export type Pod = { readonly namespace: string; readonly addresses: readonly string[] };

/** A world does not change, and many questions are asked of it. */
const clusters = new WeakMap<World, Cluster>();

export function clusterOf(world: World): Cluster {
  const cluster = clusters.get(world) ?? clusterFrom(world);
  clusters.set(world, cluster);
  return cluster;
}

function clusterFrom({ objects, options }: World): Cluster {
  const selected = objects.filter(selectedBy(options.labels));
  const slices = selected
    .filter(({ kind }) => kind === 'EndpointSlice')
    .filter((slice) => options.endpoints === 'all' || !isOfClusterIP(slice));
  const namespaces = objects
    .filter(({ kind }) => kind === 'Namespace')
    .filter(selectedBy(options.namespaceLabels))
    .map(({ metadata }) => metadata.name);
  const isShown = (name: string): boolean => options.namespaces.length === 0 || options.namespaces.includes(name);
  return {
    namespaces: namespaces.filter(isShown),
    hidden: namespaces.filter((name) => !isShown(name)),
    local: {
      services: selected.filter(({ kind }) => kind === 'Service').map(serviceFrom),
      slices: options.noendpoints ? [] : slicesFrom(slices, 'kubernetes.io/service-name', options),
    },
    imported: {
      services: selected.filter(({ kind }) => kind === 'ServiceImport').map(importFrom),
      slices: slicesFrom(slices, 'multicluster.kubernetes.io/service-name', options),
    },
    pods: selected.filter(({ kind }) => kind === 'Pod').flatMap(podFrom),
  };
}

function selectedBy(labelSelector: string): (object: RawObject) => boolean {
  return matcherFrom(new URLSearchParams({ labelSelector }));
}

/** The EndpointSlice controller marks the slices that it makes for headless services, and leaves those of others alone. */
function isOfClusterIP({ metadata: { labels = {} } }: RawObject): boolean {
  const isControlled = labels['endpointslice.kubernetes.io/managed-by'] === 'endpointslice-controller.k8s.io';
  return isControlled && !Object.hasOwn(labels, 'service.kubernetes.io/headless');
}

type RawPort = { name?: string; protocol?: string; port?: number };

/** Services without ports have addresses all the same. */
function portsFrom(ports: readonly RawPort[] | undefined): readonly Port[] {
  if ((ports ?? []).length === 0) return [NO_PORT];
  return (ports ?? []).map(({ name, protocol, port }) => ({
    name: lower(name ?? ''),
    protocol: lower(protocol ?? ''),
    number: port ?? undefined,
  }));
}

/** Those of a Service or an import, where no protocol means TCP. */
function ownPortsFrom(ports: readonly RawPort[] | undefined): readonly Port[] {
  return portsFrom(ports?.map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' })));
}

type RawServiceSpec = {
  type?: string;
  clusterIP?: string;
  clusterIPs?: readonly string[];
  externalName?: string;
  ports?: readonly RawPort[];
};

function serviceFrom({ metadata, spec }: RawObject): Service {
  const { type, clusterIP, clusterIPs, externalName, ports } = (spec ?? {}) as RawServiceSpec;
  const isAlias = type === 'ExternalName';
  // What it may have left over of another type counts no more.
  const listed = (clusterIPs ?? []).length > 0 ? (clusterIPs ?? []) : [clusterIP ?? ''];
  const addresses = isAlias ? [] : listed;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    alias: isAlias ? (externalName ?? '') : undefined,
    isHeadless: addresses[0] === 'None',
    addresses: addressesAmong(addresses),
    ports: ownPortsFrom(ports),
  };
}

type RawImportSpec = { type?: string; ips?: readonly string[]; ports?: readonly RawPort[] };

function importFrom({ metadata, spec }: RawObject): Service {
  const { type, ips, ports } = (spec ?? {}) as RawImportSpec;
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    alias: undefined,
    isHeadless: type === 'Headless',
    addresses: addressesAmong(ips ?? []),
    ports: ownPortsFrom(ports),
  };
}

type RawEndpoint = {
  addresses?: readonly string[];
  conditions?: { ready?: boolean };
  hostname?: string;
  targetRef?: { name?: string };
  zone?: string;
};

/** The slices that name a service in the label; slices of names (addressType FQDN) hold no address. */
function slicesFrom(slices: readonly RawObject[], serviceLabel: string, options: ModelOptions): readonly Slice[] {
  return slices.flatMap((slice) => {
    const labels = slice.metadata.labels ?? {};
    const service = labels[serviceLabel] ?? '';
    if (!isLabel(service) || slice['addressType'] === 'FQDN') return [];
    const endpoints = (slice['endpoints'] ?? []) as readonly RawEndpoint[];
    const cluster = labels['multicluster.kubernetes.io/source-cluster'] ?? '';
    return {
      namespace: slice.metadata.namespace ?? '',
      service,
      cluster: isLabel(cluster) ? lower(cluster) : undefined,
      ports: portsFrom(slice['ports'] as readonly RawPort[] | undefined),
      endpoints: endpoints
        .filter(({ conditions }) => conditions?.ready ?? true)
        .flatMap((endpoint) =>
          addressesAmong(endpoint.addresses ?? []).map((address) => ({
            address,
            name: endpointName(endpoint, address, options),
            topologyZone: endpoint.zone ?? '',
          })),
        ),
    };
  });
}

function endpointName({ hostname, targetRef }: RawEndpoint, address: string, options: ModelOptions): string {
  if (isLabel(hostname ?? '')) return hostname ?? '';
  if (options.endpointPodNames && isLabel(targetRef?.name ?? '')) return targetRef?.name ?? '';
  return dashed(address);
}

type RawPodStatus = { phase?: string; podIP?: string; podIPs?: readonly { ip?: string }[] };

/** A pod that has ended has given its address back; one that is terminating has not. */
function podFrom({ metadata, status }: RawObject): readonly Pod[] {
  const { phase, podIP, podIPs } = (status ?? {}) as RawPodStatus;
  if (phase === 'Succeeded' || phase === 'Failed' || phase === 'Unknown') return [];
  const addresses = [podIP ?? '', ...(podIPs ?? []).map(({ ip }) => ip ?? '')];
  return [{ namespace: metadata.namespace ?? '', addresses: addressesAmong(addresses) }];
}
