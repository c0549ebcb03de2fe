/** Does a reply say what it should? Compares octets with what the model says, and with the rules for every message. */

import type { ModelReply } from '../support/model/world.ts';
import type { Bytes } from '../../zones/units.ts';
import type { Replies } from './asker.ts';
import { decodeMessage, type Manner, type Message, type Question } from './message.ts';
import { rcodeText } from './mnemonics.ts';
import { presentLabels } from './name-text.ts';
import { MalformedError, type PresentedRecord } from './reader.ts';

/** What was found: the serial in the reply, and what is wrong with it; nothing if all is well. */
export type Verdict = {
  readonly faults: readonly string[];
  readonly serials: readonly number[];
  readonly message: Message | undefined;
};

/**
 * The reply over TCP must say the whole; the one over UDP the same, or as much of it as fits.
 * @param query the octets that were sent
 */
export function judge(query: Buffer, manner: Manner, expected: ModelReply, { udp, tcp }: Replies): Verdict {
  const faults: string[] = [];
  if (udp === undefined) faults.push('no reply over UDP');
  if (tcp === undefined) faults.push('no reply over TCP');
  if (udp === undefined || tcp === undefined) return { faults, serials: [], message: undefined };
  try {
    const whole = decodeMessage(tcp);
    faults.push(...shapeFaults(query, whole, manner).map((fault) => `${fault} (TCP)`));
    if ((whole.flags & TC) !== 0) faults.push('TC over TCP');
    faults.push(...contentFaults(whole, expected));
    const limit = udpLimit(manner.payloadSize);
    if (udp.length > limit) faults.push(`${udp.length} octets over UDP, where ${limit} are allowed`);
    if (udp.equals(tcp)) return { faults, serials: whole.serials, message: whole };
    const part = decodeMessage(udp);
    faults.push(...shapeFaults(query, part, manner).map((fault) => `${fault} (UDP)`));
    if (tcp.length <= limit) faults.push('UDP and TCP say different things, although it fits into both');
    faults.push(...partFaults(part, expected));
    return { faults, serials: [...whole.serials, ...part.serials], message: whole };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return { faults: [...faults, `a malformed message: ${error.message}`], serials: [], message: undefined };
  }
}

/**
 * The reply as it stands in a message: a server that writes a name by pointing to the question writes it as the client
 * spelled it (RFC 4343 section 4.1), and fivedots does so with owners.
 */
export function asSent(reply: ModelReply, { labels }: Question): ModelReply {
  if (reply.additional.size === 0) return reply;
  const name = presentLabels(labels);
  const isName = (owner: string): boolean => owner.length === name.length && owner.toLowerCase() === name.toLowerCase();
  const lines = [...reply.additional].map((line) => {
    const end = line.indexOf(' ');
    return isName(line.slice(0, end)) ? name + line.slice(end) : line;
  });
  return { ...reply, additional: new Set(lines) };
}

/** A name that is too long is no question at all: FORMERR and nothing else. */
export function judgeUnaskable(query: Buffer, replies: Replies): readonly string[] {
  return (['udp', 'tcp'] as const).flatMap((over) => {
    const reply = replies[over];
    if (reply === undefined) return [`no reply over ${over} to a name that is too long`];
    try {
      const message = decodeMessage(reply);
      const isPlain = message.rcode === FORMERR && message.answer.length + message.authority.length === 0;
      return isPlain && message.id === query.readUInt16BE(0)
        ? []
        : [`rcode ${message.rcode} over ${over} for a name that is too long`];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return [`a malformed message over ${over}: ${error.message}`];
    }
  });
}

/** Is the reply over each transport one of these, whole or as much of it as fits? */
export function isEitherReply({ udp, tcp }: Replies, either: readonly ModelReply[]): boolean {
  if (udp === undefined || tcp === undefined) return false;
  try {
    const part = decodeMessage(udp);
    const whole = decodeMessage(tcp);
    return (
      either.some((expected) => partFaults(part, expected).length === 0) &&
      either.some((expected) => contentFaults(whole, expected).length === 0)
    );
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return false;
  }
}

/** RFC 1035 section 4.2.1, RFC 6891 section 6.2.5, and never more than the 1232 octets that fivedots promises. */
function udpLimit(payloadSize: Bytes | undefined): Bytes {
  return Math.min(1232, Math.max(512, payloadSize ?? 512));
}

/** What is true of every reply, whatever it says. */
function shapeFaults(query: Buffer, message: Message, { payloadSize, dnssecOk }: Manner): readonly string[] {
  const faults: string[] = [];
  const sent = query.readUInt16BE(2);
  const expect = (isMet: boolean, fault: string): void => {
    if (!isMet) faults.push(fault);
  };
  expect(message.id === query.readUInt16BE(0), 'another id');
  expect((message.flags & 0xf800) === 0x8000, 'QR or opcode is wrong');
  expect((message.flags & 0x0110) === (sent & 0x0110), 'RD or CD is not as it was sent');
  expect((message.flags & 0x0060) === 0, 'Z or AD is set');
  const end = 12 + message.question.length;
  expect(
    message.question === query.toString('latin1', 12, end) && end >= 17,
    'the question is not echoed octet by octet',
  );
  expect((message.edns !== undefined) === (payloadSize !== undefined), 'an OPT record if and only if there was one');
  if (message.edns !== undefined) {
    expect(message.edns.version === 0 && message.edns.payloadSize === 1232, 'EDNS version or payload size');
    expect(message.edns.flags === (dnssecOk ? 0x8000 : 0), 'EDNS flags');
  }
  for (const section of [message.answer, message.authority, message.additional]) {
    if (section.length < 2) continue;
    const texts = new Set(section.map(({ text }) => text.toLowerCase()));
    expect(texts.size === section.length, 'a record stands twice in a section (RFC 2181 section 5)');
    const ttls = new Map<string, number>();
    for (const record of section) {
      const known = ttls.get(setOf(record));
      expect(known === undefined || known === record.ttl, 'an RRset with two TTLs (RFC 2181 section 5.2)');
      ttls.set(setOf(record), record.ttl);
    }
  }
  expect(aliasesLead(message.answer), 'an alias does not come before what it points to (RFC 1034 section 4.3.1)');
  return faults;
}

function contentFaults(message: Message, expected: ModelReply): readonly string[] {
  const faults: string[] = [];
  if (rcodeText(message.rcode) !== expected.rcode) faults.push('another rcode');
  if (((message.flags & AA) !== 0) !== expected.authoritative) faults.push('another AA');
  if (!isSame(message.answer, expected.answer)) faults.push('another answer section');
  if (!isSame(message.authority, expected.authority)) faults.push('another authority section');
  if (!isSame(message.additional, expected.additional)) faults.push('another additional section');
  return faults;
}

/** What does not fit is left out in whole RRsets, additional records first, and TC says so of answers and denials (RFC 2181 section 9). */
function partFaults(part: Message, expected: ModelReply): readonly string[] {
  const faults: string[] = [];
  if (rcodeText(part.rcode) !== expected.rcode) faults.push('another rcode over UDP');
  if (((part.flags & AA) !== 0) !== expected.authoritative) faults.push('another AA over UDP');
  for (const section of ['answer', 'authority', 'additional'] as const) {
    if (!areWholeSets(part[section], expected[section]))
      faults.push(`records of ${section} over UDP that are no whole RRsets`);
  }
  const hasAnswer = part.answer.length === expected.answer.size;
  const hasAuthority = part.authority.length === expected.authority.size;
  const isWhole = hasAnswer && (hasAuthority || expected.answer.size > 0);
  if (isWhole === ((part.flags & TC) !== 0)) faults.push('TC over UDP is wrong');
  if (!hasAnswer && part.authority.length + part.additional.length > 0)
    faults.push('answers were cut, and not the rest');
  return faults;
}

function areWholeSets(records: readonly PresentedRecord[], expected: ReadonlySet<string>): boolean {
  const sets = new Set(records.map(setOf));
  const wanted = [...expected].filter((line) => sets.has(setOfLine(line)));
  return isSame(records, new Set(wanted));
}

function isSame(records: readonly PresentedRecord[], expected: ReadonlySet<string>): boolean {
  if (records.length !== expected.size) return false;
  for (const { text } of records) if (!expected.has(text)) return false;
  return true;
}

/** Does each record's owner follow from the ones before it? */
function aliasesLead(answer: readonly PresentedRecord[]): boolean {
  let owner = answer[0]?.owner.toLowerCase();
  for (const record of answer) {
    if (record.owner.toLowerCase() !== owner) return false;
    owner = record.target?.toLowerCase() ?? owner;
  }
  return true;
}

function setOf({ owner, type }: PresentedRecord): string {
  return `${owner.toLowerCase()} ${type}`;
}

function setOfLine(line: string): string {
  const [owner = '', , , type] = line.split(' ');
  return `${owner.toLowerCase()} ${type}`;
}

const AA = 0x0400;
const TC = 0x0200;
const FORMERR = 1;
