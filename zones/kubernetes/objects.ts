/**
 * Kubernetes objects trimmed to what an answer can depend on: each field costs memory times the size of the cluster.
 * Plain data that survives structuredClone, for it crosses threads. Knows nothing of names or records.
 */

import type { Count } from '../units.ts';

/** The watched resources. */
export type Kind = 'Namespace' | 'Service' | 'EndpointSlice' | 'Pod' | 'ServiceImport';
export const KINDS: readonly Kind[] = ['Namespace', 'Service', 'EndpointSlice', 'Pod', 'ServiceImport'];

/** Namespace, core/v1. `namespace` is always empty. */
export type Namespace = {
  readonly kind: 'Namespace';
  readonly namespace: '';
  readonly name: string;
  /** Annotation fivedots.dev/search-completion is `off`: no pod's search list is walked for it there. Absent otherwise. */
  readonly refusesCompletion?: true;
};

/** A port of a Service or of an EndpointSlice. An absent number (slices only) is -1, an absent name is empty. */
export type Port = { readonly name: string; readonly protocol: string; readonly number: number };

/** Service, core/v1. */
export type Service = {
  readonly kind: 'Service';
  readonly namespace: string;
  readonly name: string;
  /** `ExternalName`, `ClusterIP`, `NodePort` or `LoadBalancer`. */
  readonly type: string;
  /** spec.clusterIPs, or spec.clusterIP alone; `['None']` is a headless Service; empty strings are left out. */
  readonly clusterIPs: readonly string[];
  /** spec.externalName; empty unless the type is ExternalName. */
  readonly externalName: string;
  readonly ports: readonly Port[];
};

/** An endpoint that is ready (`conditions.ready` true or absent). Others are not kept. */
export type Endpoint = {
  readonly addresses: readonly string[];
  /** Set by the EndpointSlice controller for pods with hostname and subdomain; absent if it has none. */
  readonly hostname?: string;
  /** targetRef.name, in all likelihood that of a Pod; kept only where a zone names endpoints after it. Absent if it has none. */
  readonly podName?: string;
  /** Where in the slice's `topologyZones` its topology zone stands: a text for each endpoint would cost 32 octets. Absent if it has none. */
  readonly topologyZone?: number;
};

/** EndpointSlice, discovery.k8s.io/v1. Slices of addressType FQDN are kept without endpoints. */
export type EndpointSlice = {
  readonly kind: 'EndpointSlice';
  readonly namespace: string;
  readonly name: string;
  /** Label kubernetes.io/service-name; empty if absent. */
  readonly service: string;
  /** Set for a slice that comes from another cluster; kept only where a zone shows imported services. */
  readonly imported?: ImportedFrom;
  readonly ports: readonly Port[];
  readonly endpoints: readonly Endpoint[];
  /** The topology zones of its endpoints, each once, in lower case; kept only where a zone has names for them. */
  readonly topologyZones?: readonly string[];
};

/** Labels of an imported EndpointSlice (KEP-1645, Multi-Cluster Services API). */
export type ImportedFrom = {
  /** multicluster.kubernetes.io/service-name: the name of its ServiceImport. */
  readonly service: string;
  /** multicluster.kubernetes.io/source-cluster; empty if it is absent or cannot be a label of a name. */
  readonly cluster: string;
};

/** ServiceImport, multicluster.x-k8s.io/v1alpha1: a service of all clusters in a clusterset. */
export type ServiceImport = {
  readonly kind: 'ServiceImport';
  readonly namespace: string;
  readonly name: string;
  /** spec.ips; `['None']` where the type is Headless, as in a Service. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly Port[];
};

/** Pod, core/v1; kept only where pods are watched. */
export type Pod = {
  readonly kind: 'Pod';
  readonly namespace: string;
  readonly name: string;
  /** status.podIPs, or status.podIP alone. */
  readonly addresses: readonly string[];
  /** spec.hostNetwork: its addresses are those of its node, and of others there. */
  readonly hostNetwork: boolean;
  /** Absent where the cluster's resolver is used as it is, which is nearly everywhere. */
  readonly resolver?: PodResolver;
};

/** A Pod's spec.dnsPolicy and spec.dnsConfig. On the host's network the kubelet takes ClusterFirst for Default. */
export type PodResolver = {
  /** `ClusterFirst` stands for `ClusterFirstWithHostNet` as well. */
  readonly policy: 'ClusterFirst' | 'Default' | 'None';
  /** dnsConfig.searches, in its order: lower case, no final dot but that of the root, `.`; at most 32. */
  readonly searches: readonly string[];
  /** Option `ndots` of dnsConfig, 0 to 15; absent if it has none. */
  readonly ndots?: Count;
};

export type ClusterObject = Namespace | Service | EndpointSlice | Pod | ServiceImport;

/** One step of a cluster's state. A sequence of them, applied in order, is the state. */
export type ClusterChange =
  | { readonly verb: 'put'; readonly object: ClusterObject }
  | { readonly verb: 'remove'; readonly kind: Kind; readonly namespace: string; readonly name: string }
  /** All objects of that kind are known from here on (it never reverts). */
  | { readonly verb: 'whole'; readonly kind: Kind }
  /** Of that kind everything is known that a snapshot had, which is what there once was. */
  | { readonly verb: 'loaded'; readonly kind: Kind };
