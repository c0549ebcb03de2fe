/** Differences about a zone's own servers: when they are those that are meant. Knows nothing of other names. */

import { isDenied, isNoData, primaryOf, type Seen } from './difference.ts';
import { ttlOf } from './settings.ts';
import { isSameReply, withoutRepetition } from './reply.ts';

export function isNameServerBehindBind(seen: Seen): boolean {
  return seen.setting.isBound && isNameServer(seen) && isNoData(seen.theirs, seen);
}

export function isNameServerElsewhere(seen: Seen): boolean {
  const { name, zone, setting, ours, theirs } = seen;
  const hasServices = !zone.endsWith('.arpa') && !setting.clustersets.includes(zone);
  if (hasServices || !isNameServer(seen)) return false;
  const moved = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => {
      const [owner = '', ...rest] = line.split(' ');
      const words = [owner === `${name}.` ? owner : inPrimary(owner, seen), ...rest.slice(0, -1)];
      return [...words, inPrimary(rest.at(-1) ?? '', seen)].join(' ');
    });
  const { answer, additional, ...others } = withoutRepetition(theirs);
  return isSameReply(ours, { ...others, answer: moved(answer).toSorted(), additional: moved(additional).toSorted() });
}

/** That name in the zone that has the services. */
function inPrimary(name: string, { zone, setting }: Seen): string {
  return name.endsWith(`.${zone}.`) ? `${name.slice(0, -zone.length - 1)}${primaryOf(setting)}.` : name;
}

export async function isNameServerInCapitals(seen: Seen): Promise<boolean> {
  const { question, name, ours, theirs, plain } = seen;
  if (question.name === name || !isNameServer(seen)) return false;
  return isSameReply(ours, plain.ours) && (isNoData(theirs, seen) || isDenied(theirs, seen));
}

/** Is it about the names or addresses of the zone's servers, and have we some? */
function isNameServer({ question, labels, name, ours, setting }: Seen): boolean {
  const path = labels.join('.');
  const types = path === '' ? ['NS'] : path === 'ns.dns' ? ['A', 'AAAA'] : [];
  const type = question.type.toLowerCase();
  const isOwn = ours.answer.every((line) => line.startsWith(`${name}. ${ttlOf(setting)} in ${type} `));
  return (
    types.includes(question.type) &&
    ours.rcode === 'NOERROR' &&
    ours.flags === 'aa' &&
    ours.answer.length > 0 &&
    ours.authority.length === 0 &&
    isOwn
  );
}
