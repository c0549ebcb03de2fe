/**
 * The first look at a message, at its twelve fixed octets and its sender alone, the same for every transport. Nothing is
 * parsed here, so nothing that a stranger sends costs more than these few comparisons.
 */

import { Rcode } from '../../zones/rr.ts';
import type { Bytes } from '../../zones/units.ts';
import type { Peer } from '../query.ts';

/** The fixed header, RFC 1035 section 4.1.1. */
export const HEADER_SIZE: Bytes = 12;

/**
 * - `pass`: parse it.
 * - `drop`: say nothing. The reasons are those for which an answer could only do harm.
 * - `reject`: a header-only reply with that rcode.
 */
export type Verdict =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'drop'; readonly reason: DropReason }
  | { readonly verdict: 'reject'; readonly rcode: number; readonly reason: RejectReason };

/** `short`: below twelve octets. `reply`: QR is set. `source`: port 0 or an address that cannot be answered. */
type DropReason = 'short' | 'reply' | 'source';
type RejectReason = 'opcode' | 'counts';

const PASS: Verdict = { verdict: 'pass' };
const SHORT: Verdict = { verdict: 'drop', reason: 'short' };
const REPLY: Verdict = { verdict: 'drop', reason: 'reply' };
const SOURCE: Verdict = { verdict: 'drop', reason: 'source' };
const OPCODE: Verdict = { verdict: 'reject', rcode: Rcode.NOTIMP, reason: 'opcode' };
const COUNTS: Verdict = { verdict: 'reject', rcode: Rcode.FORMERR, reason: 'counts' };

/**
 * Only opcode QUERY goes on (RFC 8906 section 3.1.4 asks NOTIMP for the rest), only with exactly one question (RFC 9619),
 * no answer, at most one authority record (the SOA of an IXFR, RFC 1995 section 3) and at most two additional ones (OPT, TSIG).
 */
export function gate(packet: Buffer, peer: Peer): Verdict {
  if (packet.length < HEADER_SIZE) return SHORT;
  const flags = packet.readUInt8(2);
  if ((flags & 0x80) !== 0) return REPLY;
  if (!isAnswerable(peer)) return SOURCE;
  if ((flags & 0x78) !== 0) return OPCODE;
  const counts = packet.readUInt16BE(4) === 1 && packet.readUInt16BE(6) === 0 && packet.readUInt16BE(8) <= 1;
  return counts && packet.readUInt16BE(10) <= 2 ? PASS : COUNTS;
}

/**
 * Can a reply go to this sender? Port 0 cannot be sent to; multicast, broadcast and unspecified sources are forged; our own
 * listening address would make us answer ourselves for ever.
 */
export function isAnswerable(peer: Peer): boolean {
  if (peer.port === 0) return false;
  if (peer.port === peer.localPort && peer.address === peer.localAddress) return false;
  if (peer.family === 6) return peer.address !== '::' && !isMulticast(peer.address);
  const first = Number.parseInt(peer.address, 10);
  return first > 0 && first < 224 && !(first === 127 && peer.address === '127.255.255.255');
}

/** ff00::/8, RFC 4291 section 2.7. In canonical text 00ff:: begins with these letters as well. */
function isMulticast(address: string): boolean {
  return address.startsWith('ff') && address.charAt(4) === ':';
}
