/**
 * Which names the zones' servers have: the Services in front of this very server, found by its own addresses, as CoreDNS
 * does (plugin/kubernetes `nsAddrs`). Knows nothing of SOA and NS records.
 */

import { addressKey, addressKeyFrom } from '../ip.ts';
import { nameUnder, wireLabel, type Spelling } from '../name.ts';
import { endpointLabel, type SliceHead } from './store/endpoints.ts';
import { serviceFront } from './store/records.ts';
import type { ClusterView } from './store/cluster-view.ts';
import { HEADLESS } from './trim.ts';
import { isExposed, type ZoneOptions } from './zone.ts';

/** `ns.dns`, the name server in the SOA record, in wire form without the zone. */
export const NS_DNS = '\x02ns\x03dns';

/** A name server and the `addressKey`s of its addresses. */
export type Nameserver = { readonly name: Spelling; readonly keys: readonly string[] };

/** Each name is once there and ends in `suffix`. Names and addresses are sorted, for the order of events must not show. */
export function nameserversOf(store: ClusterView, options: ZoneOptions, suffix: Spelling): readonly Nameserver[] {
  const own = options.localAddresses.map(addressKey);
  const heads = new Set(own.flatMap((key) => store.readyAddresses(key)).map(({ head }) => head));
  const fronts = new Map<string, Set<string>>();
  for (const head of heads) {
    for (const [front, key] of servedBy(store, options, head)) {
      // Where no zone has names of services, or one so long that this does not fit before it, the server goes by the name
      // that its SOA record has for it.
      const isName = options.primary !== undefined && nameUnder(front, suffix) !== undefined;
      keysAt(fronts, isName ? front : NS_DNS).add(key);
    }
  }
  // So it does outside a cluster, and while its Service is not known.
  if (fronts.size === 0) for (const key of own) keysAt(fronts, NS_DNS).add(key);
  const servers: Nameserver[] = [];
  for (const [front, keys] of fronts) {
    const name = nameUnder(front, suffix);
    if (name !== undefined) servers.push({ name, keys: [...keys].toSorted() });
  }
  return servers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names and addresses of the Service that a slice belongs to: its cluster IPs, or every endpoint of the slice if it is headless. */
function servedBy(store: ClusterView, options: ZoneOptions, head: SliceHead): readonly (readonly [string, string])[] {
  const { namespace, service: name } = head;
  const service = store.service(namespace, name)?.service;
  const front = serviceFront(namespace, name);
  if (service === undefined || front === undefined || !isExposed(store, options, namespace)) return [];
  if (service.clusterIPs[0] !== HEADLESS) {
    return service.clusterIPs.flatMap((text): readonly (readonly [string, string])[] => {
      const key = addressKeyFrom(text);
      return key === undefined ? [] : [[front, key]];
    });
  }
  const slices = store.records(namespace, name, options.endpointPodNames)?.slices ?? [];
  const addresses = slices.find((slice) => slice.head === head)?.addresses ?? [];
  return addresses.map((address) => {
    return [wireLabel(endpointLabel(address, options.endpointPodNames)) + front, address.key];
  });
}

function keysAt(fronts: Map<string, Set<string>>, front: string): Set<string> {
  const known = fronts.get(front);
  if (known !== undefined) return known;
  const keys = new Set<string>();
  fronts.set(front, keys);
  return keys;
}
