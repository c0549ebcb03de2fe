/** Differences about names of addresses: when they are those that are meant. Knows nothing of other zones. */

import { isDenied, isNoData, isPointers, primaryOf, type Seen } from './difference.ts';
import { isSameReply, SILENCE } from './reply.ts';

export async function isBelowAddress(seen: Seen): Promise<boolean> {
  const { question, name, labels, zone, ours, theirs, ask } = seen;
  const digits = [...labels, zone]
    .join('.')
    .replace(/\.ip6\.arpa$/, '')
    .split('.');
  const extra = digits.length - 32;
  if (question.type !== 'PTR' || !name.endsWith('.ip6.arpa') || extra < 1 || extra > 3 || !isDenied(ours, seen))
    return false;
  const address = name.split('.').slice(extra).join('.');
  const found = await ask({ name: address, type: 'PTR' });
  const answer = found.theirs.answer.map((line) => line.replace(`${address}. `, `${name}. `));
  return isSameReply(theirs, { ...found.theirs, answer });
}

/** What only CoreDNS has leads into namespaces that both say do not exist. */
export async function isPointerOutOfSight(seen: Seen): Promise<boolean> {
  const { question, ours, theirs, ask } = seen;
  const more = theirs.answer.filter((line) => !ours.answer.includes(line));
  if (question.type !== 'PTR' || more.length === 0 || !isPointers(theirs, seen)) return false;
  if (ours.answer.length > 0 ? !isPointers(ours, seen) || !isWithin(ours.answer, theirs.answer) : !isDenied(ours, seen))
    return false;
  for (const line of more) {
    const [, namespace = ''] = /\.([^.]+)\.svc\.[^ ]+$/.exec(line) ?? [];
    const primary = primaryOf(seen.setting);
    const at = { name: `${namespace}.svc.${primary}`, zone: primary };
    const plain = await ask({ name: at.name, type: 'A' });
    const there: Seen = { ...seen, ...at, plain };
    if (!isDenied(plain.ours, there) || !isDenied(plain.theirs, there)) return false;
  }
  return true;
}

/** We have more. */
export function isMisspelt(seen: Seen): boolean {
  const { question, name, ours, theirs, oddities } = seen;
  if (!oddities.misspelt.has(name)) return false;
  if (question.type !== 'PTR') return isNoData(ours, seen) && isDenied(theirs, seen);
  if (!isPointers(ours, seen)) return false;
  return theirs.answer.length > 0
    ? isPointers(theirs, seen) && isWithin(theirs.answer, ours.answer)
    : isDenied(theirs, seen);
}

export function isSilence(seen: Seen): boolean {
  const { question, name, ours, theirs, oddities } = seen;
  const isSo = question.type === 'PTR' && oddities.ownerless.has(name) && isSameReply(theirs, SILENCE);
  return isSo && (isPointers(ours, seen) || isDenied(ours, seen));
}

function isWithin(some: readonly string[], all: readonly string[]): boolean {
  return some.every((line) => all.includes(line));
}
