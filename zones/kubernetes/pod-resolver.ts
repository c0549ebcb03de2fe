/**
 * What a Pod's spec says about its /etc/resolv.conf, as far as it is not what nearly all pods have. Knows nothing of what the
 * kubelet, or a resolver, makes of it.
 */

import type { Count } from '../units.ts';
import { fieldsOf, isHostName, listOf, type Fields } from './api-values.ts';
import type { PodResolver } from './objects.ts';

/** Search names that a Pod may bring (k8s.io/kubernetes core validation `MaxDNSSearchPaths`); the kubelet cuts there as well. */
const SEARCHES_MAX: Count = 32;
/** Their characters in all, with a space between two (`MaxDNSSearchListChars`). */
const SEARCH_CHARACTERS_MAX: Count = 2048;
/** More counts as that much (resolv.conf(5)). */
const NDOTS_MAX: Count = 15;

/** Undefined where the cluster's resolver is used as it is. What the API would not have let through is left out. */
export function podResolverFrom({ dnsPolicy, dnsConfig }: Fields): PodResolver | undefined {
  const policy = dnsPolicy === 'Default' || dnsPolicy === 'None' ? dnsPolicy : 'ClusterFirst';
  const config = fieldsOf(dnsConfig);
  const searches = searchesFrom(listOf(config['searches']));
  const ndots = ndotsFrom(listOf(config['options']));
  if (policy === 'ClusterFirst' && searches.length === 0 && ndots === undefined) return undefined;
  return { policy, searches, ...(ndots === undefined ? undefined : { ndots }) };
}

/** Whether a search name ends with a dot makes no difference, nor how it is spelled. */
function searchesFrom(values: readonly unknown[]): readonly string[] {
  const searches: string[] = [];
  let characters: Count = -1;
  for (const value of values) {
    const search = searchFrom(value);
    if (search === undefined) continue;
    characters += 1 + search.length;
    if (characters > SEARCH_CHARACTERS_MAX || searches.length === SEARCHES_MAX) break;
    searches.push(search);
  }
  return searches;
}

function searchFrom(value: unknown): string | undefined {
  if (value === ROOT_SEARCH) return ROOT_SEARCH;
  return isHostName(value) ? value.toLowerCase().replace(/\.$/, '') : undefined;
}

/** The last one counts, as for the kubelet, which writes each option once. */
function ndotsFrom(options: readonly unknown[]): Count | undefined {
  const option = options.map(fieldsOf).findLast(({ name }) => name === 'ndots');
  const value = option?.['value'];
  return typeof value === 'string' && /^[0-9]+$/.test(value) ? Math.min(Number(value), NDOTS_MAX) : undefined;
}

/** The only search name that keeps its dot: with it a name is asked for as it is (KEP-4427). */
const ROOT_SEARCH = '.';
