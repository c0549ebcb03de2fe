/** Questions as a file that generators read, one behind the other. Knows nothing of what is asked. */

import type { BenchQuestion } from './question.ts';

/** All numbers are big-endian; bench/native/questions.h reads the same. */
export function questionFileOf(questions: readonly BenchQuestion[]): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(questions.length);
  return Buffer.concat([head, ...questions.flatMap(octetsOf)]);
}

/** What a file holds. */
export function questionsFrom(file: Buffer): readonly BenchQuestion[] {
  let at = 4;
  const take = (size: number): Buffer => file.subarray(at, (at += size));
  return Array.from({ length: file.readUInt32BE(0) }, () => {
    const head = take(HEAD_SIZE);
    const flags = head.readUInt8(5);
    const query = take(head.readUInt16BE(0));
    const records = Array.from({ length: head.readUInt16BE(6) }, () => take(take(1).readUInt8(0)));
    return {
      query,
      questionEnd: head.readUInt16BE(2),
      rcode: head.readUInt8(4),
      records,
      wantsSoa: (flags & WANTS_SOA) !== 0,
      isTruncated: (flags & IS_TRUNCATED) !== 0,
      isCounted: (flags & IS_COUNTED) !== 0,
    };
  });
}

/** Size and end of the question, rcode, flags, number of records. */
const HEAD_SIZE = 8;
const WANTS_SOA = 1;
const IS_TRUNCATED = 2;
const IS_COUNTED = 4;

function octetsOf(question: BenchQuestion): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_SIZE);
  head.writeUInt16BE(question.query.length, 0);
  head.writeUInt16BE(question.questionEnd, 2);
  head.writeUInt8(question.rcode, 4);
  const flags =
    (question.wantsSoa ? WANTS_SOA : 0) |
    (question.isTruncated ? IS_TRUNCATED : 0) |
    (question.isCounted ? IS_COUNTED : 0);
  head.writeUInt8(flags, 5);
  head.writeUInt16BE(question.records.length, 6);
  return [head, question.query, ...question.records.flatMap((record) => [Buffer.from([record.length]), record])];
}
