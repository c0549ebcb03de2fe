/**
 * Reads a reply as RFC 1035 section 4 has it, and nothing else: whatever is not exactly so is a fault of the server that sent it. Shares
 * no code with any server, and keeps what `present.ts` loses: dots inside labels, the question and rdata as they came.
 */

import type { Bytes, Seconds } from '../../zones/units.ts';
import { HEADER_SIZE, MessageCursor } from './message-cursor.ts';
import { presentRdata, rcodeName, typeName } from './presentation.ts';

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
  /** The rdata as sent, compression pointers and all. */
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

/** @throws MalformedError if it is not a message from the first octet to the last */
export function readReply(octets: Buffer): Reply {
  const cursor = new MessageCursor(octets);
  const id = cursor.uint16();
  const bits = cursor.uint16();
  const counts = [cursor.uint16(), cursor.uint16(), cursor.uint16(), cursor.uint16()] as const;
  for (let i = 0; i < counts[0]; i++) {
    cursor.name('forbidden');
    cursor.take(4);
  }
  const question = octets.subarray(HEADER_SIZE, cursor.at);
  const answer = readSection(cursor, counts[1]);
  const authority = readSection(cursor, counts[2]);
  const additional = readSection(cursor, counts[3]);
  if (cursor.at !== octets.length) cursor.fail(`${octets.length - cursor.at} octets behind the last record`);
  if (answer.opts.length + authority.opts.length > 0) cursor.fail('an OPT record in another section');
  const [opt, ...others] = additional.opts;
  if (others.length > 0) cursor.fail('two OPT records (RFC 6891 section 6.1.1)');
  return {
    octets,
    id,
    opcode: (bits >> 11) & 15,
    rcode: rcodeName(((opt?.extendedRcode ?? 0) << 4) | (bits & 15)),
    flags: new Set(FLAGS.filter(([, mask]) => (bits & mask) !== 0).map(([flag]) => flag)),
    question,
    answer: answer.records,
    authority: authority.records,
    additional: additional.records,
    edns: opt?.edns,
  };
}

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

type Opt = { readonly extendedRcode: number; readonly edns: ReplyEdns };
type Section = { readonly records: readonly ReplyRecord[]; readonly opts: readonly Opt[] };

function readSection(cursor: MessageCursor, count: number): Section {
  const records: ReplyRecord[] = [];
  const opts: Opt[] = [];
  for (let i = 0; i < count; i++) {
    const owner = cursor.name('allowed');
    const type = typeName(cursor.uint16());
    const rrclass = cursor.uint16();
    const ttl = cursor.uint32();
    const size = cursor.uint16();
    const start = cursor.at;
    const end = start + size;
    if (end > cursor.octets.length) cursor.fail('rdata that goes beyond the message');
    if (type === 'OPT') {
      if (owner !== '.') cursor.fail('an OPT record that is not at the root');
      opts.push(readOpt(cursor, rrclass, ttl, end));
      continue;
    }
    if (ttl > 0x7fff_ffff) cursor.fail(`a TTL of ${ttl} (RFC 2181 section 8)`);
    const rdata = presentRdata(type, cursor, end);
    records.push({ owner, type, class: rrclass, ttl, rdata, octets: cursor.octets.subarray(start, end) });
  }
  return { records, opts };
}

/** What other records have for their class and TTL is something else here (RFC 6891 section 6.1.3). */
function readOpt(cursor: MessageCursor, size: Bytes, bits: number, end: Bytes): Opt {
  const options: { readonly code: number; readonly data: Buffer }[] = [];
  while (cursor.at < end) options.push({ code: cursor.uint16(), data: cursor.take(cursor.uint16()) });
  if (cursor.at !== end) cursor.fail('an EDNS option that goes beyond its record');
  return {
    extendedRcode: bits >>> 24,
    edns: {
      size,
      version: (bits >>> 16) & 0xff,
      dnssecOk: (bits & 0x8000) !== 0,
      reserved: bits & 0x7fff,
      options,
    },
  };
}
