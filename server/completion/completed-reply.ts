/** How a found candidate is said: an alias from the asked name, and what there is under the candidate's. Knows nothing of how it was found. */

import { lowerCase, type Name } from '../../zones/name.ts';
import { nameRdata } from '../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { Seconds } from '../../zones/units.ts';
import type { Query, Reply } from '../query.ts';
import type { Candidate } from './search-list.ts';

const PLUGIN = 'autopath';

/** Does the question get the alias alone? It asks for that, or for anything that is there (RFC 8482 section 4.1). */
export function isForAlias(type: number): boolean {
  return type === RRType.CNAME || type === RRType.ANY;
}

/**
 * The winner's reply behind a CNAME with at most `ttlMax`. What it says of itself stays, as in CoreDNS; but nobody has authenticated the
 * alias (RFC 4035 section 3.2.3). Where it has nothing, the name does, in the words of its own zone: some resolvers take a CNAME for an answer, and walk no further.
 * @param plain NXDOMAIN for the question
 */
export function completedReply(
  { question }: Query,
  plain: Reply,
  { name }: Candidate,
  winner: Reply,
  ttlMax: Seconds,
): Reply {
  const [first] = winner.answer;
  const ttl = Math.min(ttlMax, first?.ttl ?? ttlMax);
  const alias: RRset = { owner: question.spelling, type: RRType.CNAME, ttl, rdatas: [nameRdata(name)] };
  const reply: Reply = { ...winner, authenticData: false, plugin: PLUGIN, lease: undefined };
  if (isForAlias(question.type)) return { ...reply, answer: [alias], authority: [], additional: [] };
  if (first === undefined) return { ...plain, rcode: Rcode.NOERROR, plugin: PLUGIN, lease: undefined };
  return { ...reply, answer: [alias, ...winner.answer.map((rrset) => spelledAs(name, rrset))] };
}

/** A cache has names as somebody else spelled them. */
function spelledAs(name: Name, rrset: RRset): RRset {
  return rrset.owner !== name && lowerCase(rrset.owner) === name ? { ...rrset, owner: name } : rrset;
}

/** Would an alias at that name be a second one, or lead in a circle? */
export function saysMoreOf(name: Name, { answer }: Reply): boolean {
  return answer.some(({ owner }) => lowerCase(owner) === name);
}
