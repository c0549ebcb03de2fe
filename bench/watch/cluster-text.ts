/** The objects of a cluster as JSON, made when it is asked for. Knows nothing of which objects there are. */

import type { Count } from '../../zones/units.ts';
import { podName, type ClusterObject, type Endpoint } from './cluster.ts';
import {
  clusterIPServiceText,
  endpointText,
  externalNameServiceText,
  headlessServiceText,
  namespaceText,
  podText,
  sliceText,
} from './object-text.ts';

/** An object's JSON behind its first `{`, without kind and apiVersion. */
export function textOf(object: ClusterObject): string {
  const { namespace, name, number } = object;
  const head = { namespace, name, uid: uidOf(number), version: String(object.version) };
  switch (object.kind) {
    case 'Namespace':
      return namespaceText(head);
    case 'Service':
      if (object.type === 'headless') return headlessServiceText(head);
      if (object.type === 'ExternalName') return externalNameServiceText(head);
      return clusterIPServiceText({ ...head, clusterIP: object.clusterIP });
    case 'EndpointSlice': {
      const endpoints = object.endpoints.map((endpoint) => endpointTextOf(endpoint, namespace, object.service));
      const labels = object.isHeadless ? HEADLESS_LABELS : LABELS;
      return sliceText({
        ...head,
        service: object.service,
        labels: labels.replace(SERVICE_PLACE, object.service),
        endpoints: `[${endpoints.join(',')}]`,
        time: new Date().toISOString(),
      });
    }
    case 'Pod':
      return podText({ ...head, app: object.app, address: object.address, node: nodeAt(number) });
  }
}

const NODE_COUNT: Count = 1_000;
const ZONE_COUNT: Count = 3;
const SERVICE_PLACE = '‹service›';
const LABEL_TEXTS = {
  'kubernetes.io/service-name': SERVICE_PLACE,
  'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
};
const LABELS = JSON.stringify(LABEL_TEXTS);
const HEADLESS_LABELS = JSON.stringify({ ...LABEL_TEXTS, 'service.kubernetes.io/headless': '' });

function endpointTextOf(endpoint: Endpoint, namespace: string, service: string): string {
  const { pod, address, isReady, isTerminating } = endpoint;
  return endpointText({
    address,
    ready: String(isReady),
    terminating: String(isTerminating),
    namespace,
    pod: podName(service, pod),
    uid: uidOf(pod),
    node: nodeAt(pod),
    zone: `region-1${'abc'.charAt(pod % ZONE_COUNT)}`,
  });
}

function nodeAt(number: Count): string {
  return `node-${(number * 7) % NODE_COUNT}.region-1.example.org`;
}

function uidOf(number: Count): string {
  return `6ba7b810-9dad-4d1a-80b4-${number.toString(16).padStart(12, '0')}`;
}
