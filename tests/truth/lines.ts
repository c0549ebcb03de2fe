/** Replies as lines for people to compare. Knows nothing of whether they are right. */

import { MalformedError } from '../support/message-cursor.ts';
import type { ModelReply } from '../support/model/world.ts';
import { readReply, type Reply, type ReplyRecord } from '../support/reply.ts';

/** `owner ttl IN type rdata`, as the model has it: the serial of a cluster zone's SOA, which it cannot know, is `SERIAL`. */
export function lineOf({ owner, ttl, type, rdata }: ReplyRecord): string {
  return `${owner} ${ttl} IN ${type} ${isClusters(type, rdata) ? rdata.replace(SERIAL, '$1 SERIAL') : rdata}`;
}

/** Serials of the cluster zones' SOA records. */
export function serialsOf({ answer, authority, additional }: Reply): readonly number[] {
  return [answer, authority, additional].flatMap((section) =>
    section.filter(({ type, rdata }) => isClusters(type, rdata)).map(({ rdata }) => Number(SERIAL.exec(rdata)?.[2])),
  );
}

function isClusters(type: string, rdata: string): boolean {
  return type === 'SOA' && /^ns\.dns\./i.test(rdata);
}

/** Behind MNAME and RNAME. */
const SERIAL = /^(\S+ \S+) (\d+)/;

/** The reply of the model, section by section. */
export function linesOfModel({ rcode, authoritative, answer, authority, additional }: ModelReply): readonly string[] {
  return [
    `${rcode}${authoritative ? ' aa' : ''}`,
    ...[...answer].toSorted().map((line) => `answer ${line}`),
    ...[...authority].toSorted().map((line) => `authority ${line}`),
    ...[...additional].toSorted().map((line) => `additional ${line}`),
  ];
}

/** A reply of the server, in the order in which its records stand. */
export function linesOfReply({ rcode, flags, answer, authority, additional }: Reply): readonly string[] {
  return [
    [rcode, ...(['aa', 'tc'] as const).filter((flag) => flags.has(flag))].join(' '),
    ...answer.map((record) => `answer ${lineOf(record)}`),
    ...authority.map((record) => `authority ${lineOf(record)}`),
    ...additional.map((record) => `additional ${lineOf(record)}`),
  ];
}

/** The same of octets, whatever they are. */
export function linesOfOctets(octets: Buffer | undefined): readonly string[] {
  if (octets === undefined) return ['no reply'];
  try {
    return linesOfReply(readReply(octets));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return [`malformed: ${error.message}`];
  }
}

/** Two lists of lines: those of both once, then what is only in one of them behind `-` (expected) or `+` (actual). */
export function sideBySide(expected: readonly string[], actual: readonly string[]): readonly string[] {
  const width = Math.max('expected'.length, ...expected.map((line) => line.length)) + 2;
  const here = new Set(actual);
  const there = new Set(expected);
  const left = expected.map((line) => `${here.has(line) ? ' ' : '-'} ${line}`);
  const right = actual.map((line) => `${there.has(line) ? ' ' : '+'} ${line}`);
  const rows = Math.max(left.length, right.length);
  return [
    `  ${'expected'.padEnd(width)}  actual`,
    ...Array.from({ length: rows }, (_, i) => `${(left[i] ?? '').padEnd(width + 2)}${right[i] ?? ''}`.trimEnd()),
  ];
}
