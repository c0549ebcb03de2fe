/** Differences that are known and not held against the server, each with its reason. */

import type { Question } from '../support/resolvers/resolver.ts';
import type { Scenario } from './scenario.ts';

/** Does a difference say nothing here? @param asked of the server with completion */
export function isExcluded(scenario: Scenario, asked: readonly Question[]): boolean {
  return (
    hasNodeDomainBesideZone(scenario) ||
    asksForOneType(scenario) ||
    asked.some(({ name }) => isAnothersFirstQuestion(scenario, name))
  );
}

/**
 * Whoever looks `BASE.NAMESPACE` up asks for it with `svc.ZONE` behind it sooner or later, and so for what that namespace's own pods begin to
 * look `BASE` up with. The name alone cannot tell them apart. The same with `.svc`, and with the whole of it.
 */
function isAnothersFirstQuestion({ name, namespace, zone, objects, event }: Scenario, question: string): boolean {
  if (question === `${name}.${namespace}.svc.${zone}`) return false;
  const put = event.flatMap((change) => (change.verb === 'put' ? [change.object] : []));
  return [...objects, ...put].some((object) => {
    const ending = `.${object.name}.svc.${zone}`;
    return object.kind === 'Namespace' && question.endsWith(ending) && question.slice(0, -ending.length).includes('.');
  });
}

/** Above or below the zone: not searched by the server, for a server in a pod may have been given a pod's own list. */
function hasNodeDomainBesideZone({ zone, nodeDomains }: Scenario): boolean {
  return nodeDomains.some((domain) => zone.endsWith(`.${domain}`) || domain.endsWith(`.${zone}`));
}

/** For a client that asks for one type only, an alias to a name without an address of that type is an answer, and ends its walk. */
function asksForOneType({ words, types }: Scenario): boolean {
  return types.length === 1 || words.includes('no-aaaa');
}
