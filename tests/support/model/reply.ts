/**
 * The reference model of the cluster's zones: slow and obvious, written from the Kubernetes DNS specification and the
 * behaviour of CoreDNS plugin/kubernetes where that breaks no RFC. Shares no code with the server.
 */

import { clusterOf, type Cluster } from './cluster.ts';
import { isReverse } from './address.ts';
import { isSame, isWithin, nameFrom, textOf, type Name } from './name.ts';
import { line } from './records.ts';
import type { ModelQuestion, ModelReply, World } from './world.ts';
import { answeringZone, fallsThrough, isKnown, recordsAt, startOfAuthority, zoneOf } from './zone.ts';

/** More aliases than this in a row lead nowhere (CoreDNS plugin/backend_lookup). */
const MAXIMUM_ALIASES = 11;

/** Aliases that lead from zone to zone more often than this fail: CoreDNS goes on for ever. */
const MAXIMUM_EXITS = 8;

/**
 * The reply to a question: aliases followed to where they lead, then the reply of that last name (RFC 6604). A circle of
 * aliases in one zone is no data at all.
 */
export function modelReply(world: World, question: ModelQuestion): ModelReply {
  const cluster = clusterOf(world);
  const { type } = question;
  const aliases: string[] = [];
  let name = question.labels;
  for (let exits = 0; ; exits++) {
    const walk = followedInZone(world, cluster, name, type);
    if (walk === 'circle')
      return { ...denial(world, zoneOf(world.options, name) ?? [], name, 'NOERROR'), answer: new Set(aliases) };
    aliases.push(...walk.aliases);
    name = walk.last;
    if (walk.hasLeft) {
      if (exits === MAXIMUM_EXITS) return FAILURE;
      continue;
    }
    const last = replyOf(world, cluster, { labels: name, type });
    if (aliases.length === 0) return last;
    if (last.rcode === 'NOERROR' || last.rcode === 'NXDOMAIN')
      return { ...last, authoritative: true, answer: new Set([...aliases, ...last.answer]) };
    return exits === 0 && last.authoritative ? last : FAILURE;
  }
}

/** From alias to alias as long as they stay in the zone of the first; `last` is where they end. */
function followedInZone(
  world: World,
  cluster: Cluster,
  start: Name,
  type: string,
): 'circle' | { readonly aliases: readonly string[]; readonly last: Name; readonly hasLeft: boolean } {
  const aliases: string[] = [];
  const visited: Name[] = [];
  for (let name = start; ;) {
    const alias = ['CNAME', 'ANY'].includes(type) ? undefined : aliasAt(world, cluster, name);
    if (alias === undefined) return { aliases, last: name, hasLeft: false };
    visited.push(name);
    const target = nameFrom(alias.rdata);
    const isCircle = isWithin(target, name) || visited.some((earlier) => isSame(earlier, target));
    if (isCircle || visited.length > MAXIMUM_ALIASES) return 'circle';
    aliases.push(line(name, alias));
    const isHere = partOf(world, target) === partOf(world, start);
    if (!isHere) return { aliases, last: target, hasLeft: true };
    name = target;
  }
}

/** The zone that the name is in; names of addresses are a part of it by themselves. */
function partOf({ options }: World, name: Name): string {
  const zone = zoneOf(options, name);
  return zone === undefined ? 'outside' : `${textOf(zone)} ${isReverse(name)}`;
}

/** What somebody else could not say, whatever they said instead. */
const FAILURE: ModelReply = {
  rcode: 'SERVFAIL',
  authoritative: false,
  answer: new Set(),
  authority: new Set(),
  additional: new Set(),
};

function aliasAt(world: World, cluster: Cluster, name: Name) {
  const zone = zoneOf(world.options, name);
  const records = zone === undefined ? [] : recordsAt(world, cluster, zone, name);
  return records?.find(({ type }) => type === 'CNAME');
}

/** The reply to a question whose name is no alias. ANY gives an alias, else nothing (RFC 8482). */
function replyOf(world: World, cluster: Cluster, question: ModelQuestion): ModelReply {
  const { labels, type } = question;
  const zone = answeringZone(world.options, labels, type);
  if (zone === undefined) return world.outside(question);
  const records = recordsAt(world, cluster, zone, labels);
  if (records === undefined) {
    // What is not there may not have been listed yet: nobody else is asked before that is known.
    if (!isKnown(world, zone)) return denial(world, zone, labels, 'SERVFAIL');
    return fallsThrough(world.options, labels) ? world.outside(question) : denial(world, zone, labels, 'NXDOMAIN');
  }
  const wanted = records.filter((record) => record.type === (type === 'ANY' ? 'CNAME' : type));
  if (wanted.length === 0) return denial(world, zone, labels, 'NOERROR');
  return {
    rcode: 'NOERROR',
    authoritative: true,
    answer: new Set(wanted.map((record) => line(labels, record))),
    authority: new Set(),
    additional: new Set(wanted.flatMap(({ glue }) => glue)),
  };
}

/** Nothing, and who says so (RFC 2308 section 3). */
function denial({ options }: World, zone: Name, name: Name, rcode: string): ModelReply {
  const apex = name.slice(name.length - zone.length);
  return {
    rcode,
    authoritative: true,
    answer: new Set(),
    authority: new Set([line(apex, startOfAuthority(options, apex))]),
    additional: new Set(),
  };
}
