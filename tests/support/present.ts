/**
 * A reply as text in presentation format (RFC 1035 section 5.1), decoded by dns-packet, which shares no code with the
 * server. Wrong for labels with dots or octets above 127, which dns-packet does not keep apart: such replies are compared
 * as octets.
 */

import dnsPacket, { type Answer, type OptAnswer } from 'dns-packet';

import { rcodeName } from '../../zones/rr.ts';

/** Sections as lines, sorted, for the order of records in an RRset means nothing. */
export type PresentedReply = {
  /** `reply NOERROR aa rd` */
  readonly reply: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** `edns version=0 size=1232`; undefined without an OPT record. */
  readonly edns: string | undefined;
};

/** One record of a reply, before it is text. */
export type DecodedRecord = Exclude<Answer, OptAnswer>;

/** A reply taken apart. */
export type DecodedReply = {
  readonly id: number;
  readonly isReply: boolean;
  readonly opcode: number;
  readonly rcode: number;
  /** Of the header bits AA TC RD RA Z AD CD those that are set, in that order and lower case. */
  readonly flags: readonly string[];
  readonly answer: readonly DecodedRecord[];
  readonly authority: readonly DecodedRecord[];
  readonly additional: readonly DecodedRecord[];
  readonly opt: OptAnswer | undefined;
};

/** @throws Error from dns-packet if the octets are not a message */
export function decodeReply(octets: Buffer): DecodedReply {
  const packet = dnsPacket.decode(octets);
  const header = octets.readUInt16BE(2);
  const additional = packet.additionals ?? [];
  const opt = additional.find((record) => record.type === 'OPT');
  return {
    id: octets.readUInt16BE(0),
    isReply: (header & 0x8000) !== 0,
    opcode: (header >> 11) & 15,
    rcode: ((opt?.extendedRcode ?? 0) << 4) | (header & 15),
    flags: FLAGS.filter(([, mask]) => (header & mask) !== 0).map(([name]) => name),
    answer: withoutOpt(packet.answers ?? []),
    authority: withoutOpt(packet.authorities ?? []),
    additional: withoutOpt(additional),
    opt,
  };
}

export function presentReply(reply: DecodedReply): PresentedReply {
  return {
    reply: ['reply', rcodeName(reply.rcode), ...reply.flags].join(' '),
    answer: reply.answer.map(presentRecord).toSorted(),
    authority: reply.authority.map(presentRecord).toSorted(),
    additional: reply.additional.map(presentRecord).toSorted(),
    edns: reply.opt === undefined ? undefined : presentOpt(reply.opt),
  };
}

/**
 * `name ttl class type rdata`. The serial of a cluster zone's SOA depends on when the cluster last changed: it is `SERIAL`.
 */
export function presentRecord(record: DecodedRecord): string {
  return [
    presentName(record.name),
    record.ttl ?? 0,
    (record.class ?? 'IN').replace('UNKNOWN_', 'CLASS'),
    record.type.replace('UNKNOWN_', 'TYPE'),
    presentRdata(record),
  ].join(' ');
}

/** dns-packet leaves the final dot out. */
export function presentName(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

const FLAGS: readonly (readonly [string, number])[] = [
  ['aa', 0x0400],
  ['tc', 0x0200],
  ['rd', 0x0100],
  ['ra', 0x0080],
  ['z', 0x0040],
  ['ad', 0x0020],
  ['cd', 0x0010],
];

/** RFC 8914. */
const EXTENDED_ERROR = 15;

function withoutOpt(records: readonly Answer[]): DecodedRecord[] {
  return records.filter((record) => record.type !== 'OPT');
}

function presentRdata(record: DecodedRecord): string {
  if (record.type === 'A') return record.data;
  if (record.type === 'AAAA') return canonicalIPv6(record.data);
  if (record.type === 'CNAME' || record.type === 'NS' || record.type === 'PTR') return presentName(record.data);
  if (record.type === 'TXT') return [record.data].flat().map(presentString).join(' ');
  if (record.type === 'SRV') {
    const { priority = 0, weight = 0, port, target } = record.data;
    return `${priority} ${weight} ${port} ${presentName(target)}`;
  }
  if (record.type === 'MX') return `${record.data.preference ?? 0} ${presentName(record.data.exchange)}`;
  if (record.type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
    const shown = /^ns\.dns\./i.test(mname) ? 'SERIAL' : serial;
    return [presentName(mname), presentName(rname), shown, refresh, retry, expire, minimum].join(' ');
  }
  return Buffer.isBuffer(record.data) ? genericRdata(record.data) : JSON.stringify(record.data);
}

/** dns-packet shortens the first run of zeros; RFC 5952 section 4.2.3, and URLs with it, the longest. */
function canonicalIPv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function presentString(text: string | Buffer): string {
  return `"${Buffer.from(text).toString('latin1').replace(/["\\]/g, '\\$&')}"`;
}

/** RFC 3597 section 5. */
function genericRdata(data: Buffer): string {
  return `\\# ${data.length} ${data.toString('hex')}`.trimEnd();
}

function presentOpt(opt: OptAnswer): string {
  const options: readonly { readonly code: number; readonly data?: Buffer | undefined }[] = opt.options;
  const words = ['edns', `version=${opt.ednsVersion}`, `size=${opt.udpPayloadSize}`];
  if (opt.flag_do) words.push('do');
  if ((opt.flags & 0x7fff) !== 0) words.push(`reserved=${opt.flags & 0x7fff}`);
  for (const option of options) {
    const data = option.data ?? Buffer.alloc(0);
    words.push(
      option.code === EXTENDED_ERROR ? `ede=${data.readUInt16BE(0)}` : `option=${option.code}:${data.toString('hex')}`,
    );
  }
  return words.join(' ');
}
