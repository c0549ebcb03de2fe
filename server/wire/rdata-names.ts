/** Where names stand in the rdata of the types that may carry compressed ones, and rdata with those names written in full. */

import { RRType } from '../../zones/rr.ts';
import { formerr, octet, readName, type NamesRead } from './octets.ts';

/** A run of that many octets, a character-string, or a name. */
type Part = number | 'string' | 'name';

/** RFC 3597 section 4: a receiver expands these, and these only; all other rdata is octets. What follows the last part is octets too. */
const LAYOUTS: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  [RRType.NS, ['name']],
  [RRType.CNAME, ['name']],
  [RRType.PTR, ['name']],
  [RRType.DNAME, ['name']],
  [RRType.SOA, ['name', 'name']],
  [RRType.MX, [2, 'name']],
  [RRType.SRV, [6, 'name']],
  [3, ['name']], // MD
  [4, ['name']], // MF
  [7, ['name']], // MB
  [8, ['name']], // MG
  [9, ['name']], // MR
  [14, ['name', 'name']], // MINFO
  [17, ['name', 'name']], // RP, RFC 1183
  [18, [2, 'name']], // AFSDB, RFC 1183
  [21, [2, 'name']], // RT, RFC 1183
  [26, [2, 'name', 'name']], // PX, RFC 2163
  [35, [4, 'string', 'string', 'string', 'name']], // NAPTR, RFC 3403
  [36, [2, 'name']], // KX, RFC 2230
]);

/** Fixed sizes: A and AAAA of another length are no addresses. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [RRType.A, 4],
  [RRType.AAAA, 16],
]);

/**
 * A copy of the rdata from `start` to `end` of the message, names in full.
 * @throws MessageError FORMERR if a part runs past the end, or something is left where nothing may be
 */
export function readRdata(packet: Buffer, type: number, start: number, end: number, names: NamesRead): Uint8Array {
  const size = SIZES.get(type);
  if (size !== undefined && end - start !== size)
    throw formerr(`rdata of ${end - start} octets where ${size} are needed`);
  const layout = LAYOUTS.get(type);
  if (layout === undefined) return new Uint8Array(packet.subarray(start, end));
  let text = '';
  let at = start;
  for (const part of layout) {
    if (part === 'name') {
      const read = readName(packet, at, end, names);
      text += read.name;
      at = read.end;
    } else {
      const to = at + (part === 'string' ? 1 + octet(packet, at) : part);
      if (to > end) throw formerr('rdata is cut off');
      text += packet.toString('latin1', at, to);
      at = to;
    }
  }
  if (type === RRType.SOA ? end - at !== 20 : at !== end) throw formerr('rdata of the wrong length');
  return new Uint8Array(Buffer.from(text + packet.toString('latin1', at, end), 'latin1'));
}
