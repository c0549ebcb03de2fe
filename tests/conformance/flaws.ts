/** A way to be wrong for each check, which must then fail: a check that cannot fail is none. Knows no server. */

import type { Flaw } from './broken.ts';

const QR = 0x8000;
const AA = 0x0400;
const TC = 0x0200;
const RD = 0x0100;
const RA = 0x0080;
const Z = 0x0040;
const AD = 0x0020;
const CD = 0x0010;

const NOERROR = 0;
const FORMERR = 1;
const SERVFAIL = 2;
const NXDOMAIN = 3;

type Section = 'answer' | 'authority' | 'additional';

/** By the id of the check. */
export const FLAWS: ReadonlyMap<string, Flaw> = new Map<string, Flaw>([
  ['C01', { spoil: flags((bits) => bits & ~AA) }],
  ['C02', { spoil: without('authority') }],
  ['C03', { spoil: (reply, query) => (has(query, CD) ? rcode(SERVFAIL)(reply) : reply) }],
  ['C04', { spoil: flags((bits) => bits | AD) }],
  ['C05', { spoil: flags((bits) => bits | Z) }],
  ['C06', { spoil: flags((bits) => bits & ~RA) }],
  ['C07', { spoil: flags((bits) => bits | AA) }],
  ['C08', { spoil: flags((bits) => bits & ~0x7800) }],
  ['C09', { instead: (query) => (has(query, QR) ? query : undefined) }],
  ['C10', { spoil: rcode(NOERROR) }],
  ['C11', { spoil: rcode(NOERROR) }],
  ['C12', { spoil: rcode(NOERROR) }],
  ['C13', { spoil: rcode(NOERROR) }],
  ['C14', { instead: (query) => (query.length < 12 ? refusal(query) : undefined) }],
  ['C15', { spoil: rcode(NOERROR) }],
  ['C16', { spoil: rcode(NOERROR) }],
  ['C17', { spoil: rcodeBecomes(NXDOMAIN, NOERROR) }],
  ['C18', { spoil: rcode(NOERROR) }],
  ['C19', { spoil: rcode(NOERROR) }],
  ['C20', { spoil: rcode(NOERROR) }],
  ['C21', { spoil: question((octet) => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet)) }],
  ['C22', { spoil: rcode(NOERROR) }],
  ['C23', { spoil: ttls(() => 31) }],
  ['C24', { spoil: rcodeBecomes(NXDOMAIN, NOERROR) }],
  ['C25', { spoil: rcodeBecomes(NOERROR, NXDOMAIN) }],
  ['C26', { spoil: rcodeBecomes(NXDOMAIN, NOERROR) }],
  ['C27', { spoil: ttls((i) => 30 + i) }],
  ['C28', { spoil: sortedAnswer }],
  ['C29', { spoil: rcodeBecomes(NXDOMAIN, NOERROR) }],
  ['C30', { spoil: rcode(NXDOMAIN) }],
  ['C31', { spoil: without('answer') }],
  ['C32', { spoil: compressedTarget }],
  ['C33', { spoil: without('answer') }],
  ['C34', { spoil: without('additional') }],
  ['C35', { spoil: without('answer') }],
  ['C36', { spoil: (reply, query) => (has(query, RD) ? reply : rcode(NXDOMAIN)(reply)) }],
  ['C37', { spoil: rcode(NXDOMAIN) }],
  ['C38', { spoil: question((octet) => octet & 0x7f) }],
  ['C39', { spoil: (reply, query) => opt(reply, (record) => record.writeUInt16BE(sizeIn(query), 3)) }],
  ['C40', { spoil: withOpt }],
  ['C41', { spoil: (reply) => opt(reply, (record) => record.writeUInt8(0, 5)) }],
  ['C42', { spoil: option(100, 4) }],
  ['C43', { spoil: (reply) => opt(reply, (record) => record.writeUInt8(0x40, 8)) }],
  ['C44', { spoil: (reply) => opt(reply, (record) => record.writeUInt8(0x40, 8)) }],
  ['C45', { spoil: option(100, 4) }],
  ['C46', { spoil: (reply) => opt(reply, (record) => record.writeUInt8(0, 7)) }],
  ['C47', { spoil: rcode(NOERROR) }],
  ['C48', { spoil: rcode(NOERROR) }],
  ['C49', { spoil: option(12, 8) }],
  ['C50', { spoil: (reply) => option(3, 1)(option(3, 1)(reply)) }],
  ['C51', { spoil: flags((bits) => bits & ~TC) }],
  ['C52', { spoil: flags((bits) => bits & ~TC) }],
  ['C53', { spoil: flags((bits) => bits & ~TC) }],
  ['C54', { spoil: flags((bits) => bits | TC) }],
  ['C55', { spoil: flags((bits) => bits | TC) }],
  ['C56', { spoil: option(10, 9) }],
  ['C57', { spoil: option(12, 8) }],
  ['C58', { spoil: option(11, 2) }],
  ['C59', { spoil: without('answer') }],
  ['C60', { spoil: option(3, 11) }],
  ['C61a', { spoil: rcode(NXDOMAIN) }],
  ['C61b', { spoil: withoutOptions }],
  ['C61c', { spoil: withoutOptions }],
  ['C61d', { spoil: withoutOptions }],
  ['C62', { habit: 'in-order' }],
  ['C63', { habit: 'split' }],
  ['C64', { habit: 'hasty' }],
  ['C65', { spoil: rcode(SERVFAIL) }],
  ['C66', { habit: 'elsewhere' }],
  ['C67', { habit: 'deaf' }],
  ['C68', { spoil: without('answer') }],
  ['C69', { spoil: ttls(() => 7) }],
  ['C70', { spoil: ttls(() => 7) }],
  ['C71a', { spoil: rcode(NOERROR) }],
  ['C71b', { spoil: rcode(NOERROR) }],
  ['C72', { spoil: ttls(() => 31) }],
  ['C73', { spoil: rcode(SERVFAIL) }],
  ['C74', { spoil: flags((bits) => bits | TC) }],
  ['C75', { spoil: (reply) => Buffer.concat([reply.subarray(0, -1), Buffer.of(5)]) }],
  ['C76', { spoil: flags((bits) => bits | AD) }],
  ['C77', { spoil: without('answer') }],
  ['C78', { spoil: without('answer') }],
  ['C80', { spoil: without('answer') }],
  ['C82', { instead: refusal }],
]);

type Spoil = (reply: Buffer) => Buffer;

function has(message: Buffer, flag: number): boolean {
  return message.length >= 4 && (message.readUInt16BE(2) & flag) !== 0;
}

function flags(change: (bits: number) => number): Spoil {
  return (reply) => {
    const spoilt = Buffer.from(reply);
    spoilt.writeUInt16BE(change(reply.readUInt16BE(2)), 2);
    return spoilt;
  };
}

function rcode(code: number): Spoil {
  return flags((bits) => (bits & ~15) | code);
}

function rcodeBecomes(from: number, to: number): Spoil {
  return (reply) => ((reply.readUInt16BE(2) & 15) === from ? rcode(to)(reply) : reply);
}

/** The header of a reply to it: FORMERR, and zeros for what the query has not. */
function refusal(query: Buffer): Buffer {
  const reply = Buffer.alloc(12);
  query.copy(reply, 0, 0, 2);
  reply.writeUInt16BE(QR | FORMERR, 2);
  return reply;
}

/** The octets of the question's name. */
function question(change: (octet: number) => number): Spoil {
  return (reply) => Buffer.from(reply.map((octet, i) => (i > 12 && i < nameEnd(reply, 12) ? change(octet) : octet)));
}

type Place = { readonly section: Section; readonly start: number; readonly rdata: number; readonly end: number };

/** Where the records of a reply are. */
function places(reply: Buffer): readonly Place[] {
  let start = reply.readUInt16BE(4) === 0 ? 12 : nameEnd(reply, 12) + 4;
  return SECTIONS.flatMap((section, i) =>
    Array.from({ length: reply.readUInt16BE(6 + 2 * i) }, () => {
      const rdata = nameEnd(reply, start) + 10;
      const place = { section, start, rdata, end: rdata + reply.readUInt16BE(rdata - 2) };
      start = place.end;
      return place;
    }),
  );
}

const SECTIONS: readonly Section[] = ['answer', 'authority', 'additional'];

function nameEnd(message: Buffer, start: number): number {
  let at = start;
  for (let length = message[at]; length !== undefined && length !== 0; length = message[at]) {
    if (length >= 0xc0) return at + 2;
    at += 1 + length;
  }
  return at + 1;
}

function without(section: Section): Spoil {
  return (reply) => {
    const lost = places(reply).filter((place) => place.section === section);
    const spoilt = Buffer.concat([
      reply.subarray(0, lost[0]?.start),
      ...(lost.length === 0 ? [] : [reply.subarray(lost.at(-1)?.end)]),
    ]);
    spoilt.writeUInt16BE(0, 6 + 2 * SECTIONS.indexOf(section));
    return spoilt;
  };
}

/** The TTLs of everything but OPT records, whose owner is the root. */
function ttls(ttl: (index: number) => number): Spoil {
  return (reply) => {
    const spoilt = Buffer.from(reply);
    for (const [i, { start, rdata }] of places(reply).entries()) {
      if (reply[start] !== 0) spoilt.writeUInt32BE(ttl(i), rdata - 6);
    }
    return spoilt;
  };
}

/** Not mixed: `loadbalance` in vain. */
function sortedAnswer(reply: Buffer): Buffer {
  const answer = places(reply).filter(({ section }) => section === 'answer');
  const sorted = answer.map(({ start, end }) => reply.subarray(start, end)).toSorted((a, b) => a.compare(b));
  return Buffer.concat([reply.subarray(0, answer[0]?.start), ...sorted, reply.subarray(answer.at(-1)?.end)]);
}

/** The target of the one SRV record of `_http._tcp.web` as a pointer to the name behind these two labels. */
function compressedTarget(reply: Buffer): Buffer {
  const [record, ...others] = places(reply).filter(({ section }) => section === 'answer');
  if (record === undefined || others.length > 0) return reply;
  const head = Buffer.from(reply.subarray(0, record.rdata + 6));
  head.writeUInt16BE(8, record.rdata - 2);
  return Buffer.concat([head, Buffer.of(0xc0, 12 + 6 + 5), reply.subarray(record.end)]);
}

/** The OPT record, which fivedots has at the end; a reply without one stays as it is. */
function opt(reply: Buffer, change: (record: Buffer) => void): Buffer {
  const spoilt = Buffer.from(reply);
  const last = places(reply).at(-1);
  if (last !== undefined && reply[last.start] === 0) change(spoilt.subarray(last.start));
  return spoilt;
}

/** One more option of so many octets. */
function option(code: number, size: number): Spoil {
  return (reply) => {
    const last = places(reply).at(-1);
    if (last === undefined || reply[last.start] !== 0) return reply;
    const longer = Buffer.concat([reply, Buffer.of(0, code, 0, size), Buffer.alloc(size)]);
    longer.writeUInt16BE(last.end - last.rdata + 4 + size, last.rdata - 2);
    return longer;
  };
}

function withoutOptions(reply: Buffer): Buffer {
  const last = places(reply).at(-1);
  if (last === undefined || reply[last.start] !== 0) return reply;
  const shorter = Buffer.from(reply.subarray(0, last.rdata));
  shorter.writeUInt16BE(0, last.rdata - 2);
  return shorter;
}

/** An OPT record whether there was one in the query or not. */
function withOpt(reply: Buffer): Buffer {
  const longer = Buffer.concat([reply, Buffer.from('0000290400000000000000', 'hex')]);
  longer.writeUInt16BE(reply.readUInt16BE(10) + 1, 10);
  return longer;
}

/** The payload size in a query whose one record is an OPT record. */
function sizeIn(query: Buffer): number {
  return query.readUInt16BE(nameEnd(query, 12) + 4 + 3);
}
