/** Objects as an API server sends them: whole, managedFields included. Knows nothing of what is done with them. */

/** A JSON object of the Kubernetes API. */
export type RawObject = {
  kind: string;
  apiVersion: string;
  metadata: RawMetadata;
  [field: string]: unknown;
};

export type RawMetadata = {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  [field: string]: unknown;
};

export function rawNamespace(name: string, labels: Record<string, string> = {}): RawObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: metadata(name, undefined, { 'kubernetes.io/metadata.name': name, ...labels }),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

/** A Service; `spec` is laid over that of a ClusterIP service with one HTTP port. */
export function rawService(
  namespace: string,
  name: string,
  spec: Record<string, unknown> = {},
  labels: Record<string, string> = {},
): RawObject {
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: metadata(name, namespace, labels),
    spec: {
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
      selector: { app: name },
      clusterIP: '10.96.0.10',
      clusterIPs: ['10.96.0.10'],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      ...spec,
    },
    status: { loadBalancer: {} },
  };
}

/** An endpoint of an EndpointSlice: ready, backed by a pod if `podName` is given. */
export type RawEndpoint = { address: string; hostname?: string; podName?: string; ready?: boolean; zone?: string };

/** An EndpointSlice of a Service with one HTTP port. */
export function rawSlice(
  namespace: string,
  service: string,
  suffix: string,
  endpoints: readonly RawEndpoint[],
  fields: Record<string, unknown> = {},
): RawObject {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: {
      ...metadata(`${service}-${suffix}`, namespace, {
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      }),
      generateName: `${service}-`,
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-20T10:00:00.123456789Z' },
    },
    addressType: endpoints.some(({ address }) => address.includes(':')) ? 'IPv6' : 'IPv4',
    endpoints: endpoints.map(({ address, hostname, podName, ready = true, zone }) => ({
      addresses: [address],
      conditions: { ready, serving: ready, terminating: false },
      ...(hostname === undefined ? {} : { hostname }),
      ...(podName === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: podName, uid: 'pod-uid' } }),
      nodeName: 'node-1',
      ...(zone === undefined ? {} : { zone }),
    })),
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    ...fields,
  };
}

/** A slice that was imported from a cluster, with one HTTP port. */
export function rawImportedSlice(
  namespace: string,
  service: string,
  cluster: string,
  endpoints: readonly RawEndpoint[],
): RawObject {
  const slice = rawSlice(namespace, service, cluster, endpoints);
  const labels = {
    'multicluster.kubernetes.io/service-name': service,
    'multicluster.kubernetes.io/source-cluster': cluster,
    'endpointslice.kubernetes.io/managed-by': 'mcs-controller.example.org',
  };
  return { ...slice, metadata: { ...slice.metadata, labels } };
}

/** A ServiceImport with one HTTP port; without addresses it is headless. */
export function rawServiceImport(
  namespace: string,
  name: string,
  ips: readonly string[],
  labels: Record<string, string> = {},
): RawObject {
  return {
    kind: 'ServiceImport',
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    metadata: metadata(name, namespace, labels),
    spec: {
      type: ips.length === 0 ? 'Headless' : 'ClusterSetIP',
      ips,
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
      sessionAffinity: 'None',
    },
    status: { clusters: [{ cluster: 'east' }] },
  };
}

/** A running Pod. */
export function rawPod(namespace: string, name: string, ip: string, phase = 'Running'): RawObject {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: metadata(name, namespace, { app: name }),
    spec: { containers: [{ name: 'main', image: 'example.com/main:1', resources: {} }], nodeName: 'node-1' },
    status: { phase, hostIP: '192.0.2.1', podIP: ip, podIPs: [{ ip }], qosClass: 'BestEffort' },
  };
}

let uids = 0;

function metadata(name: string, namespace: string | undefined, labels: Record<string, string>): RawMetadata {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: `00000000-0000-4000-8000-${String(++uids).padStart(12, '0')}`,
    creationTimestamp: '2026-11-20T10:00:00Z',
    labels,
    managedFields: [
      {
        manager: 'kube-controller-manager',
        operation: 'Update',
        apiVersion: 'v1',
        time: '2026-11-20T10:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } }, 'f:spec': { 'f:type': {} } },
      },
    ],
  };
}
