/** What `kubernetes` knows of an exchange for log lines: the parts of the name that was asked for, and whose pod asked. */

import { isReverseName } from '../../zones/ip.ts';
import { zoneHolding } from '../../zones/kubernetes/cluster-zones.ts';
import type { Pod } from '../../zones/kubernetes/objects.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Zone } from '../../zones/kubernetes/zone.ts';
import { labelsOf, presentLabel, type Name, type Spelling } from '../../zones/name.ts';
import type { Exchange } from '../pipeline.ts';
import type { KubernetesOptions } from './kubernetes-options.ts';
import type { Metadata } from './metadata.ts';

/** Of the plugin's options those that say what a name means, and whether pods are known. */
type NameOptions = Pick<KubernetesOptions, 'multicluster' | 'zonal' | 'pods'>;

/**
 * Under CoreDNS's names. A pod's labels are not published: they would have to be kept for every pod of the cluster. A name of
 * an address is no parse error, though it has none of the parts.
 */
export function publishMetadata(
  metadata: Metadata,
  zones: readonly Zone[],
  store: ClusterStore,
  options: NameOptions,
): void {
  const partsAsked = ({ query: { question } }: Exchange): Parts | 'invalid' | undefined => {
    const zone = zoneHolding(zones, question.name, question.type);
    return zone === undefined || isReverseName(question.name) ? undefined : partsOf(question.name, zone.apex, options);
  };
  for (const part of PARTS) {
    metadata.publish(`kubernetes/${part}`, (exchange) => {
      const parts = partsAsked(exchange);
      return parts === 'invalid' ? undefined : parts?.[part];
    });
  }
  metadata.publish('kubernetes/parse-error', (exchange) =>
    partsAsked(exchange) === 'invalid' ? 'invalid query name' : undefined,
  );
  if (options.pods !== 'verified') return;
  const client = ({ query }: Exchange): Pod | undefined => store.podAt(query.peer.address);
  metadata.publish('kubernetes/client-namespace', (exchange) => client(exchange)?.namespace);
  metadata.publish('kubernetes/client-pod-name', (exchange) => client(exchange)?.name);
}

const PARTS = ['kind', 'namespace', 'service', 'endpoint', 'cluster', 'zone', 'protocol', 'port-name'] as const;

/** Labels of the name in presentation format and lower case, a port and its protocol without their underscores. */
type Parts = { readonly [part in (typeof PARTS)[number]]?: string };

/** What stands before `service.namespace.kind` depends on the zone (CoreDNS plugin/kubernetes `parseRequest`). */
function partsOf(name: Name, apex: Name, { multicluster, zonal }: NameOptions): Parts | 'invalid' {
  const before = `${name.slice(0, name.length - apex.length)}\0` as Spelling; // the labels in front of the apex, and the root
  const labels = labelsOf(before).map(presentLabel).toReversed();
  const [kind = '', namespace = '', service = '', fourth = '', fifth] = labels;
  if (labels.length === 0) return {};
  const isMulticluster = multicluster.includes(apex);
  const isZonal = zonal && !isMulticluster && kind === 'svc' && fourth === '_zone';
  if ((kind !== 'svc' && kind !== 'pod') || (labels.length > 5 && !isZonal)) return 'invalid';
  // `svc` and `pod` alone are the zone's own names, and CoreDNS says nothing of them.
  if (labels.length === 1) return {};
  // A topology zone may have dots in its name; `pin` or `prefer` stands behind it.
  if (isZonal) return { kind, namespace, service, zone: labels.slice(5).toReversed().join('.') };
  if (fifth === undefined) return { kind, namespace, service, endpoint: fourth };
  if (isMulticluster && !fourth.startsWith('_') && !fifth.startsWith('_')) {
    return { kind, namespace, service, endpoint: fifth, cluster: fourth };
  }
  return { kind, namespace, service, protocol: fourth.replace(/^_/, ''), 'port-name': fifth.replace(/^_/, '') };
}
