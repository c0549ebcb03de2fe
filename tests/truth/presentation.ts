/** Replies as lines for people to compare. Knows nothing of whether they are right. */

import type { ModelReply } from '../support/model/world.ts';
import { decodeMessage, type Message } from './message.ts';
import { rcodeText } from './mnemonics.ts';
import { MalformedError } from './reader.ts';

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
export function linesOfMessage({ rcode, flags, answer, authority, additional }: Message): readonly string[] {
  return [
    `${rcodeText(rcode)}${(flags & 0x0400) === 0 ? '' : ' aa'}${(flags & 0x0200) === 0 ? '' : ' tc'}`,
    ...answer.map(({ text }) => `answer ${text}`),
    ...authority.map(({ text }) => `authority ${text}`),
    ...additional.map(({ text }) => `additional ${text}`),
  ];
}

/** The same of octets, whatever they are. */
export function linesOfOctets(octets: Buffer | undefined): readonly string[] {
  if (octets === undefined) return ['no reply'];
  try {
    return linesOfMessage(decodeMessage(octets));
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
