/** Messages octet by octet, also those that nobody should send. Knows their form (RFC 1035 section 4), sockets and servers it does not. */

import type { Bytes, Count } from '../../zones/units.ts';

/** RFC 1035 section 4.1.1; one question and RD unless said otherwise. */
export type Header = {
  readonly id: number;
  /** The two octets behind the id. */
  readonly flags?: number;
  readonly questions?: Count;
  readonly answers?: Count;
  readonly authorities?: Count;
  readonly additionals?: Count;
};

export const FLAG = { QR: 0x8000, RD: 0x0100, Z: 0x0040, AD: 0x0020, CD: 0x0010 } as const;

export function header({ id, flags = FLAG.RD, questions = 1, ...others }: Header): Buffer {
  const { answers = 0, authorities = 0, additionals = 0 } = others;
  return uint16(id, flags, questions, answers, authorities, additionals);
}

/** A header and what follows it. */
export function message(head: Header, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([header(head), ...parts]);
}

/** QTYPE and QCLASS behind a name. */
export function question(name: Buffer, type: number, rrclass = 1): Buffer {
  return Buffer.concat([name, uint16(type, rrclass)]);
}

/** A record with uncompressed rdata. */
export function record(owner: Buffer, type: number, rdata: Buffer, rrclass = 1, ttl = 0): Buffer {
  return Buffer.concat([owner, uint16(type, rrclass, ttl >>> 16, ttl & 0xffff, rdata.length), rdata]);
}

/** A name of plain labels: `web.default.svc.cluster.local`, with or without the final dot. */
export function wireName(text: string): Buffer {
  return wireLabels(...text.split('.').filter((label) => label !== ''));
}

/** A name of any labels; a string stands for its Latin-1 octets. */
export function wireLabels(...labels: readonly string[]): Buffer {
  const parts = labels.map((label) => String.fromCharCode(label.length) + label);
  return Buffer.from(`${parts.join('')}\0`, 'latin1');
}

/** Octets that a name of these labels takes; at most 255 are allowed (RFC 1035 section 2.3.4). */
export function nameSize(labels: readonly string[]): Bytes {
  return labels.reduce((size, label) => size + 1 + label.length, 1);
}

export function uint16(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) octets.writeUInt16BE(value, 2 * i);
  return octets;
}
