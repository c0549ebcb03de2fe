/** One TCP connection of a client: frames in, frames out, in the order in which replies are ready (RFC 7766 section 6.2.1.1). */

import type { Socket } from 'node:net';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import type { Peer } from '../query.ts';
import type { Answer } from './udp.ts';

/** From the first octet of a message to its last, and from the connection's start to its first message. */
export const MESSAGE_DEADLINE: Milliseconds = 5_000;
/** Between messages. Longer than the 10 s after which NodeLocal DNSCache and CoreDNS close their side, so that they close first. */
export const IDLE_DEADLINE: Milliseconds = 12_000;
/** Replies that the client does not read; above it nothing more is read from it. */
export const UNSENT_MAX: Bytes = 64 * 1024;
/** How long a client may leave `UNSENT_MAX` unread. */
export const WRITE_DEADLINE: Milliseconds = 5_000;
/** Queries of one connection that wait for their replies at once; above it nothing more is read from it. */
export const IN_FLIGHT_MAX: Count = 100;

const NOTHING: Buffer = Buffer.alloc(0);

export class TcpConnection {
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #answer: Answer;
  readonly #unsent: Counter;
  /** What was read and not served: half a frame, or whole ones that wait until the client reads its replies. */
  #pending: Buffer = NOTHING;
  #inFlight: Count = 0;
  #isEnding = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, answer: Answer, unsent: Counter) {
    this.#socket = socket;
    this.#peer = peer;
    this.#answer = answer;
    this.#unsent = unsent;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.end());
    socket.on('drain', () => this.#goOn());
    // The client is gone; the close event follows.
    socket.on('error', () => {});
    socket.on('close', () => clearTimeout(this.#deadline));
    this.#expireIn(MESSAGE_DEADLINE);
  }

  /** Does it neither owe a reply nor hold a part of a message? */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#pending.length === 0;
  }

  /** Closes once every query that came whole has its reply. */
  end(): void {
    this.#isEnding = true;
    if (this.#inFlight === 0) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const hadPart = this.#pending.length > 0;
    this.#pending = hadPart ? Buffer.concat([this.#pending, chunk]) : chunk;
    const served = this.#serveWhole();
    if (this.#isFull()) {
      this.#socket.pause();
      this.#expireIn(WRITE_DEADLINE);
    } else if (this.#pending.length === 0) {
      this.#expireIn(IDLE_DEADLINE);
    } else if (served > 0 || !hadPart) {
      this.#expireIn(MESSAGE_DEADLINE);
    }
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
    this.#pending = at === this.#pending.length ? NOTHING : Buffer.from(this.#pending.subarray(at));
    return served;
  }

  #serve(packet: Buffer): void {
    const reply = this.#answer(packet, this.#peer);
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
    } else {
      this.#write(reply);
    }
  }

  /** Length and message leave in one write (RFC 7766 section 8). */
  #write(reply: Buffer): void {
    if (!this.#socket.writable) {
      this.#unsent.add();
      return;
    }
    const frame = Buffer.allocUnsafe(2 + reply.length);
    frame.writeUInt16BE(reply.length, 0);
    reply.copy(frame, 2);
    this.#socket.write(frame);
  }

  /** After a reply or a drained buffer: there may be room again. */
  #goOn(): void {
    if (this.#isFull()) return;
    this.#serveWhole();
    if (this.#isEnding && this.#inFlight === 0) this.#socket.end();
    if (this.#isFull()) return;
    if (this.#pending.length === 0) this.#expireIn(IDLE_DEADLINE);
    this.#socket.resume();
  }

  #isFull(): boolean {
    return this.#inFlight >= IN_FLIGHT_MAX || this.#socket.writableLength > UNSENT_MAX;
  }

  #expireIn(time: Milliseconds): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#expire(), time);
  }

  /** A client that waits for our reply is not idle; one that sends half a message or does not read is to blame itself. */
  #expire(): void {
    if (this.#socket.writableLength > 0 || this.#pending.length > 0) this.destroy();
    else if (this.#inFlight > 0) this.#expireIn(IDLE_DEADLINE);
    else this.end();
  }
}
