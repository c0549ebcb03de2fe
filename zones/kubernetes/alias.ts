/** Following aliases inside one zone (RFC 1034 section 3.6.2). Knows no records but CNAME, and nothing outside the zone. */

import type { Answer } from '../answer.ts';
import { isWithin, lowerCase, type Name, type Spelling } from '../name.ts';
import { nameOf } from '../rdata.ts';
import { RRType, type RRset } from '../rr.ts';
import type { Count } from '../units.ts';
import { NO_RRSETS as NONE } from './zone.ts';

/** CNAMEs of one answer; a longer chain is given up, as in CoreDNS (plugin/backend_lookup.go). */
const CHAIN_MAX: Count = 11;

/**
 * The answer at the end of a chain that begins with `alias`, the CNAMEs in front. Its outcome is that of the last name (RFC
 * 6604 section 3): `alias` where the chain leaves the zone. A chain that is too long, goes round, or points below itself
 * leads nowhere: the name exists and has nothing of that type.
 */
export function followAlias(alias: Answer, name: Name, type: number, zone: AliasZone): Answer {
  const seen = new Set<Name>([name]);
  const chain: RRset[] = [];
  let owner = name;
  for (let found = alias; ;) {
    const [cname] = found.answer;
    const target = aliasTarget(found.answer);
    if (cname === undefined || target === undefined || chain.length === CHAIN_MAX) return zone.nowhere;
    chain.push(cname);
    const targetName = lowerCase(target);
    if (seen.has(targetName) || isWithin(targetName, owner)) return zone.nowhere;
    seen.add(targetName);
    owner = targetName;
    if (!zone.holds(owner)) return { outcome: 'alias', answer: chain, authority: NONE, additional: NONE };
    found = zone.lookUp(owner, target, type);
    if (found.outcome === 'alias') continue;
    const { outcome, answer, authority, additional } = found;
    return { outcome, answer: [...chain, ...answer], authority, additional };
  }
}

/** What the chain needs of its zone. */
export type AliasZone = {
  readonly holds: (name: Name) => boolean;
  /** One name, its alias not followed: outcome `alias` and one CNAME if it has one. */
  readonly lookUp: (name: Name, spelling: Spelling, type: number) => Answer;
  /** The answer of a chain that leads nowhere. */
  readonly nowhere: Answer;
};

/** The name that the last CNAME of an answer points to; undefined if it ends in something else. */
export function aliasTarget(answer: readonly RRset[]): Spelling | undefined {
  const last = answer.at(-1);
  const rdata = last?.type === RRType.CNAME ? last.rdatas[0] : undefined;
  return rdata === undefined ? undefined : nameOf(rdata);
}
