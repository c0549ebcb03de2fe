/** Does a reply say what it should? Compares octets with what the model says, and with the rules for every message. */

import type { Bytes, Seconds } from '../../zones/units.ts';
import { HEADER_SIZE, MalformedError } from '../support/message-cursor.ts';
import type { ModelQuestion, ModelReply } from '../support/model/world.ts';
import { presentLabels } from '../support/presentation.ts';
import { readReply, type Reply, type ReplyEdns, type ReplyRecord } from '../support/reply.ts';
import { rrsetFaults } from '../support/rrset-faults.ts';
import type { Replies } from './asker.ts';
import { lineOf, serialsOf } from './lines.ts';
import type { Expected } from './expectation.ts';
import type { Manner } from './query.ts';

/** What was found: the serials in the reply, and what is wrong with it; nothing if all is well. */
export type Verdict = {
  readonly faults: readonly string[];
  readonly serials: readonly number[];
  /** The one over TCP, if it can be read. */
  readonly reply: Reply | undefined;
};

/**
 * The reply over TCP must say the whole; the one over UDP the same, or as much of it as fits, or what is said where it does not.
 * @param query the octets that were sent
 * @param passed by so much the TTLs of what has been cached may be lower
 */
export function judge(
  query: Buffer,
  manner: Manner,
  { reply: expected, overUdp }: Pick<Expected, 'reply' | 'overUdp'>,
  { udp, tcp }: Replies,
  passed: Seconds,
): Verdict {
  const faults: string[] = [];
  if (udp === undefined) faults.push('no reply over UDP');
  if (tcp === undefined) faults.push('no reply over TCP');
  if (udp === undefined || tcp === undefined) return { faults, serials: [], reply: undefined };
  try {
    const whole = readReply(tcp);
    faults.push(...shapeFaults(query, whole, manner).map((fault) => `${fault} (TCP)`));
    if (whole.flags.has('tc')) faults.push('TC over TCP');
    faults.push(...contentFaults(whole, agedTo(whole, expected, passed)));
    const limit = udpLimit(manner.payloadSize);
    if (udp.length > limit) faults.push(`${udp.length} octets over UDP, where ${limit} are allowed`);
    const isSame = overUdp.includes(expected);
    if (udp.equals(tcp) && isSame) return { faults, serials: serialsOf(whole), reply: whole };
    const part = readReply(udp);
    faults.push(...shapeFaults(query, part, manner).map((fault) => `${fault} (UDP)`));
    if (tcp.length <= limit && isSame && overUdp.length === 1)
      faults.push('UDP and TCP say different things, although it fits into both');
    const parts = overUdp.map((each) => partFaults(part, agedTo(part, each, passed)));
    if (parts.every((each) => each.length > 0)) faults.push(...(parts[0] ?? []));
    return { faults, serials: [...serialsOf(whole), ...serialsOf(part)], reply: whole };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return { faults: [...faults, `a malformed message: ${error.message}`], serials: [], reply: undefined };
  }
}

/**
 * The reply as it stands in a message: a server that writes a name by pointing to the question writes it as the client
 * spelled it (RFC 4343 section 4.1), and fivedots does so with owners.
 */
export function asSent(reply: ModelReply, { labels }: ModelQuestion): ModelReply {
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
    const octets = replies[over];
    if (octets === undefined) return [`no reply over ${over} to a name that is too long`];
    try {
      const { id, rcode, answer, authority } = readReply(octets);
      const isPlain = rcode === 'FORMERR' && answer.length + authority.length === 0;
      return isPlain && id === query.readUInt16BE(0) ? [] : [`${rcode} over ${over} for a name that is too long`];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return [`a malformed message over ${over}: ${error.message}`];
    }
  });
}

/** The expected reply with TTLs as the other one has them, where no more has passed. They must not be lower than a cache would say: 1. */
function agedTo(reply: Reply, expected: ModelReply, passed: Seconds): ModelReply {
  if (passed === 0) return expected;
  const ttls = new Map<string, Seconds>();
  for (const record of [...reply.answer, ...reply.authority, ...reply.additional]) {
    ttls.set(withoutTtl(lineOf(record)), record.ttl);
  }
  const aged = (lines: ReadonlySet<string>): ReadonlySet<string> =>
    new Set(
      [...lines].map((line) => {
        const [owner = '', text = '', ...others] = line.split(' ');
        const [ttl, actual] = [Number(text), ttls.get(withoutTtl(line)) ?? Infinity];
        const isAged = actual < ttl && actual >= Math.max(1, ttl - passed);
        return isAged ? [owner, actual, ...others].join(' ') : line;
      }),
    );
  return {
    ...expected,
    answer: aged(expected.answer),
    authority: aged(expected.authority),
    additional: aged(expected.additional),
  };
}

function withoutTtl(line: string): string {
  return line.replace(/ \d+ /, ' ');
}

/** Is the reply over each transport one of these, whole or as much of it as fits? */
export function isEitherReply({ udp, tcp }: Replies, either: readonly ModelReply[]): boolean {
  if (udp === undefined || tcp === undefined) return false;
  try {
    const part = readReply(udp);
    const whole = readReply(tcp);
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
export function udpLimit(payloadSize: Bytes | undefined): Bytes {
  return Math.min(1232, Math.max(512, payloadSize ?? 512));
}

/** What is true of every reply, whatever it says. */
function shapeFaults(query: Buffer, reply: Reply, manner: Manner): readonly string[] {
  const faults: string[] = [];
  const { flags, question, edns } = reply;
  const expect = (isMet: boolean, fault: string): void => {
    if (!isMet) faults.push(fault);
  };
  expect(reply.id === query.readUInt16BE(0), 'another id');
  expect(flags.has('qr') && reply.opcode === 0, 'QR or opcode is wrong');
  expect(
    flags.has('rd') === manner.recursionDesired && flags.has('cd') === manner.checkingDisabled,
    'RD or CD is not as it was sent',
  );
  expect(!flags.has('z') && !flags.has('ad'), 'Z or AD is set');
  const end = HEADER_SIZE + question.length;
  expect(
    question.length > 0 && query.compare(question, 0, question.length, HEADER_SIZE, end) === 0,
    'the question is not echoed octet by octet',
  );
  expect((edns !== undefined) === (manner.payloadSize !== undefined), 'an OPT record if and only if there was one');
  if (edns !== undefined) {
    expect(edns.version === 0 && edns.size === 1232, 'EDNS version or payload size');
    expect(edns.dnssecOk === manner.dnssecOk && edns.reserved === 0, 'EDNS flags');
    expect(edns.options.every(isExtendedError), 'an EDNS option that is no extended error (RFC 8914)');
  }
  for (const section of [reply.answer, reply.authority, reply.additional]) {
    faults.push(...rrsetFaults(section));
    expect(
      section.every((record) => record.class === 1),
      'a record of another class',
    );
  }
  expect(aliasesLead(reply.answer), 'an alias does not come before what it points to (RFC 1034 section 4.3.1)');
  return faults;
}

function contentFaults(reply: Reply, expected: ModelReply): readonly string[] {
  const faults: string[] = [];
  if (reply.rcode !== expected.rcode) faults.push('another rcode');
  if (reply.flags.has('aa') !== expected.authoritative) faults.push('another AA');
  if (!isSame(reply.answer, expected.answer)) faults.push('another answer section');
  if (!isSame(reply.authority, expected.authority)) faults.push('another authority section');
  if (!isSame(reply.additional, expected.additional)) faults.push('another additional section');
  return faults;
}

/** What does not fit is left out in whole RRsets, additional records first, and TC says so of answers and denials (RFC 2181 section 9). */
function partFaults(part: Reply, expected: ModelReply): readonly string[] {
  const faults: string[] = [];
  if (part.rcode !== expected.rcode) faults.push('another rcode over UDP');
  if (part.flags.has('aa') !== expected.authoritative) faults.push('another AA over UDP');
  for (const section of ['answer', 'authority', 'additional'] as const) {
    if (!areWholeSets(part[section], expected[section]))
      faults.push(`records of ${section} over UDP that are no whole RRsets`);
  }
  const hasAnswer = part.answer.length === expected.answer.size;
  const hasAuthority = part.authority.length === expected.authority.size;
  const isWhole = hasAnswer && (hasAuthority || expected.answer.size > 0);
  if (isWhole === part.flags.has('tc')) faults.push('TC over UDP is wrong');
  if (!hasAnswer && part.authority.length + part.additional.length > 0)
    faults.push('answers were cut, and not the rest');
  return faults;
}

function areWholeSets(records: readonly ReplyRecord[], expected: ReadonlySet<string>): boolean {
  const sets = new Set(records.map(setOf));
  const wanted = [...expected].filter((line) => sets.has(setOfLine(line)));
  return isSame(records, new Set(wanted));
}

function isSame(records: readonly ReplyRecord[], expected: ReadonlySet<string>): boolean {
  return records.length === expected.size && records.every((record) => expected.has(lineOf(record)));
}

/** Does each record's owner follow from the ones before it? */
function aliasesLead(answer: readonly ReplyRecord[]): boolean {
  let owner = answer[0]?.owner.toLowerCase();
  for (const record of answer) {
    if (record.owner.toLowerCase() !== owner) return false;
    if (record.type === 'CNAME') owner = record.rdata.toLowerCase();
  }
  return true;
}

function setOf({ owner, type }: ReplyRecord): string {
  return `${owner.toLowerCase()} ${type}`;
}

function setOfLine(line: string): string {
  const [owner = '', , , type] = line.split(' ');
  return `${owner.toLowerCase()} ${type}`;
}

function isExtendedError({ code, data }: ReplyEdns['options'][number]): boolean {
  return code === 15 && data.length >= 2;
}
