/**
 * Trimmed objects back to raw ones, in the few fields that `trim` reads, so that what stands in a file is held to the same
 * rules as what the API says. Believes nothing, never throws, and knows nothing of files.
 */

import { fieldsOf, listOf, type Fields } from '../api-values.ts';
import type { Kind } from '../objects.ts';
import {
  HEADLESS,
  IMPORT_NAME_LABEL,
  SEARCH_COMPLETION_ANNOTATION,
  SEARCH_COMPLETION_OFF,
  SERVICE_NAME_LABEL,
  SOURCE_CLUSTER_LABEL,
} from '../trim.ts';

/** What `trim` makes `value` of, if `value` is an object that `trim` has made. */
export function untrimmed(kind: Kind, value: unknown): Fields {
  const object = fieldsOf(value);
  return { metadata: { name: object['name'], namespace: object['namespace'] }, ...RESTS[kind](object) };
}

const RESTS: { readonly [K in Kind]: (object: Fields) => Fields } = {
  Namespace: rawNamespace,
  Service: ({ type, clusterIPs, externalName, ports }) => ({
    spec: { type, clusterIPs, externalName, ports: listOf(ports).map(rawPort) },
  }),
  EndpointSlice: rawSlice,
  Pod: ({ addresses, hostNetwork, resolver }) => ({
    spec: { hostNetwork, ...rawResolver(fieldsOf(resolver)) },
    status: { podIPs: listOf(addresses).map((ip) => ({ ip })) },
  }),
  ServiceImport: ({ clusterIPs, ports }) => ({
    spec: {
      type: listOf(clusterIPs)[0] === HEADLESS ? 'Headless' : 'ClusterSetIP',
      ips: clusterIPs,
      ports: listOf(ports).map(rawPort),
    },
  }),
};

function rawNamespace({ name, refusesCompletion }: Fields): Fields {
  const value = refusesCompletion === true ? SEARCH_COMPLETION_OFF : undefined;
  return { metadata: { name, annotations: { [SEARCH_COMPLETION_ANNOTATION]: value } } };
}

function rawResolver({ policy, searches, ndots }: Fields): Fields {
  const options = typeof ndots === 'number' ? [{ name: 'ndots', value: String(ndots) }] : [];
  return { dnsPolicy: policy, dnsConfig: { searches, options } };
}

function rawSlice({ namespace, name, service, imported, ports, endpoints, topologyZones }: Fields): Fields {
  const { service: importName, cluster } = fieldsOf(imported);
  const labels = { [SERVICE_NAME_LABEL]: service, [IMPORT_NAME_LABEL]: importName, [SOURCE_CLUSTER_LABEL]: cluster };
  return {
    metadata: { name, namespace, labels },
    ports: listOf(ports).map(rawPort),
    endpoints: listOf(endpoints).map((raw) => {
      const { addresses, hostname, podName, topologyZone } = fieldsOf(raw);
      const zone = typeof topologyZone === 'number' ? listOf(topologyZones)[topologyZone] : undefined;
      return { addresses, hostname, targetRef: { name: podName }, zone };
    }),
  };
}

function rawPort(value: unknown): Fields {
  const { name, protocol, number } = fieldsOf(value);
  return { name, protocol, port: number };
}
