/** Differences about which names exist: when they are those that are meant. Knows nothing of what records say. */

import { isDenied, isNoData, isPointers, type Seen } from './difference.ts';

export async function isTextAtExistingName(seen: Seen): Promise<boolean> {
  const { question, name, ours, theirs, ask } = seen;
  if (question.type !== 'TXT' || !isNoData(ours, seen) || !isDenied(theirs, seen)) return false;
  const other = await ask({ name, type: 'NAPTR' });
  return isNoData(other.ours, seen) && isNoData(other.theirs, seen);
}

export async function isSoaAtNoName(seen: Seen): Promise<boolean> {
  const { question, name, labels, ours, theirs, ask } = seen;
  if (question.type !== 'SOA' || labels.length === 0 || !isDenied(ours, seen) || !isNoData(theirs, seen)) return false;
  const other = await ask({ name, type: 'NAPTR' });
  return isDenied(other.ours, { ...seen, plain: other });
}

export function isNameOfOneType(seen: Seen): boolean {
  const { question, labels, ours, theirs } = seen;
  const path = labels.join('.');
  const isSo =
    path === 'dns' ||
    (path === 'dns-version' && question.type !== 'TXT') ||
    (path === 'ns.dns' && question.type === 'TXT');
  return isSo && isNoData(ours, seen) && isDenied(theirs, seen);
}

/** Both say that a name below exists. */
export async function isEmptyNonTerminal(seen: Seen): Promise<boolean> {
  const { name, names, ours, theirs, ask } = seen;
  if (!isNoData(ours, seen) || !isDenied(theirs, seen)) return false;
  for (const [below, [type = '']] of names) {
    const existing = below.endsWith(`.${name}`) ? below : withoutUnderscores(below);
    if (!existing.endsWith(`.${name}`)) continue;
    const found = await ask({ name: existing, type: type === 'PTR' ? type : 'SRV' });
    if ([found.ours, found.theirs].every(({ rcode, flags }) => rcode === 'NOERROR' && flags === 'aa')) return true;
  }
  return false;
}

/** CoreDNS and we take `http.tcp` for `_http._tcp`. */
function withoutUnderscores(name: string): string {
  return name.startsWith('_') ? name.replace(/^_([^.]*)\._?/, '$1.') : name;
}

export async function isOtherTypeAtReverseName(seen: Seen): Promise<boolean> {
  const { question, name, ours, theirs, ask } = seen;
  if (question.type === 'PTR' || !isNoData(ours, seen) || !isDenied(theirs, seen)) return false;
  const { ours: own, theirs: other } = await ask({ name, type: 'PTR' });
  return [own, other].every((reply) => isPointers(reply, seen));
}

export function isServiceOfReverseZone(seen: Seen): boolean {
  const { zone, labels, ours, theirs } = seen;
  const isSo = zone.endsWith('.arpa') && (labels.join('.') === 'svc' || labels.join('.') === 'pod');
  return isSo && isDenied(ours, seen) && isNoData(theirs, seen);
}
