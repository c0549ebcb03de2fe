/**
 * The rest of a client's walk through its search list, made in its place: one candidate after the other, A and AAAA of each. Knows nothing
 * of where replies come from.
 */

import { Rcode, RRType } from '../../zones/rr.ts';
import { present, type Name } from '../../zones/name.ts';
import type { Count } from '../../zones/units.ts';
import type { Reply } from '../query.ts';
import type { Candidate } from './search-list.ts';

/** Why a question is not completed. Those up to `underscore` are known without asking, `late` and `busy` say nothing of the name. */
export type Refusal =
  | 'pod'
  | 'namespace'
  | 'underscore'
  | 'ambiguous'
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
export type Found = Walked & {
  readonly candidate: Candidate;
  /** How many candidates came before it. */
  readonly before: Count;
  readonly a: Reply;
  readonly aaaa: Reply;
  /** For another type, where one is asked for. */
  readonly other: Reply | undefined;
};

/** `fault`: what went wrong, for the log. */
type Refused = Walked & { readonly refused: Refusal; readonly fault?: string | undefined };

/** `asked`: all that was said on the way. */
type Walked = { readonly asked: readonly Reply[] };

export type Verdict = Found | Refused;

/** Asks for one candidate. */
export type Ask = (name: Name, type: number) => Reply | Promise<Reply>;

/**
 * The first candidate that exists decides, and only if everybody would be content with it: resolvers differ in what they do with a name without
 * addresses, with a type that fails, and with types that contradict each other (NXDOMAIN is for all of them, RFC 8020), so such walks are left to them.
 * @param other a type that is asked for besides addresses
 * @param isWanted does anybody wait for it? If not, nothing more is asked
 */
export function walk(
  route: Route,
  other: number | undefined,
  ask: Ask,
  isWanted: () => boolean,
): Verdict | Promise<Verdict> {
  return new Walk(route, other, ask, isWanted).from(0);
}

class Walk {
  readonly #route: Route;
  readonly #other: number | undefined;
  readonly #seen: Reply[] = [];
  /** Candidates that do not exist. */
  #before: Count = 0;
  readonly #ask: Ask;
  readonly #isWanted: () => boolean;

  constructor(route: Route, other: number | undefined, ask: Ask, isWanted: () => boolean) {
    this.#route = route;
    this.#other = other;
    this.#ask = ask;
    this.#isWanted = isWanted;
  }

  from(start: Count): Verdict | Promise<Verdict> {
    const { candidates, end } = this.#route;
    for (let at = start; at < candidates.length;) {
      if (!this.#isWanted()) return this.#refused('late');
      // A rival decides before the next candidate, but need not be waited for.
      const step = candidates.slice(at, candidates[at]?.place === 'rival' ? at + 2 : at + 1);
      at += step.length;
      const next = at;
      const replies = step.map((candidate) => this.#asked(candidate));
      const known = replies.filter((reply): reply is Replies => !(reply instanceof Promise));
      if (known.length < replies.length) {
        return Promise.all(replies.map((reply) => Promise.resolve(reply))).then(
          (late) => this.#judgedAll(step, late) ?? this.from(next),
        );
      }
      const verdict = this.#judgedAll(step, known);
      if (verdict !== undefined) return verdict;
    }
    return this.#refused(end);
  }

  #asked({ name, place }: Candidate): Replies | Promise<Replies> {
    const type = place === 'rival' ? undefined : this.#other;
    const a = this.#ask(name, RRType.A);
    const aaaa = this.#ask(name, RRType.AAAA);
    const other = type === undefined ? undefined : this.#ask(name, type);
    if (a instanceof Promise || aaaa instanceof Promise || other instanceof Promise) {
      return Promise.all([a, aaaa, other]).then((late) => ({ a: late[0], aaaa: late[1], other: late[2] }));
    }
    return { a, aaaa, other };
  }

  #judgedAll(step: readonly Candidate[], replies: readonly Replies[]): Verdict | undefined {
    for (const [i, candidate] of step.entries()) {
      const said = replies[i];
      const verdict = said === undefined ? undefined : this.#judged(candidate, said);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  /** Undefined if the candidate does not exist. */
  #judged(candidate: Candidate, { a, aaaa, other }: Replies): Verdict | undefined {
    this.#seen.push(a, aaaa, ...(other === undefined ? [] : [other]));
    if (isFailure(a) || isFailure(aaaa)) return this.#refused('failure', faultAt(candidate, a, aaaa));
    if (a.rcode !== aaaa.rcode) return this.#refused('disagreement');
    if (candidate.place === 'rival') return a.rcode === Rcode.NXDOMAIN ? undefined : this.#refused('ambiguous');
    if (a.rcode === Rcode.NXDOMAIN) {
      this.#before++;
      return undefined;
    }
    if (!hasData(a, RRType.A) && !hasData(aaaa, RRType.AAAA)) return this.#refused('no_address');
    const isSound = other === undefined || (other.rcode === Rcode.NOERROR && !other.truncated);
    if (!isSound) return this.#refused('failure', faultAt(candidate, other));
    return { candidate, before: this.#before, a, aaaa, other, asked: this.#seen };
  }

  #refused(refused: Refusal, fault?: string): Refused {
    return { refused, fault, asked: this.#seen };
  }
}

/** What is said of one candidate. */
type Replies = { readonly a: Reply; readonly aaaa: Reply; readonly other: Reply | undefined };

/** The log tells of the question, whose name is another. */
function faultAt({ name }: Candidate, ...replies: readonly Reply[]): string | undefined {
  const fault = replies.find((reply) => reply.fault !== undefined)?.fault;
  return fault === undefined ? undefined : `${present(name)} ${fault}`;
}

function isFailure({ rcode, truncated }: Reply): boolean {
  return truncated || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN);
}

function hasData({ answer }: Reply, type: number): boolean {
  return answer.some((rrset) => rrset.type === type);
}
