import test from 'ava';

import {
  MANIFEST_OBJECTS_MAX,
  manifestClusterFrom,
  presentPlace,
  selectionFrom,
  type ManifestCluster,
} from '../../../../zones/kubernetes/manifests/manifest-cluster.ts';
import { manifestObjectsFrom, type ManifestObject } from '../../../../zones/kubernetes/manifests/manifest-file.ts';
import type { ClusterObject, Kind, Pod } from '../../../../zones/kubernetes/objects.ts';

/** What a source is asked for, at most. */
const EVERYTHING = {
  endpointSlices: true,
  headlessOnly: false,
  imports: true,
  topologyZones: true,
  podNames: true,
  labels: '',
  namespaceLabels: '',
};
const SERVICE = `apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, labels: { team: a } }
spec:
  clusterIP: 10.96.0.1
  selector: { app: web }
  ports:
    - { name: http, port: 80 }
`;
const POD = `apiVersion: v1
kind: Pod
metadata: { name: web-1, namespace: shop, labels: { app: web, team: b } }
status: { podIP: 10.0.0.1 }
`;

test('a Service and its Pod become a namespace, a Service, a slice and a Pod', (t) => {
  const cluster = clusterOf(SERVICE, POD);
  t.deepEqual(cluster.complaints, []);
  t.deepEqual(cluster.notes, []);
  t.deepEqual(all(cluster, 'Namespace'), [{ kind: 'Namespace', namespace: '', name: 'shop' }]);
  t.deepEqual(
    all(cluster, 'Service').map(({ name }) => name),
    ['web'],
  );
  t.deepEqual(all(cluster, 'EndpointSlice'), [
    {
      kind: 'EndpointSlice',
      namespace: 'shop',
      name: 'web-ipv4-1',
      service: 'web',
      ports: [{ name: 'http', protocol: 'TCP', number: 80 }],
      endpoints: [{ addresses: ['10.0.0.1'], podName: 'web-1' }],
    },
  ]);
  t.deepEqual(
    all(cluster, 'Pod').map(({ name }) => name),
    ['web-1'],
  );
});

test('a hand-written slice is taken as it is', (t) => {
  const cluster = clusterOf(
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n' +
      'metadata: { name: x, namespace: shop, labels: { kubernetes.io/service-name: web } }\n' +
      'addressType: IPv4\nendpoints: [{ addresses: [10.0.0.1], hostname: a }, { addresses: [10.0.0.2], conditions: { ready: false } }]\n',
  );
  t.deepEqual(all(cluster, 'EndpointSlice'), [
    {
      kind: 'EndpointSlice',
      namespace: 'shop',
      name: 'x',
      service: 'web',
      ports: [],
      endpoints: [{ addresses: ['10.0.0.1'], hostname: 'a' }],
    },
  ]);
});

test('without a namespace an object is in default, as for kubectl', (t) => {
  const cluster = clusterOf('apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { clusterIP: None }\n');
  t.deepEqual(
    all(cluster, 'Service').map(({ namespace }) => namespace),
    ['default'],
  );
  t.deepEqual(
    all(cluster, 'Namespace').map(({ name }) => name),
    ['default'],
  );
});

const IMPORT = `apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: { name: web, namespace: shop, labels: { team: a } }
spec:
  type: ClusterSetIP
  ips: [10.112.0.1]
  ports: [{ name: http, port: 80 }]
`;
const IMPORTED_SLICE = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: imported-web
  namespace: shop
  labels: { team: a, multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east }
addressType: IPv4
endpoints: [{ addresses: [10.1.0.1], zone: Zone-A }]
`;

test('a ServiceImport and its slice are taken, and make a namespace', (t) => {
  const cluster = clusterOf(IMPORT, IMPORTED_SLICE);
  t.deepEqual(cluster.complaints, []);
  t.deepEqual(cluster.notes, []);
  t.deepEqual(
    all(cluster, 'Namespace').map(({ name }) => name),
    ['shop'],
  );
  t.deepEqual(all(cluster, 'ServiceImport'), [
    {
      kind: 'ServiceImport',
      namespace: 'shop',
      name: 'web',
      clusterIPs: ['10.112.0.1'],
      ports: [{ name: 'http', protocol: 'TCP', number: 80 }],
    },
  ]);
  t.deepEqual(all(cluster, 'EndpointSlice'), [
    {
      kind: 'EndpointSlice',
      namespace: 'shop',
      name: 'imported-web',
      service: '',
      imported: { service: 'web', cluster: 'east' },
      ports: [],
      endpoints: [{ addresses: ['10.1.0.1'], topologyZone: 0 }],
      topologyZones: ['zone-a'],
    },
  ]);
});

test('noendpoints: imported slices only, and they are of no Service', (t) => {
  const both = IMPORTED_SLICE.replace('imported-web', 'both').replace(
    'labels: {',
    'labels: { kubernetes.io/service-name: web,',
  );
  const objects = [SERVICE, POD, IMPORTED_SLICE, both].flatMap(
    (text) => manifestObjectsFrom('f.yaml', text).objects,
  );
  const slices = (labels: string): string[] => {
    const selection = selectionFrom({ ...EVERYTHING, endpointSlices: false, labels });
    const found = manifestClusterFrom(objects, selection).objects.get('EndpointSlice') ?? [];
    t.true(found.every((object) => object.kind === 'EndpointSlice' && object.service === ''));
    return found.map(({ name }) => name);
  };
  t.deepEqual(slices(''), ['imported-web', 'both']);
  t.deepEqual(slices('team in (a, b)'), ['imported-web', 'both']);
  t.deepEqual(slices('team=b'), []);
});

test('endpoints headless: not what the controller would make for a Service with a cluster IP, all else', (t) => {
  const headless = SERVICE.replaceAll('web', 'db').replace('10.96.0.1', 'None');
  const manual = (name: string, labels: string): string =>
    `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: ${name}, namespace: shop, labels: { kubernetes.io/service-name: web, team: a${labels} } }\naddressType: IPv4\nendpoints: []\n`;
  const pods = [POD, POD.replaceAll('web', 'db')];
  const objects = [SERVICE, headless, ...pods, IMPORTED_SLICE, manual('manual', '')].flatMap(
    (text) => manifestObjectsFrom('f.yaml', text).objects,
  );
  const slices = (headlessOnly: boolean, labels: string): string[] => {
    const selection = selectionFrom({ ...EVERYTHING, headlessOnly, labels });
    return (manifestClusterFrom(objects, selection).objects.get('EndpointSlice') ?? []).map(({ name }) => name);
  };
  t.deepEqual(slices(false, ''), ['imported-web', 'manual', 'web-ipv4-1', 'db-ipv4-1']);
  t.deepEqual(slices(true, ''), ['imported-web', 'manual', 'db-ipv4-1']);
  t.deepEqual(slices(true, 'team=b'), []);
});

test('label selectors choose objects as an API server would, and slices have the labels of their Service', (t) => {
  const texts = [SERVICE, POD, IMPORT, 'apiVersion: v1\nkind: Namespace\nmetadata: { name: bank, labels: { open: "yes" } }\n'];
  const selected = (others: string, namespaces: string): string[] => {
    const objects = texts.flatMap((text) => manifestObjectsFrom('f.yaml', text).objects);
    const selection = selectionFrom({ ...EVERYTHING, labels: others, namespaceLabels: namespaces });
    return [...manifestClusterFrom(objects, selection).objects.values()]
      .flat()
      .map(({ kind, name }) => `${kind} ${name}`);
  };
  t.deepEqual(selected('team=a', ''), [
    'Namespace bank',
    'Namespace shop',
    'Service web',
    'EndpointSlice web-ipv4-1',
    'ServiceImport web',
  ]);
  t.deepEqual(selected('team=b', 'open'), ['Namespace bank', 'Pod web-1']);
  t.deepEqual(selected('team=c', 'kubernetes.io/metadata.name=shop'), ['Namespace shop']);
});

const NOTES: readonly (readonly [text: string, level: 'info' | 'warning', says: RegExp])[] = [
  [
    'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n',
    'info',
    /^apps\/v1 Deployment is ignored \(first at 1\.yaml:1:1\)/,
  ],
  ['apiVersion: serving.knative.dev/v1\nkind: Service\n', 'info', /^serving\.knative\.dev\/v1 Service is ignored/],
  [
    'apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: x }\naddressType: IPv4\n',
    'warning',
    /^1\.yaml:3:11: EndpointSlice "default\/x" belongs to no Service/,
  ],
  [
    'apiVersion: v1\nkind: Endpoints\nmetadata: { name: x }\n',
    'warning',
    /^1\.yaml:3:11: Endpoints "default\/x" has no effect/,
  ],
];
for (const [text, level, says] of NOTES) {
  test(`note: ${text.replaceAll('\n', ' ').slice(0, 60)}`, (t) => {
    const { complaints, notes } = clusterOf(`${text}---\n${text.replace('name: x', 'name: x2')}`);
    t.deepEqual(complaints, []);
    t.is(notes[0]?.level, level);
    t.regex(notes[0]?.text ?? '', says);
    t.is(notes.length, level === 'info' ? 1 : 2);
  });
}

const FAULTS: readonly (readonly [text: string, complaint: string])[] = [
  [
    IMPORT.replace('ClusterSetIP', 'ClusterIP'),
    '1.yaml:5:9: ServiceImport "shop/web": spec.type must be ClusterSetIP or Headless, found "ClusterIP"',
  ],
  [
    IMPORT.replace('10.112.0.1', 'None'),
    '1.yaml:6:9: ServiceImport "shop/web": spec.ips[0] must be an IPv4 or IPv6 address, found "None"',
  ],
  [
    IMPORT.replace('port: 80', 'port: http'),
    '1.yaml:7:31: ServiceImport "shop/web": spec.ports[0].port must be a number from 1 to 65535, found "http"',
  ],
  [
    IMPORTED_SLICE.replace('Zone-A', 'a b'),
    '1.yaml:8:44: EndpointSlice "shop/imported-web": endpoints[0].zone must be the name of a topology zone: letters, digits and inner hyphens, underscores and dots, at most 63, found "a b"',
  ],
  [
    IMPORTED_SLICE.replace('service-name: web', 'service-name: a.b'),
    '1.yaml:6:63: EndpointSlice "shop/imported-web": metadata.labels["multicluster.kubernetes.io/service-name"] must be the name of a ServiceImport: a label of at most 63 lower-case letters, digits and inner hyphens, found "a.b"',
  ],
  ['kind: Service\n', '1.yaml:1:1: apiVersion must be a version, such as v1, found nothing'],
  ['apiVersion: v1\nkind: [Service]\n', '1.yaml:2:7: kind must be the name of a kind, such as Service, found a list'],
  [
    service('clusterIP: 10.96.0.1', 'ports: [{ port: http }]'),
    '1.yaml:6:19: Service "shop/web": spec.ports[0].port must be a number from 1 to 65535, found "http"',
  ],
  [
    service('clusterIP: 10.96.0.1', 'ports: { port: 80 }'),
    '1.yaml:6:10: Service "shop/web": spec.ports must be a list, found a mapping',
  ],
  [
    service('clusterIP: 10.96.0.1', 'ports: [{ port: 80, protocol: tcp }]'),
    '1.yaml:6:33: Service "shop/web": spec.ports[0].protocol must be TCP, UDP, SCTP, found "tcp"',
  ],
  [
    service('clusterIP: 10.96.0.1', 'ports: [{ port: 80, targetPort: 0 }]'),
    '1.yaml:6:35: Service "shop/web": spec.ports[0].targetPort must be a number from 1 to 65535, or the name of a container\'s port, found 0',
  ],
  [
    service('ports: []'),
    '1.yaml:5:3: Service "shop/web": spec.clusterIP must be an address, or None for a headless Service (there is no API server here to assign one), found nothing',
  ],
  [
    service('clusterIP: 10.96.0'),
    '1.yaml:5:14: Service "shop/web": spec.clusterIP must be an address, or None for a headless Service (there is no API server here to assign one), found "10.96.0"',
  ],
  [
    service('clusterIP: 10.96.0.1', "clusterIPs: ['10.96.0.2']"),
    '1.yaml:5:14: Service "shop/web": spec.clusterIP must be the first of spec.clusterIPs, found "10.96.0.1"',
  ],
  [
    service("clusterIPs: ['10.96.0.2', x]"),
    '1.yaml:5:29: Service "shop/web": spec.clusterIPs[1] must be an IPv4 or IPv6 address, found "x"',
  ],
  [
    service("clusterIPs: [None, 'fd00::1']"),
    '1.yaml:5:22: Service "shop/web": spec.clusterIPs[1] must be None, found "fd00::1"',
  ],
  [
    service('type: Headless'),
    '1.yaml:5:9: Service "shop/web": spec.type must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, found "Headless"',
  ],
  [
    service('type: ExternalName'),
    '1.yaml:5:3: Service "shop/web": spec.externalName must be a host name, found nothing',
  ],
  [
    service('type: ExternalName', 'externalName: http://x'),
    '1.yaml:6:17: Service "shop/web": spec.externalName must be a host name, found "http://x"',
  ],
  [
    service('clusterIP: None', 'selector: { app: 1 }'),
    '1.yaml:6:20: Service "shop/web": spec.selector.app must be text (put numbers, true and false in quotes), found 1',
  ],
  [
    service('clusterIP: None', 'selector: web'),
    '1.yaml:6:13: Service "shop/web": spec.selector must be a mapping, found "web"',
  ],
  [
    service('clusterIP: None', 'ipFamilies: [ipv4]'),
    '1.yaml:6:16: Service "shop/web": spec.ipFamilies[0] must be IPv4 or IPv6, found "ipv4"',
  ],
  [
    service('clusterIP: None', 'publishNotReadyAddresses: "true"'),
    '1.yaml:6:29: Service "shop/web": spec.publishNotReadyAddresses must be true or false, found "true"',
  ],
  [
    'apiVersion: v1\nkind: Service\nmetadata: { name: Web }\nspec: { clusterIP: None }\n',
    '1.yaml:3:19: Service "Web": metadata.name must be a label of at most 63 lower-case letters, digits and inner hyphens, found "Web"',
  ],
  [
    'apiVersion: v1\nkind: Namespace\n',
    '1.yaml:1:1: Namespace: metadata.name must be a label of at most 63 lower-case letters, digits and inner hyphens, found nothing',
  ],
  [
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { x/y: true } }\n',
    '1.yaml:3:37: Namespace "a": metadata.labels["x/y"] must be text (put numbers, true and false in quotes), found true',
  ],
  [
    slice('addressType: IP'),
    '1.yaml:4:14: EndpointSlice "default/x": addressType must be IPv4, IPv6 or FQDN, found "IP"',
  ],
  [
    slice('addressType: IPv4', 'endpoints: [{ addresses: [] }]'),
    '1.yaml:5:26: EndpointSlice "default/x": endpoints[0].addresses must be a list of one address or more, found an empty list',
  ],
  [
    slice('addressType: IPv4', 'endpoints: [{ addresses: [a.example] }]'),
    '1.yaml:5:27: EndpointSlice "default/x": endpoints[0].addresses[0] must be an IPv4 or IPv6 address, found "a.example"',
  ],
  [
    slice('addressType: IPv4', 'endpoints: [{ addresses: [10.0.0.1], conditions: { ready: yes } }]'),
    '1.yaml:5:59: EndpointSlice "default/x": endpoints[0].conditions.ready must be true or false, found "yes"',
  ],
  [
    slice('addressType: IPv4', 'endpoints: [{ addresses: [10.0.0.1], hostname: a.b }]'),
    '1.yaml:5:48: EndpointSlice "default/x": endpoints[0].hostname must be a label of at most 63 lower-case letters, digits and inner hyphens, found "a.b"',
  ],
  [
    'apiVersion: v1\nkind: Endpoints\nmetadata: { name: x }\nsubsets: [{ addresses: [10.0.0.1] }]\n',
    '1.yaml:4:25: Endpoints "x": subsets[0].addresses[0].ip must be an IPv4 or IPv6 address, found nothing',
  ],
  [
    'apiVersion: v1\nkind: Endpoints\nmetadata: { name: x }\nsubsets: [{ ports: [{ name: a }] }]\n',
    '1.yaml:4:21: Endpoints "x": subsets[0].ports[0].port must be a number from 1 to 65535, found nothing',
  ],
  [pod('status: { podIP: x }'), '1.yaml:4:18: Pod "p": status.podIP must be an IPv4 or IPv6 address, found "x"'],
  [
    pod('status: { conditions: [{ type: Ready, status: True }] }'),
    "1.yaml:4:47: Pod \"p\": status.conditions[0].status must be 'True', 'False' or 'Unknown', with the quotes, found true",
  ],
  [
    pod('status: { phase: running }'),
    '1.yaml:4:18: Pod "p": status.phase must be one of Pending, Running, Succeeded, Failed, Unknown, found "running"',
  ],
  [
    pod('spec: { containers: [{ ports: [{ containerPort: 0 }] }] }'),
    '1.yaml:4:49: Pod "p": spec.containers[0].ports[0].containerPort must be a number from 1 to 65535, found 0',
  ],
  [
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, annotations: { x/y: false } }\n',
    '1.yaml:3:42: Namespace "a": metadata.annotations["x/y"] must be text (put numbers, true and false in quotes), found false',
  ],
  [
    pod('spec: { dnsPolicy: none }'),
    '1.yaml:4:20: Pod "p": spec.dnsPolicy must be one of ClusterFirst, ClusterFirstWithHostNet, Default, None, found "none"',
  ],
  [
    pod('spec: { dnsConfig: { searches: [., a b] } }'),
    '1.yaml:4:36: Pod "p": spec.dnsConfig.searches[1] must be a domain name, found "a b"',
  ],
  [
    pod('spec: { dnsConfig: { options: [{ name: ndots, value: 2 }] } }'),
    '1.yaml:4:54: Pod "p": spec.dnsConfig.options[0].value must be text (put numbers in quotes), found 2',
  ],
  [
    `${SERVICE}---\n${SERVICE.replace('10.96.0.1', '10.96.0.2')}`,
    '1.yaml:12:19: Service "shop/web" must be there once, found it also at 1.yaml:1:1',
  ],
  [
    `${SERVICE}---\n${SERVICE.replace('web', 'two')}`,
    '1.yaml:14:14: Service "shop/two": spec.clusterIP must be an address of its own, found 10.96.0.1, which Service "shop/web" has',
  ],
];
for (const [text, complaint] of FAULTS) {
  test(`complaint: ${complaint}`, (t) => {
    const { complaints, objects } = clusterOf(text);
    t.deepEqual(
      complaints.map(({ place, text }) => `${presentPlace(place)}: ${text}`),
      [complaint],
    );
    t.is(objects.size, 0);
  });
}

test('a Namespace may refuse search completion, and a Pod may have a resolver of its own', (t) => {
  const cluster = clusterOf(
    SERVICE,
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: bank, annotations: { fivedots.dev/search-completion: off } }\n',
    pod('spec: { dnsPolicy: None, dnsConfig: { searches: [Corp.example.], options: [{ name: ndots, value: "1" }] } }'),
  );
  t.deepEqual(cluster.complaints, []);
  t.deepEqual(all(cluster, 'Namespace'), [
    { kind: 'Namespace', namespace: '', name: 'bank', refusesCompletion: true },
    { kind: 'Namespace', namespace: '', name: 'shop' },
    { kind: 'Namespace', namespace: '', name: 'default' },
  ]);
  const [{ resolver } = {}] = all(cluster, 'Pod') as readonly Pod[];
  t.deepEqual(resolver, { policy: 'None', searches: ['corp.example'], ndots: 1 });
});

test('all that is wrong is told at once', (t) => {
  const { complaints } = clusterOf(service('clusterIP: x', 'ports: [{ port: a }, { port: b }]'));
  t.is(complaints.length, 3);
});

test('there is a limit to the objects of a folder', (t) => {
  const everything = selectionFrom(EVERYTHING);
  const namespaces = (count: number): ManifestObject[] =>
    Array.from({ length: count }, (_, i) => ({
      raw: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `n${i}` } },
      place: () => ({ file: 'f.yaml', line: i + 1, column: 1 }),
    }));
  t.deepEqual(manifestClusterFrom(namespaces(MANIFEST_OBJECTS_MAX), everything).complaints, []);
  const { complaints } = manifestClusterFrom(namespaces(MANIFEST_OBJECTS_MAX + 1), everything);
  t.is(complaints[0]?.place.line, MANIFEST_OBJECTS_MAX + 1);
  t.regex(complaints[0]?.text ?? '', /at most 50000 objects are taken from a folder, found 50001/);
});

/** Each text is a file: `1.yaml`, `2.yaml` … */
function clusterOf(...texts: readonly string[]): ManifestCluster {
  const everything = selectionFrom(EVERYTHING);
  const files = texts.map((text, i) => manifestObjectsFrom(`${i + 1}.yaml`, text));
  return manifestClusterFrom(
    files.flatMap(({ objects }) => objects),
    everything,
  );
}

function all(cluster: ManifestCluster, kind: Kind): readonly ClusterObject[] {
  return cluster.objects.get(kind) ?? [];
}

function service(...lines: readonly string[]): string {
  const spec = lines.map((line) => `  ${line}\n`).join('');
  return `apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\nspec:\n${spec}`;
}

function slice(...lines: readonly string[]): string {
  return `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: x, namespace: default }\n${lines.join('\n')}\n`;
}

function pod(line: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: p }\n${line}\n`;
}
