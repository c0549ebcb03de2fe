/**
 * The reference model of the cluster's zones: slow and obvious, written from the Kubernetes DNS specification and the
 * behaviour of CoreDNS plugin/kubernetes where that breaks no RFC. Shares no code with the server.
 */

import { clusterOf, type Cluster } from './cluster.ts';
import { isSame, isWithin, nameFrom, type Name } from './name.ts';
import { line } from './records.ts';
import type { ModelQuestion, ModelReply, World } from './world.ts';
import { fallsThrough, recordsAt, startOfAuthority, zoneOf } from './zone.ts';

/** More aliases than this in a row lead nowhere (CoreDNS plugin/backend_lookup). */
const MAXIMUM_ALIASES = 11;

/**
 * The reply to a question: aliases followed to where they lead, then the reply of that last name (RFC 6604). A circle of
 * aliases is no data at all.
 */
export function modelReply(world: World, question: ModelQuestion): ModelReply {
  const cluster = clusterOf(world);
  const aliases: string[] = [];
  const visited: Name[] = [];
  let name = question.labels;
  for (;;) {
    const alias = ['CNAME', 'ANY'].includes(question.type) ? undefined : aliasAt(world, cluster, name);
    if (alias === undefined) break;
    visited.push(name);
    const target = nameFrom(alias.rdata);
    const isCircle = isWithin(target, name) || visited.some((earlier) => isSame(earlier, target));
    if (isCircle || visited.length > MAXIMUM_ALIASES) return denial(world, question.labels, 'NOERROR');
    aliases.push(line(name, alias));
    name = target;
  }
  const last = replyOf(world, cluster, { labels: name, type: question.type });
  if (aliases.length === 0) return last;
  return { ...last, authoritative: true, answer: new Set([...aliases, ...last.answer]) };
}

function aliasAt(world: World, cluster: Cluster, name: Name) {
  const zone = zoneOf(world.options, name);
  const records = zone === undefined ? [] : recordsAt(world, cluster, zone, name);
  return records?.find(({ type }) => type === 'CNAME');
}

/** The reply to a question whose name is no alias. ANY gives an alias, else nothing (RFC 8482). */
function replyOf(world: World, cluster: Cluster, question: ModelQuestion): ModelReply {
  const { labels, type } = question;
  const zone = zoneOf(world.options, labels);
  if (zone === undefined) return world.outside(question);
  const records = recordsAt(world, cluster, zone, labels);
  if (records === undefined) {
    // What is not there may not have been listed yet: nobody else is asked before that is known.
    if (!world.isSynced) return denial(world, labels, 'SERVFAIL');
    return fallsThrough(world.options, labels) ? world.outside(question) : denial(world, labels, 'NXDOMAIN');
  }
  const wanted = records.filter((record) => record.type === (type === 'ANY' ? 'CNAME' : type));
  if (wanted.length === 0) return denial(world, labels, 'NOERROR');
  return {
    rcode: 'NOERROR',
    authoritative: true,
    answer: new Set(wanted.map((record) => line(labels, record))),
    authority: new Set(),
    additional: new Set(wanted.flatMap(({ glue }) => glue)),
  };
}

/** Nothing, and who says so (RFC 2308 section 3). */
function denial({ options }: World, name: Name, rcode: string): ModelReply {
  const depth = zoneOf(options, name)?.length ?? 0;
  const apex = name.slice(name.length - depth);
  return {
    rcode,
    authoritative: true,
    answer: new Set(),
    authority: new Set([line(apex, startOfAuthority(options, apex))]),
    additional: new Set(),
  };
}
