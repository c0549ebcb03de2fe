/** What a zone made from a cluster is, whichever way its names run. Knows no names and no records. */

import type { Answer, Lives } from '../answer.ts';
import type { Address } from '../ip.ts';
import type { Life } from '../life.ts';
import type { Name, Spelling } from '../name.ts';
import type { RRset } from '../rr.ts';
import type { Seconds } from '../units.ts';
import type { Kind } from './objects.ts';
import type { ClusterView } from './store/cluster-view.ts';

/** A zone that can be asked. */
export type Zone = {
  readonly apex: Name;
  /** While one of these has not been received whole, it is not known what does not exist. */
  readonly kinds: readonly Kind[];
  /** `name` is at or below the apex; `spelling` is the same name as the client wrote it. */
  readonly find: (name: Name, spelling: Spelling, type: number) => Answer;
};

/** How one zone shows the cluster. */
export type ZoneOptions = {
  readonly apex: Name;
  /** What is read of the cluster. */
  readonly kinds: readonly Kind[];
  /** Is the name this zone's, and not one of a longer zone or of addresses? Only such a name can an alias be followed to. */
  readonly holds: (name: Name) => boolean;
  /** The zone that holds the names of the cluster's services: where reverse names and name servers point to; undefined if none does. */
  readonly primary: Name | undefined;
  /** The services are those of the clusterset, which ServiceImports tell of (KEP-1645). */
  readonly isMulticluster: boolean;
  readonly ttl: Seconds;
  /** Only these namespaces exist; undefined for all. */
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly pods: PodMode;
  /** Endpoints without a host name are named after their pod. */
  readonly endpointPodNames: boolean;
  /** Headless services have names for their endpoints in a topology zone. */
  readonly zonal: boolean;
  /** Addresses have names by cluster IPs and by host names in headless services only (Kubernetes DNS spec 2.3.3 and 2.4.3). */
  readonly pointsToHostnamesOnly: boolean;
  /** Services with a cluster IP and no ready endpoint do not exist. */
  readonly ignoreEmptyService: boolean;
  /** This machine's own addresses, loopback left out: how the zone finds its name servers. */
  readonly localAddresses: readonly Address[];
  /** Is a name that does not exist here somebody else's? */
  readonly passesOn: (name: Name) => boolean;
};

/**
 * Names of pods by address: none, any address in an existing namespace, or only those of pods that are there
 * (CoreDNS plugin/kubernetes `pods`).
 */
export type PodMode = 'disabled' | 'insecure' | 'verified';

/** Does the namespace exist, and is it one of those to be shown? */
export function isExposed(
  store: ClusterView,
  { namespaces }: Pick<ZoneOptions, 'namespaces'>,
  namespace: string,
): boolean {
  return (namespaces?.has(namespace) ?? true) && store.hasNamespace(namespace);
}

/** Of an answer that ends with one service's or address's; undefined where nothing changes. */
export function livesOf({ life: whole }: ClusterView, own: Life | undefined): Lives | undefined {
  return whole === undefined || own === undefined ? undefined : { own, whole };
}

/** One RRset with the owner as it was asked for. `lives`: of what it was made from. */
export function dataAnswer(
  owner: Spelling,
  type: number,
  ttl: Seconds,
  rdatas: readonly Uint8Array[],
  additional: readonly RRset[] = NO_RRSETS,
  lives?: Lives,
): Answer {
  return { outcome: 'data', answer: [{ owner, type, ttl, rdatas }], authority: NO_RRSETS, additional, lives };
}

/** An empty section. */
export const NO_RRSETS: readonly RRset[] = [];
