/**
 * The rest of a client's walk through its search list, made in its place: one candidate after the other, A and AAAA of each. Knows nothing
 * of where replies come from.
 */

import { Rcode, RRType } from '../../zones/rr.ts';
import type { Name } from '../../zones/name.ts';
import type { Count } from '../../zones/units.ts';
import type { Reply } from '../query.ts';
import type { Candidate } from './search-list.ts';

/** Why a question is not completed. Those up to `endpoint` are known without asking, `late` and `busy` say nothing of the name. */
export type Refusal =
  | 'pod'
  | 'namespace'
  | 'underscore'
  | 'endpoint'
  | 'private'
  | 'nowhere'
  | 'no_address'
  | 'disagreement'
  | 'size'
  | 'failure'
  | 'late'
  | 'busy';

export type Route = {
  /** In the client's order; none where nothing is to be tried. */
  readonly candidates: readonly Candidate[];
  /** Why nothing is completed if none of them exists. */
  readonly end: Refusal;
};

/** The candidate that has an address, and the replies for it. */
export type Found = {
  readonly candidate: Candidate;
  /** How many candidates came before it. */
  readonly before: Count;
  readonly a: Reply;
  readonly aaaa: Reply;
  /** For another type, where one is asked for. */
  readonly other: Reply | undefined;
};

/** `fault`: what went wrong, for the log. */
export type Verdict = Found | { readonly refused: Refusal; readonly fault?: string | undefined };

/** Asks for one candidate. */
export type Ask = (name: Name, type: number) => Reply | Promise<Reply>;

/**
 * The first candidate that exists decides, and only if everybody would be content with it: resolvers differ in what they do with a name without
 * addresses, with a type that fails, and with types that contradict each other (NXDOMAIN is for all of them, RFC 8020), so such walks are left to them.
 * @param other a type that is asked for besides addresses
 */
export function walk(route: Route, other: number | undefined, ask: Ask, from: Count = 0): Verdict | Promise<Verdict> {
  const decided = (
    candidate: Candidate,
    before: Count,
    a: Reply,
    aaaa: Reply,
  ): Verdict | Promise<Verdict> | undefined => {
    const verdict = judged(candidate, before, a, aaaa);
    if (other === undefined || verdict === undefined || 'refused' in verdict) return verdict;
    const reply = ask(candidate.name, other);
    return reply instanceof Promise ? reply.then((late) => withOther(verdict, late)) : withOther(verdict, reply);
  };
  for (let before = from; before < route.candidates.length; before++) {
    const candidate = route.candidates[before];
    if (candidate === undefined) break;
    const a = ask(candidate.name, RRType.A);
    const aaaa = ask(candidate.name, RRType.AAAA);
    if (a instanceof Promise || aaaa instanceof Promise) {
      return Promise.all([a, aaaa]).then(
        (replies) => decided(candidate, before, ...replies) ?? walk(route, other, ask, before + 1),
      );
    }
    const verdict = decided(candidate, before, a, aaaa);
    if (verdict !== undefined) return verdict;
  }
  return { refused: route.end };
}

/** Undefined if the candidate does not exist. */
function judged(candidate: Candidate, before: Count, a: Reply, aaaa: Reply): Verdict | undefined {
  if (isFailure(a) || isFailure(aaaa)) return { refused: 'failure', fault: a.fault ?? aaaa.fault };
  if (a.rcode !== aaaa.rcode) return { refused: 'disagreement' };
  if (a.rcode === Rcode.NXDOMAIN) return undefined;
  if (!hasData(a, RRType.A) && !hasData(aaaa, RRType.AAAA)) return { refused: 'no_address' };
  return { candidate, before, a, aaaa, other: undefined };
}

function withOther(found: Found, other: Reply): Verdict {
  const isSound = other.rcode === Rcode.NOERROR && !other.truncated;
  return isSound ? { ...found, other } : { refused: 'failure', fault: other.fault };
}

function isFailure({ rcode, truncated }: Reply): boolean {
  return truncated || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN);
}

function hasData({ answer }: Reply, type: number): boolean {
  return answer.some((rrset) => rrset.type === type);
}
