/** The services of a bench cluster, and the API objects that say so. Knows no records. */

import { rawNamespace, rawService, rawSlice, type RawObject } from '../tests/support/raw-objects.ts';
import type { Count } from '../zones/units.ts';

export type BenchService = {
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a headless service. */
  readonly clusterIP: string | undefined;
  readonly endpoints: readonly string[];
};

/** The zone that all of them are in. */
export const ZONE = 'cluster.local';

/** The Service's port, `http` over TCP. */
export const HTTP_PORT = 80;

/** The services' names are their own, ten namespaces hold them, and each has that many endpoints. */
export function servicesOf(count: Count, kind: 'ClusterIP' | 'headless', endpoints: Count): readonly BenchService[] {
  return Array.from({ length: count }, (_, i) => ({
    namespace: namespaceOf(i),
    name: `service-${i}`,
    clusterIP: kind === 'headless' ? undefined : addressAt([10, 96], 256 + i),
    endpoints: Array.from({ length: endpoints }, (__, e) => addressAt([10, 244], 256 + i * endpoints + e)),
  }));
}

/** The namespace of the service of that number. */
export function namespaceOf(i: number): string {
  return `team-${i % NAMESPACES}`;
}

/** Full name, without the final dot. */
export function nameOf({ name, namespace }: BenchService): string {
  return `${name}.${namespace}.svc.${ZONE}`;
}

/** The address of that number behind two octets; the numbers go on into the second. */
export function addressAt([first, second]: readonly [number, number], i: number): string {
  return [first, second + (i >> 16), (i >> 8) & 255, i & 255].join('.');
}

/** What the service's own name has. */
export function addressesOf({ clusterIP, endpoints }: BenchService): readonly string[] {
  return clusterIP === undefined ? endpoints : [clusterIP];
}

/** The objects as an API server has them, endpoints with their pods. */
export function objectsOf(services: readonly BenchService[]): readonly RawObject[] {
  const namespaces = new Set(services.map(({ namespace }) => namespace));
  return [...Array.from(namespaces, (name) => rawNamespace(name)), ...services.flatMap(objectsOfOne)];
}

const NAMESPACES: Count = 10;

function objectsOfOne({ namespace, name, clusterIP = 'None', endpoints }: BenchService): readonly RawObject[] {
  const service = rawService(namespace, name, { clusterIP, clusterIPs: [clusterIP] });
  if (endpoints.length === 0) return [service];
  const withPods = endpoints.map((address, i) => ({ address, podName: `${name}-${i}` }));
  return [service, rawSlice(namespace, name, 'slice', withPods)];
}
