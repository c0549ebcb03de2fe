/**
 * Wakes the sockets that node:dgram must not read, because it would lose which address was asked: one poll(2) for all of them, in a thread of
 * libuv's pool. Knows nothing of datagrams.
 */

import { closeSync, openSync, readSync, writeSync } from 'node:fs';

import type { Bytes, Milliseconds } from '../../../zones/units.ts';
import { systemError } from './bound-socket.ts';
import { READABLE, type Descriptor, type SystemCalls } from './system-calls.ts';

/** A thread that ends waits for the call. */
const POLL_TIMEOUT: Milliseconds = 500;
/** struct pollfd: fd 0, events 4, revents 6. */
const ENTRY_SIZE: Bytes = 8;

type Watched = { readonly ring: () => void; isWaiting: boolean };

export class Doorbell {
  readonly #calls: SystemCalls;
  readonly #watched = new Map<Descriptor, Watched>();
  /** Ends the call when what it waits for has changed; there while anything is watched. */
  #waker: Descriptor | undefined;
  /** The entries of the call that is on its way. */
  #polled: DataView | undefined;
  #whenPolled: (() => void)[] = [];

  constructor(calls: SystemCalls) {
    this.#calls = calls;
  }

  /**
   * Has `ring` called when the socket can be read, once for each `wait`.
   * @throws the system's error; then nothing is watched
   */
  watch(socket: Descriptor, ring: () => void): void {
    this.#waker ??= openWaker(this.#calls);
    this.#watched.set(socket, { ring, isWaiting: false });
    this.wait(socket);
  }

  wait(socket: Descriptor): void {
    const watched = this.#watched.get(socket);
    if (watched === undefined) return;
    watched.isWaiting = true;
    if (this.#polled === undefined) this.#poll();
    else this.#wake();
  }

  /** Calls back, maybe at once, when no call knows of the socket any more: then it may be closed. */
  forget(socket: Descriptor, then: () => void): void {
    this.#watched.delete(socket);
    if (this.#polled === undefined) {
      then();
      this.#rest();
      return;
    }
    this.#whenPolled.push(then);
    this.#wake();
  }

  #poll(): void {
    const waiting = [...this.#watched].filter(([, { isWaiting }]) => isWaiting).map(([socket]) => socket);
    if (waiting.length === 0 || this.#waker === undefined) {
      this.#rest();
      return;
    }
    const sockets = [this.#waker, ...waiting];
    const entries = new DataView(new ArrayBuffer(sockets.length * ENTRY_SIZE));
    for (const [index, socket] of sockets.entries()) {
      entries.setInt32(index * ENTRY_SIZE, socket, true);
      entries.setInt16(index * ENTRY_SIZE + 4, READABLE, true);
    }
    this.#polled = entries;
    // `entries` is referred to from here until the call has ended.
    this.#calls.pollAside(new Uint8Array(entries.buffer), sockets.length, POLL_TIMEOUT, () => {
      this.#polled = undefined;
      for (const then of this.#whenPolled.splice(0)) then();
      if (this.#waker !== undefined && entries.getInt16(6, true) !== 0) readSync(this.#waker, new Uint8Array(8));
      for (const [index, socket] of sockets.entries())
        if (index > 0 && entries.getInt16(index * ENTRY_SIZE + 6, true) !== 0) this.#ring(socket);
      if (this.#polled === undefined) this.#poll();
    });
  }

  #ring(socket: Descriptor): void {
    const watched = this.#watched.get(socket);
    if (watched === undefined) return;
    watched.isWaiting = false;
    watched.ring();
  }

  #wake(): void {
    if (this.#waker !== undefined) writeSync(this.#waker, ONE);
  }

  #rest(): void {
    if (this.#waker === undefined || this.#watched.size > 0) return;
    closeSync(this.#waker);
    this.#waker = undefined;
  }
}

/** What an eventfd is told. */
const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);

/**
 * An eventfd, to be closed with `closeSync`.
 * @throws the system's error
 */
export function openWaker(calls: SystemCalls): Descriptor {
  const event = calls.event();
  if (event < 0) throw systemError(event, 'eventfd');
  return keptByNode(calls, event);
}

/**
 * The same file under a descriptor that Node has opened itself: a worker that is terminated closes those, and no others. To be closed with
 * `closeSync`; the one that was given is closed, whatever happens.
 * @throws the system's error
 */
export function keptByNode(calls: SystemCalls, descriptor: Descriptor): Descriptor {
  try {
    const kept = openSync('/dev/null', 'r');
    const result = calls.duplicate(descriptor, kept);
    if (result >= 0) return kept;
    closeSync(kept);
    throw systemError(result, 'dup3');
  } finally {
    calls.close(descriptor);
  }
}
