/**
 * Names of addresses (Kubernetes DNS spec 2.3.3 and 2.4.3): PTR records below in-addr.arpa and ip6.arpa. Knows nothing of
 * messages, or of what lies outside the cluster.
 */

import type { Answer } from '../answer.ts';
import { keyOfDigits, reverseDigitsOf } from '../ip.ts';
import { nameUnder, wireLabel, type Name, type Spelling } from '../name.ts';
import { nameRdata } from '../rdata.ts';
import { RRType } from '../rr.ts';
import { endpointLabel } from './store/endpoints.ts';
import { serviceFront } from './store/records.ts';
import type { ClusterView, NamedService } from './store/cluster-view.ts';
import { HEADLESS } from './trim.ts';
import { dataAnswer, isExposed, livesOf, NO_RRSETS, type Zone, type ZoneOptions } from './zone.ts';
import { zoneHead } from './zone-head.ts';

export function reverseZone(store: ClusterView, options: ZoneOptions): Zone {
  const { apex, ttl, passesOn } = options;
  const head = zoneHead(store, options);
  const hasName = (key: string): boolean => pointersTo(store, options, key).length > 0;
  return {
    apex,
    kinds: options.kinds,
    find(name: Name, spelling: Spelling, type: number): Answer {
      const start = name.length - apex.length;
      const suffix = spelling.slice(start) as Spelling;
      const digits = reverseDigitsOf(name);
      const key = digits === undefined ? undefined : keyOfDigits(digits);
      const targets = key === undefined ? NO_TARGETS : pointersTo(store, options, key);
      if (key !== undefined && targets.length > 0) {
        if (type === RRType.PTR) {
          const lives = livesOf(store, store.lifeOfAddress(key));
          return dataAnswer(spelling, type, ttl, targets.map(nameRdata), NO_RRSETS, lives);
        }
        // The apex of a zone for a single address has an SOA like any other.
        return start === 0 ? head.atApex(suffix, type) : head.nodata(suffix);
      }
      if (start === 0) return head.atApex(suffix, type);
      const known = head.wellKnown(name.slice(0, start), spelling, suffix, type);
      if (known !== undefined) return known;
      // Where somebody else answers for the rest of the zone, the names between are theirs to judge (they may hold more).
      const mayBeBetween = digits !== undefined && key === undefined && !passesOn(name);
      const isBetween = mayBeBetween && store.hasAddressUnder(digits, hasName);
      return isBetween ? head.nodata(suffix) : head.nxdomain(suffix);
    },
  };
}

/**
 * The names of an address: that of the Service whose cluster IP it is, or else those of every endpoint that has it, in the
 * primary zone. Names that were given (a host name in a headless service) come first, for many clients read only one.
 */
function pointersTo(store: ClusterView, options: ZoneOptions, key: string): readonly Spelling[] {
  const [service] = store
    .servicesByClusterIP(key)
    .toSorted(byNamespaceAndName)
    .flatMap(({ namespace, name }) => {
      const target = isExposed(store, options, namespace) ? nameFor(namespace, name, '', options) : undefined;
      return target === undefined ? [] : [target];
    });
  if (service !== undefined) return [service];
  const ranks = new Map<Spelling, number>();
  for (const address of store.readyAddresses(key)) {
    const { namespace, service: name } = address.head;
    if (!isExposed(store, options, namespace)) continue;
    const isHeadless = store.service(namespace, name)?.service?.clusterIPs[0] === HEADLESS;
    const label = endpointLabel(address, options.endpointPodNames);
    const rank = isHeadless ? (label === address.hostname ? HOST_NAME : HEADLESS_ENDPOINT) : ENDPOINT;
    if (options.pointsToHostnamesOnly && rank !== HOST_NAME) continue;
    const target = nameFor(namespace, name, wireLabel(label), options);
    if (target === undefined) continue;
    ranks.set(target, Math.min(rank, ranks.get(target) ?? ENDPOINT));
  }
  return [...ranks].toSorted(byRank).map(([target]) => target);
}

const HOST_NAME = 0;
const HEADLESS_ENDPOINT = 1;
const ENDPOINT = 2;
const NO_TARGETS: readonly Spelling[] = [];

/** No two services have one cluster IP for long; while they do, two servers should say the same. */
function byNamespaceAndName(a: NamedService, b: NamedService): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** Rank first, then the name, so that two servers give one order. */
function byRank([a, rankA]: [Spelling, number], [b, rankB]: [Spelling, number]): number {
  return rankA - rankB || (a < b ? -1 : 1);
}

/** undefined if the name would be too long, its labels none, or there is no zone for it to stand in. */
function nameFor(namespace: string, service: string, label: string, { primary }: ZoneOptions): Spelling | undefined {
  const front = serviceFront(namespace, service);
  return front === undefined || primary === undefined ? undefined : nameUnder(label + front, primary);
}
