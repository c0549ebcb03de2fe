/** Reading names out of a message without ever reading past its end or going round in circles. Knows nothing of records. */

import { LABEL_MAX, NAME_MAX, ROOT, type Spelling } from '../../zones/name.ts';
import { Rcode } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { MessageError } from '../errors.ts';

/** A name, and where in the message what follows it begins. */
export type NameAt = { readonly name: Spelling; readonly end: number };

/**
 * Reads a name that must stand there in full, as a question's does (a pointer there could only point into the header).
 * @throws MessageError FORMERR
 */
export function readPlainName(packet: Buffer, start: number): NameAt {
  let at = start;
  for (;;) {
    const length = octet(packet, at);
    if (length === 0) break;
    if (length > LABEL_MAX) throw formerr(`label type 0x${(length & 0xc0).toString(16)} in a question's name`);
    at += 1 + length;
    if (at - start >= NAME_MAX) throw formerr(`a name of more than ${NAME_MAX} octets`);
  }
  const end = at + 1;
  return { name: end - start === 1 ? ROOT : (packet.toString('latin1', start, end) as Spelling), end };
}

/** Pointers on the way to one name. A name has at most 127 labels, and a pointer that saves none leads nowhere. */
const POINTERS_MAX: Count = 127;

/** What stands behind the pointers of one message, by where they lead: each name is walked once, however often it is pointed to. */
export type NamesRead = Map<number, string>;

/**
 * Reads a name that may end in compression pointers (RFC 1035 section 4.1.4). Each pointer must point before the place where
 * the name's last run of labels began, so the walk always ends; `limit` is where the record that holds the name ends.
 * @throws MessageError FORMERR
 */
export function readName(packet: Buffer, start: number, limit: number = packet.length, read?: NamesRead): NameAt {
  const jumps: { readonly target: number; readonly before: number }[] = [];
  let name = '';
  let runStart = start;
  let end = -1;
  for (;;) {
    const runEnd = endOfRun(packet, runStart);
    if (end === -1 && runEnd >= limit) throw formerr('a name runs past the end of its record');
    name += packet.toString('latin1', runStart, runEnd);
    if (name.length >= NAME_MAX) throw formerr(`a name of more than ${NAME_MAX} octets`);
    const length = octet(packet, runEnd);
    if (end === -1) end = length === 0 ? runEnd + 1 : runEnd + 2;
    if (length === 0) break;
    const target = ((length & 0x3f) << 8) | octet(packet, runEnd + 1);
    if (target >= runStart) throw formerr('a compression pointer that does not point backwards');
    const known = read?.get(target);
    if (known !== undefined) {
      name += known;
      if (name.length >= NAME_MAX) throw formerr(`a name of more than ${NAME_MAX} octets`);
      break;
    }
    if (jumps.length === POINTERS_MAX) throw formerr(`a name of more than ${POINTERS_MAX} compression pointers`);
    jumps.push({ target, before: name.length });
    runStart = target;
  }
  if (end > limit) throw formerr('a name runs past the end of its record');
  for (const { target, before } of jumps) read?.set(target, name.slice(before));
  return { name: (name + ROOT) as Spelling, end };
}

/** Where a run of labels ends, which is at a root label or a pointer. */
function endOfRun(packet: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = octet(packet, at);
    if (length === 0 || length >= 0xc0) return at;
    if (length > LABEL_MAX) throw formerr(`label type 0x${(length & 0xc0).toString(16)}`);
    at += 1 + length;
    if (at - start >= NAME_MAX) throw formerr(`a name of more than ${NAME_MAX} octets`);
  }
}

/** @throws MessageError FORMERR if the message ends before `at` */
export function octet(packet: Buffer, at: number): number {
  const value = packet[at];
  if (value === undefined) throw formerr('the message ends too early');
  return value;
}

/** @throws MessageError FORMERR if fewer than `size` octets stand from `at` on */
export function need(packet: Buffer, at: number, size: number): void {
  if (at + size > packet.length) throw formerr('the message ends too early');
}

/** The fault of a message that is no DNS message. */
export function formerr(what: string): MessageError {
  return new MessageError(Rcode.FORMERR, what);
}
