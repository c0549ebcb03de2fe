/**
 * The zone with the cluster's names (Kubernetes DNS spec 2.3 to 2.5): from a name's labels to the records behind it. Knows
 * nothing of messages, fallthrough, or whether the cluster is known in full.
 */

import type { Answer } from '../answer.ts';
import { labelAt, type Name, type Spelling } from '../name.ts';
import { addressRdata, nameRdata } from '../rdata.ts';
import { RRType } from '../rr.ts';
import { followAlias } from './alias.ts';
import { podAddressFrom } from './pod-names.ts';
import { nodeBelow } from './service-names.ts';
import type { ServiceRecords } from './store/records.ts';
import { addressesOf, servicesOf, type ServiceNode } from './store/service-node.ts';
import type { ClusterView } from './store/cluster-view.ts';
import { dataAnswer, isExposed, livesOf, NO_RRSETS, type Zone, type ZoneOptions } from './zone.ts';
import { zoneHead, type ZoneHead } from './zone-head.ts';

export function clusterZone(store: ClusterView, options: ZoneOptions): Zone {
  const { apex, holds } = options;
  const head = zoneHead(store, options);
  const view: View = { store, options, head };
  const lookUpHere = (name: Name, spelling: Spelling, type: number): Answer => lookUp(view, name, spelling, type);
  return {
    apex,
    kinds: options.kinds,
    find(name, spelling, type) {
      const found = lookUp(view, name, spelling, type);
      if (found.outcome !== 'alias') return found;
      const nowhere = head.nodata(spelling.slice(name.length - apex.length) as Spelling);
      return followAlias(found, name, type, { holds, lookUp: lookUpHere, nowhere });
    },
  };
}

/** What a look-up needs to know of its zone. */
type View = { readonly store: ClusterView; readonly options: ZoneOptions; readonly head: ZoneHead };

/** One name at or below the apex, its alias not followed. */
function lookUp(view: View, name: Name, owner: Spelling, type: number): Answer {
  const { head, options } = view;
  const start = name.length - options.apex.length;
  const suffix = owner.slice(start) as Spelling;
  if (start === 0) return head.atApex(suffix, type);
  // Where the five labels next to the zone begin, seen from the zone; only names of topology zones have more.
  let count = 0;
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  let fifth = 0;
  for (let at = 0; at < start; at += 1 + name.charCodeAt(at)) {
    fifth = fourth;
    fourth = third;
    third = second;
    second = first;
    first = at;
    count++;
  }
  switch (labelAt(name, first)) {
    case 'svc':
      if (count === 1) return head.nodata(suffix);
      if (count > 5 && !options.zonal) return head.nxdomain(suffix);
      if (!isExposed(view.store, options, labelAt(name, second))) return head.nxdomain(suffix);
      if (count === 2) return head.nodata(suffix);
      break;
    case 'pod':
      return podAnswer(view, name, owner, suffix, type, count, second, third);
    default:
      return head.wellKnown(name.slice(0, start), owner, suffix, type) ?? head.nxdomain(suffix);
  }
  const records = recordsOf(view, labelAt(name, second), labelAt(name, third));
  if (records === undefined || (options.ignoreEmptyService && records.isEmptyService)) return head.nxdomain(suffix);
  if (count === 3) {
    if (records.alias !== undefined) return aliasAnswer(view, records.alias, owner, type);
    return nodeAnswer(view, records, records.own, owner, suffix, type);
  }
  const node = nodeBelow(records, options.zonal, name, count, fifth, fourth, third);
  return nodeAnswer(view, records, node, owner, suffix, type);
}

function recordsOf({ store, options }: View, namespace: string, service: string): ServiceRecords | undefined {
  const { isMulticluster, endpointPodNames } = options;
  if (isMulticluster) return store.importRecords(namespace, service, endpointPodNames);
  return store.records(namespace, service, endpointPodNames);
}

function nodeAnswer(
  { store, head, options }: View,
  { life }: ServiceRecords,
  node: ServiceNode | undefined,
  owner: Spelling,
  suffix: Spelling,
  type: number,
): Answer {
  if (node === undefined) return head.nxdomain(suffix);
  switch (type) {
    case RRType.A:
    case RRType.AAAA: {
      const { ipv4, ipv6 } = addressesOf(node);
      const rdatas = type === RRType.A ? ipv4 : ipv6;
      return rdatas.length === 0
        ? head.nodata(suffix)
        : dataAnswer(owner, type, options.ttl, rdatas, NO_RRSETS, livesOf(store, life));
    }
    case RRType.SRV: {
      const { rdatas, glue } = servicesOf(node, suffix, options.ttl);
      return rdatas.length === 0
        ? head.nodata(suffix)
        : dataAnswer(owner, type, options.ttl, rdatas, glue, livesOf(store, life));
    }
    default:
      return head.nodata(suffix);
  }
}

/**
 * An ExternalName is an alias whatever is asked (RFC 1034 section 3.6.2), not only for addresses as in CoreDNS. A question
 * for the alias itself, or for anything that is there (RFC 8482 section 4.1), ends here.
 */
function aliasAnswer({ options }: View, alias: Spelling, owner: Spelling, type: number): Answer {
  const found = dataAnswer(owner, RRType.CNAME, options.ttl, [nameRdata(alias)]);
  if (type === RRType.CNAME || type === RRType.ANY) return found;
  return { outcome: 'alias', answer: found.answer, authority: NO_RRSETS, additional: NO_RRSETS };
}

/**
 * `address.namespace.pod`. More labels in front make it another name, which does not exist (CoreDNS ignores them), and no
 * pod has SRV records, for nothing is known of its ports (CoreDNS says port 0).
 */
function podAnswer(
  { store, options, head }: View,
  name: Name,
  owner: Spelling,
  suffix: Spelling,
  type: number,
  count: number,
  namespaceAt: number,
  addressAt: number,
): Answer {
  if (count === 1) return head.nodata(suffix);
  if (options.pods === 'disabled' || count > 3) return head.nxdomain(suffix);
  const namespace = labelAt(name, namespaceAt);
  if (!isExposed(store, options, namespace)) return head.nxdomain(suffix);
  if (count === 2) return head.nodata(suffix);
  const pod = podAddressFrom(labelAt(name, addressAt));
  if (pod === undefined) return head.nxdomain(suffix);
  if (options.pods === 'verified' && !store.hasPod(namespace, pod.text)) return head.nxdomain(suffix);
  const ownType = pod.address.length === 4 ? RRType.A : RRType.AAAA;
  return type === ownType ? dataAnswer(owner, type, options.ttl, [addressRdata(pod.address)]) : head.nodata(suffix);
}
