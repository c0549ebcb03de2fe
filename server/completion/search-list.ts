/**
 * Names as they are asked by somebody who walks a search list (resolv.conf(5)): which name is looked for, and what would be asked next.
 * Knows nothing of what exists outside the cluster, nor of replies.
 */

import { labelAt, nameUnder, ROOT, suffixStart, type Name } from '../../zones/name.ts';
import type { Count } from '../../zones/units.ts';
import type { ClusterNames, ServiceKey } from './cluster-names.ts';

/**
 * Where in a search list a candidate stands: the last one is the name itself. `rival` is none: it is what another client may be looking for that
 * asks the same question.
 */
export type Place = 'svc' | 'cluster' | 'node' | 'pod' | 'name' | 'rival';

/** A domain that is put behind the name that is looked for. */
export type SearchDomain = { readonly domain: Name; readonly place: Place };

/** A name that the search list makes of the one that is looked for. */
export type Candidate = {
  readonly name: Name;
  readonly place: Place;
  /** In no zone of the cluster. */
  readonly isOutside: boolean;
};

/** A name below the first domain of a search list. */
export type Searched = {
  /** The labels of the name that is looked for, in wire form and without the root. */
  readonly base: string;
  /** The first domain: the one that stands behind `base` in the question. */
  readonly first: Name;
  /** The namespace whose pods have this list; undefined if its first domain is none's. */
  readonly namespace: string | undefined;
  /** What is asked after the first domain. */
  readonly rest: readonly SearchDomain[];
};

/** Reads a name; undefined if it stands below no list's first domain. */
export type SearchLists = (name: Name, cluster: ClusterNames | undefined) => Searched | undefined;

/** The lists that kubelet gives pods: `NAMESPACE.svc.ZONE svc.ZONE ZONE` and what the node searches itself. */
export function podSearchLists(nodeDomains: readonly Name[]): SearchLists {
  const known = new Map<Name, readonly SearchDomain[]>();
  const restIn = (apex: Name): readonly SearchDomain[] => {
    let rest = known.get(apex);
    if (rest === undefined) {
      rest = [...clusterDomains(apex), ...nodeDomainsBeside(apex, nodeDomains), THE_NAME];
      known.set(apex, rest);
    }
    return rest;
  };
  return (name, cluster) => {
    const apex = cluster?.apexes.find((zone) => suffixStart(name, zone) !== -1);
    if (cluster === undefined || apex === undefined) return undefined;
    const { namespaceAt } = below(name, apex);
    if (namespaceAt <= 0) return undefined;
    const namespace = labelAt(name, namespaceAt);
    if (!cluster.hasNamespace(namespace)) return undefined;
    return { base: name.slice(0, namespaceAt), first: name.slice(namespaceAt) as Name, namespace, rest: restIn(apex) };
  };
}

/** One list for everybody, as it stands in a file; undefined where it is empty. */
export function fixedSearchList([first, ...others]: readonly Name[]): SearchLists {
  const rest = [...others.map((domain) => ({ domain, place: 'node' }) as const), THE_NAME];
  return (name, cluster) => {
    const start = first === undefined ? -1 : suffixStart(name, first);
    if (first === undefined || start <= 0) return undefined;
    return { base: name.slice(0, start), first, namespace: namespaceOf(first, cluster), rest };
  };
}

/** What comes behind the namespace's own domain in the list of a pod (dnsPolicy ClusterFirst). */
function clusterDomains(apex: Name): readonly SearchDomain[] {
  return [
    { domain: `\x03svc${apex}` as Name, place: 'svc' },
    { domain: apex, place: 'cluster' },
  ];
}

/** The last in each list. */
export const THE_NAME: SearchDomain = { domain: ROOT, place: 'name' };

/** Kubelet cuts a pod's list at 32 (MaxDNSSearchPaths), of which three are the cluster's. */
const NODE_DOMAINS_MAX: Count = 29;

/** A server that runs in a pod may have been given the list of a pod. */
function nodeDomainsBeside(apex: Name, nodeDomains: readonly Name[]): readonly SearchDomain[] {
  return nodeDomains
    .filter((domain) => suffixStart(domain, apex) === -1)
    .slice(0, NODE_DOMAINS_MAX)
    .map((domain) => ({ domain, place: 'node' }));
}

/** What is asked next, in that order; names longer than a name may be are left out, as resolvers do. */
export function candidatesOf(
  base: string,
  rest: readonly SearchDomain[],
  cluster: ClusterNames | undefined,
): readonly Candidate[] {
  return rest.flatMap(({ domain, place }) => {
    const name = nameUnder(base, domain);
    return name === undefined ? [] : { name, place, isOutside: cluster?.holds(name) !== true };
  });
}

/** The service that a name is, or is below; undefined if it is no name of that form. */
export function serviceAbove(name: Name, { apexes }: ClusterNames): ServiceKey | undefined {
  const apex = apexes.find((zone) => suffixStart(name, zone) !== -1);
  if (apex === undefined) return undefined;
  const { serviceAt, namespaceAt } = below(name, apex);
  return serviceAt === -1 ? undefined : { namespace: labelAt(name, namespaceAt), name: labelAt(name, serviceAt) };
}

/** Is it a name of a pod by its address, or below one? */
export function isPodName(name: Name, apex: Name): boolean {
  return below(name, apex).kind === 'pod';
}

/** Which domain of its list a pod has put behind a name that the cluster does not have. */
export function placeAsked(name: Name, cluster: ClusterNames): 'namespace' | 'svc' | 'cluster' | undefined {
  const apex = cluster.apexes.find((zone) => suffixStart(name, zone) !== -1);
  if (apex === undefined || apex === name) return undefined;
  const { namespaceAt, kind } = below(name, apex);
  if (kind !== 'svc') return 'cluster';
  return namespaceAt > 0 && cluster.hasNamespace(labelAt(name, namespaceAt)) ? 'namespace' : 'svc';
}

/** The last label of the name that is looked for, and how many there are. */
export function lastLabelOf(base: string): { readonly label: string; readonly count: Count } {
  let last = 0;
  let count = 0;
  for (let at = 0; at < base.length; at += 1 + base.charCodeAt(at)) {
    last = at;
    count++;
  }
  return { label: base.slice(last + 1), count };
}

/** The namespace of `NAMESPACE.svc.ZONE`. */
function namespaceOf(domain: Name, cluster: ClusterNames | undefined): string | undefined {
  const apex = cluster?.apexes.find((zone) => suffixStart(domain, zone) !== -1);
  if (apex === undefined) return undefined;
  const { namespaceAt } = below(domain, apex);
  return namespaceAt === 0 ? labelAt(domain, 0) : undefined;
}

/** Where in `service.namespace.svc.ZONE` the labels stand; -1 for those that are not there, or not of that form. */
function below(
  name: Name,
  apex: Name,
): { readonly kind: string; readonly namespaceAt: number; readonly serviceAt: number } {
  const start = name.length - apex.length;
  let kindAt = -1;
  let namespaceAt = -1;
  let serviceAt = -1;
  for (let at = 0; at < start; at += 1 + name.charCodeAt(at)) {
    serviceAt = namespaceAt;
    namespaceAt = kindAt;
    kindAt = at;
  }
  const kind = kindAt === -1 ? '' : labelAt(name, kindAt);
  return kind === 'svc' ? { kind, namespaceAt, serviceAt } : { kind, namespaceAt: -1, serviceAt: -1 };
}
