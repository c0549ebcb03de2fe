/**
 * The objects of a large cluster as the API server writes them: everything that real ones carry, of which a DNS server needs little.
 * Sizes are those of production clusters: a Service 1.7 KB, a Pod 9.5 KB, an endpoint 0.3 KB. Knows no state.
 */

import { gap, jsonGap, templateOf } from './template.ts';

type Fields = { readonly [field: string]: unknown };

/** What an object of each kind is written with. Every text is a JSON object without its first `{`, kind and apiVersion. */
export const namespaceText: (values: Readonly<Record<'name' | 'uid' | 'version', string>>) => string = bodyOf(
  {
    metadata: metadataOf({ labels: { 'kubernetes.io/metadata.name': gap('name'), team: gap('name') } }),
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  },
  ['kubectl-create'],
);

type ServiceField = 'namespace' | 'name' | 'uid' | 'version';

export const clusterIPServiceText: (values: Readonly<Record<ServiceField | 'clusterIP', string>>) => string =
  serviceTextOf({ type: 'ClusterIP', clusterIP: gap('clusterIP'), clusterIPs: [gap('clusterIP')] });
export const headlessServiceText: (values: Readonly<Record<ServiceField, string>>) => string = serviceTextOf({
  type: 'ClusterIP',
  clusterIP: 'None',
  clusterIPs: ['None'],
});
export const externalNameServiceText: (values: Readonly<Record<ServiceField, string>>) => string = serviceTextOf({
  type: 'ExternalName',
  externalName: `${gap('name')}.example.org`,
});

/** `endpoints` is a JSON array; `labels` a JSON object. */
export const sliceText: (
  values: Readonly<Record<ServiceField | 'service' | 'labels' | 'endpoints' | 'time', string>>,
) => string = bodyOf(
  {
    metadata: {
      ...metadataOf({
        generateName: `${gap('service')}-`,
        namespace: gap('namespace'),
        annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': gap('time') },
        ownerReferences: [ownedBy('v1', 'Service', gap('service'))],
      }),
      labels: jsonGap('labels'),
    },
    addressType: 'IPv4',
    endpoints: jsonGap('endpoints'),
    ports: [{ name: 'http', protocol: 'TCP', port: 8080, appProtocol: 'http' }],
  },
  ['kube-controller-manager'],
);

export const endpointText: (
  values: Readonly<Record<'address' | 'ready' | 'terminating' | 'namespace' | 'pod' | 'uid' | 'node' | 'zone', string>>,
) => string = templateOf({
  addresses: [gap('address')],
  conditions: { ready: jsonGap('ready'), serving: jsonGap('ready'), terminating: jsonGap('terminating') },
  nodeName: gap('node'),
  targetRef: { kind: 'Pod', name: gap('pod'), namespace: gap('namespace'), uid: gap('uid') },
  zone: gap('zone'),
});

export const podText: (values: Readonly<Record<ServiceField | 'app' | 'address' | 'node', string>>) => string = bodyOf(
  {
    metadata: metadataOf({
      generateName: `${gap('app')}-6d5f8c7b9-`,
      namespace: gap('namespace'),
      labels: { 'app.kubernetes.io/name': gap('app'), 'pod-template-hash': '6d5f8c7b9' },
      annotations: {
        'prometheus.io/scrape': 'true',
        'prometheus.io/port': '9102',
        'kubectl.kubernetes.io/restartedAt': '2026-11-18T06:12:44Z',
        'example.org/config-checksum': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      },
      ownerReferences: [ownedBy('apps/v1', 'ReplicaSet', `${gap('app')}-6d5f8c7b9`)],
    }),
    spec: podSpec(),
    status: podStatus(),
  },
  ['kube-controller-manager', 'kubelet'],
);

function serviceTextOf<Field extends string>(spec: Fields): (values: Readonly<Record<Field, string>>) => string {
  const metadata = metadataOf({
    namespace: gap('namespace'),
    labels: { 'app.kubernetes.io/name': gap('name'), 'helm.sh/chart': 'service-2.3.1' },
    annotations: { 'meta.helm.sh/release-name': gap('name'), 'meta.helm.sh/release-namespace': gap('namespace') },
  });
  const ports = [
    { name: 'http', protocol: 'TCP', appProtocol: 'http', port: 80, targetPort: 'http' },
    { name: 'metrics', protocol: 'TCP', port: 9102, targetPort: 'metrics' },
  ];
  const selector = { 'app.kubernetes.io/name': gap('name') };
  const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', internalTrafficPolicy: 'Cluster' };
  return bodyOf(
    {
      metadata,
      spec: { ports, selector, sessionAffinity: 'None', ...families, ...spec },
      status: { loadBalancer: {} },
    },
    ['helm'],
  );
}

function podSpec(): Fields {
  const token = {
    name: 'kube-api-access-x7k2p',
    readOnly: true,
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  };
  const containers = ['app', 'proxy'].map((name) => ({
    name,
    image: `registry.example.org/${name}:2.3.1`,
    ports: [{ name: `${name}-http`, containerPort: 8080, protocol: 'TCP' }],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } },
      ...['LOG_LEVEL', 'REGION'].map((name) => ({ name, value: `${name}-value` })),
    ],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [{ name: 'config', mountPath: '/etc/app' }, token],
    livenessProbe: probe('/healthz'),
    readinessProbe: probe('/readyz'),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsNonRoot: true },
  }));
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  ];
  return {
    volumes: [
      { name: 'config', configMap: { name: 'config', defaultMode: 420 } },
      { name: 'kube-api-access-x7k2p', projected: { sources, defaultMode: 420 } },
    ],
    containers,
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    serviceAccountName: gap('app'),
    serviceAccount: gap('app'),
    nodeName: gap('node'),
    securityContext: { fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    schedulerName: 'default-scheduler',
    tolerations: ['not-ready', 'unreachable'].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    })),
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
  };
}

function podStatus(): Fields {
  const since = '2026-11-20T10:00:04Z';
  const conditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  return {
    phase: 'Running',
    conditions: conditions.map((type) => ({ type, status: 'True', lastTransitionTime: since })),
    hostIP: '192.0.2.7',
    hostIPs: [{ ip: '192.0.2.7' }],
    podIP: gap('address'),
    podIPs: [{ ip: gap('address') }],
    startTime: since,
    containerStatuses: ['app', 'proxy'].map((name) => ({
      name,
      state: { running: { startedAt: since } },
      lastState: {},
      ready: true,
      restartCount: 0,
      image: `registry.example.org/${name}:2.3.1`,
      imageID: `registry.example.org/${name}@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
      containerID: 'containerd://2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
      started: true,
    })),
    qosClass: 'Burstable',
  };
}

function probe(path: string): Fields {
  return { httpGet: { path, port: 8080, scheme: 'HTTP' }, timeoutSeconds: 1, periodSeconds: 10, failureThreshold: 3 };
}

function metadataOf(more: Fields): Fields {
  const creationTimestamp = '2026-11-20T10:00:00Z';
  return { name: gap('name'), uid: gap('uid'), resourceVersion: gap('version'), creationTimestamp, ...more };
}

function ownedBy(apiVersion: string, kind: string, name: string): Fields {
  const uid = 'ffffffff-0000-4000-8000-000000000000';
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** With managedFields (the names of all fields, once for each manager); the first `{` is left out. */
function bodyOf<Field extends string>(
  object: Fields & { readonly metadata: Fields },
  managers: readonly string[],
): (values: Readonly<Record<Field, string>>) => string {
  const { metadata, status, ...rest } = object;
  const desired = { metadata, ...rest };
  const managedFields = managers.map((manager, i) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-11-20T10:00:04Z',
    fieldsType: 'FieldsV1',
    // A second manager is the one that writes the status.
    fieldsV1: fieldNamesOf(i === 0 ? desired : { status }),
    ...(i === 0 ? {} : { subresource: 'status' }),
  }));
  const fill = templateOf<Field>({ metadata: { ...metadata, managedFields }, ...rest, status });
  return (values) => fill(values).slice(1);
}

/** As server-side apply writes them: `f:` before each field, elements of a list by their key. */
function fieldNamesOf(value: unknown): Fields {
  if (Array.isArray(value)) {
    const named = value.filter(
      (element: unknown) => typeof element === 'object' && element !== null && 'name' in element,
    );
    return Object.fromEntries(
      named.map((element: Fields) => [
        `k:{"name":"${String(element['name'])}"}`,
        { '.': {}, ...fieldNamesOf(element) },
      ]),
    );
  }
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [`f:${field}`, fieldNamesOf(inner)]));
}
