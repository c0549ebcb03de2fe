/**
 * A difference between two servers' replies, where it is, and what a reply to a name that exists, or does not, looks like
 * there. Knows no reason for one.
 */

import type { Owners, Question } from '../questions.ts';
import { isSameReply, type Reply } from './reply.ts';
import { forwardZonesOf, ttlOf, type Setting } from './settings.ts';

export type Difference = Replies & {
  readonly question: Question;
  readonly setting: Setting;
  /** Names that objects may have. */
  readonly names: Owners;
  readonly oddities: AddressOddities;
  readonly ask: Ask;
};

/** Reverse names of addresses that some object has in a way that CoreDNS does not expect. */
export type AddressOddities = {
  /** Not spelled as RFC 5952 does. */
  readonly misspelt: ReadonlySet<string>;
  /** In an EndpointSlice of no Service of this cluster: written by hand, or imported. */
  readonly ownerless: ReadonlySet<string>;
};

/** What is said to another question. */
export type Ask = (question: Question) => Promise<Replies>;

export type Replies = { readonly ours: Reply; readonly theirs: Reply; readonly upstream: Reply };

/** A difference, and where in which zone it is. */
export type Seen = Difference & {
  /** In lower case. */
  readonly name: string;
  readonly zone: string;
  /** In front of the zone. */
  readonly labels: readonly string[];
  /** What each says to the question when it is spelled in lower case; the upstream's word is what a name that falls through gets. */
  readonly plain: Replies;
};

/** undefined if it is in no zone of `kubernetes`. */
export async function seenIn(difference: Difference): Promise<Seen | undefined> {
  const name = difference.question.name.toLowerCase();
  const [zone] = difference.setting.zones
    .filter((each) => name === each || name.endsWith(`.${each}`))
    .toSorted((a, b) => b.length - a.length);
  if (zone === undefined) return undefined;
  const labels = name === zone ? [] : name.slice(0, -zone.length - 1).split('.');
  return { ...difference, name, zone, labels, plain: await difference.ask({ ...difference.question, name }) };
}

/** The name exists. */
export function isNoData(reply: Reply, seen: Seen): boolean {
  return isSameReply(reply, denialOf('NOERROR', seen));
}

/** The name does not exist, or it falls through and the upstream decides. */
export function isDenied(reply: Reply, seen: Seen): boolean {
  return isSameReply(reply, fallsThrough(seen) ? seen.plain.upstream : denialOf('NXDOMAIN', seen));
}

/** Some PTR records of the name and nothing else. */
export function isPointers({ rcode, flags, answer, authority, additional }: Reply, seen: Seen): boolean {
  const front = `${seen.name}. ${ttlOf(seen.setting)} in ptr `;
  const isOnly = authority.length === 0 && additional.length === 0 && answer.every((line) => line.startsWith(front));
  return rcode === 'NOERROR' && flags === 'aa' && answer.length > 0 && isOnly;
}

/** A reply with records alone is this and its records. */
export const NOTHING: Reply = { rcode: 'NOERROR', flags: 'aa', answer: [], authority: [], additional: [] };

/** The zone that has the names of services. */
export function primaryOf(setting: Setting): string {
  return forwardZonesOf(setting)[0] ?? '';
}

function denialOf(rcode: string, { zone, setting }: Seen): Reply {
  const ttl = ttlOf(setting);
  const soa = `${zone}. ${Math.min(ttl, DENIAL_TTL_MAX)} in soa ns.dns.${zone}. hostmaster.${zone}. serial 7200 1800 86400 ${ttl}`;
  return { rcode, flags: 'aa', answer: [], authority: [soa], additional: [] };
}

/** However large the TTL of the zone is, denials are kept for at most that long. */
const DENIAL_TTL_MAX = 300;

function fallsThrough({ setting, name }: Seen): boolean {
  const line = setting.options.find((option) => option.startsWith('fallthrough'));
  if (line === undefined) return false;
  const [, ...zones] = line.split(' ');
  return zones.length === 0 || zones.some((zone) => name === zone || name.endsWith(`.${zone}`));
}
