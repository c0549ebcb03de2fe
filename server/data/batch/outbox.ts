/** Replies that wait to leave together with one call. Knows what the call may say, nothing of what is sent. */

import type { Count, Bytes } from '../../../zones/units.ts';
import type { Counter, Counters } from '../../counters.ts';
import {
  addressAt,
  BATCH,
  copyEnvelope,
  dataAt,
  headersFrom,
  placeEnvelope,
  prepareToSend,
  type Arena,
  type Envelope,
} from './arena.ts';
import { WOULD_WAIT, type Descriptor, type SystemCalls } from './system-calls.ts';

export class Outbox {
  readonly #arena: Arena;
  readonly #calls: SystemCalls;
  readonly #unsent: Counter;
  readonly #batches: Counter;
  readonly #replies: Counter;
  #socket: Descriptor = -1;
  #count: Count = 0;

  constructor(arena: Arena, calls: SystemCalls, counters: Counters) {
    this.#arena = arena;
    this.#calls = calls;
    this.#unsent = counters.counter('fivedots_unsent_replies_total', { proto: 'udp' });
    this.#batches = counters.counter('fivedots_udp_batches_total');
    this.#replies = counters.counter('fivedots_udp_batched_replies_total');
  }

  /** From here on it is this socket's; what waits for another one goes first. */
  use(socket: Descriptor): void {
    if (socket !== this.#socket) this.flush();
    this.#socket = socket;
  }

  /** Where the next reply is to be written in the arena, and how to get back; there is always room. */
  get data(): Bytes {
    return dataAt(this.#arena.sent, this.#count);
  }

  get address(): Bytes {
    return addressAt(this.#arena.sent, this.#count);
  }

  /** The reply that was written goes to whoever sent what was received in that slot. */
  postBack(size: Bytes, slot: Count, addressSize: Bytes, infoSize: Bytes): void {
    copyEnvelope(this.#arena, slot, this.#count);
    this.post(size, addressSize, infoSize);
  }

  /** The reply that was written goes where the envelope says. */
  postTo(size: Bytes, envelope: Envelope): void {
    placeEnvelope(this.#arena, this.#count, envelope);
    this.post(size, envelope.addressSize, envelope.infoSize);
  }

  /** The reply goes to the address that was written. */
  post(size: Bytes, addressSize: Bytes, infoSize: Bytes): void {
    prepareToSend(this.#arena, this.#count, size, addressSize, infoSize);
    if (++this.#count === BATCH) this.flush();
  }

  /**
   * Sends what waits. The kernel stops at a reply that it cannot send, and says why only when that one comes first: then it is counted and the
   * rest goes on. Where there is no room, it is asked once more, and what does not go then is counted.
   */
  flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    this.#batches.add();
    this.#replies.add(count);
    let hasWaited = false;
    for (let sent = 0; sent < count;) {
      const result = this.#calls.send(this.#socket, headersFrom(this.#arena, sent), count - sent);
      if (result > 0) sent += result;
      else if (result === WOULD_WAIT && hasWaited) {
        this.#unsent.add(count - sent);
        return;
      } else if (result === WOULD_WAIT) hasWaited = true;
      else {
        this.#unsent.add();
        sent++;
      }
    }
  }
}
