/** Differences about names of services and pods: when they are those that are meant. Knows nothing of reverse zones. */

import { NOTHING, isDenied, isNoData, type Replies, type Seen } from './difference.ts';
import { isSameReply, type Reply } from './reply.ts';
import { ttlOf } from './settings.ts';

export function isAnyPort(seen: Seen): boolean {
  const { labels, ours, theirs } = seen;
  const [port, protocol, , , kind] = labels;
  const isSo = labels.length === 5 && kind === 'svc' && (port === '_' || protocol === '_');
  const isOwn = theirs.answer.every((line) => line.startsWith(`${seen.name}. ${ttlOf(seen.setting)} in `));
  const isFound = theirs.answer.length > 0 && isOwn && isSameReply({ ...theirs, answer: [], additional: [] }, NOTHING);
  return isSo && isDenied(ours, seen) && (isFound || isNoData(theirs, seen));
}

export async function isBelowPod(seen: Seen): Promise<boolean> {
  const { question, zone, labels, ours, theirs, ask, name } = seen;
  if (labels.at(-1) !== 'pod' || labels.length < 4 || labels.length > 5 || !isDenied(ours, seen)) return false;
  const pod = [...labels.slice(-3), zone].join('.');
  const found = await ask({ name: pod, type: question.type });
  const answer = found.theirs.answer.map((line) => line.replace(`${pod}. `, `${name}. `));
  return isSameReply(theirs, { ...found.theirs, answer });
}

export function isServiceOfPod(seen: Seen): boolean {
  const { question, name, labels, ours, theirs } = seen;
  if (question.type !== 'SRV' || labels.at(-1) !== 'pod' || labels.length !== 3 || !isNoData(ours, seen)) return false;
  const answer = [`${name}. ${ttlOf(seen.setting)} in srv 0 100 0 ${name}.`];
  return isSameReply({ ...theirs, additional: [] }, { ...NOTHING, answer });
}

export async function isAliasOfOtherType(seen: Seen): Promise<boolean> {
  const { question, name, ours, theirs, ask } = seen;
  if (['A', 'AAAA', 'CNAME'].includes(question.type) || !isNoData(theirs, seen)) return false;
  if (question.type !== 'ANY') return (await followed(seen)) !== undefined;
  // Whatever is there is the alias (RFC 8482 section 4.1).
  const { ours: alias, theirs: sameAlias } = await ask({ name, type: 'CNAME' });
  return alias.answer.length === 1 && isSameReply(alias, sameAlias) && isSameReply(ours, alias);
}

export async function isAliasOutsideDenied(seen: Seen): Promise<boolean> {
  const { theirs } = seen;
  const alias = await followed(seen);
  if (alias === undefined) return false;
  const answer = [...alias.shown, ...alias.target.theirs.answer].toSorted();
  return isSameReply(theirs, { ...NOTHING, answer });
}

export async function isAliasInsideDenied(seen: Seen): Promise<boolean> {
  if (!['A', 'AAAA'].includes(seen.question.type) || !isNoData(seen.theirs, seen)) return false;
  return (await followed(seen)) !== undefined;
}

/** The alias at the name, if we follow it: what we say is what we say of its target, with the alias in front. */
async function followed(seen: Seen): Promise<Alias | undefined> {
  const { question, name, ours, ask } = seen;
  const cname = await ask({ name, type: 'CNAME' });
  const [line = ''] = cname.ours.answer;
  const [, text = ''] = / in cname (\S+)\.$/.exec(line) ?? [];
  if (text === '' || !isSameReply(cname.ours, cname.theirs)) return undefined;
  const target = await ask({ name: text, type: question.type });
  const { rcode, answer, authority } = target.ours;
  const isAnswered = rcode === 'NOERROR' || rcode === 'NXDOMAIN';
  const expected: Reply = isAnswered
    ? { rcode, flags: 'aa', answer: [line, ...answer].toSorted(), authority, additional: target.ours.additional }
    : { rcode: 'SERVFAIL', flags: '', answer: [], authority: [], additional: [] };
  return isSameReply(ours, expected) ? { shown: [line], target } : undefined;
}

type Alias = { readonly shown: readonly string[]; readonly target: Replies };

export async function isServiceWithoutAddress(seen: Seen): Promise<boolean> {
  const { name, ours, theirs, ask } = seen;
  const root: Reply = { ...NOTHING, answer: [`${name}. ${ttlOf(seen.setting)} in cname .`] };
  if (isNoData(ours, seen) && isSameReply(theirs, root)) return true;
  const { theirs: alias } = await ask({ name, type: 'CNAME' });
  return isSameReply(alias, root) && isDenied(ours, seen) && (isNoData(theirs, seen) || isSameReply(theirs, root));
}

export async function isSliceOfNames(seen: Seen): Promise<boolean> {
  const { question, name, ours, theirs, ask } = seen;
  const alias = await ask({ name, type: 'CNAME' });
  const { theirs: addresses } = await ask({ name, type: 'A' });
  if (!isDenied(alias.ours, { ...seen, plain: alias }) || !isDenied(ours, seen)) return false;
  const aliases = addresses.answer.filter((line) => line.startsWith(`${name}. `) && line.includes(' in cname '));
  if (aliases.length === 0) return false;
  if (['A', 'AAAA', 'CNAME'].includes(question.type))
    return (
      isSameReply({ ...theirs, answer: [] }, NOTHING) &&
      theirs.answer.length > 0 &&
      theirs.answer.every((line) => addresses.answer.includes(line))
    );
  return isNoData(theirs, seen);
}
