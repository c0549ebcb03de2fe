/**
 * The rest of a client's walk through its search list, made in its place: one candidate after the other, A and AAAA of each. Knows nothing
 * of where replies come from.
 */

import { Rcode, RRType } from '../../zones/rr.ts';
import type { Name } from '../../zones/name.ts';
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
  readonly #asked: Reply[] = [];
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
    for (let before = start; before < candidates.length; before++) {
      const candidate = candidates[before];
      if (candidate === undefined) break;
      if (!this.#isWanted()) return this.#refused('late');
      const a = this.#ask(candidate.name, RRType.A);
      const aaaa = this.#ask(candidate.name, RRType.AAAA);
      if (a instanceof Promise || aaaa instanceof Promise) {
        return Promise.all([a, aaaa]).then(
          (replies) => this.#judged(candidate, before, ...replies) ?? this.from(before + 1),
        );
      }
      const verdict = this.#judged(candidate, before, a, aaaa);
      if (verdict !== undefined) return verdict;
    }
    return this.#refused(end);
  }

  /** Undefined if the candidate does not exist. */
  #judged(candidate: Candidate, before: Count, a: Reply, aaaa: Reply): Verdict | Promise<Verdict> | undefined {
    this.#asked.push(a, aaaa);
    if (isFailure(a) || isFailure(aaaa)) return this.#refused('failure', a.fault ?? aaaa.fault);
    if (a.rcode !== aaaa.rcode) return this.#refused('disagreement');
    if (a.rcode === Rcode.NXDOMAIN) return undefined;
    if (candidate.place === 'rival') return this.#refused('ambiguous');
    if (!hasData(a, RRType.A) && !hasData(aaaa, RRType.AAAA)) return this.#refused('no_address');
    const found: Found = { candidate, before, a, aaaa, other: undefined, asked: this.#asked };
    if (this.#other === undefined) return found;
    if (!this.#isWanted()) return this.#refused('late');
    const other = this.#ask(candidate.name, this.#other);
    return other instanceof Promise
      ? other.then((late) => this.#withOther(found, late))
      : this.#withOther(found, other);
  }

  #withOther(found: Found, other: Reply): Verdict {
    this.#asked.push(other);
    const isSound = other.rcode === Rcode.NOERROR && !other.truncated;
    return isSound ? { ...found, other } : this.#refused('failure', other.fault);
  }

  #refused(refused: Refusal, fault?: string): Refused {
    return { refused, fault, asked: this.#asked };
  }
}

function isFailure({ rcode, truncated }: Reply): boolean {
  return truncated || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN);
}

function hasData({ answer }: Reply, type: number): boolean {
  return answer.some((rrset) => rrset.type === type);
}
