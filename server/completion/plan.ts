/** What is done for a client that looks for a name: which candidates are tried, or why none. Knows nothing of asking. */

import type { Life } from '../../zones/life.ts';
import { nameFrom, NameError, nameUnder, parentOf, ROOT, wireLabel, type Name } from '../../zones/name.ts';
import type { Pod } from '../../zones/kubernetes/objects.ts';
import type { Count } from '../../zones/units.ts';
import type { ClusterNames, ServiceKey } from './cluster-names.ts';
import { isPublic, mayBePublic, type PublicNames } from './public-names.ts';
import {
  candidatesOf,
  lastLabelOf,
  serviceAbove,
  THE_NAME,
  type Candidate,
  type SearchDomain,
  type Searched,
} from './search-list.ts';
import type { Refusal, Route } from './walk.ts';

export type Plan = Route & {
  /** Services that are not there: if one comes, another plan is made. */
  readonly absent: readonly ServiceKey[];
  /** Does nothing but those decide it? Pods come and go, and say so to nobody. */
  readonly isLasting: boolean;
  /** Of the namespaces that it was made for; undefined if there is no cluster. */
  readonly life: Life | undefined;
};

/** What the Corefile says of it. */
export type PlanOptions = {
  readonly refused: ReadonlySet<string>;
  readonly publicNames: PublicNames;
};

/** @param pod who asks, where that is to matter and is known */
export function planFor(
  searched: Searched,
  cluster: ClusterNames | undefined,
  { refused, publicNames }: PlanOptions,
  pod: Pod | undefined,
): Plan {
  const { base, first, namespace } = searched;
  const rest = pod === undefined ? searched.rest : restOf(pod, searched);
  if (rest === undefined) return nothing('pod');
  if (namespace !== undefined && (refused.has(namespace) || cluster?.refusesCompletion(namespace) === true)) {
    return nothing('namespace');
  }
  if (base.includes('_')) return nothing('underscore');
  const absent: ServiceKey[] = [];
  const life = cluster?.life();
  const isOfService = (name: Name): boolean => {
    const service = cluster === undefined ? undefined : serviceAbove(name, cluster);
    if (service === undefined) return false;
    if (cluster?.hasService(service) === true) return true;
    absent.push(service);
    return false;
  };
  if (isOfService(`${base}${first}` as Name)) return nothing('endpoint');
  const mayLeave = isPublic(publicNames, base, (name) => cluster?.isNamespace(name) === true);
  const rival = pod === undefined ? rivalOf(searched, publicNames) : undefined;
  const candidates: Candidate[] = [];
  let isLasting = pod === undefined;
  const ended = (end: Refusal): Plan => ({ candidates, end, absent, isLasting, life });
  for (const candidate of candidatesOf(base, rest, cluster)) {
    const { name, isOutside } = candidate;
    if (isOutside) {
      if (!mayLeave) return ended('private');
      if (rival !== undefined && candidates.every((other) => !other.isOutside)) candidates.push(rival);
    } else {
      const isAmbiguous = rival !== undefined && name === `${base}${parentOf(first)}` && cluster?.exists(name) === true;
      if (isAmbiguous || cluster?.decides(name) !== true) isLasting = false;
      if (isAmbiguous) return ended('ambiguous');
    }
    candidates.push(candidate);
    // What is a service's is said by the service, even if that has nothing to say.
    if (!isOutside && isOfService(name)) return ended('endpoint');
  }
  return ended('nowhere');
}

/**
 * The same question is asked by who looks `base.NAMESPACE` up, as the second one of that walk. Where the namespace is called like a TLD such a name
 * may exist: then it is that client's, and else somebody who has a domain under `base` would get what is meant for another.
 */
function rivalOf({ base, namespace }: Searched, publicNames: PublicNames): Candidate | undefined {
  if (namespace === undefined) return undefined;
  const labels = base + wireLabel(namespace);
  const name = nameUnder(labels, ROOT);
  return name !== undefined && mayBePublic(publicNames, labels) ? { name, place: 'rival', isOutside: true } : undefined;
}

function nothing(end: Refusal): Plan {
  return { candidates: [], end, absent: [], isLasting: false, life: undefined };
}

/** The plan as far as the cluster alone decides it, for a server that is busy asking outside. */
export function withinCluster(plan: Plan, cluster: ClusterNames | undefined): Plan {
  const outside = plan.candidates.findIndex(({ name, isOutside }) => isOutside || cluster?.decides(name) !== true);
  return outside === -1 ? plan : { ...plan, candidates: plan.candidates.slice(0, outside), end: 'busy' };
}

/** As kubelet cuts a pod's list (MaxDNSSearchPaths), the first domain included. */
const SEARCH_DOMAINS_MAX: Count = 32;

/** Is there any candidate but those that the cluster denies? */
export function isWorthAsking({ candidates }: Plan, cluster: ClusterNames | undefined): boolean {
  return (
    candidates.some(({ isOutside }) => isOutside) || candidates.some(({ name }) => cluster?.mayExist(name) === true)
  );
}

/**
 * What that pod asks after the first domain (Kubernetes: Pod's DNS Policy and DNS Config); undefined if its list does not begin with that
 * domain. A name with as many dots as `ndots` was asked as it is before, and would have been found.
 */
function restOf({ namespace, resolver }: Pod, searched: Searched): readonly SearchDomain[] | undefined {
  if (resolver?.policy === 'Default') return undefined;
  const own = (resolver?.searches ?? []).flatMap((text) => domainFrom(text) ?? []);
  // Resolvers disagree about what it means to search the root before other domains.
  if (own.some(({ domain }) => domain === ROOT)) return undefined;
  const isClusterFirst = resolver?.policy !== 'None';
  if (isClusterFirst ? namespace !== searched.namespace : own[0]?.domain !== searched.first) return undefined;
  const before = isClusterFirst ? searched.rest.filter(({ place }) => place !== 'name') : [];
  const known = new Set<Name>([searched.first]);
  const rest = [...before, ...own].filter(({ domain }) => !known.has(domain) && known.add(domain));
  const wasAsked = resolver?.ndots !== undefined && lastLabelOf(searched.base).count > resolver.ndots;
  return [...rest.slice(0, SEARCH_DOMAINS_MAX - 1), ...(wasAsked ? [] : [THE_NAME])];
}

function domainFrom(text: string): SearchDomain | undefined {
  try {
    return { domain: nameFrom(text), place: 'pod' };
  } catch (error) {
    if (error instanceof NameError) return undefined;
    throw error;
  }
}
