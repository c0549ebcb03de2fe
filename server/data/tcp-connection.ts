/** One TCP connection of a client: frames in, frames out, in the order in which replies are ready (RFC 7766 section 6.2.1.1). */

import type { Socket } from 'node:net';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import type { Peer } from '../query.ts';
import type { PlainAnswer } from './lanes.ts';

/** What becomes of a message: one reply, or many, of which each is taken when the client has read enough of those before. */
export type StreamAnswer = (packet: Buffer, peer: Peer) => ReturnType<PlainAnswer> | AsyncIterable<Buffer>;

/** From the first octet of a message to its last, and from the connection's start to the end of its first message. */
export const MESSAGE_DEADLINE: Milliseconds = 5_000;
/** Between messages. Longer than the 10 s after which NodeLocal DNSCache and CoreDNS close their side, so that they close first. */
export const IDLE_DEADLINE: Milliseconds = 12_000;
/** Replies that the client does not read; above it nothing more is read from it. */
export const UNSENT_MAX: Bytes = 64 * 1024;
/** How long a client may leave `UNSENT_MAX` unread. */
export const WRITE_DEADLINE: Milliseconds = 5_000;
/** From the end of our side to the end of the client's: a client that never closes must not keep a socket for ever. */
export const LINGER_DEADLINE: Milliseconds = 2_000;
/** Queries of one connection that wait for their replies at once; above it nothing more is read from it. */
export const IN_FLIGHT_MAX: Count = 100;

/** Runs once after the delay; the function that comes back calls it off. */
export type After = (delay: Milliseconds, run: () => void) => () => void;

const NOTHING: Buffer = Buffer.alloc(0);

/** What has to come next: a message, the rest of one, a reply of ours, the client's reading, or its end of the connection. */
type Awaited = 'message' | 'rest' | 'reply' | 'reading' | 'end';

/** A reply has its deadline where it is made; all else is the client's to do. */
const DEADLINES: Readonly<Record<Awaited, Milliseconds | undefined>> = {
  message: IDLE_DEADLINE,
  rest: MESSAGE_DEADLINE,
  reply: undefined,
  reading: WRITE_DEADLINE,
  end: LINGER_DEADLINE,
};

export type TcpConnectionParts = {
  readonly peer: Peer;
  readonly answer: StreamAnswer;
  readonly unsent: Counter;
  readonly after: After;
  /** Told how many octets more, or fewer, are held for the client: what it has not finished, and what it has not read. */
  readonly held: (change: Bytes) => void;
};

export class TcpConnection {
  readonly #socket: Socket;
  readonly #parts: TcpConnectionParts;
  /** What was read and not served: half a frame, or whole ones that wait until there is room for their replies. */
  #pending: Buffer = NOTHING;
  #inFlight: Count = 0;
  #held: Bytes = 0;
  #isEnding = false;
  #awaited: Awaited = 'rest';
  #callOffDeadline: () => void = () => {};
  /** Long replies that go on when the client has read enough. */
  #whenRead: (() => void)[] = [];

  constructor(socket: Socket, parts: TcpConnectionParts) {
    this.#socket = socket;
    this.#parts = parts;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.end());
    // The client is gone; the close event follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#callOffDeadline();
      this.#hold(0);
      this.#wake();
    });
    this.#await('rest');
  }

  /** Does it neither owe a reply nor hold a part of a message? */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#pending.length === 0 && this.#socket.writableLength === 0;
  }

  /** Closes once every query that came whole has its reply. */
  end(): void {
    this.#isEnding = true;
    this.#goOn();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    // We have said our last word; what still comes is read only to find the client's end.
    if (this.#socket.writableEnded) return;
    this.#pending = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    this.#goOn();
  }

  /** Serves what it can, then waits for whose turn it is: after octets came, a reply went, or the client read. */
  #goOn(): void {
    // A reply that was late for its client must not set a timer that nobody clears.
    if (this.#socket.destroyed) return;
    const served = this.#serveWhole();
    if (this.#isFull()) this.#socket.pause();
    else {
      if (this.#isEnding && this.#inFlight === 0) this.#socket.end();
      this.#socket.resume();
    }
    const awaited = this.#next();
    if (awaited !== this.#awaited || served > 0) this.#await(awaited);
    this.#hold(this.#pending.length + this.#socket.writableLength);
  }

  #hold(held: Bytes): void {
    const change = held - this.#held;
    this.#held = held;
    if (change !== 0) this.#parts.held(change);
  }

  /** Serves the whole frames that wait, as long as the client takes the replies; returns how many. A loop, never recursion. */
  #serveWhole(): Count {
    let served = 0;
    let at = 0;
    while (this.#pending.length - at >= 2 && !this.#isFull() && !this.#socket.destroyed) {
      const end = at + 2 + this.#pending.readUInt16BE(at);
      if (end > this.#pending.length) break;
      this.#serve(this.#pending.subarray(at + 2, end));
      at = end;
      served++;
    }
    // A copy: a few octets must not keep a whole chunk alive.
    if (at > 0) this.#pending = at === this.#pending.length ? NOTHING : Buffer.from(this.#pending.subarray(at));
    return served;
  }

  #serve(packet: Buffer): void {
    const reply = this.#parts.answer(packet, this.#parts.peer);
    if (reply === undefined) {
      // No query at all: nothing sensible can follow.
      this.destroy();
    } else if (reply instanceof Promise) {
      this.#inFlight++;
      void reply.then((late) => {
        this.#inFlight--;
        this.#write(late);
        this.#goOn();
      });
    } else if (Buffer.isBuffer(reply)) {
      this.#write(reply);
    } else {
      void this.#writeAll(reply);
    }
  }

  /** One query in flight, however many messages answer it. */
  async #writeAll(messages: AsyncIterable<Buffer>): Promise<void> {
    this.#inFlight++;
    try {
      for await (const message of messages) {
        this.#write(message);
        this.#goOn();
        if (this.#isUnread()) await new Promise<void>((resolve) => void this.#whenRead.push(resolve));
        if (this.#socket.destroyed) break;
      }
    } catch {
      // Broken off in the middle: the client must not wait for the rest (RFC 5936 section 2.2).
      this.destroy();
    }
    this.#inFlight--;
    this.#goOn();
  }

  #wake(): void {
    for (const goOn of this.#whenRead.splice(0)) goOn();
  }

  /** Length and message leave in one write (RFC 7766 section 8). */
  #write(reply: Buffer): void {
    if (!this.#socket.writable) {
      this.#parts.unsent.add();
      return;
    }
    const frame = Buffer.allocUnsafe(2 + reply.length);
    frame.writeUInt16BE(reply.length, 0);
    reply.copy(frame, 2);
    this.#socket.write(frame, this.#written);
  }

  /** The system has taken a frame: there may be room again. */
  readonly #written = (): void => {
    if (!this.#isUnread()) this.#wake();
    this.#goOn();
  };

  #isFull(): boolean {
    return this.#inFlight >= IN_FLIGHT_MAX || this.#isUnread();
  }

  /** Must the client read first? */
  #isUnread(): boolean {
    return this.#socket.writableLength > UNSENT_MAX;
  }

  #next(): Awaited {
    if (this.#socket.writableEnded) return 'end';
    if (this.#isUnread()) return 'reading';
    if (this.#inFlight >= IN_FLIGHT_MAX) return 'reply';
    if (this.#pending.length > 0) return 'rest';
    return this.#inFlight > 0 ? 'reply' : 'message';
  }

  #await(awaited: Awaited): void {
    this.#awaited = awaited;
    this.#callOffDeadline();
    const deadline = DEADLINES[awaited];
    this.#callOffDeadline = deadline === undefined ? () => {} : this.#parts.after(deadline, () => this.#expire());
  }

  /** Who is merely silent gets a proper end; who leaves a thing half done does not. */
  #expire(): void {
    if (this.#awaited === 'message' && this.#socket.writableLength === 0) this.end();
    else this.destroy();
  }
}
