/**
 * Search completion (`autopath`): what a question that looks like a stub's first try with its search list is answered with, found
 * by walking that list as the stub would. Knows nothing of how a server gets there, of time, or of what it counts.
 */

import { isReverse } from './address.ts';
import { clusterOf } from './cluster.ts';
import { isEncodable, isSame, isWithin, lower, nameFrom, textOf, type Name } from './name.ts';
import { line } from './records.ts';
import { modelReply } from './reply.ts';
import type { ModelCompletion, ModelOptions, ModelQuestion, ModelReply, World } from './world.ts';
import { zoneOf } from './zone.ts';

/** Why a question that could have been completed is not. */
export type Refusal =
  'namespace' | 'underscore' | 'endpoint' | 'private' | 'failure' | 'disagreement' | 'no_address' | 'nowhere' | 'late';

/** A reply, and what search completion had to do with it. */
export type Completed = {
  readonly reply: ModelReply;
  /** `completed`; a refusal; `plain` where there was nothing to complete. */
  readonly outcome: 'completed' | 'plain' | Refusal;
  /** What is said, of all types, to a client that does not take the answers of these two, for A and AAAA; absent unless `completed`. */
  readonly unless?: { readonly tooLarge: readonly ModelReply[]; readonly plain: ModelReply };
};

/** @param recursionDesired RD: without it a question is for what the server itself knows */
export function completedReply(world: World, question: ModelQuestion, recursionDesired = true): Completed {
  const plain = modelReply(world, question);
  const { completion } = world;
  const search = completion === undefined || isMeta(question.type) ? undefined : searchOf(world, completion, question);
  if (completion === undefined || search === undefined || !recursionDesired || !isAbsent(plain))
    return { reply: plain, outcome: 'plain' };
  const found =
    refusalOf(world, completion, search, question.labels) ?? walked(world, completion, search, question.labels);
  if (typeof found === 'string') return { reply: plain, outcome: found };
  const winner = winnersReply(world, found, question);
  if (typeof winner === 'string') return { reply: plain, outcome: winner };
  const said = (reply: ModelReply): ModelReply => aliased(question, found.name, reply, completion.ttl);
  const isAlone = question.type === 'CNAME' || question.type === 'ANY';
  const reply = said(winner);
  return {
    // Who asks for an alias, or for anything, gets the alias alone.
    reply: isAlone ? { ...winner, ...NOTHING, answer: new Set([...reply.answer].slice(0, 1)) } : reply,
    outcome: 'completed',
    unless: { tooLarge: found.replies.map(said), plain },
  };
}

/** A reply for the candidate, behind an alias that leads there. */
function aliased({ labels }: ModelQuestion, candidate: Name, reply: ModelReply, ttlMax: number): ModelReply {
  const [first] = [...reply.answer, ...reply.authority];
  const ttl = Math.min(ttlMax, Number(first?.split(' ')[1] ?? Infinity));
  const alias = line(labels, { type: 'CNAME', ttl, rdata: textOf(candidate) });
  return { ...reply, answer: new Set([alias, ...reply.answer]) };
}

const NOTHING: Pick<ModelReply, 'authority' | 'additional'> = { authority: new Set(), additional: new Set() };

/** A question as a client's search list made it, in lower case. */
type Search = {
  /** What the client was asked for. */
  readonly base: Name;
  /** The client's; undefined where its list does not begin with one. */
  readonly namespace: string | undefined;
  /** What the client appends next, one after the other; the base alone comes last. */
  readonly rest: readonly Name[];
};

function searchOf(world: World, completion: ModelCompletion, { labels }: ModelQuestion): Search | undefined {
  const { zones, searches, nodeDomains } = completion;
  if (!zones.some((zone) => isWithin(labels, nameFrom(zone)))) return undefined;
  const name = labels.map(lower);
  if (searches !== 'cluster') {
    const [first, ...rest] = searches.map(nameFrom);
    if (first === undefined || !isBelow(name, first)) return undefined;
    return { base: upTo(name, first), namespace: namespaceFrom(world.options, first)?.namespace, rest };
  }
  const zone = searchedZones(world.options).find((each) => isWithin(name, each));
  if (zone === undefined) return undefined;
  const [svc, namespace = ''] = upTo(name, zone).toReversed();
  const first = [namespace, 'svc', ...zone];
  if (svc !== 'svc' || !isBelow(name, first) || !hasNamespace(world, namespace)) return undefined;
  const nodes = nodeDomains.map(nameFrom).filter((domain) => !isWithin(domain, zone) && !isWithin(zone, domain));
  return { base: upTo(name, first), namespace, rest: [['svc', ...zone], zone, ...nodes] };
}

/** Those that pods have in their search lists, the longest first. */
function searchedZones({ zones, multicluster }: ModelOptions): readonly Name[] {
  return zones
    .filter((zone) => !isReverse(nameFrom(zone)) && !multicluster.includes(zone))
    .map(nameFrom)
    .toSorted((one, other) => other.length - one.length);
}

/** The namespace in a name of the form `<namespace>.svc.<zone>`. */
function namespaceFrom(options: ModelOptions, name: Name): { readonly namespace: string } | undefined {
  const [namespace = '', svc, ...zone] = name.map(lower);
  const isZone = searchedZones(options).some((each) => isSame(each, zone));
  return svc === 'svc' && isZone ? { namespace } : undefined;
}

/** Numbers 128 to 255 are of no data (RFC 6895 section 3.1); ANY is among them, and is asked like one of data. */
function isMeta(type: string): boolean {
  if (['TKEY', 'TSIG', 'IXFR', 'AXFR', 'MAILB', 'MAILA'].includes(type)) return true;
  const number = Number(/^TYPE(\d+)$/.exec(type)?.[1] ?? 0);
  return number >= 128 && number <= 255;
}

/** Is it said that there is no such name, whoever says it? An alias that leads nowhere is something. */
function isAbsent({ rcode, answer }: ModelReply): boolean {
  return rcode === 'NXDOMAIN' && answer.size === 0;
}

/** What is refused before anything is asked. */
function refusalOf(
  world: World,
  { except }: ModelCompletion,
  { base, namespace }: Search,
  qname: Name,
): Refusal | undefined {
  if (namespace !== undefined && (except.includes(namespace) || isOff(world, namespace))) return 'namespace';
  if (base.some((label) => label.includes('_'))) return 'underscore';
  return isOfService(world, qname) ? 'endpoint' : undefined;
}

function isOff({ objects }: World, namespace: string): boolean {
  return objects.some(
    ({ kind, metadata: { name, annotations = {} } }) =>
      kind === 'Namespace' && name === namespace && annotations['fivedots.dev/search-completion'] === 'off',
  );
}

function hasNamespace(world: World, namespace: string): boolean {
  return clusterOf(world).namespaces.includes(namespace);
}

function hasService(world: World, namespace: string, name: string): boolean {
  return clusterOf(world).local.services.some((each) => each.namespace === namespace && each.name === name);
}

/** The candidate that has addresses, with what is said of them: A, AAAA. */
type Found = { readonly name: Name; readonly replies: readonly [a: ModelReply, aaaa: ModelReply] };

/** @param qname as the client spells it */
function walked(world: World, completion: ModelCompletion, { base, rest }: Search, qname: Name): Found | Refusal {
  for (const suffix of [...rest, []]) {
    const name = [...base, ...suffix];
    if (!isEncodable(name)) continue;
    const isLocal = zoneOf(world.options, name) !== undefined;
    if (!isLocal && !mayLeave(world, completion, base)) return 'private';
    const asked = (type: string) => ({ type, reply: modelReply(world, { labels: name, type }) });
    const replies = [asked('A'), asked('AAAA')] as const;
    const rcodes = replies.map(({ reply }) => reply.rcode);
    if (rcodes.includes(SILENCE)) return 'late';
    if (replies.some(({ reply }) => isFailure(reply) || hasOwner(reply, qname))) return 'failure';
    if (new Set(rcodes).size > 1) return 'disagreement';
    if (rcodes.includes('NXDOMAIN')) {
      if (isLocal && isOfService(world, name)) return 'endpoint';
      continue;
    }
    const hasAddress = replies.some(({ type, reply }) => [...reply.answer].some((each) => each.split(' ')[3] === type));
    const [a, aaaa] = replies;
    return hasAddress ? { name, replies: [a.reply, aaaa.reply] } : 'no_address';
  }
  return 'nowhere';
}

/** Nobody outside is asked for what may be a mistyped name of the cluster or of the house. */
function mayLeave(world: World, { tlds, suffixes }: ModelCompletion, base: Name): boolean {
  const last = base.at(-1) ?? '';
  if (base.length < 2) return false;
  return suffixes.some((suffix) => isWithin(base, nameFrom(suffix))) || (tlds.has(last) && !hasNamespace(world, last));
}

/** Is it a Service, wherever that is, or below one? Such a name that is not there is nobody else's. */
function isOfService(world: World, name: Name): boolean {
  const zone = searchedZones(world.options).find((each) => isWithin(name, each));
  if (zone === undefined) return false;
  const [svc, namespace = '', service = ''] = upTo(name, zone).map(lower).toReversed();
  return svc === 'svc' && hasNamespace(world, namespace) && hasService(world, namespace, service);
}

/** What the client would get for the type that it asked for. */
function winnersReply(world: World, { name, replies }: Found, { labels, type }: ModelQuestion): ModelReply | Refusal {
  if (type === 'CNAME' || type === 'ANY') return replies[0];
  const reply = modelReply(world, { labels: name, type });
  if (reply.rcode === SILENCE) return 'late';
  return reply.rcode === 'NOERROR' && !isFailure(reply) && !hasOwner(reply, labels) ? reply : 'failure';
}

/** What nobody says. */
const SILENCE = 'SILENCE';

function isFailure({ rcode, isTruncated }: ModelReply): boolean {
  return isTruncated === true || (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN');
}

function hasOwner({ answer }: ModelReply, owner: Name): boolean {
  const text = lower(textOf(owner));
  return [...answer].some((each) => lower(each.split(' ')[0] ?? '') === text);
}

function isBelow(name: Name, ancestor: Name): boolean {
  return name.length > ancestor.length && isWithin(name, ancestor);
}

/** The labels in front of an ancestor. */
function upTo(name: Name, ancestor: Name): Name {
  return name.slice(0, name.length - ancestor.length);
}
