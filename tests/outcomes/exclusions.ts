/** Differences that are known and not held against the server, each with its reason. */

import type { LookUp } from '../support/resolvers/resolver.ts';
import type { Scenario } from './scenario.ts';

/** Does a difference say nothing here? */
export function isExcluded(scenario: Scenario, without: LookUp, withIt: LookUp): boolean {
  if (searchesInZoneOutside(scenario)) return true;
  const mayDiffer = 'error' in without.outcome || scenario.nodeDomains.length > 0;
  return mayDiffer && withIt.asked.some(({ name }) => isAnothersFirstQuestion(scenario, name));
}

/**
 * Whoever looks `BASE.NAMESPACE` up asks for it with `svc.ZONE` behind it sooner or later, and so for what that namespace's own pods begin to
 * look `BASE` up with. The name alone cannot tell them apart, so addresses may come of what does not exist, or exists
 * below a domain of the node's only; never in place of what exists by itself. The same with `.svc`, and with the whole of it.
 */
function isAnothersFirstQuestion({ name, namespace, zone, objects, event }: Scenario, question: string): boolean {
  if (question === `${name}.${namespace}.svc.${zone}`) return false;
  const put = event.flatMap((change) => (change.verb === 'put' ? [change.object] : []));
  return [...objects, ...put].some((object) => {
    const ending = `.${object.name}.svc.${zone}`;
    return object.kind === 'Namespace' && question.endsWith(ending) && question.slice(0, -ending.length).includes('.');
  });
}

/** A domain of the node's that lies in the zone is taken for a part of a pod's own list, though with `fallthrough` the outside may have names there. */
function searchesInZoneOutside({ zone, nodeDomains, kubernetes }: Scenario): boolean {
  return kubernetes.includes('fallthrough') && nodeDomains.some((domain) => domain.endsWith(`.${zone}`));
}
