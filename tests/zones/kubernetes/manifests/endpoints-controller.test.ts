import test from 'ava';
import fc from 'fast-check';

import { fieldsOf, listOf, type Fields } from '../../../../zones/kubernetes/api-values.ts';
import {
  controlledSlices,
  ENDPOINTS_PER_SLICE,
  type ControllerInput,
} from '../../../../zones/kubernetes/manifests/endpoints-controller.ts';

/** Slices are written as `namespace/name family ports: address+address hostname pod (not ready), …`. */
type Case = { readonly name: string; readonly input: Partial<ControllerInput>; readonly expected: readonly string[] };

const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const UNREADY = { conditions: [{ type: 'Ready', status: 'False' }] };
const HTTP = [{ name: 'http', port: 80 }];
const DB = { name: 'db', namespace: 'shop' };

const CASES: readonly Case[] = [
  {
    name: 'a Pod with the labels of the selector is an endpoint',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1')] },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a'],
  },
  {
    name: 'every label of the selector counts',
    input: {
      services: [service({ selector: { app: 'web', tier: 'front' } })],
      pods: [
        pod('a', '10.0.0.1'),
        pod('b', '10.0.0.2', { metadata: { labels: { tier: 'front', app: 'web', x: 'y' } } }),
      ],
    },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.2 - b'],
  },
  {
    name: 'a Pod of another namespace is none',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1', { metadata: { namespace: 'bank' } })] },
    expected: [],
  },
  {
    name: 'without a selector nothing is made',
    input: { services: [service({ selector: {} })], pods: [pod('a', '10.0.0.1')] },
    expected: [],
  },
  {
    name: 'an ExternalName has no endpoints, whatever its selector says',
    input: { services: [service({ type: 'ExternalName' })], pods: [pod('a', '10.0.0.1')] },
    expected: [],
  },
  {
    name: 'a Pod without an address is no endpoint',
    input: { services: [service({})], pods: [pod('a', undefined)] },
    expected: [],
  },
  {
    name: 'a Pod that is not ready is an endpoint that is not ready',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1', { status: UNREADY })] },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a (not ready)'],
  },
  {
    name: 'a Pod that says it is ready is',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1', { status: READY })] },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a'],
  },
  {
    name: 'publishNotReadyAddresses makes every Pod ready, also one on its way out',
    input: {
      services: [service({ publishNotReadyAddresses: true })],
      pods: [
        pod('a', '10.0.0.1', { status: UNREADY }),
        pod('b', '10.0.0.2', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      ],
    },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a, 10.0.0.2 - b'],
  },
  {
    name: 'a Pod on its way out is not ready',
    input: {
      services: [service({})],
      pods: [pod('a', '10.0.0.1', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a (not ready)'],
  },
  {
    name: 'a Pod that has ended is no endpoint',
    input: {
      services: [service({ publishNotReadyAddresses: true })],
      pods: [
        pod('a', '10.0.0.1', { status: { phase: 'Succeeded' } }),
        pod('b', '10.0.0.2', { status: { phase: 'Failed' } }),
      ],
    },
    expected: [],
  },
  {
    name: 'the host name counts where the subdomain is the Service',
    input: {
      services: [service({})],
      pods: [
        pod('a', '10.0.0.1', { spec: { hostname: 'a-0', subdomain: 'web' } }),
        pod('b', '10.0.0.2', { spec: { hostname: 'b-0', subdomain: 'other' } }),
        pod('c', '10.0.0.3', { spec: { hostname: 'c-0' } }),
      ],
    },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 a-0 a, 10.0.0.2 - b, 10.0.0.3 - c'],
  },
  {
    name: 'ipFamilies say which addresses count',
    input: {
      services: [service({ ipFamilies: ['IPv6'] })],
      pods: [pod('a', '10.0.0.1', { status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] } })],
    },
    expected: ['shop/web-ipv6-1 IPv6 http/TCP/80: fd00::1 - a'],
  },
  {
    name: 'without ipFamilies the families of clusterIPs count',
    input: {
      services: [service({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd00:96::1'] })],
      pods: [pod('a', '10.0.0.1', { status: { podIPs: [{ ip: 'fd00::1' }, { ip: '10.0.0.1' }] } })],
    },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a', 'shop/web-ipv6-1 IPv6 http/TCP/80: fd00::1 - a'],
  },
  {
    name: 'headless without ipFamilies has all families',
    input: { services: [service({ clusterIP: 'None' })], pods: [pod('a', 'fd00::1'), pod('b', '10.0.0.2')] },
    expected: ['shop/web-ipv6-1 IPv6 http/TCP/80: fd00::1 - a', 'shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.2 - b'],
  },
  {
    name: 'targetPort is a number, or the port itself',
    input: {
      services: [
        service({
          ports: [{ name: 'a', port: 80, targetPort: 8080 }, { name: 'b', protocol: 'UDP', port: 53 }, { port: 9 }],
        }),
      ],
      pods: [pod('a', '10.0.0.1')],
    },
    expected: ['shop/web-ipv4-1 IPv4 a/TCP/8080 b/UDP/53 /TCP/9: 10.0.0.1 - a'],
  },
  {
    name: 'a named targetPort is looked up in each Pod; Pods that differ are in slices of their own',
    input: {
      services: [service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] })],
      pods: [
        pod('a', '10.0.0.1', { spec: { containers: [{ ports: [{ name: 'web', containerPort: 8080 }] }] } }),
        pod('b', '10.0.0.2', { spec: { containers: [{}, { ports: [{ name: 'web', containerPort: 9090 }] }] } }),
        pod('c', '10.0.0.3', { spec: { containers: [{ ports: [{ name: 'web', containerPort: 8080 }] }] } }),
      ],
    },
    expected: [
      'shop/web-ipv4-1 IPv4 http/TCP/8080: 10.0.0.1 - a, 10.0.0.3 - c',
      'shop/web-ipv4-2 IPv4 http/TCP/9090: 10.0.0.2 - b',
    ],
  },
  {
    name: 'a named targetPort that a Pod has not, or has in another protocol, leaves the address without that port',
    input: {
      services: [
        service({
          ports: [
            { name: 'http', port: 80, targetPort: 'web' },
            { name: 'x', port: 7 },
          ],
        }),
      ],
      pods: [
        pod('a', '10.0.0.1', {
          spec: { containers: [{ ports: [{ name: 'web', protocol: 'UDP', containerPort: 8080 }] }] },
        }),
      ],
    },
    expected: ['shop/web-ipv4-1 IPv4 x/TCP/7: 10.0.0.1 - a'],
  },
  {
    name: 'a sidecar has ports, another init container has none any more',
    input: {
      services: [
        service({
          ports: [
            { port: 80, targetPort: 'web' },
            { port: 81, targetPort: 'setup' },
          ],
        }),
      ],
      pods: [
        pod('a', '10.0.0.1', {
          spec: {
            initContainers: [
              { restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 1 }] },
              { ports: [{ name: 'setup', containerPort: 2 }] },
            ],
          },
        }),
      ],
    },
    expected: ['shop/web-ipv4-1 IPv4 /TCP/1: 10.0.0.1 - a'],
  },
  {
    name: 'headless without ports',
    input: { services: [service({ clusterIP: 'None', ports: undefined })], pods: [pod('a', '10.0.0.1')] },
    expected: ['shop/web-ipv4-1 IPv4 : 10.0.0.1 - a'],
  },
  {
    name: 'a name that is taken is not given again',
    input: {
      services: [service({})],
      pods: [pod('a', '10.0.0.1')],
      endpointSlices: [
        { metadata: { namespace: 'shop', name: 'web-ipv4-1' } },
        { metadata: { namespace: 'bank', name: 'web-ipv4-2' } },
      ],
    },
    expected: ['shop/web-ipv4-2 IPv4 http/TCP/80: 10.0.0.1 - a'],
  },
  {
    name: 'slices of a real controller, as in a dump, are not made a second time',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1')], endpointSlices: [managedSlice('web')] },
    expected: [],
  },
  {
    name: 'slices of a real controller speak for their own Service only',
    input: { services: [service({})], pods: [pod('a', '10.0.0.1')], endpointSlices: [managedSlice('db')] },
    expected: ['shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 - a'],
  },
  {
    name: 'Endpoints of a Service without selector are mirrored',
    input: {
      services: [service({ selector: undefined })],
      endpoints: [
        endpoints([
          {
            addresses: [
              { ip: '10.0.0.1', hostname: 'one' },
              { ip: 'fd00::1' },
              { ip: '10.0.0.2', targetRef: { kind: 'Pod', name: 'p' } },
            ],
            notReadyAddresses: [{ ip: '10.0.0.3' }],
            ports: HTTP,
          },
          { addresses: [{ ip: '10.0.0.4' }], ports: [{ port: 53, protocol: 'UDP' }] },
        ]),
      ],
    },
    expected: [
      'shop/web-ipv4-1 IPv4 http/TCP/80: 10.0.0.1 one -, 10.0.0.2 - p, 10.0.0.3 - - (not ready)',
      'shop/web-ipv6-1 IPv6 http/TCP/80: fd00::1 - -',
      'shop/web-ipv4-2 IPv4 /UDP/53: 10.0.0.4 - -',
    ],
  },
  {
    name: 'Endpoints are as ready as they say, whatever publishNotReadyAddresses says',
    input: {
      services: [service({ selector: undefined, publishNotReadyAddresses: true })],
      endpoints: [endpoints([{ notReadyAddresses: [{ ip: '10.0.0.3' }] }])],
    },
    expected: ['shop/web-ipv4-1 IPv4 : 10.0.0.3 - - (not ready)'],
  },
  {
    name: 'addresses are written anew: endpoint names are made from them',
    input: {
      services: [service({ clusterIP: 'None' }), { ...service({ selector: undefined }), metadata: DB }],
      pods: [pod('a', 'FD00:244:0::7')],
      endpoints: [{ ...endpoints([{ addresses: [{ ip: 'fd00:0:0:0::8' }, { ip: '::ffff:10.0.0.9' }] }]), metadata: DB }],
    },
    expected: [
      'shop/web-ipv6-1 IPv6 http/TCP/80: fd00:244::7 - a',
      'shop/db-ipv6-1 IPv6 : fd00::8 - -',
      'shop/db-ipv4-1 IPv4 : 10.0.0.9 - -',
    ],
  },
  {
    name: "Endpoints of a Service with selector are the controller's own and not mirrored",
    input: { services: [service({})], endpoints: [endpoints([{ addresses: [{ ip: '10.0.0.9' }] }])] },
    expected: [],
  },
  {
    name: 'Endpoints without a Service are not mirrored',
    input: { endpoints: [endpoints([{ addresses: [{ ip: '10.0.0.9' }] }])] },
    expected: [],
  },
  {
    name: 'Endpoints that say so are not mirrored',
    input: {
      services: [service({ selector: undefined })],
      endpoints: [
        endpoints([{ addresses: [{ ip: '10.0.0.9' }] }], { 'endpointslice.kubernetes.io/skip-mirror': 'true' }),
      ],
    },
    expected: [],
  },
];

for (const { name, input, expected } of CASES) {
  test(name, (t) => {
    const slices = controlledSlices({ services: [], pods: [], endpoints: [], endpointSlices: [], ...input });
    t.deepEqual(slices.map(present), expected);
  });
}

test("slices have their owner's labels, and those that tell whose they are", (t) => {
  const [slice] = controlledSlices({
    services: [
      { metadata: { name: 'web', namespace: 'shop', labels: { team: 'a' } }, spec: { selector: { app: 'web' } } },
    ],
    pods: [pod('a', '10.0.0.1')],
    endpoints: [],
    endpointSlices: [],
  });
  t.deepEqual(fieldsOf(slice?.['metadata'])['labels'], {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
});

const HEADLESS = 'service.kubernetes.io/headless';
for (const { what, spec, expected } of [
  { what: 'with a cluster IP', spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] }, expected: undefined },
  { what: 'without a cluster IP yet', spec: {}, expected: undefined },
  { what: 'that is headless', spec: { clusterIP: 'None', clusterIPs: ['None'] }, expected: '' },
  { what: 'that is headless, of an old API server', spec: { clusterIP: 'None' }, expected: '' },
]) {
  test(`the slice of a Service ${what}: the mark of headless ones is the controller's own`, (t) => {
    const made = { ...service(spec), metadata: { name: 'web', namespace: 'shop', labels: { [HEADLESS]: 'mine' } } };
    const pods = [pod('a', '10.0.0.1')];
    const slices = controlledSlices({ services: [made], pods, endpoints: [], endpointSlices: [] });
    t.deepEqual(
      slices.map((slice) => fieldsOf(fieldsOf(slice['metadata'])['labels'])[HEADLESS]),
      [expected],
    );
  });
}

test('a mirrored slice is nobody’s headless one', (t) => {
  const [slice] = controlledSlices({
    services: [service({ selector: {}, clusterIP: 'None' })],
    pods: [],
    endpoints: [endpoints([{ addresses: [{ ip: '10.0.0.1' }] }])],
    endpointSlices: [],
  });
  t.deepEqual(fieldsOf(slice?.['metadata'])['labels'], {
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
  });
});

test('no slice has more endpoints than the controller allows, and none is lost', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3 * ENDPOINTS_PER_SLICE + 1 }), (count) => {
      const pods = Array.from({ length: count }, (_, i) => pod(`p${i}`, `10.0.${i >> 8}.${i & 255}`));
      const slices = controlledSlices({ services: [service({})], pods, endpoints: [], endpointSlices: [] });
      const sizes = slices.map((slice) => listOf(slice['endpoints']).length);
      t.true(sizes.every((size) => size > 0 && size <= ENDPOINTS_PER_SLICE));
      t.is(
        sizes.reduce((sum, size) => sum + size, 0),
        count,
      );
      t.is(new Set(slices.map((slice) => fieldsOf(slice['metadata'])['name'])).size, slices.length);
    }),
    { numRuns: 30 },
  );
});

test('equal input gives equal slices', (t) => {
  const input = {
    services: [service({})],
    pods: [pod('b', '10.0.0.2'), pod('a', '10.0.0.1')],
    endpoints: [],
    endpointSlices: [],
  };
  t.deepEqual(controlledSlices(structuredClone(input)), controlledSlices(input));
});

function service(spec: object): Fields {
  return {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' }, clusterIP: '10.96.0.1', ports: HTTP, ...spec },
  };
}

function pod(
  name: string,
  podIP: string | undefined,
  parts: { metadata?: object; spec?: object; status?: object } = {},
): Fields {
  return {
    metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...parts.metadata },
    spec: { ...parts.spec },
    status: { podIP, ...parts.status },
  };
}

function endpoints(subsets: readonly object[], labels: object = {}): Fields {
  return { metadata: { name: 'web', namespace: 'shop', labels }, subsets };
}

function managedSlice(owner: string): Fields {
  const labels = {
    'kubernetes.io/service-name': owner,
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  };
  return { metadata: { name: `${owner}-abcde`, namespace: 'shop', labels } };
}

function present(slice: Fields): string {
  const { namespace, name } = fieldsOf(slice['metadata']);
  const ports = listOf(slice['ports'])
    .map(fieldsOf)
    .map((port) => `${String(port['name'])}/${String(port['protocol'])}/${String(port['port'])}`);
  const lines = listOf(slice['endpoints'])
    .map(fieldsOf)
    .map((endpoint) => {
      const addresses = listOf(endpoint['addresses']).join('+');
      const names = [endpoint['hostname'], fieldsOf(endpoint['targetRef'])['name']];
      const isReady = fieldsOf(endpoint['conditions'])['ready'] === true;
      const words = names.map((name) => (typeof name === 'string' ? name : '-'));
      return `${addresses} ${words.join(' ')}${isReady ? '' : ' (not ready)'}`;
    });
  return `${String(namespace)}/${String(name)} ${String(slice['addressType'])} ${ports.join(' ')}: ${lines.join(', ')}`;
}
