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
import { recordsAt, zoneOf } from './zone.ts';

/** Why a question that could have been completed is not. */
export type Refusal =
  | 'namespace'
  | 'underscore'
  | 'endpoint'
  | 'ambiguous'
  | 'private'
  | 'failure'
  | 'disagreement'
  | 'no_address'
  | 'nowhere'
  | 'late';

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
  const isToComplete = recursionDesired && world.unlisted.size === 0 && isAbsent(plain);
  if (completion === undefined || search === undefined || !isToComplete) return { reply: plain, outcome: 'plain' };
  const found =
    refusalOf(world, completion, search, question.labels) ?? walked(world, completion, search, question.labels);
  if (typeof found === 'string') return { reply: plain, outcome: found };
  const winner = winnersReply(world, found, question);
  if (typeof winner === 'string') return { reply: plain, outcome: winner };
  const alias = (reply: ModelReply): ModelReply => aliased(question, found.name, reply, completion.ttl);
  // Some take a CNAME for an answer, and walk no further: where there is nothing, the name itself has nothing.
  const said = (reply: ModelReply): ModelReply =>
    reply.answer.size === 0 ? { ...plain, rcode: 'NOERROR' } : alias(reply);
  return {
    // Who asks for an alias, or for anything, gets the alias alone.
    reply: isForAlias(question.type)
      ? { ...winner, ...NOTHING, answer: new Set([...alias(winner).answer].slice(0, 1)) }
      : said(winner),
    outcome: 'completed',
    unless: { tooLarge: found.replies.map(said), plain },
  };
}

/** A reply for the candidate, behind an alias that leads there. */
function aliased({ labels }: ModelQuestion, candidate: Name, reply: ModelReply, ttlMax: number): ModelReply {
  const [first] = reply.answer;
  const ttl = Math.min(ttlMax, Number(first?.split(' ')[1] ?? Infinity));
  const alias = line(labels, { type: 'CNAME', ttl, rdata: textOf(candidate) });
  return { ...reply, answer: new Set([alias, ...reply.answer]) };
}

const NOTHING: Pick<ModelReply, 'authority' | 'additional'> = { authority: new Set(), additional: new Set() };

function isForAlias(type: string): boolean {
  return type === 'CNAME' || type === 'ANY';
}

/** A question as a client's search list made it, in lower case. */
type Search = {
  /** What the client was asked for. */
  readonly base: Name;
  /** The client's; undefined where its list does not begin with one. */
  readonly namespace: string | undefined;
  /** What the client appends next, one after the other; the base alone comes last. */
  readonly rest: readonly Name[];
  /** The one that another client asks second, who looks for the base and this namespace: `svc.ZONE`; undefined without a namespace. */
  readonly shared: Name | undefined;
};

/** Of a pod's 32 search domains three are the cluster's (Kubernetes MaxDNSSearchPaths). */
const NODE_DOMAINS_MAX = 29;

function searchOf(world: World, completion: ModelCompletion, { labels }: ModelQuestion): Search | undefined {
  const { zones, searches, nodeDomains } = completion;
  if (!zones.some((zone) => isWithin(labels, nameFrom(zone)))) return undefined;
  const name = labels.map(lower);
  if (searches !== 'cluster') {
    const [first, ...rest] = searches.map(nameFrom).filter(({ length }) => length > 0);
    if (first === undefined || !isBelow(name, first)) return undefined;
    const { namespace, shared } = namespaceFrom(world.options, first) ?? {};
    return { base: upTo(name, first), namespace, rest, shared };
  }
  const zone = searchedZones(world.options).find((each) => isWithin(name, each));
  if (zone === undefined) return undefined;
  const [svc, namespace = ''] = upTo(name, zone).toReversed();
  const first = [namespace, 'svc', ...zone];
  if (svc !== 'svc' || !isBelow(name, first) || !hasNamespace(world, namespace)) return undefined;
  const nodes = nodeDomains
    .map(nameFrom)
    .filter((domain) => domain.length > 0 && !isWithin(domain, zone))
    .slice(0, NODE_DOMAINS_MAX);
  const shared = ['svc', ...zone];
  return { base: upTo(name, first), namespace, rest: [shared, zone, ...nodes], shared };
}

/** Those that pods have in their search lists, the longest first. */
function searchedZones({ zones, multicluster }: ModelOptions): readonly Name[] {
  return zones
    .filter((zone) => !isReverse(nameFrom(zone)) && !multicluster.includes(zone))
    .map(nameFrom)
    .toSorted((one, other) => other.length - one.length);
}

/** The namespace in a name of the form `<namespace>.svc.<zone>`. */
function namespaceFrom(
  options: ModelOptions,
  name: Name,
): { readonly namespace: string; readonly shared: Name } | undefined {
  const [namespace = '', svc, ...zone] = name.map(lower);
  const isZone = searchedZones(options).some((each) => isSame(each, zone));
  return svc === 'svc' && isZone ? { namespace, shared: ['svc', ...zone] } : undefined;
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

/** Is there one of that name, shown or not? */
function isNamespace(world: World, name: string): boolean {
  return clusterOf(world).hidden.includes(name) || hasNamespace(world, name);
}

function hasService(world: World, namespace: string, name: string): boolean {
  return clusterOf(world).local.services.some((each) => each.namespace === namespace && each.name === name);
}

/** The candidate that has addresses, with what is said of them: A, AAAA. */
type Found = { readonly name: Name; readonly replies: AddressReplies };

/** @param qname as the client spells it */
function walked(world: World, completion: ModelCompletion, search: Search, qname: Name): Found | Refusal {
  const { base, rest, shared } = search;
  const rival = rivalOf(completion, search);
  let hasLeft = false;
  for (const suffix of [...rest, []]) {
    const name = [...base, ...suffix];
    if (!isEncodable(name)) continue;
    const zone = zoneOf(world.options, name);
    if (zone === undefined) {
      if (!mayLeave(world, completion, base)) return 'private';
      const refusal = hasLeft || rival === undefined ? undefined : refusalByRival(world, rival);
      // Both are asked at one time, and waited for.
      const isSilent = addressReplies(world, name).some(({ rcode }) => rcode === SILENCE);
      if (refusal !== undefined) return isSilent ? 'late' : refusal;
      hasLeft = true;
    } else if (rival !== undefined && shared !== undefined && isSame(suffix, shared)) {
      // That other client would find this, or what it looks for.
      if (recordsAt(world, clusterOf(world), zone, name) !== undefined) return 'ambiguous';
    }
    const replies = addressReplies(world, name);
    const refusal = refusalOfBoth(replies, qname);
    if (refusal !== undefined) return refusal;
    const [a, aaaa] = replies;
    if (a.rcode === 'NXDOMAIN') {
      if (zone !== undefined && isOfService(world, name)) return 'endpoint';
      continue;
    }
    return hasAddress(a, 'A') || hasAddress(aaaa, 'AAAA') ? { name, replies } : 'no_address';
  }
  return 'nowhere';
}

/**
 * What another client may be looking for that asks the same question as its second one: the base and the namespace, where such a name may be
 * somebody's outside.
 */
function rivalOf({ tlds, suffixes }: ModelCompletion, { base, namespace }: Search): Name | undefined {
  if (namespace === undefined) return undefined;
  const rival = [...base, namespace];
  const isPublic = tlds.has(namespace) || suffixes.some((suffix) => isWithin(rival, nameFrom(suffix)));
  return isPublic && isEncodable(rival) ? rival : undefined;
}

function refusalByRival(world: World, rival: Name): Refusal | undefined {
  const replies = addressReplies(world, rival);
  return refusalOfBoth(replies) ?? (replies[0].rcode === 'NXDOMAIN' ? undefined : 'ambiguous');
}

type AddressReplies = readonly [a: ModelReply, aaaa: ModelReply];

function addressReplies(world: World, labels: Name): AddressReplies {
  return [modelReply(world, { labels, type: 'A' }), modelReply(world, { labels, type: 'AAAA' })];
}

/** What makes the two worth nothing together. @param qname what must not be led back to */
function refusalOfBoth(replies: AddressReplies, qname?: Name): Refusal | undefined {
  const [a, aaaa] = replies;
  if (replies.some(({ rcode }) => rcode === SILENCE)) return 'late';
  if (replies.some((reply) => isFailure(reply) || (qname !== undefined && hasOwner(reply, qname)))) return 'failure';
  return a.rcode === aaaa.rcode ? undefined : 'disagreement';
}

function hasAddress({ answer }: ModelReply, type: string): boolean {
  return [...answer].some((each) => each.split(' ')[3] === type);
}

/** Nobody outside is asked for what may be a mistyped name of the cluster or of the house. */
function mayLeave(world: World, { tlds, suffixes }: ModelCompletion, base: Name): boolean {
  const last = base.at(-1) ?? '';
  if (base.length < 2) return false;
  return suffixes.some((suffix) => isWithin(base, nameFrom(suffix))) || (tlds.has(last) && !isNamespace(world, last));
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
  if (isForAlias(type)) return replies[0].answer.size > 0 ? replies[0] : replies[1];
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
