/**
 * Replies by the octets of their questions, within fixed bounds. Knows nothing of how long a reply may be used.
 */

import type { Bytes, Count } from '../../../zones/units.ts';
import type { Counter } from '../../counters.ts';
import type { Account } from './accounts.ts';
import type { Reply } from '../../query.ts';
import { HEADER_SIZE } from '../../wire/gate.ts';
import { LOWER_CASE, TYPE_AND_CLASS, type OrdinaryQuestion } from './ordinary-question.ts';
import { PREPARED_MAX, type Preparation, type PreparedReply } from './prepared-reply.ts';

/** What is kept of one generation. There are two, and a reply takes about 250 octets of memory beside its own. */
export type PreparedLimits = { readonly replies: Count; readonly octets: Bytes };

/** Octets stand in chunks of this size. */
const CHUNK_SIZE: Bytes = 64 * 1024;
const PLACES_MIN: Count = 1024;
/** Places looked at for one question. More of them would be somebody's who makes questions of equal hashes. */
const LOOKS_MAX: Count = 16;

/**
 * Two generations: what is found in the older one moves to the younger, and when that is full the older is forgotten whole. So what is asked
 * for stays, and nothing has to be taken out one by one.
 */
export class PreparedReplies {
  readonly #limits: PreparedLimits;
  readonly #turns: Counter;
  #young: Generation;
  #old: Generation;

  constructor(limits: PreparedLimits, turns: Counter) {
    this.#limits = limits;
    this.#turns = turns;
    this.#young = new Generation(limits);
    this.#old = new Generation(limits);
  }

  get size(): Count {
    return this.#young.size + this.#old.size;
  }

  find(packet: Uint8Array, question: OrdinaryQuestion): PreparedReply | undefined {
    const young = this.#young.find(packet, question);
    if (young !== undefined) return young;
    const old = this.#old.find(packet, question);
    return old === undefined ? undefined : this.#renewed(old);
  }

  /** It must not be found again. */
  forget(reply: PreparedReply): void {
    this.#young.forget(reply);
    this.#old.forget(reply);
  }

  /** In the place of what was kept for the same question. `packet` holds the question as `question` has read it. */
  keep(
    packet: Uint8Array,
    question: OrdinaryQuestion,
    made: Preparation,
    account: Account,
    reply: Reply | undefined,
  ): void {
    if (this.#young.isFull) this.#turn();
    const old = this.#old.find(packet, question);
    if (old !== undefined) this.#old.forget(old);
    this.#young.keep(packet, question, made, account, reply);
  }

  #renewed(old: PreparedReply): PreparedReply {
    if (this.#young.isFull) this.#turn();
    // Else it would be found again after its copy was forgotten.
    this.#old.forget(old);
    return this.#young.adopt(old);
  }

  #turn(): void {
    this.#turns.add();
    this.#old = this.#young;
    this.#young = new Generation(this.#limits);
  }
}

/** Replies in a table with open addressing; their octets stand one behind the other in chunks. */
class Generation {
  readonly #limits: PreparedLimits;
  #places: Place[] = emptyPlaces(PLACES_MIN);
  readonly #chunks: Uint8Array[] = [];
  /** Octets used of the last chunk. */
  #used: Bytes = CHUNK_SIZE;
  /** Replies that can be found. */
  size: Count = 0;
  /** Their places, and those that others left since the table last grew. */
  #taken: Count = 0;

  constructor(limits: PreparedLimits) {
    this.#limits = limits;
  }

  /** Is there no room for the largest reply? */
  get isFull(): boolean {
    const { replies, octets } = this.#limits;
    const isLastChunk = (this.#chunks.length + 1) * CHUNK_SIZE > octets;
    return this.#taken >= replies || (isLastChunk && this.#used + PREPARED_MAX > CHUNK_SIZE);
  }

  find(packet: Uint8Array, question: OrdinaryQuestion): PreparedReply | undefined {
    const places = this.#places;
    const mask = places.length - 1;
    const { hash } = question;
    for (let look = 0; look < LOOKS_MAX; look++) {
      const found = places[placeAt(hash, look) & mask];
      if (found === undefined) return undefined;
      if (found !== LEFT && found.hash === hash && isSameQuestion(found, packet, question)) return found;
    }
    return undefined;
  }

  keep(
    packet: Uint8Array,
    question: OrdinaryQuestion,
    made: Preparation,
    account: Account,
    reply: Reply | undefined,
  ): void {
    const before = this.find(packet, question);
    const octets = this.#room(made.message.length);
    const at = this.#used - made.message.length;
    octets.set(made.message, at);
    const name = at + HEADER_SIZE;
    const nameEnd = name + made.question - TYPE_AND_CLASS;
    for (let i = name; i < nameEnd; i++) octets[i] = LOWER_CASE[octets[i] ?? 0] ?? 0;
    this.#put(preparedReply(question.hash, octets, at, made, account, reply), before);
  }

  forget(reply: PreparedReply): void {
    const place = placeOf(this.#places, reply.hash, reply);
    if (place === NOWHERE) return;
    this.#places[place] = LEFT;
    this.size--;
  }

  /** A copy of a reply of another generation. */
  adopt(old: PreparedReply): PreparedReply {
    const size = HEADER_SIZE + old.question + old.records;
    const octets = this.#room(size);
    const at = this.#used - size;
    octets.set(old.octets.subarray(old.at, old.at + size), at);
    const copy = preparedReply(old.hash, octets, at, old, old.account, old.reply);
    this.#put(copy, undefined);
    return copy;
  }

  /** The chunk in which the octets before `#used` are the caller's now. */
  #room(size: Bytes): Uint8Array {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#used + size > CHUNK_SIZE) {
      chunk = new Uint8Array(CHUNK_SIZE);
      this.#chunks.push(chunk);
      this.#used = 0;
    }
    this.#used += size;
    return chunk;
  }

  #put(reply: PreparedReply, before: PreparedReply | undefined): void {
    if (2 * this.#taken >= this.#places.length) this.#grow();
    const place = placeOf(this.#places, reply.hash, before);
    if (place === NOWHERE) return;
    if (this.#places[place] === undefined) this.#taken++;
    if (before === undefined) this.size++;
    this.#places[place] = reply;
  }

  #grow(): void {
    const places = emptyPlaces(2 * this.#places.length);
    let size: Count = 0;
    for (const reply of this.#places) {
      if (reply === undefined || reply === LEFT) continue;
      const place = placeOf(places, reply.hash, undefined);
      if (place === NOWHERE) continue;
      places[place] = reply;
      size++;
    }
    this.#places = places;
    this.size = size;
    this.#taken = size;
  }
}

/** `LEFT` is a place that somebody left: the way to others may lead past it. */
type Place = PreparedReply | typeof LEFT | undefined;
const LEFT = 'left';

/** Where that reply stands, or for undefined the first place that is free; `NOWHERE` if there is none on the way. */
function placeOf(places: readonly Place[], hash: number, reply: PreparedReply | undefined): number {
  const mask = places.length - 1;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const place = placeAt(hash, look) & mask;
    const found = places[place];
    if (found === reply || (reply === undefined && found === LEFT)) return place;
  }
  return NOWHERE;
}
const NOWHERE = -1;

/** Steps that grow, so that full places do not gather side by side. */
function placeAt(hash: number, look: Count): number {
  return hash + ((look * (look + 1)) >> 1);
}

/** A power of two, so that a mask makes a place of a hash. */
function emptyPlaces(count: Count): Place[] {
  return Array.from<Place>({ length: count }).fill(undefined);
}

function isSameQuestion(
  { octets, at, question: size }: PreparedReply,
  packet: Uint8Array,
  question: OrdinaryQuestion,
): boolean {
  const name = size - TYPE_AND_CLASS;
  const known = at + HEADER_SIZE;
  // The type is less than 256, and the class is IN.
  if (size !== question.size || octets[known + name + 1] !== question.type) return false;
  const start = question.start + HEADER_SIZE;
  for (let i = 0; i < name; i++) if (LOWER_CASE[packet[start + i] ?? 0] !== octets[known + i]) return false;
  return true;
}

/** One shape for all of them: what is read of them is read for each query. */
function preparedReply(
  hash: number,
  octets: Uint8Array,
  at: number,
  made: Omit<Preparation, 'message'>,
  account: Account,
  reply: Reply | undefined,
): PreparedReply {
  const { question, records, fitsAnySpelling, changes, lease } = made;
  return { hash, octets, at, question, records, fitsAnySpelling, changes, lease, account, reply };
}
