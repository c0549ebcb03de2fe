/** The octets of a query that passed the gate to a `Query`. Knows the form of a message and nothing of its meaning. */

import { lowerCase } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { MessageError } from '../errors.ts';
import type { Peer, Query, QueryEdns, Question } from '../query.ts';
import { readOpt } from './edns.ts';
import { HEADER_SIZE } from './gate.ts';
import { formerr, need, readName, readPlainName } from './octets.ts';

/** A message that is answered with an rcode alone; what of it could be read is echoed. */
export type Rejected = {
  readonly rcode: number;
  readonly reason: string;
  readonly question: Question | undefined;
  readonly edns: QueryEdns | undefined;
};

/** Never throws: what is not a query comes back as what to say about it. */
export function decode(packet: Buffer, peer: Peer, received: Milliseconds): Query | Rejected {
  let question: Question | undefined;
  try {
    const asked = readQuestion(packet);
    question = asked.question;
    const { opt, serial } = readRest(packet, asked.end, question);
    const edns = opt?.edns;
    if (opt !== undefined && opt.version !== 0) return { rcode: Rcode.BADVERS, reason: 'version', question, edns };
    const rcode = rcodeForType(question.type);
    if (rcode !== Rcode.NOERROR) return { rcode, reason: 'qtype', question, edns };
    return {
      id: packet.readUInt16BE(0),
      recursionDesired: (packet.readUInt8(2) & 0x01) !== 0,
      checkingDisabled: (packet.readUInt8(3) & 0x10) !== 0,
      authenticData: (packet.readUInt8(3) & 0x20) !== 0,
      question,
      edns,
      serial,
      peer,
      size: packet.length,
      received,
      aliasDepth: 0,
    };
  } catch (error) {
    if (error instanceof MessageError) return { rcode: error.rcode, reason: 'malformed', question, edns: undefined };
    throw error;
  }
}

/** Tells the two results of `decode` apart. */
export function isRejected(decoded: Query | Rejected): decoded is Rejected {
  return 'rcode' in decoded;
}

function readQuestion(packet: Buffer): { question: Question; end: number } {
  const { name: spelling, end } = readPlainName(packet, HEADER_SIZE);
  need(packet, end, 4);
  const type = packet.readUInt16BE(end);
  return { question: { name: lowerCase(spelling), spelling, type, class: packet.readUInt16BE(end + 2) }, end: end + 4 };
}

/** Meta types that are no question: OPT, TSIG and TKEY belong in other sections, MAILA and MAILB are obsolete (RFC 1035 section 3.2.3). */
function rcodeForType(type: number): number {
  switch (type) {
    case 0:
    case RRType.OPT:
    case RRType.TSIG:
    case RRType.TKEY:
      return Rcode.FORMERR;
    case RRType.MAILA:
    case RRType.MAILB:
      return Rcode.NOTIMP;
    default:
      return Rcode.NOERROR;
  }
}

/** What stands behind the question: an OPT record, of which there may be one, in the additional section only, and the serial of an IXFR. */
type Rest = { readonly opt: { edns: QueryEdns; version: number } | undefined; readonly serial: number | undefined };

function readRest(packet: Buffer, start: number, { name, type }: Question): Rest {
  const authorityCount = packet.readUInt16BE(8);
  const additionalCount = packet.readUInt16BE(10);
  if (authorityCount !== 0 && type !== RRType.IXFR) throw formerr('records in the authority section of a query');
  let opt: Rest['opt'];
  let serial: number | undefined;
  let at = start;
  for (let i = 0; i < authorityCount + additionalCount; i++) {
    const owner = readName(packet, at);
    need(packet, owner.end, 10);
    const rdata = owner.end + 10;
    const end = rdata + packet.readUInt16BE(owner.end + 8);
    need(packet, rdata, end - rdata);
    if (packet.readUInt16BE(owner.end) === RRType.OPT) {
      if (opt !== undefined || i < authorityCount || owner.name.length !== 1) throw formerr('a misplaced OPT record');
      opt = readOpt(packet, owner.end, rdata, end);
    } else if (i < authorityCount && packet.readUInt16BE(owner.end) === RRType.SOA && lowerCase(owner.name) === name) {
      serial = readSerial(packet, rdata, end);
    }
    at = end;
  }
  if (at !== packet.length) throw formerr('octets behind the last record');
  return { opt, serial };
}

/** The serial in the rdata of an SOA record: mname and rname, then five numbers (RFC 1035 section 3.3.13). */
function readSerial(packet: Buffer, start: number, end: number): number {
  const numbers = readName(packet, readName(packet, start, end).end, end).end;
  if (numbers + 20 !== end) throw formerr('an SOA record of the wrong length');
  return packet.readUInt32BE(numbers);
}
