/** Typed rdata to octets, names written in full. Knows nothing of messages and their compression. */

import type { Address } from './ip.ts';
import type { Spelling } from './name.ts';
import type { Seconds } from './units.ts';

/** Fields of an SOA record, RFC 1035 section 3.3.13. */
export type Soa = {
  readonly mname: Spelling;
  readonly rname: Spelling;
  readonly serial: number;
  readonly refresh: Seconds;
  readonly retry: Seconds;
  readonly expire: Seconds;
  readonly minimum: Seconds;
};

/** A (RFC 1035 section 3.4.1) or AAAA (RFC 3596 section 2.2). */
export function addressRdata(address: Address): Uint8Array {
  return address;
}

/** CNAME, NS and PTR: one name. RFC 1035 section 3.3. */
export function nameRdata(target: Spelling): Uint8Array {
  return octetsOf(target);
}

/** The name in the rdata of a CNAME, NS or PTR. */
export function nameOf(rdata: Uint8Array): Spelling {
  return Buffer.from(rdata.buffer, rdata.byteOffset, rdata.length).toString('latin1') as Spelling;
}

/** RFC 2782. */
export function srvRdata(priority: number, weight: number, port: number, target: Spelling): Uint8Array {
  const rdata = new Uint8Array(6 + target.length);
  rdata[0] = priority >> 8;
  rdata[1] = priority;
  rdata[2] = weight >> 8;
  rdata[3] = weight;
  rdata[4] = port >> 8;
  rdata[5] = port;
  for (let i = 0; i < target.length; i++) rdata[6 + i] = target.charCodeAt(i);
  return rdata;
}

/** RFC 1035 section 3.3.13. */
export function soaRdata(soa: Soa): Uint8Array {
  const names = octetsOf(soa.mname + soa.rname);
  const rdata = new Uint8Array(names.length + 20);
  rdata.set(names);
  const view = new DataView(rdata.buffer, names.length);
  [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum].forEach((value, i) => view.setUint32(4 * i, value));
  return rdata;
}

/**
 * One character-string per text, RFC 1035 section 3.3.14.
 * @throws RangeError if a text is longer than 255 octets
 */
export function txtRdata(texts: readonly string[]): Uint8Array {
  const parts = texts.map((text) => Buffer.from(text, 'utf8'));
  for (const part of parts)
    if (part.length > 255) throw new RangeError(`a TXT string has ${part.length} octets, at most 255 fit`);
  return Uint8Array.from(parts.flatMap((part) => [part.length, ...part]));
}

/** A name as its octets. */
export function octetsOf(name: string): Uint8Array {
  const octets = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) octets[i] = name.charCodeAt(i);
  return octets;
}
