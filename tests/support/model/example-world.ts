/**
 * A small cluster with one Service of every kind, as the API server stores it, and what lies outside. Knows nothing of the
 * answers.
 */

import { rawNamespace, rawPod, rawService, rawSlice, type RawEndpoint, type RawObject } from '../raw-objects.ts';
import type { ModelOptions, ModelQuestion, ModelReply, World } from './world.ts';

export const EXAMPLE_OPTIONS: ModelOptions = {
  zones: ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'],
  multicluster: [],
  ttl: 5,
  namespaces: [],
  namespaceLabels: '',
  labels: '',
  pods: 'disabled',
  endpointPodNames: false,
  noendpoints: false,
  endpoints: 'all',
  ignoreEmptyService: false,
  zonal: false,
  fallthrough: undefined,
};

const PORTS = {
  dns: [port('dns', 53, 'UDP'), port('dns-tcp', 53), port('metrics', 9153)],
  pg: [port('pg', 5432)],
  redis: [port('redis', 6379)],
};

const EXAMPLE_OBJECTS: readonly RawObject[] = [
  rawNamespace('default'),
  rawNamespace('kube-system', { team: 'platform' }),
  rawNamespace('prod', { team: 'shop' }),
  rawNamespace('empty'),
  clusterService('default/kubernetes', ['10.96.0.1'], [port('https', 443)]),
  clusterService('kube-system/kube-dns', ['10.96.0.10'], PORTS.dns),
  slice('kube-system/kube-dns', 'v4', PORTS.dns, [{ address: '10.244.0.10', podName: 'coredns-abc' }]),
  clusterService('prod/web', ['10.96.1.1', 'fd00:96::1'], [port('http', 80), port('https', 443)]),
  slice(
    'prod/web',
    'v4',
    [port('http', 8080), port('https', 8443)],
    [{ address: '10.244.1.5', podName: 'web-1' }, { address: '10.244.1.6' }, { address: '10.244.1.99', ready: false }],
  ),
  slice(
    'prod/web',
    'v6',
    [port('http', 8080), port('https', 8443)],
    [{ address: 'fd00:244::5' }, { address: 'fd00:244::6' }],
  ),
  clusterService('prod/single', ['10.96.1.2'], [port(undefined, 8080)]),
  slice('prod/single', 'v4', [port(undefined, 8080)], [{ address: '10.244.1.7' }]),
  clusterService('prod/idle', ['10.96.1.3'], [port('http', 80)]),
  slice('prod/idle', 'v4', [port('http', 80)], [{ address: '10.244.1.98', ready: false }]),
  clusterService('prod/db', ['None'], PORTS.pg),
  slice('prod/db', 'v4', PORTS.pg, [
    { address: '10.244.2.10', hostname: 'db-0' },
    { address: '10.244.2.11', hostname: 'db-1' },
  ]),
  slice('prod/db', 'v6', PORTS.pg, [{ address: 'fd00:244:2::10', hostname: 'db-0' }]),
  clusterService('prod/cache', ['None'], PORTS.redis),
  slice('prod/cache', 'v4', PORTS.redis, [{ address: '10.244.3.4', podName: 'cache-aaaa' }]),
  slice('prod/cache', 'v6', PORTS.redis, [{ address: 'fd00:244:3::', podName: 'cache-aaaa' }]),
  clusterService('prod/portless', ['None'], []),
  slice('prod/portless', 'v4', [], [{ address: '10.244.3.9' }]),
  clusterService('prod/down', ['None'], [port('http', 80)]),
  slice('prod/down', 'v4', [port('http', 80)], [{ address: '10.244.3.98', ready: false }]),
  clusterService('prod/v4only', ['None'], [port('http', 80)]),
  slice('prod/v4only', 'v4', [port('http', 80)], [{ address: '10.244.1.5', podName: 'web-1' }]),
  aliasService('prod/ext', 'www.example.org'),
  aliasService('prod/gone', 'gone.example.org'),
  aliasService('prod/alias', 'web.prod.svc.cluster.local'),
  aliasService('prod/dangling', 'nosuch.prod.svc.cluster.local'),
  aliasService('prod/loop-a', 'loop-b.prod.svc.cluster.local'),
  aliasService('prod/loop-b', 'loop-a.prod.svc.cluster.local'),
  aliasService('prod/extip', '192.0.2.9'),
  rawPod('prod', 'web-1', '10.244.1.5'),
  rawPod('prod', 'p6', 'fd00:244::7'),
  rawPod('prod', 'finished', '10.244.9.8', 'Succeeded'),
  rawPod('default', 'client', '10.244.9.9'),
];

/** The example with other options and more objects. */
export function exampleWorld(options: Partial<ModelOptions> = {}, more: readonly RawObject[] = []): World {
  return {
    objects: [...EXAMPLE_OBJECTS, ...more],
    options: { ...EXAMPLE_OPTIONS, ...options },
    localAddresses: ['10.244.0.10'],
    unlisted: new Set(),
    completion: undefined,
    outside,
  };
}

export function clusterService(path: string, clusterIPs: readonly string[], ports: readonly RawPort[]): RawObject {
  const [namespace, name] = pathOf(path);
  return rawService(namespace, name, { clusterIP: clusterIPs[0] ?? '', clusterIPs, ports });
}

export function aliasService(path: string, externalName: string): RawObject {
  const [namespace, name] = pathOf(path);
  return rawService(namespace, name, { type: 'ExternalName', externalName, clusterIP: '', clusterIPs: [], ports: [] });
}

/** `fields` are laid over those of the slice. */
export function slice(
  path: string,
  suffix: string,
  ports: readonly RawPort[],
  endpoints: readonly RawEndpoint[],
  fields: Record<string, unknown> = {},
): RawObject {
  const [namespace, name] = pathOf(path);
  return rawSlice(namespace, name, suffix, endpoints, { ports, ...fields });
}

export type RawPort = { readonly name?: string; readonly protocol: string; readonly port: number };

export function port(name: string | undefined, number: number, protocol = 'TCP'): RawPort {
  return { ...(name === undefined ? {} : { name }), protocol, port: number };
}

function pathOf(path: string): readonly [namespace: string, name: string] {
  const [namespace = '', name = ''] = path.split('/');
  return [namespace, name];
}

/** example.org with one host; everything else is refused. */
function outside({ labels, type }: ModelQuestion): ModelReply {
  const name = `${labels.join('.')}.`;
  const nothing = { authoritative: false, answer: new Set<string>(), additional: new Set<string>() };
  const authority = new Set(['example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 1 2 3 4 60']);
  if (!name.endsWith('example.org.')) return { ...nothing, rcode: 'REFUSED', authority: new Set() };
  if (name !== 'www.example.org.') return { ...nothing, rcode: 'NXDOMAIN', authority };
  if (type !== 'A') return { ...nothing, rcode: 'NOERROR', authority };
  return { ...nothing, rcode: 'NOERROR', answer: new Set([`${name} 300 IN A 93.184.216.34`]), authority: new Set() };
}
