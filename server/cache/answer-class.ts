/** What kind of reply one is, and how long it may be remembered (RFC 2308). Knows nothing of the cache that does so. */

import { lowerCase, type Name, type Spelling } from '../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { Count, Seconds } from '../../zones/units.ts';
import type { Question, Reply } from '../query.ts';

/**
 * - `success`: data, or a delegation.
 * - `denial`: NODATA or NXDOMAIN, with the SOA that says for how long.
 * - `failure`: the upstream could not tell (RFC 9520).
 * - `unfit`: not to be remembered.
 */
type AnswerClass = 'success' | 'denial' | 'failure' | 'unfit';

export type Classified = {
  readonly class: AnswerClass;
  /** The lowest TTL of all records; for a denial the SOA's MINIMUM counts too (RFC 2308 section 5). 0 for a failure. */
  readonly ttl: Seconds;
  /** Are there records of the asked type, at the end of the aliases if there are any? */
  readonly isPositive: boolean;
};

/** A reply that says nothing at all has no TTL; CoreDNS gives it this one. */
const EMPTY_TTL: Seconds = 5;
/** Aliases followed within one reply. */
const ALIASES_MAX: Count = 16;

/** `now`: seconds since 1970, to see whether signatures are in force (RFC 4035 section 5.3.1). */
export function classify(question: Question, reply: Reply, dnssecOk: boolean, now: () => Seconds): Classified {
  if (reply.truncated) return UNFIT;
  if (reply.rcode === Rcode.SERVFAIL || reply.rcode === Rcode.NOTIMP) return FAILURE;
  if (reply.rcode !== Rcode.NOERROR && reply.rcode !== Rcode.NXDOMAIN) return UNFIT;
  if (dnssecOk && hasDeadSignature(reply, now)) return UNFIT;
  const soa = reply.authority.find((rrset) => rrset.type === RRType.SOA);
  if (reply.rcode === Rcode.NOERROR && reachesType(question, reply.answer)) {
    return { class: 'success', ttl: lowestTtl(reply), isPositive: true };
  }
  if (soa !== undefined) {
    return { class: 'denial', ttl: Math.min(lowestTtl(reply), minimumOf(soa)), isPositive: false };
  }
  if (reply.rcode === Rcode.NXDOMAIN || reply.answer.length > 0) return UNFIT;
  const isDelegation = reply.authority.some((rrset) => rrset.type === RRType.NS);
  const isEmpty = reply.authority.length === 0;
  if (!isDelegation && !isEmpty) return UNFIT;
  return { class: 'success', ttl: isDelegation ? lowestTtl(reply) : EMPTY_TTL, isPositive: false };
}

const UNFIT: Classified = { class: 'unfit', ttl: 0, isPositive: false };
const FAILURE: Classified = { class: 'failure', ttl: 0, isPositive: false };

function reachesType(question: Question, answer: readonly RRset[]): boolean {
  let name: Name = question.name;
  for (let i = 0; i < ALIASES_MAX; i++) {
    const here = answer.filter((rrset) => lowerCase(rrset.owner) === name);
    if (question.type === RRType.ANY ? here.length > 0 : here.some((rrset) => rrset.type === question.type))
      return true;
    const target = here.find((rrset) => rrset.type === RRType.CNAME)?.rdatas[0];
    if (target === undefined) return false;
    name = lowerCase(Buffer.from(target).toString('latin1') as Spelling); // rdata of a CNAME is a name in full
  }
  return false;
}

function lowestTtl(reply: Reply): Seconds {
  let lowest = Infinity;
  for (const section of [reply.answer, reply.authority, reply.additional]) {
    for (const rrset of section) lowest = Math.min(lowest, rrset.ttl);
  }
  return lowest === Infinity ? 0 : lowest;
}

/** The last field of an SOA (RFC 1035 section 3.3.13); with its top bit set it counts as 0, like a TTL (RFC 2181 section 8). */
function minimumOf(soa: RRset): Seconds {
  const rdata = soa.rdatas[0];
  if (rdata === undefined || rdata.length < 4) return 0;
  const minimum = new DataView(rdata.buffer, rdata.byteOffset, rdata.length).getUint32(rdata.length - 4);
  return minimum > 0x7fffffff ? 0 : minimum;
}

/** An answer whose signature has run out would be bogus to a client that validates. */
function hasDeadSignature(reply: Reply, now: () => Seconds): boolean {
  return [reply.answer, reply.authority, reply.additional].some((section) =>
    section.some((rrset) => rrset.type === RRType.RRSIG && rrset.rdatas.some((rdata) => !isInForce(rdata, now()))),
  );
}

/** Times are compared as serial numbers (RFC 4034 section 3.1.5). */
function isInForce(rrsig: Uint8Array, now: Seconds): boolean {
  if (rrsig.length < 18) return false;
  const view = new DataView(rrsig.buffer, rrsig.byteOffset, rrsig.length);
  const isNotOver = ((view.getUint32(8) - now) | 0) >= 0;
  const hasBegun = ((now - view.getUint32(12)) | 0) >= 0;
  return isNotOver && hasBegun;
}
