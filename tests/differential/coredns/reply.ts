/** What of a reply fivedots and CoreDNS must agree on, as text. Knows nothing of who said it. */

import { rcodeName } from '../../../zones/rr.ts';
import { decodeReply, presentRecord, type DecodedRecord } from '../../support/present.ts';

/** Records in lower case and sorted: their order means nothing. Spelling is compared by the golden files. */
export type Reply = {
  /** `SILENCE` if there is no reply. */
  readonly rcode: string;
  /** `aa ra`: of AA and RA those that are set. */
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
};

export const SILENCE: Reply = { rcode: 'SILENCE', flags: '', answer: [], authority: [], additional: [] };

export function replyIn(octets: Buffer | undefined): Reply {
  if (octets === undefined) return SILENCE;
  const { rcode, flags, answer, authority, additional } = decodeReply(octets);
  return {
    rcode: rcodeName(rcode),
    flags: flags.filter((flag) => flag === 'aa' || flag === 'ra').join(' '),
    answer: linesOf(answer),
    authority: linesOf(authority),
    additional: linesOf(additional),
  };
}

export function isSameReply(a: Reply, b: Reply): boolean {
  return textOf(a) === textOf(b);
}

/** Each record once: the same twice is one (RFC 2181 section 5). */
export function withoutRepetition(reply: Reply): Reply {
  const { answer, authority, additional } = reply;
  const once = (lines: readonly string[]): readonly string[] => [...new Set(lines)];
  return { ...reply, answer: once(answer), authority: once(authority), additional: once(additional) };
}

/** On one line: `NOERROR aa [answer] authority [] additional []`, empty sections left out. */
export function textOf({ rcode, flags, answer, authority, additional }: Reply): string {
  const sections = { answer, authority, additional };
  const words = Object.entries(sections).flatMap(([name, lines]) =>
    lines.length === 0 ? [] : [`${name} [${lines.join('; ')}]`],
  );
  return [rcode, flags, ...words].filter((word) => word !== '').join(' ');
}

function linesOf(records: readonly DecodedRecord[]): readonly string[] {
  return records.map((record) => presentRecord(record).toLowerCase()).toSorted();
}
