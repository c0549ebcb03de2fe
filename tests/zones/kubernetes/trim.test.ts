import { isIP } from 'node:net';

import test from 'ava';
import fc from 'fast-check';

import { fieldsOf } from '../../../zones/kubernetes/api-values.ts';
import { KINDS, type ClusterObject, type Kind } from '../../../zones/kubernetes/objects.ts';
import { notReadyAddresses, trim, type TrimOptions } from '../../../zones/kubernetes/trim.ts';

type Case = {
  readonly name: string;
  readonly raw: unknown;
  readonly expected: Readonly<Record<string, unknown>> | undefined;
};

/** The API writes it; we have no word for it. */
const NULL: unknown = JSON.parse('null');
const METADATA = { name: 'web', namespace: 'shop' };
const LONGEST = 'a'.repeat(63);
const X16 = 'x'.repeat(16);
const IMPORT = 'multicluster.kubernetes.io/service-name';
const COMPLETION = 'fivedots.dev/search-completion';
const CLUSTER = 'multicluster.kubernetes.io/source-cluster';

function table(kind: Kind, cases: readonly Case[], options?: TrimOptions): void {
  for (const { name, raw, expected } of cases) {
    test(`${kind}: ${name}`, (t) => {
      const object = trim(kind, raw, options);
      if (expected === undefined) t.is(object, undefined);
      else
        for (const [field, value] of Object.entries(expected))
          t.deepEqual(new Map(Object.entries(object ?? {})).get(field), value, field);
    });
  }
}

for (const kind of KINDS) {
  const nothing = [
    undefined,
    NULL,
    0,
    '',
    'text',
    [],
    {},
    { metadata: NULL },
    { metadata: { name: 7, namespace: 'shop' } },
  ];
  for (const raw of nothing) {
    test(`${kind}: ${JSON.stringify(raw) ?? 'undefined'} has no usable name`, (t) => t.is(trim(kind, raw), undefined));
  }
}

table('Namespace', [
  {
    name: 'the name is all',
    raw: { metadata: { name: 'shop' } },
    expected: { kind: 'Namespace', namespace: '', name: 'shop' },
  },
  {
    name: 'a name like a property of every object is a name',
    raw: { metadata: { name: 'constructor' } },
    expected: { name: 'constructor' },
  },
  { name: '63 octets are the longest label', raw: { metadata: { name: LONGEST } }, expected: { name: LONGEST } },
  { name: '64 octets are too many', raw: { metadata: { name: `${LONGEST}a` } }, expected: undefined },
  { name: 'an empty name is none', raw: { metadata: { name: '' } }, expected: undefined },
  { name: 'a dot would make two labels', raw: { metadata: { name: 'a.b' } }, expected: undefined },
  { name: 'upper case is refused, as by the API', raw: { metadata: { name: 'Shop' } }, expected: undefined },
  { name: 'a hyphen at an end is refused', raw: { metadata: { name: 'shop-' } }, expected: undefined },
  { name: 'octets beyond ASCII are refused', raw: { metadata: { name: 'café' } }, expected: undefined },
  {
    name: 'its annotation refuses search completion',
    raw: annotated({ [COMPLETION]: 'off' }),
    expected: { name: 'shop', refusesCompletion: true },
  },
  ...['Off', 'OFF', ' off', 'off ', 'off\n', 'on', 'false', '', false, 0, NULL, ['off'], { off: 'off' }].map(
    (value) => ({
      name: `${JSON.stringify(value)} refuses no search completion`,
      raw: annotated({ [COMPLETION]: value }),
      expected: { name: 'shop', refusesCompletion: undefined },
    }),
  ),
  ...[
    { 'fivedots.dev/search-completions': 'off', 'search-completion': 'off' },
    [COMPLETION, 'off'],
    [{ [COMPLETION]: 'off' }],
    JSON.parse(`{ "__proto__": { "${COMPLETION}": "off" } }`) as unknown,
    `${COMPLETION}: "off"`,
    NULL,
  ].map((annotations) => ({
    name: `no search completion is refused by the annotations ${JSON.stringify(annotations)}`,
    raw: annotated(annotations),
    expected: { name: 'shop', refusesCompletion: undefined },
  })),
  {
    name: 'a label refuses no search completion',
    raw: { metadata: { name: 'shop', labels: { [COMPLETION]: 'off' } } },
    expected: { refusesCompletion: undefined },
  },
]);

function annotated(annotations: unknown): object {
  return { metadata: { name: 'shop', annotations } };
}

table('Service', [
  {
    name: 'all fields that answers depend on',
    raw: {
      metadata: METADATA,
      spec: {
        type: 'NodePort',
        clusterIP: '10.96.0.1',
        clusterIPs: ['10.96.0.1', 'fd00:96::1'],
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'http', nodePort: 30080 }],
      },
    },
    expected: {
      kind: 'Service',
      namespace: 'shop',
      name: 'web',
      type: 'NodePort',
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
      externalName: '',
      ports: [{ name: 'http', protocol: 'TCP', number: 80 }],
    },
  },
  { name: 'a Service is in a namespace', raw: { metadata: { name: 'web' }, spec: {} }, expected: undefined },
  {
    name: 'without a spec it is there and has nothing',
    raw: { metadata: METADATA },
    expected: { type: 'ClusterIP', clusterIPs: [], ports: [] },
  },
  {
    name: 'a name may start with a digit',
    raw: { metadata: { name: '0x7f', namespace: 'shop' } },
    expected: { name: '0x7f' },
  },
  {
    name: 'an unknown type counts as ClusterIP',
    raw: { metadata: METADATA, spec: { type: 7 } },
    expected: { type: 'ClusterIP' },
  },
  {
    name: 'clusterIP counts where clusterIPs is absent',
    raw: service({ clusterIP: '10.96.0.1' }),
    expected: { clusterIPs: ['10.96.0.1'] },
  },
  {
    name: 'clusterIP counts where clusterIPs is empty',
    raw: service({ clusterIP: '10.96.0.1', clusterIPs: [] }),
    expected: { clusterIPs: ['10.96.0.1'] },
  },
  { name: 'None is headless, in clusterIP', raw: service({ clusterIP: 'None' }), expected: { clusterIPs: ['None'] } },
  {
    name: 'None is headless, in clusterIPs',
    raw: service({ clusterIPs: ['None'] }),
    expected: { clusterIPs: ['None'] },
  },
  {
    name: 'None behind an address is no address',
    raw: service({ clusterIPs: ['10.96.0.1', 'None'] }),
    expected: { clusterIPs: ['10.96.0.1'] },
  },
  {
    name: 'an empty clusterIP is none',
    raw: service({ clusterIP: '', clusterIPs: [''] }),
    expected: { clusterIPs: [] },
  },
  {
    name: 'what is no address is left out',
    raw: service({ clusterIPs: ['10.96.0.256', 7, NULL, '10.96.0.1', 'fe80::1%eth0', '010.0.0.1'] }),
    expected: { clusterIPs: ['10.96.0.1'] },
  },
  {
    name: 'an IPv4-mapped address is the IPv4 address',
    raw: service({ clusterIP: '::ffff:10.96.0.1' }),
    expected: { clusterIPs: ['10.96.0.1'] },
  },
  {
    name: 'a bad port is left out, the rest is kept',
    raw: service({ ports: [{ port: '80' }, { port: 0 }, { port: 65536 }, { port: 1.5 }, NULL, 7, { port: 443 }] }),
    expected: { ports: [{ name: '', protocol: 'TCP', number: 443 }] },
  },
  {
    name: 'a port whose name or protocol is none is left out',
    raw: service({
      ports: [
        { port: 80, name: 'Http' },
        { port: 81, name: 7 },
        { port: 82, protocol: 'tcp' },
        { port: 83, protocol: 'UDP' },
      ],
    }),
    expected: { ports: [{ name: '', protocol: 'UDP', number: 83 }] },
  },
  { name: 'ports that are no list are none', raw: service({ ports: { length: 5 } }), expected: { ports: [] } },
  {
    name: 'externalName counts',
    raw: service({ type: 'ExternalName', externalName: 'www.example.org' }),
    expected: { type: 'ExternalName', externalName: 'www.example.org', clusterIPs: [] },
  },
  {
    name: 'a final dot, upper case and underscores are fine in an externalName',
    raw: service({ type: 'ExternalName', externalName: '_x.Example.ORG.' }),
    expected: { externalName: '_x.Example.ORG.' },
  },
  {
    name: 'an address as externalName is kept for the zone to judge',
    raw: service({ type: 'ExternalName', externalName: '2001:db8::1' }),
    expected: { externalName: '2001:db8::1' },
  },
  {
    name: 'externalName of another type does not count',
    raw: service({ type: 'ClusterIP', externalName: 'www.example.org' }),
    expected: { externalName: '' },
  },
  {
    name: 'clusterIPs of an ExternalName do not count',
    raw: service({ type: 'ExternalName', externalName: 'a.example', clusterIPs: ['10.96.0.1'] }),
    expected: { clusterIPs: [] },
  },
  ...[
    `${'a'.repeat(64)}.example`,
    'a..example',
    '.',
    '',
    'a b.example',
    'a\\.b.example',
    'é.example',
    `${'a.'.repeat(127)}ab`,
    7,
    NULL,
  ].map((externalName) => ({
    name: `${JSON.stringify(externalName).slice(0, 30)} is no externalName`,
    raw: service({ type: 'ExternalName', externalName }),
    expected: { type: 'ExternalName', externalName: '' },
  })),
]);

// CoreDNS plugin/kubernetes/object: nil ready counts as ready, nil port is -1, nil name and protocol are empty.
table(
  'EndpointSlice',
  [
    {
      name: 'all fields that answers depend on',
      raw: slice({
        ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }],
        endpoints: [
          {
            addresses: ['10.244.2.10'],
            conditions: { ready: true },
            hostname: 'db-0',
            targetRef: { kind: 'Pod', name: 'db-0' },
            nodeName: 'node',
          },
        ],
      }),
      expected: {
        kind: 'EndpointSlice',
        namespace: 'shop',
        name: 'web',
        service: 'db',
        ports: [{ name: 'pg', protocol: 'TCP', number: 5432 }],
        endpoints: [{ addresses: ['10.244.2.10'], hostname: 'db-0', podName: 'db-0' }],
      },
    },
    {
      name: 'its name may be longer than a label, as generated ones are',
      raw: { metadata: { name: `${LONGEST}-abcde`, namespace: 'shop' } },
      expected: { name: `${LONGEST}-abcde`, service: '' },
    },
    {
      name: 'without the label it belongs to no Service',
      raw: { metadata: METADATA },
      expected: { service: '', ports: [], endpoints: [] },
    },
    {
      name: 'a label value that is no name counts as absent',
      raw: { metadata: { ...METADATA, labels: { 'kubernetes.io/service-name': 'a.b' } } },
      expected: { service: '' },
    },
    {
      name: 'a port may lack everything',
      raw: slice({ ports: [{}, { name: NULL, protocol: NULL, port: NULL }] }),
      expected: {
        ports: [
          { name: '', protocol: '', number: -1 },
          { name: '', protocol: '', number: -1 },
        ],
      },
    },
    {
      name: 'a bad port is left out',
      raw: slice({ ports: [{ port: -1.5 }, { port: 0 }, { port: 80, name: 'a_b' }, { port: 81 }] }),
      expected: { ports: [{ name: '', protocol: '', number: 81 }] },
    },
    ...[
      {},
      { conditions: NULL },
      { conditions: {} },
      { conditions: { ready: NULL } },
      { conditions: { ready: true, serving: false, terminating: true } },
    ].map((endpoint) => ({
      name: `ready, as in ${JSON.stringify(endpoint)}`,
      raw: slice({ endpoints: [{ addresses: ['10.0.0.1'], ...endpoint }] }),
      expected: { endpoints: [{ addresses: ['10.0.0.1'] }] },
    })),
    ...[false, 'true', 'false', 0, {}].map((ready) => ({
      name: `not ready, as in ${JSON.stringify(ready)}`,
      raw: slice({ endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready, serving: true } }] }),
      expected: { endpoints: [] },
    })),
    {
      name: 'a slice of host names has no endpoints',
      raw: slice({ addressType: 'FQDN', endpoints: [{ addresses: ['a.example'] }, { addresses: ['10.0.0.1'] }] }),
      expected: { endpoints: [] },
    },
    {
      name: 'addresses keep the text of the API, for endpoint names are made of it',
      raw: slice({ endpoints: [{ addresses: ['fd00:244:3::', 'FD00::1'] }] }),
      expected: { endpoints: [{ addresses: ['fd00:244:3::', 'FD00::1'] }] },
    },
    {
      name: 'an IPv4 address in IPv6 is an IPv4 address, with dots or without; another with dots loses them',
      raw: slice({
        endpoints: [{ addresses: ['::ffff:10.0.0.1', '0:0:0:0:0:FFFF:a00:2', 'fd00:ffff::3', 'fd00::10.0.0.4'] }],
      }),
      expected: {
        endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2', 'fd00:ffff::3', 'fd00::a00:4'] }],
      },
    },
    {
      name: 'an endpoint without an address is none',
      raw: slice({ endpoints: [{ addresses: ['a.example'] }, {}, NULL, 7] }),
      expected: { endpoints: [] },
    },
    {
      name: 'a host name that is no label counts as absent',
      raw: slice({ endpoints: [{ addresses: ['10.0.0.1'], hostname: 'a.b', targetRef: { kind: 'Pod', name: 'p' } }] }),
      expected: { endpoints: [{ addresses: ['10.0.0.1'], podName: 'p' }] },
    },
    {
      name: 'the target counts whatever it is (CoreDNS plugin/kubernetes `endpoint_pod_names`)',
      raw: slice({ endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Node', name: 'n' } }] }),
      expected: { endpoints: [{ addresses: ['10.0.0.1'], podName: 'n' }] },
    },
    {
      name: 'a pod name that is no label counts as absent',
      raw: slice({ endpoints: [{ addresses: ['10.0.0.1'], targetRef: { kind: 'Pod', name: `${LONGEST}a` } }] }),
      expected: { endpoints: [{ addresses: ['10.0.0.1'] }] },
    },
  ],
  { endpointSlices: true, imports: false, topologyZones: false, podNames: true },
);

table('Pod', [
  {
    name: 'podIPs count',
    raw: pod({}, { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }),
    expected: {
      kind: 'Pod',
      namespace: 'shop',
      name: 'web',
      addresses: ['10.0.0.1', 'fd00::1'],
      hostNetwork: false,
    },
  },
  {
    name: "on the host's network",
    raw: pod({}, { podIP: '10.0.0.1' }, { hostNetwork: true }),
    expected: { hostNetwork: true },
  },
  {
    name: "a text is no word on the host's network",
    raw: pod({}, { podIP: '10.0.0.1' }, { hostNetwork: 'true' }),
    expected: { hostNetwork: false },
  },
  {
    name: 'podIP counts where podIPs is absent',
    raw: pod({}, { podIP: '10.0.0.1' }),
    expected: { addresses: ['10.0.0.1'] },
  },
  { name: 'a pod without an address is there', raw: pod({}, {}), expected: { addresses: [] } },
  {
    name: 'bad addresses are left out',
    raw: pod({}, { podIPs: [{ ip: 'x' }, NULL, { ip: '10.0.0.2' }] }),
    expected: { addresses: ['10.0.0.2'] },
  },
  {
    name: 'its name may have dots and be longer than a label',
    raw: { metadata: { name: `a.${LONGEST}bc`, namespace: 'shop' } },
    expected: { name: `a.${LONGEST}bc` },
  },
  {
    name: 'on its way out it still has its address',
    raw: pod({ deletionTimestamp: '2026-01-01T00:00:00Z' }, { podIP: '10.0.0.1' }),
    expected: { addresses: ['10.0.0.1'] },
  },
  ...['Succeeded', 'Failed', 'Unknown'].map((phase) => ({
    name: `in phase ${phase}`,
    raw: pod({}, { phase, podIP: '10.0.0.1' }),
    expected: undefined,
  })),
  { name: 'in phase Pending', raw: pod({}, { phase: 'Pending' }), expected: { addresses: [] } },
]);

// k8s.io/kubernetes pkg/kubelet/network/dns: what the kubelet makes of the same fields.
table(
  'Pod',
  (
    [
      [{}, undefined],
      [{ dnsPolicy: 'ClusterFirst' }, undefined],
      [{ dnsPolicy: 'ClusterFirstWithHostNet', dnsConfig: {} }, undefined],
      [{ dnsPolicy: 'default', dnsConfig: NULL }, undefined],
      [{ dnsPolicy: ['None'], dnsConfig: [] }, undefined],
      [{ dnsConfig: { nameservers: ['192.0.2.1'], searches: [], options: [{ name: 'edns0' }] } }, undefined],
      [{ dnsPolicy: 'Default' }, { policy: 'Default', searches: [] }],
      [
        { dnsPolicy: 'None', dnsConfig: {} },
        { policy: 'None', searches: [] },
      ],
      [ndots('2'), { policy: 'ClusterFirst', searches: [], ndots: 2 }],
      [
        { ...ndots('1'), dnsPolicy: 'ClusterFirstWithHostNet' },
        { policy: 'ClusterFirst', searches: [], ndots: 1 },
      ],
      [ndots('0'), { policy: 'ClusterFirst', searches: [], ndots: 0 }],
      [ndots('15'), { policy: 'ClusterFirst', searches: [], ndots: 15 }],
      [ndots('16'), { policy: 'ClusterFirst', searches: [], ndots: 15 }],
      [ndots('9'.repeat(400)), { policy: 'ClusterFirst', searches: [], ndots: 15 }],
      ...[2, '', '-1', '1.5', '2 ', 'two', NULL, ['2'], undefined].map((value) => [ndots(value), undefined] as const),
      [ndots('2', '3'), { policy: 'ClusterFirst', searches: [], ndots: 3 }],
      [{ dnsConfig: { options: [NULL, 'ndots:2', { name: ['ndots'], value: '2' }] } }, undefined],
      [
        { dnsPolicy: 'None', dnsConfig: { searches: ['b.example', 'A.Example.ORG.', '_x.example', '.'] } },
        { policy: 'None', searches: ['b.example', 'a.example.org', '_x.example', '.'] },
      ],
      [searching('corp.example'), { policy: 'ClusterFirst', searches: ['corp.example'] }],
      [
        searching('', '..', 'a..b', 'a b', 'a\\.b', 'é.example', 'x'.repeat(64), 7, NULL, ['a'], { length: 1 }),
        undefined,
      ],
      [searching('..', 'a.example', `${'a.'.repeat(127)}ab`), { policy: 'ClusterFirst', searches: ['a.example'] }],
      [{ dnsConfig: { searches: 'corp.example' } }, undefined],
      [searching(...numbered(40)), { policy: 'ClusterFirst', searches: numbered(32) }],
      [searching(...long(8), X16, 'a'), { policy: 'ClusterFirst', searches: [...long(8), X16] }],
      [searching(...long(8), `${X16}x`, 'a'), { policy: 'ClusterFirst', searches: long(8) }],
    ] as const
  ).map(([spec, resolver], i) => ({
    name: `resolver ${i}, of ${JSON.stringify(spec).slice(0, 120)}`,
    raw: pod({}, { podIP: '10.0.0.1' }, spec),
    expected: { addresses: ['10.0.0.1'], resolver },
  })),
);

function ndots(...values: readonly unknown[]): object {
  return { dnsConfig: { options: values.map((value) => ({ name: 'ndots', value })) } };
}

function searching(...searches: readonly unknown[]): object {
  return { dnsConfig: { searches } };
}

function numbered(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `n${i}.example`);
}

/** The longest names that there are, of 253 characters: behind eight of them and the spaces there is room for 16 more of 2048. */
function long(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${'a.'.repeat(126)}${i}`);
}

/** An endpoint with its topology zone. */
function inZone(address: string, zone: unknown): object {
  return { addresses: [address], zone };
}

function trimmed(address: string, topologyZone?: number): object {
  return { addresses: [address], ...(topologyZone === undefined ? {} : { topologyZone }) };
}

// CoreDNS plugin/kubernetes/object: the zone in lower case, with the option `zonal` only.
table(
  'EndpointSlice',
  [
    {
      name: 'each topology zone is there once, in lower case',
      raw: slice({
        endpoints: [inZone('10.0.0.1', 'us-West-2a'), inZone('10.0.0.2', 'b_c.D'), inZone('10.0.0.3', 'us-west-2a')],
      }),
      expected: {
        topologyZones: ['us-west-2a', 'b_c.d'],
        endpoints: [trimmed('10.0.0.1', 0), trimmed('10.0.0.2', 1), trimmed('10.0.0.3', 0)],
      },
    },
    {
      name: 'what no label of a Node can be is no topology zone',
      raw: slice({
        endpoints: ['', '-a', 'a-', 'a..b', '.a', 'a.', 'a b', 'é', 'a'.repeat(64), 7, NULL, ['a']].map((zone) =>
          inZone('10.0.0.1', zone),
        ),
      }),
      expected: { topologyZones: undefined, endpoints: Array.from({ length: 12 }, () => trimmed('10.0.0.1')) },
    },
    {
      name: 'a topology zone where nobody is ready is none',
      raw: slice({ endpoints: [{ ...inZone('10.0.0.1', 'a'), conditions: { ready: false } }] }),
      expected: { topologyZones: undefined, endpoints: [] },
    },
    { name: 'without topology zones', raw: slice({ endpoints: [] }), expected: { topologyZones: undefined } },
    {
      name: 'the import that it is of, and its cluster in lower case',
      raw: imported({ [IMPORT]: 'db', [CLUSTER]: 'East-1' }),
      expected: { service: '', imported: { service: 'db', cluster: 'east-1' } },
    },
    {
      name: 'it may be of a Service and of an import',
      raw: imported({ [IMPORT]: 'db', [CLUSTER]: 'east', 'kubernetes.io/service-name': 'web' }),
      expected: { service: 'web', imported: { service: 'db', cluster: 'east' } },
    },
    ...[{}, { [CLUSTER]: 'a.b' }, { [CLUSTER]: 'a_b' }, { [CLUSTER]: '' }, { [CLUSTER]: 7 }].map((labels) => ({
      name: `its cluster cannot be a label: ${JSON.stringify(labels)}`,
      raw: imported({ [IMPORT]: 'db', ...labels }),
      expected: { imported: { service: 'db', cluster: '' } },
    })),
    ...[{ [CLUSTER]: 'east' }, { [CLUSTER]: 'east', [IMPORT]: 'a.b' }].map((labels) => ({
      name: `it is of no import: ${JSON.stringify(labels)}`,
      raw: imported(labels),
      expected: { imported: undefined },
    })),
  ],
  { endpointSlices: true, imports: true, topologyZones: true, podNames: true },
);

table('EndpointSlice', [
  {
    name: 'what few need is left out where nobody asks for it',
    raw: {
      ...fieldsOf(imported({ [IMPORT]: 'db', [CLUSTER]: 'east' })),
      endpoints: [{ ...inZone('10.0.0.1', 'a'), targetRef: { kind: 'Pod', name: 'p' } }],
    },
    expected: { imported: undefined, topologyZones: undefined, endpoints: [trimmed('10.0.0.1')] },
  },
]);

table(
  'EndpointSlice',
  [
    {
      name: 'with noendpoints it is of no Service',
      raw: imported({ [IMPORT]: 'db', [CLUSTER]: 'east', 'kubernetes.io/service-name': 'web' }),
      expected: { service: '', imported: { service: 'db', cluster: 'east' } },
    },
  ],
  { endpointSlices: false, imports: true, topologyZones: false, podNames: true },
);

table('ServiceImport', [
  {
    name: 'all fields that answers depend on',
    raw: serviceImport({
      type: 'ClusterSetIP',
      ips: ['10.112.0.1', 'fd00:112::1'],
      ports: [{ name: 'http', protocol: 'TCP', port: 80, appProtocol: 'h2c' }, { port: 81 }],
      sessionAffinity: 'None',
    }),
    expected: {
      kind: 'ServiceImport',
      namespace: 'shop',
      name: 'web',
      clusterIPs: ['10.112.0.1', 'fd00:112::1'],
      ports: [
        { name: 'http', protocol: 'TCP', number: 80 },
        { name: '', protocol: 'TCP', number: 81 },
      ],
    },
  },
  {
    name: 'the type makes it headless, not its addresses',
    raw: serviceImport({ type: 'Headless', ips: ['10.112.0.1'] }),
    expected: { clusterIPs: ['None'] },
  },
  {
    name: 'None is no address of it',
    raw: serviceImport({ type: 'ClusterSetIP', ips: ['None', 'x', NULL, '10.112.0.1'] }),
    expected: { clusterIPs: ['10.112.0.1'] },
  },
  { name: 'it may have no address yet', raw: serviceImport({ type: 'ClusterSetIP' }), expected: { clusterIPs: [] } },
  { name: 'without a spec it is there and has nothing', raw: { metadata: METADATA }, expected: { clusterIPs: [] } },
  { name: 'it is in a namespace', raw: { metadata: { name: 'web' } }, expected: undefined },
]);

test('addresses of a slice that are not ready are those that its trimmed form lacks', (t) => {
  const endpoints = [
    { addresses: ['10.0.0.1'] },
    { addresses: ['10.0.0.2', '::ffff:10.0.0.3', 'a.example'], conditions: { ready: false } },
    { addresses: ['10.0.0.4'], conditions: { ready: NULL } },
    { addresses: ['10.0.0.5'], conditions: { ready: 'true' } },
    { conditions: { ready: false } },
    NULL,
  ];
  t.deepEqual(notReadyAddresses(slice({ endpoints })), ['10.0.0.2', '10.0.0.3', '10.0.0.5']);
});

test('a field named __proto__ changes nothing', (t) => {
  const raw: unknown = JSON.parse(
    '{"__proto__": {"metadata": {"name": "shop"}}, "metadata": {"__proto__": {"name": "shop"}}}',
  );
  t.is(trim('Namespace', raw), undefined);
});

test('any JSON is trimmed without a throw, and what comes out holds to its type', (t) => {
  const values = fc.jsonValue({ maxDepth: 4 });
  const raws = fc.record({
    metadata: fc.oneof(
      values,
      fc.record({
        name: fc.oneof(values, fc.constant('a')),
        namespace: fc.oneof(values, fc.constant('b')),
        labels: values,
      }),
    ),
    spec: fc.oneof(
      values,
      fc.record({
        type: values,
        clusterIP: values,
        clusterIPs: values,
        externalName: values,
        ports: fc.array(fc.record({ port: values, name: values })),
      }),
    ),
    status: fc.oneof(values, fc.record({ podIPs: fc.array(values), podIP: fc.oneof(values, fc.ipV6()) })),
    ports: fc.oneof(values, fc.array(fc.record({ port: values, protocol: values }))),
    endpoints: fc.oneof(
      values,
      fc.array(
        fc.record({
          addresses: fc.array(fc.oneof(values, fc.ipV4(), fc.ipV6())),
          conditions: fc.oneof(values, fc.constant({ ready: true }), fc.record({ ready: values })),
          hostname: values,
          targetRef: values,
          zone: fc.oneof(values, fc.constant('a.B')),
        }),
      ),
    ),
  });
  fc.assert(
    fc.property(fc.constantFrom(...KINDS), fc.oneof(values, raws), (kind, raw) => {
      const object = trim(kind, raw, { endpointSlices: true, imports: true, topologyZones: true, podNames: true });
      if (object === undefined) return;
      t.is(object.kind, kind);
      t.regex(object.name, /^[a-z0-9][a-z0-9.-]*$/);
      for (const address of addressesOf(object))
        t.true(address === 'None' || (isIP(address) !== 0 && !address.includes('%')));
      t.deepEqual(structuredClone(object), object);
      for (const address of notReadyAddresses(raw)) t.not(isIP(address), 0);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

function service(spec: object): unknown {
  return { metadata: METADATA, spec };
}

function slice(fields: object): unknown {
  return { metadata: { ...METADATA, labels: { 'kubernetes.io/service-name': 'db' } }, addressType: 'IPv4', ...fields };
}

/** A slice with only these labels. */
function imported(labels: object): unknown {
  return { metadata: { ...METADATA, labels }, addressType: 'IPv4' };
}

function serviceImport(spec: object): unknown {
  return { metadata: METADATA, spec };
}

function pod(metadata: object, status: object, spec: object = {}): unknown {
  return { metadata: { ...METADATA, ...metadata }, spec, status };
}

function addressesOf(object: ClusterObject): readonly string[] {
  switch (object.kind) {
    case 'Namespace':
      return [];
    case 'Service':
    case 'ServiceImport':
      return object.clusterIPs;
    case 'EndpointSlice':
      return object.endpoints.flatMap(({ addresses }) => addresses);
    case 'Pod':
      return object.addresses;
  }
}
