/** Whether a reply gives the one right answer. Shares no code with the servers measured; bench/native/questions.h says the same in C. */

import { RRType } from '../zones/rr.ts';
import type { Bytes, Count } from '../zones/units.ts';
import { COUNTED_NET, queryWith, type BenchQuestion } from './question.ts';

/**
 * What is wrong with a reply to a question that was asked with that number, in words; undefined if nothing is. Every record must be
 * there once, in any order, owned by the asked name, or by the target of the alias that was before it. TTLs are the server's own.
 */
export function faultOf(reply: Buffer, question: BenchQuestion, number: Count = 0): string | undefined {
  try {
    return headFault(reply, question, number) ?? sectionFault(reply, question, number);
  } catch (error) {
    if (error instanceof RangeError) return 'it ends too early';
    throw error;
  }
}

const HEADER_SIZE: Bytes = 12;
/** Behind the name of a question. */
const TYPE_AND_CLASS: Bytes = 4;
const REPLY_FLAG = 0x8000;
const TRUNCATED_FLAG = 0x0200;
/** A compression pointer to the question's name. */
const TO_QUESTION = 0xc000 | HEADER_SIZE;
/** A name with more of them leads in a circle. */
const JUMPS_MAX: Count = 16;

function headFault(reply: Buffer, question: BenchQuestion, number: Count): string | undefined {
  const { rcode, records, isTruncated, questionEnd } = question;
  const flags = reply.readUInt16BE(2);
  if ((flags & REPLY_FLAG) === 0) return 'it is no reply';
  if (((flags & TRUNCATED_FLAG) !== 0) !== isTruncated) return isTruncated ? 'it is not truncated' : 'it is truncated';
  if ((flags & 15) !== rcode) return `its rcode is ${flags & 15}, not ${rcode}`;
  const asked = queryWith(question, 0, number);
  const hasQuestion = reply.compare(asked, HEADER_SIZE, questionEnd, HEADER_SIZE, questionEnd) === 0;
  if (reply.readUInt16BE(4) !== 1 || !hasQuestion) return 'it has another question';
  const count = reply.readUInt16BE(6);
  const isRight = isTruncated ? count < records.length : count === records.length;
  return isRight ? undefined : `it has ${count} answers, not ${records.length}`;
}

function sectionFault(reply: Buffer, question: BenchQuestion, number: Count): string | undefined {
  const count = reply.readUInt16BE(6);
  if (count === 0) return question.wantsSoa ? denialFault(reply, question) : undefined;
  const found: Buffer[] = [];
  let at = question.questionEnd;
  let alias: Buffer | undefined;
  for (let i = 0; i < count; i++) {
    const fixed = endOfName(reply, at);
    const isOwner = alias === undefined ? isAsked(reply, at, question) : nameAt(reply, at).equals(alias);
    if (!isOwner) return 'an answer has another owner';
    if (reply.readUInt16BE(fixed) === RRType.CNAME) alias = nameAt(reply, fixed + 10);
    found.push(recordAt(reply, fixed));
    at = fixed + 10 + reply.readUInt16BE(fixed + 8);
  }
  const expected = question.isCounted ? [countedRecord(number)] : question.records;
  if (question.isTruncated) {
    const unknown = found.find((record) => !expected.some((other) => record.equals(other)));
    return unknown === undefined ? undefined : differenceOf(unknown, expected[0]);
  }
  found.sort((a, b) => Buffer.compare(a, b));
  const wrong = found.findIndex((record, i) => !record.equals(expected[i] ?? Buffer.alloc(0)));
  return wrong === -1 ? undefined : differenceOf(found[wrong] ?? Buffer.alloc(0), expected[wrong]);
}

function denialFault(reply: Buffer, { questionEnd }: BenchQuestion): string | undefined {
  const hasSoa = reply.readUInt16BE(8) === 1 && reply.readUInt16BE(endOfName(reply, questionEnd)) === RRType.SOA;
  return hasSoa ? undefined : 'it denies without an SOA';
}

/** Is the owner name at `at` the question's, pointed to or spelled out? */
function isAsked(reply: Buffer, at: number, { questionEnd }: BenchQuestion): boolean {
  if (reply.readUInt16BE(at) === TO_QUESTION) return true;
  const nameEnd = questionEnd - TYPE_AND_CLASS;
  return reply.compare(reply, HEADER_SIZE, nameEnd, at, at + nameEnd - HEADER_SIZE) === 0;
}

/** Type and rdata of the record whose type is at `fixed`, names in it in full. */
function recordAt(reply: Buffer, fixed: number): Buffer {
  const type = reply.readUInt16BE(fixed);
  const start = fixed + 10;
  const end = start + reply.readUInt16BE(fixed + 8);
  if (end > reply.length) throw new RangeError('rdata');
  const typeOctets = reply.subarray(fixed, fixed + 2);
  const own = type === RRType.SRV ? 6 : 0;
  if (type !== RRType.SRV && type !== RRType.PTR && type !== RRType.CNAME)
    return Buffer.concat([typeOctets, reply.subarray(start, end)]);
  return Buffer.concat([typeOctets, reply.subarray(start, start + own), nameAt(reply, start + own)]);
}

function nameAt(reply: Buffer, start: number): Buffer {
  const labels: Buffer[] = [];
  for (let at = start, jumps = 0; ;) {
    const length = reply.readUInt8(at);
    if (length >= 0xc0) {
      if (++jumps > JUMPS_MAX) throw new RangeError('name');
      at = reply.readUInt16BE(at) & 0x3fff;
      continue;
    }
    labels.push(reply.subarray(at, at + 1 + length));
    if (length === 0) return Buffer.from(Buffer.concat(labels).toString('latin1').toLowerCase(), 'latin1');
    at += 1 + length;
  }
}

function countedRecord(number: Count): Buffer {
  return Buffer.from([0, RRType.A, COUNTED_NET, (number >> 16) & 255, (number >> 8) & 255, number & 255]);
}

function differenceOf(found: Buffer, expected: Uint8Array | undefined): string {
  const [, type] = expected ?? [];
  if (type === RRType.A && found[1] !== type) return 'an answer is no A record';
  if (type !== RRType.A) return 'an answer is another';
  return `an address is ${found.subarray(2).join('.')}, not ${expected?.subarray(2).join('.')}`;
}

function endOfName(reply: Buffer, start: number): number {
  for (let at = start; ;) {
    const length = reply.readUInt8(at);
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
}
