/** Do two trimmed objects of one name say the same? Most updates change fields that were trimmed away. Knows nothing else. */

import type { ClusterObject, Endpoint, EndpointSlice, Pod, Port, Service, ServiceImport } from '../objects.ts';

/** For two objects of one kind, namespace and name. */
export function isSameObject(a: ClusterObject, b: ClusterObject): boolean {
  switch (a.kind) {
    case 'Namespace':
      return b.kind === 'Namespace';
    case 'Service':
      return b.kind === 'Service' && isSameService(a, b);
    case 'EndpointSlice':
      return b.kind === 'EndpointSlice' && isSameSlice(a, b);
    case 'Pod':
      return b.kind === 'Pod' && isSamePod(a, b);
    case 'ServiceImport':
      return b.kind === 'ServiceImport' && isSameImport(a, b);
  }
}

export function isSameService(a: Service, b: Service): boolean {
  return (
    a.type === b.type &&
    a.externalName === b.externalName &&
    areSame(a.clusterIPs, b.clusterIPs, isSameText) &&
    areSame(a.ports, b.ports, isSamePort)
  );
}

export function isSameSlice(a: EndpointSlice, b: EndpointSlice): boolean {
  return (
    a.service === b.service &&
    a.imported?.service === b.imported?.service &&
    a.imported?.cluster === b.imported?.cluster &&
    areSame(a.ports, b.ports, isSamePort) &&
    areSame(a.endpoints, b.endpoints, isSameEndpoint) &&
    areSameTexts(a.topologyZones ?? NO_TEXTS, b.topologyZones ?? NO_TEXTS)
  );
}

export function isSameImport(a: ServiceImport, b: ServiceImport): boolean {
  return areSameTexts(a.clusterIPs, b.clusterIPs) && areSame(a.ports, b.ports, isSamePort);
}

export function isSamePod(a: Pod, b: Pod): boolean {
  return a.hostNetwork === b.hostNetwork && areSameTexts(a.addresses, b.addresses);
}

export function areSameTexts(a: readonly string[], b: readonly string[]): boolean {
  return areSame(a, b, isSameText);
}

function isSameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.hostname === b.hostname &&
    a.podName === b.podName &&
    a.topologyZone === b.topologyZone &&
    areSame(a.addresses, b.addresses, isSameText)
  );
}

function isSamePort(a: Port, b: Port): boolean {
  return a.name === b.name && a.protocol === b.protocol && a.number === b.number;
}

function isSameText(a: string, b: string): boolean {
  return a === b;
}

/** Order counts: it is the order of records in answers. */
function areSame<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const left = a[i];
    const right = b[i];
    if (left === undefined || right === undefined || !isSame(left, right)) return false;
  }
  return true;
}

const NO_TEXTS: readonly string[] = [];
