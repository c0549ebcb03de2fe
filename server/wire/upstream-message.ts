/** Messages to and from upstream servers. A query is built new and never carries a client's octets. */

import { lowerCase, ROOT, type Spelling } from '../../zones/name.ts';
import { RRClass, RRType, type RRset } from '../../zones/rr.ts';
import type { Bytes, Seconds } from '../../zones/units.ts';
import type { ExtendedError, Question } from '../query.ts';
import { OPT_SIZE, readExtendedError, writeOpt } from './edns.ts';
import { HEADER_SIZE } from './gate.ts';
import { formerr, need, readName, readPlainName, type NamesRead } from './octets.ts';
import { readRdata } from './rdata-names.ts';

/** What is asked of upstreams, before one of them is chosen. */
export type UpstreamQuestion = {
  readonly spelling: Spelling;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** The asker wants to know whether the data are authentic (RFC 6840 section 5.7). */
  readonly authenticData: boolean;
  readonly dnssecOk: boolean;
};

export type UpstreamReply = {
  readonly id: number;
  /** With the upper bits of the OPT record (RFC 6891 section 6.1.3). */
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  /** Undefined if there was not exactly one. */
  readonly question: Question | undefined;
  readonly answer: readonly RRset[];
  readonly authority: readonly RRset[];
  /** Without the OPT record. */
  readonly additional: readonly RRset[];
  readonly hasOpt: boolean;
  readonly extendedError: ExtendedError | undefined;
};

/** TTLs with the top bit set count as 0 (RFC 2181 section 8). */
const TTL_MAX: Seconds = 0x7fffffff;
/** Octets that the names and rdata of one section may have once pointers are followed: a message of 64 KiB of pointers to one long name has 100 times that. */
const EXPANDED_MAX: Bytes = 512 * 1024;

/** With an OPT record of ours unless `edns` is false (some old servers answer FORMERR to one). */
export function encodeUpstreamQuery(query: UpstreamQuestion, id: number, edns = true): Buffer {
  const end = HEADER_SIZE + query.spelling.length + 4;
  const packet = Buffer.alloc(edns ? end + OPT_SIZE : end);
  packet.writeUInt16BE(id, 0);
  const flags =
    (query.recursionDesired ? 0x0100 : 0) | (query.authenticData ? 0x0020 : 0) | (query.checkingDisabled ? 0x0010 : 0);
  packet.writeUInt16BE(flags, 2);
  packet.writeUInt16BE(1, 4);
  packet.write(query.spelling, HEADER_SIZE, 'latin1');
  packet.writeUInt16BE(query.type, end - 4);
  packet.writeUInt16BE(query.class, end - 2);
  if (edns) {
    packet.writeUInt16BE(1, 10);
    writeOpt(packet, end, 0, query.dnssecOk, undefined, []);
  }
  return packet;
}

/**
 * Reads a reply whole. Records of one owner and type become one RRset with the lowest of their TTLs (RFC 2181 section 5.2); records of other
 * classes than IN are dropped.
 * @throws MessageError FORMERR if the octets are not a reply
 */
export function decodeUpstreamReply(octets: Uint8Array): UpstreamReply {
  const packet = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  need(packet, 0, HEADER_SIZE);
  const flags = packet.readUInt16BE(2);
  if ((flags & 0xf800) !== 0x8000) throw formerr('not a reply to a QUERY');
  let at = HEADER_SIZE;
  let question: Question | undefined;
  const questionCount = packet.readUInt16BE(4);
  if (questionCount > 1) throw formerr('more than one question');
  if (questionCount === 1) {
    const { name: spelling, end } = readPlainName(packet, at);
    need(packet, end, 4);
    question = {
      name: lowerCase(spelling),
      spelling,
      type: packet.readUInt16BE(end),
      class: packet.readUInt16BE(end + 2),
    };
    at = end + 4;
  }
  const names: NamesRead = new Map();
  const answer = readSection(packet, at, packet.readUInt16BE(6), names);
  const authority = readSection(packet, answer.end, packet.readUInt16BE(8), names);
  const additional = readSection(packet, authority.end, packet.readUInt16BE(10), names);
  if (answer.opt !== undefined || authority.opt !== undefined) throw formerr('a misplaced OPT record');
  return {
    id: packet.readUInt16BE(0),
    rcode: ((additional.opt?.rcode ?? 0) << 4) | (flags & 0x0f),
    authoritative: (flags & 0x0400) !== 0,
    truncated: (flags & 0x0200) !== 0,
    recursionAvailable: (flags & 0x0080) !== 0,
    authenticData: (flags & 0x0020) !== 0,
    question,
    answer: answer.rrsets,
    authority: authority.rrsets,
    additional: additional.rrsets,
    hasOpt: additional.opt !== undefined,
    extendedError: additional.opt?.error,
  };
}

type Section = { readonly rrsets: readonly RRset[]; readonly opt: Opt | undefined; readonly end: number };
type Opt = { readonly rcode: number; readonly error: ExtendedError | undefined };
type Gathered = { owner: Spelling; type: number; ttl: Seconds; rdatas: Uint8Array[] };

function readSection(packet: Buffer, start: number, count: number, names: NamesRead): Section {
  const rrsets: Gathered[] = [];
  let byKey: Map<string, Gathered> | undefined;
  let opt: Opt | undefined;
  let at = start;
  let expanded: Bytes = 0;
  for (let i = 0; i < count; i++) {
    const owner = readName(packet, at, packet.length, names);
    need(packet, owner.end, 10);
    const type = packet.readUInt16BE(owner.end);
    const rdata = owner.end + 10;
    const end = rdata + packet.readUInt16BE(owner.end + 8);
    need(packet, rdata, end - rdata);
    at = end;
    if (type === RRType.OPT) {
      if (opt !== undefined || owner.name !== ROOT) throw formerr('a misplaced OPT record');
      opt = { rcode: packet.readUInt8(owner.end + 4), error: readExtendedError(packet, rdata, end) };
      continue;
    }
    if (packet.readUInt16BE(owner.end + 2) !== RRClass.IN) continue;
    const seconds = packet.readUInt32BE(owner.end + 4);
    const ttl = seconds > TTL_MAX ? 0 : seconds;
    const octets = readRdata(packet, type, rdata, end, names);
    expanded += owner.name.length + octets.length;
    if (expanded > EXPANDED_MAX) throw formerr(`more than ${EXPANDED_MAX} octets behind compression pointers`);
    const key = `${type} ${lowerCase(owner.name)}`;
    byKey ??= new Map();
    const rrset = byKey.get(key);
    if (rrset === undefined) {
      const made = { owner: owner.name, type, ttl, rdatas: [octets] };
      byKey.set(key, made);
      rrsets.push(made);
    } else {
      rrset.ttl = Math.min(rrset.ttl, ttl);
      rrset.rdatas.push(octets);
    }
  }
  return { rrsets, opt, end: at };
}
