/** A `Reply` to octets within what the client takes: header, question as it came, sections, OPT, truncation. */

import type { RRset } from '../../zones/rr.ts';
import type { Bytes, Count } from '../../zones/units.ts';
import {
  type ExtendedError,
  ExtendedErrorCode,
  type Query,
  type QueryEdns,
  type Question,
  type Reply,
  servfail,
} from '../query.ts';
import { OPT_SIZE, optSize, udpLimit, writeOpt } from './edns.ts';
import { HEADER_SIZE } from './gate.ts';
import { MESSAGE_MAX, Packer, POINTER_MAX } from './pack.ts';

/** A message that is the caller's own, whether it had to be cut short, and the reply that it says: another one if that could not be said. */
export type Encoded = { readonly packet: Buffer; readonly truncated: boolean; readonly sent: Reply };

/** Of a message of a zone transfer. All of it can be pointed to, so that names take little room; a slow reader leaves little of it unread. */
const TRANSFER_MESSAGE_MAX: Bytes = POINTER_MAX + 1;

/** One per data thread: a message is finished before the next begins. */
const packer = new Packer();

/**
 * Whole RRsets only. Answer records that do not fit set TC (RFC 2181 section 9), as does the SOA of a denial; authority beside answers and
 * additional records are left out silently. Over TCP, where there is nothing larger to turn to, an RRset that no message can hold is
 * sent as far as it fits, with TC: 4,000 addresses of a headless service are of more use than none. Where not one record fits it is SERVFAIL.
 */
export function encode(query: Query, reply: Reply): Encoded {
  if (reply.rcode > RCODE_MAX && query.edns === undefined) return encode(query, instead(reply, `rcode ${reply.rcode}`));
  const limit = query.peer.protocol === 'udp' ? udpLimit(query.edns) : MESSAGE_MAX;
  const error = fittingError(query, reply, limit);
  const room = query.edns === undefined ? limit : limit - optSize(error, reply.options);
  packer.begin(query.question);
  const rrclass = query.question.class;
  const answers = addAll(reply.answer, rrclass, room, query.peer.protocol === 'tcp');
  let authorities: Added = { count: 0, isWhole: true };
  let additionals: Added = { count: 0, isWhole: true };
  if (answers.isWhole) {
    authorities = addAll(reply.authority, rrclass, room);
    if (authorities.isWhole) additionals = addAll(reply.additional, rrclass, room);
  }
  const isCut = !answers.isWhole || (!authorities.isWhole && reply.answer.length === 0);
  if (isCut && answers.count === 0 && query.peer.protocol === 'tcp') {
    return encode(query, instead(reply, 'an answer larger than a message can be'));
  }
  const truncated = reply.truncated || isCut;
  const packet = finish(query, reply, truncated, error, answers.count, authorities.count, additionals.count);
  return { packet, truncated, sent: reply };
}

/**
 * The messages of a zone transfer, each made when it is asked for (RFC 5936 section 2.2). `reply` is the header of all of them; undefined
 * comes where `rrsets` has it, for others to have their turn.
 * @throws RangeError if a record is too large for a message
 */
export function* encodeTransfer(
  query: Query,
  reply: Reply,
  rrsets: Iterable<RRset | undefined>,
): Generator<Buffer | undefined, void> {
  const room = TRANSFER_MESSAGE_MAX - (query.edns === undefined ? 0 : optSize(undefined, reply.options));
  let count = beginTransfer(query);
  for (const rrset of rrsets) {
    if (rrset === undefined) {
      // While others have their turn the packer is theirs.
      yield count === 0 ? undefined : finish(query, reply, false, undefined, count, 0, 0);
      count = beginTransfer(query);
      continue;
    }
    for (let at = 0; ;) {
      const added = packer.addPart(rrset, query.question.class, room, at);
      at += added;
      count += added;
      if (at === rrset.rdatas.length) break;
      if (count === 0) throw new RangeError(`a record of more than ${room} octets in a zone transfer`);
      yield finish(query, reply, false, undefined, count, 0, 0);
      count = beginTransfer(query);
    }
  }
  if (count > 0) yield finish(query, reply, false, undefined, count, 0, 0);
}

/**
 * The reply to a message that is no query: the rcode, the id, the opcode and RD as they came, and the question and an OPT record if those could
 * be read. `packet` has at least a header.
 */
export function encodeRejection(
  packet: Buffer,
  rcode: number,
  question: Question | undefined,
  edns: QueryEdns | undefined,
): Buffer {
  packer.begin(question);
  const { buffer } = packer;
  let end = packer.size;
  if (edns !== undefined) end = writeOpt(buffer, end, rcode, edns.dnssecOk, undefined, []);
  const flags = 0x8000 | (packet.readUInt16BE(2) & 0x7910) | (rcode & 0x0f);
  writeHeader(buffer, packet.readUInt16BE(0), flags, question === undefined ? 0 : 1, 0, 0, edns === undefined ? 0 : 1);
  return Buffer.from(buffer.subarray(0, end));
}

/** The largest rcode without an OPT record; its low bits alone would say another one (RFC 6891 section 6.1.3). */
const RCODE_MAX = 15;

/** SERVFAIL for a reply that this client cannot be told. */
function instead(reply: Reply, what: string): Reply {
  const text = `${what} cannot be sent`;
  return { ...servfail(reply.plugin, text, { code: ExtendedErrorCode.OTHER, text }), options: reply.options };
}

/** The zone's own spelling is kept, however its name was asked for (RFC 5936 section 3.4). Returns the number of records so far. */
function beginTransfer({ question }: Query): Count {
  packer.begin(question, '');
  return 0;
}

/** The message in the packer, with its OPT record and header. */
function finish(
  query: Query,
  reply: Reply,
  truncated: boolean,
  error: ExtendedError | undefined,
  answers: Count,
  authorities: Count,
  additionals: Count,
): Buffer {
  const { buffer } = packer;
  let end = packer.size;
  if (query.edns !== undefined) end = writeOpt(buffer, end, reply.rcode, query.edns.dnssecOk, error, reply.options);
  const flags =
    0x8000 |
    (reply.authoritative ? 0x0400 : 0) |
    (truncated ? 0x0200 : 0) |
    (query.recursionDesired ? 0x0100 : 0) |
    (reply.recursionAvailable ? 0x0080 : 0) |
    (reply.authenticData ? 0x0020 : 0) |
    (query.checkingDisabled ? 0x0010 : 0) |
    (reply.rcode & 0x0f);
  const records = additionals + (query.edns === undefined ? 0 : 1);
  writeHeader(buffer, query.id, flags, 1, answers, authorities, records);
  return Buffer.from(buffer.subarray(0, end));
}

type Added = { readonly count: Count; readonly isWhole: boolean };

function addAll(rrsets: readonly RRset[], rrclass: number, room: Bytes, cuts = false): Added {
  let count = 0;
  for (const rrset of rrsets) {
    const added = packer.addRRset(rrset, rrclass, room);
    if (added === -1) return { count: cuts ? count + packer.addPart(rrset, rrclass, room) : count, isWhole: false };
    count += added;
  }
  return { count, isWhole: true };
}

/** The Extended DNS Error as far as there is room for it behind a question and one SOA: its text goes first (RFC 8914 section 3). */
function fittingError(query: Query, reply: Reply, limit: Bytes): ExtendedError | undefined {
  const error = reply.extendedError;
  if (error === undefined || query.edns === undefined) return undefined;
  const left = limit - HEADER_SIZE - query.question.spelling.length - 4 - optSize(undefined, reply.options);
  if (optSize(error, []) - OPT_SIZE <= left / 2) return error;
  return { code: error.code, text: '' };
}

function writeHeader(
  buffer: Buffer,
  id: number,
  flags: number,
  ...counts: readonly [Count, Count, Count, Count]
): void {
  buffer.writeUInt16BE(id, 0);
  buffer.writeUInt16BE(flags, 2);
  for (let i = 0; i < 4; i++) buffer.writeUInt16BE(counts[i] ?? 0, 4 + 2 * i);
}
