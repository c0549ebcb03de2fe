/**
 * The probes of `loop` that are under way, in memory that all data threads share: one that a thread sent may come back to the
 * socket of another. Knows nothing of upstreams or queries.
 */

import { createHash, randomBytes } from 'node:crypto';

import type { Bytes, Count } from '../../zones/units.ts';

/** Places of one thread; twice what it may have under way, so that a free one is soon drawn. */
const PLACES: Count = 2_048;
const DRAWS_MAX: Count = 64;
/** A state, then the two numbers and who asked. */
const STATES_SIZE: Bytes = PLACES * Int32Array.BYTES_PER_ELEMENT;
const NUMBERS_SIZE: Bytes = PLACES * 3 * BigUint64Array.BYTES_PER_ELEMENT;

const FREE = 0;
const UNDER_WAY = 1;
const CAME_BACK = 2;

/** Memory for that many threads. */
export function probeMemory(threads: Count): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * (STATES_SIZE + NUMBERS_SIZE));
}

/** Two numbers of 64 random bits each, and the place where they are written down. */
export type ProbeNumbers = { readonly first: bigint; readonly second: bigint; readonly place: number };

/** Only its own thread writes into a thread's places, but for the mark that a probe came back. */
export class ProbeTable {
  readonly #states: Int32Array;
  readonly #numbers: BigUint64Array;
  /** Where the places of this thread begin. */
  readonly #base: number;

  /** @param thread from 0; what a thread before it had under way is forgotten */
  constructor(memory: SharedArrayBuffer, thread: Count) {
    const places = (memory.byteLength / (STATES_SIZE + NUMBERS_SIZE)) * PLACES;
    this.#numbers = new BigUint64Array(memory, 0, places * 3);
    this.#states = new Int32Array(memory, this.#numbers.byteLength, places);
    this.#base = thread * PLACES;
    for (let place = this.#base; place < this.#base + PLACES; place++) Atomics.store(this.#states, place, FREE);
  }

  /** Writes down numbers that nobody can guess; undefined if too many are under way. */
  add(asker: bigint): ProbeNumbers | undefined {
    for (let draws = 0; draws < DRAWS_MAX; draws++) {
      const first = randomBytes(8).readBigUInt64LE();
      const place = this.#base + Number(first % BigInt(PLACES));
      if (Atomics.load(this.#states, place) !== FREE) continue;
      const second = randomBytes(8).readBigUInt64LE();
      this.#numbers.set([first, second, asker], place * 3);
      Atomics.store(this.#states, place, UNDER_WAY);
      return { first, second, place };
    }
    return undefined;
  }

  /** Has that asker, in whichever thread, such a probe under way? Then it is marked as come back. */
  recognise(asker: bigint, first: bigint, second: bigint): boolean {
    const numbers = this.#numbers;
    for (let place = Number(first % BigInt(PLACES)); place < this.#states.length; place += PLACES) {
      if (Atomics.load(this.#states, place) === FREE) continue;
      const at = place * 3;
      if (numbers[at] !== first || numbers[at + 1] !== second || numbers[at + 2] !== asker) continue;
      Atomics.compareExchange(this.#states, place, UNDER_WAY, CAME_BACK);
      return true;
    }
    return false;
  }

  hasComeBack({ place }: ProbeNumbers): boolean {
    return Atomics.load(this.#states, place) === CAME_BACK;
  }

  /** From now on nobody recognises it. */
  remove({ place }: ProbeNumbers): void {
    Atomics.store(this.#states, place, FREE);
  }
}

/** The same number in every thread for the same name. */
export function askerOf(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigUInt64LE();
}
