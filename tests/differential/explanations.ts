/**
 * Differences that are meant: what a zone file cannot say, and what this server does on purpose. A rule recognises its
 * class by the whole of both replies, never by the question alone. Knows no server's address.
 */

import type { Cluster } from './cluster.ts';
import type { Question } from './questions.ts';
import { areSame, type Seen } from './seen.ts';

export type Difference = {
  readonly question: Question;
  readonly ours: Seen;
  readonly theirs: Seen;
  /** What both say to another question, if there is no difference, or one that is meant as well; undefined if there is one that is not. */
  readonly agreedOn: (question: Question) => Promise<Agreed | undefined>;
  readonly world: World;
};

export type Agreed = { readonly ours: Seen; readonly theirs: Seen };

export type World = {
  readonly cluster: Cluster;
  readonly zones: readonly string[];
  /** Names at or above a record, in lower case: all that exists in a zone file (RFC 8020). */
  readonly existing: ReadonlySet<string>;
  /** Names above the reverse names of hidden addresses. */
  readonly hidden: ReadonlySet<string>;
  /** Owner to target of every CNAME record, in lower case. */
  readonly aliases: ReadonlyMap<string, string>;
};

export type Explanation = {
  readonly name: string;
  readonly reason: string;
  readonly explains: (difference: Difference) => boolean | Promise<boolean>;
};

export const EXPLANATIONS: readonly Explanation[] = [
  {
    name: 'empty namespace',
    reason:
      'a namespace without services or pods exists, as `svc` and `pod` do; a zone file has no name without records at or below it',
    explains: isEmptyNamespace,
  },
  {
    name: 'above hidden addresses',
    reason:
      'a name above an address of a namespace that is not shown exists, for to tell would be to look at each; a zone file has none',
    explains: isAboveHidden,
  },
  {
    name: 'no underscore',
    reason:
      '`_port._protocol` is answered with an underscore missing, as in CoreDNS; a zone file has one spelling of a name',
    explains: isWithoutUnderscore,
  },
  {
    name: 'ANY',
    reason: 'ANY is answered like a type that the name does not have, as in CoreDNS; RFC 8482 lets a server decline',
    explains: isAny,
  },
  {
    name: 'alias to nowhere',
    reason:
      'an ExternalName that leads back to itself, or below itself, is NODATA, as in CoreDNS; the peers show the circle',
    explains: isAliasToNowhere,
  },
  {
    name: 'alias into another zone',
    reason:
      'an alias is followed into all zones of the server (RFC 1034 section 4.3.2); the peers stop where their zone ends',
    explains: isAliasElsewhere,
  },
  {
    name: 'NSEC or RRSIG beside an alias',
    reason:
      'these types may stand beside CNAME (RFC 4034), so Knot looks there only; without DNSSEC an alias is followed for all types',
    explains: isSignatureOfAlias,
  },
];

/** The first that explains it; undefined if none does. */
export async function explanationOf(difference: Difference): Promise<Explanation | undefined> {
  for (const explanation of EXPLANATIONS) if (await explanation.explains(difference)) return explanation;
  return undefined;
}

function isEmptyNamespace({ question, ours, theirs, world }: Difference): boolean {
  const { zone, labels } = placeOf(question.name.toLowerCase(), world);
  const [top, namespace, ...others] = labels.toReversed();
  const isNamed = (top === 'svc' || top === 'pod') && others.length === 0 && zone !== undefined;
  const isKnown = namespace === undefined || world.cluster.namespaces.includes(namespace);
  if (!isNamed || !isKnown || world.existing.has(question.name.toLowerCase())) return false;
  return isDenial(ours, 'NOERROR', zone, world) && isDenial(theirs, 'NXDOMAIN', zone, world);
}

function isAboveHidden({ question, ours, theirs, world }: Difference): boolean {
  const name = question.name.toLowerCase();
  const { zone } = placeOf(name, world);
  if (zone === undefined || world.existing.has(name) || !world.hidden.has(name)) return false;
  return isDenial(ours, 'NOERROR', zone, world) && isDenial(theirs, 'NXDOMAIN', zone, world);
}

/** The peer does not know the name, and we say what is said to the name with its underscores, but for the owner. */
async function isWithoutUnderscore({ question, ours, theirs, agreedOn, world }: Difference): Promise<boolean> {
  const name = question.name.toLowerCase();
  const { zone, labels } = placeOf(name, world);
  const front = labels.slice(0, -3);
  if (zone === undefined || labels.at(-1) !== 'svc' || (front.length !== 1 && front.length !== 2)) return false;
  const written = front.map((label) => (label.startsWith('_') ? label : `_${label}`));
  const canonical = [...written, ...labels.slice(-3), zone].join('.');
  if (canonical === name || world.existing.has(name) || !world.existing.has(canonical)) return false;
  const meant = await agreedOn({ name: canonical, type: question.type });
  if (meant === undefined || !isDenial(theirs, 'NXDOMAIN', zone, world)) return false;
  const answer = meant.ours.answer.map((line) => line.replace(`${canonical}. `, `${name}. `));
  return areSame(ours, { ...meant.ours, answer });
}

/** The peer has records, all of them at this name. */
function isAny({ question, ours, theirs, world }: Difference): boolean {
  const name = question.name.toLowerCase();
  const { zone } = placeOf(name, world);
  if (question.type !== 'ANY' || zone === undefined || !isDenial(ours, 'NOERROR', zone, world)) return false;
  const isWhole = theirs.answer.length > 0 && theirs.answer.every((line) => line.startsWith(`${name}. `));
  return theirs.rcode === 'NOERROR' && theirs.isAuthoritative && isWhole;
}

/** The peer shows aliases only, those of the circle or of what leads to it; below an alias there is nothing. */
function isAliasToNowhere({ question, ours, theirs, world }: Difference): boolean {
  const { zone } = placeOf(question.name.toLowerCase(), world);
  const { chain, ends } = chainFrom(question, world);
  if (zone === undefined || ends === 'open' || !isDenial(ours, 'NOERROR', zone, world)) return false;
  const shown = chain.map((owner) => aliasLine(owner, world));
  const isShown = theirs.answer.length > 0 && theirs.answer.every((line) => shown.includes(line));
  return isShown && theirs.isAuthoritative && theirs.rcode === (ends === 'circle' ? 'NOERROR' : 'NXDOMAIN');
}

/**
 * The peer stops at the first name of another zone, or goes on there in a way that is meant; what we have beyond that name is
 * what is said to it alone.
 */
async function isAliasElsewhere({ question, ours, theirs, agreedOn, world }: Difference): Promise<boolean> {
  const { zone } = placeOf(question.name.toLowerCase(), world);
  const { chain } = chainFrom(question, world);
  const at = chain.findIndex((name) => placeOf(name, world).zone !== zone);
  const last = chain[at];
  const found = last === undefined ? undefined : await agreedOn({ name: last, type: question.type });
  if (found === undefined) return false;
  const before = chain.slice(0, at).map((owner) => aliasLine(owner, world));
  const withBefore = (seen: Seen): Seen => ({ ...seen, answer: [...before, ...seen.answer].toSorted() });
  const stopped: Seen = { rcode: 'NOERROR', isAuthoritative: true, answer: before.toSorted(), denial: [] };
  return (
    areSame(ours, withBefore(found.ours)) && (areSame(theirs, stopped) || areSame(theirs, withBefore(found.theirs)))
  );
}

/** We say what we say to a type that nobody has. */
async function isSignatureOfAlias({ question, ours, theirs, agreedOn, world }: Difference): Promise<boolean> {
  const name = question.name.toLowerCase();
  const { zone } = placeOf(name, world);
  if (!['NSEC', 'RRSIG'].includes(question.type) || zone === undefined || !world.aliases.has(name)) return false;
  const other = await agreedOn({ name, type: 'TYPE65280' });
  return other !== undefined && areSame(ours, other.ours) && isDenial(theirs, 'NOERROR', zone, world);
}

/** An alias as it is shown in an answer. */
function aliasLine(owner: string, { aliases, cluster }: World): string {
  return `${owner}. ${cluster.ttl} in cname ${aliases.get(owner)}.`;
}

/** However large the TTL of the zone is, denials are kept for at most that long. */
const DENIAL_TTL_MAX = 300;

/** No record but the SOA of that zone, with the TTL that is given to denials, and its MINIMUM. */
function isDenial(
  { rcode, answer, isAuthoritative, denial }: Seen,
  wanted: string,
  zone: string,
  { cluster }: World,
): boolean {
  const soa = `${zone} ${Math.min(cluster.ttl, DENIAL_TTL_MAX)} ${cluster.ttl}`;
  return rcode === wanted && answer.length === 0 && isAuthoritative && denial.join() === soa;
}

type Chain = {
  /** The names that aliases lead to from the question's, itself first. */
  readonly chain: readonly string[];
  /** Do they come back, point below themselves, or end in something else? */
  readonly ends: 'circle' | 'below' | 'open';
};

function chainFrom({ name, type }: Question, { aliases }: World): Chain {
  const chain = [name.toLowerCase()];
  if (type === 'CNAME' || type === 'ANY') return { chain, ends: 'open' };
  for (;;) {
    const owner = chain.at(-1) ?? '';
    const target = aliases.get(owner);
    if (target === undefined) return { chain, ends: 'open' };
    if (chain.includes(target)) return { chain, ends: 'circle' };
    if (target.endsWith(`.${owner}`)) return { chain, ends: 'below' };
    chain.push(target);
  }
}

/** The zone that holds a name, and the labels in front of it. */
function placeOf(
  name: string,
  { zones }: World,
): { readonly zone: string | undefined; readonly labels: readonly string[] } {
  const zone = zones.find((each) => name === each || name.endsWith(`.${each}`));
  return { zone, labels: zone === undefined || name === zone ? [] : name.slice(0, -zone.length - 1).split('.') };
}
