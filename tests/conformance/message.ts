/**
 * Reads a reply as RFC 1035 section 4 has it, and nothing else: whatever is not exactly so is a fault of the server that sent it. Shares
 * no code with any server, and keeps octets that other readers lose: the question as it came, rdata with and without compression.
 */

import type { Bytes, Seconds } from '../../zones/units.ts';
import { ConformanceError } from './check.ts';
import { presentRdata, typeName, RCODES } from './presentation.ts';

/** A reply taken apart. Names are presentation format with a final dot, letters as they were sent. */
export type Reply = {
  /** All of it. */
  readonly octets: Buffer;
  readonly id: number;
  readonly opcode: number;
  /** `NXDOMAIN`, with the upper bits of the OPT record; `RCODE17` where there is no name. */
  readonly rcode: string;
  /** Of QR AA TC RD RA Z AD CD those that are set, in that order and lower case. */
  readonly flags: ReadonlySet<Flag>;
  /** The question section as it was sent; empty if there is none. */
  readonly question: Buffer;
  readonly answer: readonly ReplyRecord[];
  readonly authority: readonly ReplyRecord[];
  /** Without the OPT record. */
  readonly additional: readonly ReplyRecord[];
  readonly edns: ReplyEdns | undefined;
};

export type Flag = 'qr' | 'aa' | 'tc' | 'rd' | 'ra' | 'z' | 'ad' | 'cd';

export type ReplyRecord = {
  readonly owner: string;
  readonly type: string;
  readonly class: number;
  readonly ttl: Seconds;
  /** Presentation format. */
  readonly rdata: string;
  /** As sent, compression pointers and all. */
  readonly octets: Buffer;
};

/** RFC 6891 section 6.1.2. */
export type ReplyEdns = {
  readonly size: Bytes;
  readonly version: number;
  readonly dnssecOk: boolean;
  /** The 15 bits behind DO. */
  readonly reserved: number;
  readonly options: readonly { readonly code: number; readonly data: Buffer }[];
};

/** @throws ConformanceError if it is not a message from the first octet to the last */
export function readReply(octets: Buffer): Reply {
  if (octets.length < HEADER_SIZE) malformed(octets, 'shorter than a header');
  const flags = octets.readUInt16BE(2);
  let at: number = HEADER_SIZE;
  for (let i = 0; i < octets.readUInt16BE(4); i++) {
    at = readName(octets, at).end + 4;
    if (at > octets.length) malformed(octets, 'cut off in the question');
  }
  const question = octets.subarray(HEADER_SIZE, at);
  const section = (countAt: number): Raw[] => {
    const records: Raw[] = [];
    for (let i = 0; i < octets.readUInt16BE(countAt); i++) {
      const record = readRecord(octets, at);
      records.push(record);
      at = record.end;
    }
    return records;
  };
  const [answer, authority, additional] = [section(6), section(8), section(10)];
  if (at !== octets.length) malformed(octets, `${octets.length - at} octets behind the last record`);
  const opts = additional.filter(({ type }) => type === OPT);
  if (opts.length > 1) malformed(octets, 'two OPT records (RFC 6891 section 6.1.1)');
  if ([...answer, ...authority].some(({ type }) => type === OPT)) malformed(octets, 'an OPT record in another section');
  const opt = opts[0];
  const rcode = (flags & 15) | (opt === undefined ? 0 : (opt.ttl >>> 24) << 4);
  return {
    octets,
    id: octets.readUInt16BE(0),
    opcode: (flags >> 11) & 15,
    rcode: RCODES.get(rcode) ?? `RCODE${rcode}`,
    flags: new Set(FLAGS.filter(([, mask]) => (flags & mask) !== 0).map(([flag]) => flag)),
    question,
    answer: answer.map((record) => present(octets, record)),
    authority: authority.map((record) => present(octets, record)),
    additional: additional.filter((record) => record !== opt).map((record) => present(octets, record)),
    edns: opt === undefined ? undefined : readEdns(octets, opt),
  };
}

const HEADER_SIZE: Bytes = 12;
const OPT = 41;
const FLAGS: readonly (readonly [Flag, number])[] = [
  ['qr', 0x8000],
  ['aa', 0x0400],
  ['tc', 0x0200],
  ['rd', 0x0100],
  ['ra', 0x0080],
  ['z', 0x0040],
  ['ad', 0x0020],
  ['cd', 0x0010],
];

type Raw = {
  readonly owner: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: Seconds;
  /** Where its rdata begins and ends. */
  readonly start: number;
  readonly end: number;
};

function readRecord(octets: Buffer, start: number): Raw {
  const { name, end: at } = readName(octets, start);
  if (at + 10 > octets.length) malformed(octets, 'cut off in a record');
  const end = at + 10 + octets.readUInt16BE(at + 8);
  if (end > octets.length) malformed(octets, 'cut off in rdata');
  return {
    owner: name,
    type: octets.readUInt16BE(at),
    class: octets.readUInt16BE(at + 2),
    ttl: octets.readUInt32BE(at + 4),
    start: at + 10,
    end,
  };
}

function present(octets: Buffer, { owner, type, class: rrclass, ttl, start, end }: Raw): ReplyRecord {
  const nameAt = (at: number): { readonly name: string; readonly end: number } => {
    const read = readName(octets, at);
    if (read.end > end) malformed(octets, 'a name that runs out of its rdata');
    return read;
  };
  const rdata = presentRdata(type, octets, start, end, nameAt);
  if (rdata === undefined) malformed(octets, `rdata that no ${typeName(type)} record has`);
  return { owner, type: typeName(type), class: rrclass, ttl, rdata, octets: octets.subarray(start, end) };
}

function readEdns(octets: Buffer, opt: Raw): ReplyEdns {
  if (opt.owner !== '.') malformed(octets, 'an OPT record that is not at the root');
  const options: { code: number; data: Buffer }[] = [];
  let at = opt.start;
  while (at < opt.end) {
    if (at + 4 > opt.end) malformed(octets, 'cut off in an option');
    const end = at + 4 + octets.readUInt16BE(at + 2);
    if (end > opt.end) malformed(octets, 'an option that runs out of its record');
    options.push({ code: octets.readUInt16BE(at), data: octets.subarray(at + 4, end) });
    at = end;
  }
  return {
    size: opt.class,
    version: (opt.ttl >>> 16) & 255,
    dnssecOk: (opt.ttl & 0x8000) !== 0,
    reserved: opt.ttl & 0x7fff,
    options,
  };
}

/** Pointers must lead backwards (RFC 1035 section 4.1.4: "a prior occurrence"), labels be of type 0, the name have at most 255 octets. */
function readName(octets: Buffer, start: number): { readonly name: string; readonly end: number } {
  let name = '';
  let size = 1;
  let at = start;
  let runStart = start;
  let end: number | undefined;
  for (;;) {
    const length = octets[at];
    if (length === undefined) malformed(octets, 'cut off in a name');
    if (length === 0) return { name: name === '' ? '.' : name, end: end ?? at + 1 };
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | (octets[at + 1] ?? 0);
      if (target < HEADER_SIZE || target >= runStart) malformed(octets, 'a pointer that does not lead back to a name');
      end ??= at + 2;
      at = runStart = target;
      continue;
    }
    if (length > 63) malformed(octets, `label type 0x${(length & 0xc0).toString(16)}`);
    size += 1 + length;
    if (size > 255) malformed(octets, 'a name of more than 255 octets');
    name += `${presentLabel(octets.subarray(at + 1, at + 1 + length))}.`;
    at += 1 + length;
  }
}

/** RFC 1035 section 5.1. */
function presentLabel(label: Buffer): string {
  return label
    .toString('latin1')
    .replace(/[.\\"();@$]/g, '\\$&')
    .replace(/[^!-~]/g, (octet) => `\\${octet.charCodeAt(0).toString().padStart(3, '0')}`);
}

/** Most octets of a message that are shown. */
const SHOWN_MAX: Bytes = 100;

function malformed(octets: Buffer, how: string): never {
  const shown = octets.toString('hex', 0, SHOWN_MAX) + (octets.length > SHOWN_MAX ? '…' : '');
  throw new ConformanceError(`expected a message, got one that is ${how}: ${shown}`);
}
