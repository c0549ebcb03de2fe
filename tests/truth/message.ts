/**
 * DNS messages as the truth run writes and reads them: strict, and label by label, so that a dot inside a label stays one.
 * Shares no code with the server's codec, and knows nothing of what a reply should say.
 */

import type { Bytes } from '../../zones/units.ts';
import { typeNumber } from './mnemonics.ts';
import { wireName } from './name-text.ts';
import { HEADER, MalformedError, Reader, type PresentedRecord } from './reader.ts';

/** What is asked. A label holds any octets, one character each (latin1). */
export type Question = { readonly labels: readonly string[]; readonly type: string };

/** How it is asked. */
export type Manner = {
  /** Payload size of the OPT record; undefined without one. */
  readonly payloadSize: Bytes | undefined;
  readonly dnssecOk: boolean;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
};

/** A reply taken apart. */
export type Message = {
  readonly id: number;
  readonly flags: number;
  readonly rcode: number;
  /** The question as it stands in the message. */
  readonly question: string;
  readonly answer: readonly PresentedRecord[];
  readonly authority: readonly PresentedRecord[];
  readonly additional: readonly PresentedRecord[];
  readonly edns: { readonly payloadSize: Bytes; readonly version: number; readonly flags: number } | undefined;
  /** Serials of the cluster zones' SOA records in it. */
  readonly serials: readonly number[];
};

/** A query with id 0. */
export function queryOctets({ labels, type }: Question, manner: Manner): Buffer {
  const name = wireName(labels);
  const end = HEADER + name.length + 4;
  const octets = Buffer.alloc(manner.payloadSize === undefined ? end : end + 11);
  octets.writeUInt16BE((manner.recursionDesired ? 0x0100 : 0) | (manner.checkingDisabled ? 0x0010 : 0), 2);
  octets.writeUInt16BE(1, 4);
  octets.write(name, HEADER, 'latin1');
  octets.writeUInt16BE(typeNumber(type), end - 4);
  octets.writeUInt16BE(1, end - 2);
  if (manner.payloadSize === undefined) return octets;
  octets.writeUInt16BE(1, 10);
  octets.writeUInt16BE(41, end + 1);
  octets.writeUInt16BE(manner.payloadSize, end + 3);
  octets.writeUInt16BE(manner.dnssecOk ? 0x8000 : 0, end + 7);
  return octets;
}

/**
 * Reads a reply to one question whole.
 * @throws MalformedError at anything a strict reader could stumble over
 */
export function decodeMessage(octets: Buffer): Message {
  const reader = new Reader(octets);
  const id = reader.uint16();
  const flags = reader.uint16();
  const counts = [reader.uint16(), reader.uint16(), reader.uint16(), reader.uint16()] as const;
  const questionStart = reader.at;
  for (let i = 0; i < counts[0]; i++) {
    reader.name(false);
    reader.skip(4);
  }
  const question = octets.toString('latin1', questionStart, reader.at);
  const answer = reader.records(counts[1]);
  const authority = reader.records(counts[2]);
  const additional = reader.records(counts[3]);
  if (reader.at !== octets.length)
    throw new MalformedError(`${octets.length - reader.at} octets behind the last record`);
  const opts = [answer, authority, additional].flatMap(({ opts }) => opts);
  if (opts.length > additional.opts.length || opts.length > 1) throw new MalformedError('a misplaced OPT record');
  const [edns] = additional.opts;
  return {
    id,
    flags,
    rcode: ((edns?.extendedRcode ?? 0) << 4) | (flags & 0x0f),
    question,
    answer: answer.records,
    authority: authority.records,
    additional: additional.records,
    edns,
    serials: reader.serials,
  };
}
