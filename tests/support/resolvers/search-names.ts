/** Names as search lists make them of others. Knows nothing of who asks for them. */

import type { Count } from '../../../zones/units.ts';

export function dotsIn(name: string): Count {
  return name.split('.').length - 1;
}

export function isRooted(name: string): boolean {
  return name.endsWith('.');
}

/** Behind the root a name stays as it is. */
export function under(name: string, domain: string): string {
  return domain === '.' ? name : `${name}.${domain}`;
}

/** May it be asked for? RFC 1035 section 2.3.4. */
export function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length > 0 && label.length <= 63);
}

/** The search list in its order, and the name itself before it or behind it: as most resolvers do. */
export function namesFor(name: string, search: readonly string[], ndots: Count): readonly string[] {
  if (isRooted(name)) return [name.slice(0, -1)];
  const searched = search.map((domain) => under(name, domain)).filter(isName);
  return dotsIn(name) >= ndots ? [name, ...searched] : [...searched, name];
}
