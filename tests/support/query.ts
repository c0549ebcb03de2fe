/**
 * Queries as a test writes them, to octets. Builds any query it is told to, sensible or not; knows nothing of sockets and
 * shares no code with the server's own codec.
 */

import dnsPacket from 'dns-packet';

import { typeFrom } from '../../zones/rr.ts';
import type { Bytes } from '../../zones/units.ts';

/** An OPT record to send, RFC 6891 section 6.1. */
export type AskedEdns = {
  readonly payloadSize: Bytes;
  readonly version: number;
  readonly dnssecOk: boolean;
  /** The 15 bits behind DO, which must be zero. */
  readonly reserved: number;
  readonly options: readonly { readonly code: number; readonly data: Buffer }[];
};

/** What to ask. Names are plain text: labels with dots or octets above 127 are sent as raw packets instead. */
export type Asked = {
  readonly name: string;
  readonly class: number;
  readonly type: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly authenticData: boolean;
  /** The header's Z bit. */
  readonly reserved: boolean;
  readonly edns: AskedEdns | undefined;
};

/** The question that stubs send: recursion desired, no EDNS. */
export function asked(name: string, type: string, changes: Partial<Asked> = {}): Asked {
  return {
    name,
    class: 1,
    type: typeOf(type),
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: false,
    reserved: false,
    edns: undefined,
    ...changes,
  };
}

/** RFC 1035 section 4.1, one question. */
export function encodeQuery(id: number, query: Asked): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(
    bit(query.recursionDesired, 0x0100) |
      bit(query.reserved, 0x0040) |
      bit(query.authenticData, 0x0020) |
      bit(query.checkingDisabled, 0x0010),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(query.edns === undefined ? 0 : 1, 10);
  return Buffer.concat([
    header,
    encodeName(query.name),
    uint16(query.type),
    uint16(query.class),
    query.edns === undefined ? Buffer.alloc(0) : encodeOpt(query.edns),
  ]);
}

/**
 * The number of a type's name.
 * @throws Error if there is no such type
 */
export function typeOf(text: string): number {
  const type = typeFrom(text);
  if (type === undefined) throw new Error(`"${text}" is not a record type; write TYPE and its number`);
  return type;
}

/** Without compression. */
function encodeName(name: string): Buffer {
  return packetNames.name.encode(name);
}

/** dns-packet has it, its declared types do not. */
const packetNames = dnsPacket as unknown as { readonly name: { encode(name: string): Buffer } };

function encodeOpt(edns: AskedEdns): Buffer {
  const options = Buffer.concat(
    edns.options.flatMap((option) => [uint16(option.code), uint16(option.data.length), option.data]),
  );
  const flags = bit(edns.dnssecOk, 0x8000) | edns.reserved;
  return Buffer.concat([
    Buffer.from([0, 0, 41]),
    uint16(edns.payloadSize),
    Buffer.from([0, edns.version]),
    uint16(flags),
    uint16(options.length),
    options,
  ]);
}

function uint16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(value);
  return octets;
}

function bit(isSet: boolean, mask: number): number {
  return isSet ? mask : 0;
}
