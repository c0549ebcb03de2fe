/** EDNS(0): the OPT record of queries and replies (RFC 6891), Extended DNS Errors (RFC 8914). Knows one option by name besides, NSID (RFC 5001). */

import type { Bytes, Count } from '../../zones/units.ts';
import { RRType } from '../../zones/rr.ts';
import type { EdnsOption, ExtendedError, QueryEdns } from '../query.ts';
import { formerr } from './octets.ts';

/** What we take and send over UDP: DNS flag day 2020, fits every path without fragments (RFC 9715 section 3). */
export const UDP_PAYLOAD: Bytes = 1232;
/** What a client without EDNS takes (RFC 1035 section 4.2.1), and the least that a payload size can mean (RFC 6891 section 6.2.3). */
export const UDP_PAYLOAD_MIN: Bytes = 512;
/** More options than any client has use for; a message with more is made to cost us time. */
const OPTIONS_MAX: Count = 100;
/** An OPT record without options: root owner, type, class, ttl, rdlength. */
export const OPT_SIZE: Bytes = 11;

/** RFC 5001 section 2.3. */
export const OPTION_NSID = 3;
const OPTION_EDE = 15;
/** Option code and length. */
const OPTION_HEADER: Bytes = 4;
const FLAG_DO = 0x8000;
/** Longest text of an Extended DNS Error that we pass on. */
const EDE_TEXT_MAX: Bytes = 128;

/**
 * Reads an OPT record whose fields behind the owner begin at `fixed` and whose rdata is `start` to `end`.
 * @throws MessageError FORMERR if the options do not fill the rdata exactly, or are too many
 */
export function readOpt(
  packet: Buffer,
  fixed: number,
  start: number,
  end: number,
): { edns: QueryEdns; version: number } {
  const version = packet.readUInt8(fixed + 5);
  // What the rdata of another version looks like is not known: it is BADVERS whatever stands there (RFC 6891 section 6.1.3).
  let wantsNsid = false;
  if (version === 0) eachOption(packet, start, end, (code) => void (wantsNsid ||= code === OPTION_NSID));
  return {
    edns: {
      payloadSize: packet.readUInt16BE(fixed + 2),
      dnssecOk: (packet.readUInt16BE(fixed + 6) & FLAG_DO) !== 0,
      wantsNsid,
    },
    version,
  };
}

/** The first Extended DNS Error among the options of an upstream's reply. */
export function readExtendedError(packet: Buffer, start: number, end: number): ExtendedError | undefined {
  let found: ExtendedError | undefined;
  eachOption(packet, start, end, (code, from, to) => {
    if (code !== OPTION_EDE || found !== undefined || to - from < 2) return;
    found = {
      code: packet.readUInt16BE(from),
      text: packet.toString('utf8', from + 2, Math.min(to, from + 2 + EDE_TEXT_MAX)),
    };
  });
  return found;
}

/** How many octets of UDP reply the client takes from us. */
export function udpLimit(edns: QueryEdns | undefined): Bytes {
  if (edns === undefined) return UDP_PAYLOAD_MIN;
  return Math.min(UDP_PAYLOAD, Math.max(UDP_PAYLOAD_MIN, edns.payloadSize));
}

/** Octets of the OPT record of a reply with that error and those options. */
export function optSize(error: ExtendedError | undefined, options: readonly EdnsOption[]): Bytes {
  let size = error === undefined ? OPT_SIZE : OPT_SIZE + OPTION_HEADER + 2 + textOf(error).length;
  for (const { data } of options) size += OPTION_HEADER + data.length;
  return size;
}

/**
 * Writes the OPT record of a reply at `at`: version 0, our own payload size, DO copied (RFC 3225 section 3), other flags zero, no
 * option echoed. Returns where it ends.
 */
export function writeOpt(
  packet: Buffer,
  at: number,
  rcode: number,
  dnssecOk: boolean,
  error: ExtendedError | undefined,
  options: readonly EdnsOption[],
): number {
  packet.writeUInt8(0, at);
  packet.writeUInt16BE(RRType.OPT, at + 1);
  packet.writeUInt16BE(UDP_PAYLOAD, at + 3);
  packet.writeUInt8(rcode >> 4, at + 5);
  packet.writeUInt8(0, at + 6);
  packet.writeUInt16BE(dnssecOk ? FLAG_DO : 0, at + 7);
  let end = at + OPT_SIZE;
  if (error !== undefined) {
    const text = textOf(error);
    end = writeOptionHeader(packet, end, OPTION_EDE, 2 + text.length);
    packet.writeUInt16BE(error.code, end);
    end += 2 + text.copy(packet, end + 2);
  }
  for (const { code, data } of options) {
    end = writeOptionHeader(packet, end, code, data.length);
    packet.set(data, end);
    end += data.length;
  }
  packet.writeUInt16BE(end - at - OPT_SIZE, at + OPT_SIZE - 2);
  return end;
}

/** The same without error, options and DO, octet by octet. */
export function writePlainOpt(packet: Uint8Array, at: number): number {
  packet[at] = 0;
  packet[at + 1] = 0;
  packet[at + 2] = RRType.OPT;
  packet[at + 3] = UDP_PAYLOAD >> 8;
  packet[at + 4] = UDP_PAYLOAD & 0xff;
  for (let i = 5; i < OPT_SIZE; i++) packet[at + i] = 0;
  return at + OPT_SIZE;
}

function writeOptionHeader(packet: Buffer, at: number, code: number, length: Bytes): number {
  packet.writeUInt16BE(code, at);
  packet.writeUInt16BE(length, at + 2);
  return at + OPTION_HEADER;
}

function textOf(error: ExtendedError): Buffer {
  const text = Buffer.from(error.text, 'utf8');
  if (text.length <= EDE_TEXT_MAX) return text;
  let end = EDE_TEXT_MAX;
  while (end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}

function eachOption(
  packet: Buffer,
  start: number,
  end: number,
  visit: (code: number, from: number, to: number) => void,
): void {
  let at = start;
  for (let count = 1; at < end; count++) {
    if (count > OPTIONS_MAX) throw formerr(`more than ${OPTIONS_MAX} EDNS options`);
    if (at + OPTION_HEADER > end) throw formerr('an EDNS option is cut off');
    const to = at + OPTION_HEADER + packet.readUInt16BE(at + 2);
    if (to > end) throw formerr('an EDNS option runs past its record');
    visit(packet.readUInt16BE(at), at + OPTION_HEADER, to);
    at = to;
  }
}
