/** A question as one upstream is asked it once, and which octets are its reply. Knows nothing of sockets. */

import { lowerCase, type Spelling } from '../../zones/name.ts';
import { Rcode, type RRset } from '../../zones/rr.ts';
import type { Bytes } from '../../zones/units.ts';
import { HEADER_SIZE } from '../wire/gate.ts';
import {
  decodeUpstreamReply,
  encodeUpstreamQuery,
  type UpstreamQuestion,
  type UpstreamReply,
} from '../wire/upstream-message.ts';
import { randomizeCase, randomUint16 } from './randomness.ts';

/**
 * - `match`: id, QR and the question are ours, letter by letter.
 * - `near`: the id is ours, but the letters have another case, or it is a header with an error and no question. An honest old server or a
 *   lucky forger: over UDP nobody can tell.
 * - `mismatch`: somebody else's.
 */
export type Verdict = 'match' | 'near' | 'mismatch';

export class Asked {
  readonly id: number;
  /** The query's octets. */
  readonly octets: Buffer;
  readonly #original: Spelling;
  readonly #questionEnd: Bytes;

  constructor(question: UpstreamQuestion, edns: boolean, id: number = randomUint16()) {
    this.id = id;
    this.#original = question.spelling;
    this.#questionEnd = HEADER_SIZE + question.spelling.length + 4;
    this.octets = encodeUpstreamQuery(question, id, edns);
    randomizeCase(this.octets, HEADER_SIZE, this.#questionEnd - 4);
  }

  /** RFC 5452 section 9.1. The question is compared as octets: nothing before it could be pointed to. */
  judge(reply: Buffer): Verdict {
    if (reply.length < HEADER_SIZE || reply.readUInt16BE(0) !== this.id) return 'mismatch';
    const flags = reply.readUInt16BE(2);
    if ((flags & 0xf800) !== 0x8000) return 'mismatch';
    const questions = reply.readUInt16BE(4);
    if (questions === 0) return isBareError(reply, flags) ? 'near' : 'mismatch';
    if (questions !== 1 || reply.length < this.#questionEnd) return 'mismatch';
    let verdict: Verdict = 'match';
    for (let i = HEADER_SIZE; i < this.#questionEnd; i++) {
      const ours = this.octets[i] ?? 0;
      const theirs = reply[i] ?? 0;
      if (ours === theirs) continue;
      if ((ours ^ theirs) !== 0x20 || i >= this.#questionEnd - 4 || !isLetter(ours)) return 'mismatch';
      verdict = 'near';
    }
    return verdict;
  }

  /**
   * Reads a reply that was judged to be ours. The client's own letters are put back: in the question, so that names which point to
   * it have them too, and in owners that repeat it in full.
   * @throws MessageError
   */
  read(reply: Buffer): UpstreamReply {
    if (reply.readUInt16BE(4) === 1) reply.write(this.#original, HEADER_SIZE, 'latin1');
    const read = decodeUpstreamReply(reply);
    return { ...read, answer: read.answer.map((rrset) => this.#respelled(rrset)) };
  }

  #respelled(rrset: RRset): RRset {
    const { owner } = rrset;
    const original = this.#original;
    const isAsked = owner.length === original.length && owner !== original && lowerCase(owner) === lowerCase(original);
    return isAsked ? { ...rrset, owner: original } : rrset;
  }
}

/** The TC bit (RFC 1035 section 4.1.1), which counts even where the rest was cut so that it cannot be read. */
export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & 0x0200) !== 0;
}

/** Some servers say FORMERR or NOTIMP to what they do not know by a header alone. */
function isBareError(reply: Buffer, flags: number): boolean {
  const rcode = flags & 0x0f;
  return reply.length === HEADER_SIZE && (rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP);
}

function isLetter(octet: number): boolean {
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
