/**
 * A small cluster with one Service of every kind: ClusterIP, dual stack, headless with and without host names, ExternalName,
 * idle, without ports. Holds trimmed objects only; knows nothing of stores or answers.
 */

import type {
  ClusterChange,
  ClusterObject,
  Endpoint,
  EndpointSlice,
  Kind,
  Namespace,
  Pod,
  Port,
  Service,
  ServiceImport,
} from '../../zones/kubernetes/objects.ts';
import { KINDS } from '../../zones/kubernetes/objects.ts';

/** The address of this server's own pod, an endpoint of kube-system/kube-dns. */
export const OWN_ADDRESS = '10.244.0.10';

export function namespace(name: string): Namespace {
  return { kind: 'Namespace', namespace: '', name };
}

/** A Service with cluster IPs; `None` as the only one makes it headless. */
export function service(path: string, clusterIPs: readonly string[], ports: readonly Port[] = []): Service {
  return { kind: 'Service', ...pathOf(path), type: 'ClusterIP', clusterIPs, externalName: '', ports };
}

export function externalName(path: string, target: string): Service {
  return { kind: 'Service', ...pathOf(path), type: 'ExternalName', clusterIPs: [], externalName: target, ports: [] };
}

/** `path` is that of the Service; the slice's name is the Service's with a suffix. */
export function slice(
  path: string,
  suffix: string,
  ports: readonly Port[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  const { namespace, name } = pathOf(path);
  return { kind: 'EndpointSlice', namespace, name: `${name}-${suffix}`, service: name, ports, endpoints };
}

/** The slice as imported from a cluster, for the ServiceImport of its Service's name. */
export function importedSlice(
  path: string,
  cluster: string,
  suffix: string,
  ports: readonly Port[],
  endpoints: readonly Endpoint[],
): EndpointSlice {
  const { name } = pathOf(path);
  return {
    ...slice(path, `${cluster}-${suffix}`, ports, endpoints),
    service: '',
    imported: { service: name, cluster },
  };
}

/** A ServiceImport; `None` as the only address makes it headless. */
export function serviceImport(path: string, clusterIPs: readonly string[], ports: readonly Port[] = []): ServiceImport {
  return { kind: 'ServiceImport', ...pathOf(path), clusterIPs, ports };
}

/** The slice with topology zones, one for each of its endpoints; an empty one is none. */
export function inZones(whole: EndpointSlice, ...names: readonly string[]): EndpointSlice {
  const topologyZones = [...new Set(names.filter((name) => name !== ''))];
  const endpoints = whole.endpoints.map((each, i) => {
    const topologyZone = topologyZones.indexOf(names[i] ?? '');
    return topologyZone === -1 ? each : { ...each, topologyZone };
  });
  return { ...whole, endpoints, topologyZones };
}

/** `name/PROTOCOL number`, such as `http/TCP 80`; the name may be missing, and the number too (slices only). */
export function port(text: string): Port {
  const [names = '', number = '-1'] = text.split(' ');
  const [name = '', protocol = ''] = names.split('/');
  return { name, protocol, number: Number(number) };
}

/** A ready endpoint with one address. */
export function endpoint(address: string, names: { hostname?: string; pod?: string } = {}): Endpoint {
  const { hostname, pod: podName } = names;
  return {
    addresses: [address],
    ...(hostname === undefined ? undefined : { hostname }),
    ...(podName === undefined ? undefined : { podName }),
  };
}

export function pod(path: string, ...addresses: string[]): Pod {
  return { kind: 'Pod', ...pathOf(path), addresses, hostNetwork: false };
}

const DNS_PORTS = [port('dns/UDP 53'), port('dns-tcp/TCP 53'), port('metrics/TCP 9153')];
const WEB_PORTS = [port('http/TCP 8080'), port('https/TCP 8443')];

export const EXAMPLE_OBJECTS: readonly ClusterObject[] = [
  namespace('default'),
  namespace('kube-system'),
  namespace('prod'),
  namespace('empty'),
  service('default/kubernetes', ['10.96.0.1'], [port('https/TCP 443')]),
  service('kube-system/kube-dns', ['10.96.0.10'], DNS_PORTS),
  slice('kube-system/kube-dns', 'v4', DNS_PORTS, [endpoint(OWN_ADDRESS, { pod: 'coredns-abc' })]),
  service('prod/web', ['10.96.1.1', 'fd00:96::1'], [port('http/TCP 80'), port('https/TCP 443')]),
  slice('prod/web', 'v4', WEB_PORTS, [endpoint('10.244.1.5', { pod: 'web-1' }), endpoint('10.244.1.6')]),
  slice('prod/web', 'v6', WEB_PORTS, [endpoint('fd00:244::5'), endpoint('fd00:244::6')]),
  service('prod/single', ['10.96.1.2'], [port('/TCP 8080')]),
  slice('prod/single', 'v4', [port('/TCP 8080')], [endpoint('10.244.1.7')]),
  service('prod/idle', ['10.96.1.3'], [port('http/TCP 80')]),
  slice('prod/idle', 'v4', [port('http/TCP 80')], []),
  service('prod/db', ['None'], [port('pg/TCP 5432')]),
  slice(
    'prod/db',
    'v4',
    [port('pg/TCP 5432')],
    [endpoint('10.244.2.10', { hostname: 'db-0' }), endpoint('10.244.2.11', { hostname: 'db-1' })],
  ),
  slice('prod/db', 'v6', [port('pg/TCP 5432')], [endpoint('fd00:244:2::10', { hostname: 'db-0' })]),
  service('prod/cache', ['None'], [port('redis/TCP 6379')]),
  slice('prod/cache', 'v4', [port('redis/TCP 6379')], [endpoint('10.244.3.4', { pod: 'cache-aaaa' })]),
  slice('prod/cache', 'v6', [port('redis/TCP 6379')], [endpoint('fd00:244:3::', { pod: 'cache-aaaa' })]),
  service('prod/portless', ['None']),
  slice('prod/portless', 'v4', [], [endpoint('10.244.3.9')]),
  service('prod/down', ['None'], [port('http/TCP 80')]),
  slice('prod/down', 'v4', [port('http/TCP 80')], []),
  service('prod/v4only', ['None'], [port('http/TCP 80')]),
  slice('prod/v4only', 'v4', [port('http/TCP 80')], [endpoint('10.244.1.5', { pod: 'web-1' })]),
  externalName('prod/ext', 'www.example.org'),
  externalName('prod/gone', 'gone.example.org'),
  externalName('prod/alias', 'web.prod.svc.cluster.local'),
  externalName('prod/dangling', 'nosuch.prod.svc.cluster.local'),
  externalName('prod/loop-a', 'loop-b.prod.svc.cluster.local'),
  externalName('prod/loop-b', 'loop-a.prod.svc.cluster.local'),
  externalName('prod/extip', '192.0.2.9'),
  pod('prod/web-1', '10.244.1.5'),
  pod('prod/p6', 'fd00:244::7'),
  pod('default/client', '10.244.9.9'),
];

/** The state of a cluster that was just listed, for a store that has nothing. */
export function listed(objects: readonly ClusterObject[], kinds: readonly Kind[] = KINDS): readonly ClusterChange[] {
  const wanted = objects.filter(({ kind }) => kinds.includes(kind));
  return [...puts(...wanted), ...kinds.map((kind): ClusterChange => ({ verb: 'whole', kind }))];
}

/** One `put` for each object. */
export function puts(...objects: readonly ClusterObject[]): readonly (ClusterChange & { verb: 'put' })[] {
  return objects.map((object) => ({ verb: 'put', object }));
}

/** The `remove` of an object. */
export function removal({ kind, namespace, name }: ClusterObject): ClusterChange & { verb: 'remove' } {
  return { verb: 'remove', kind, namespace, name };
}

function pathOf(path: string): { namespace: string; name: string } {
  const [namespace = '', name = ''] = path.split('/');
  return { namespace, name };
}
