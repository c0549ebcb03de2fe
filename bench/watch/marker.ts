/** Asks for the markers of a cluster until the answer is a certain one. Knows DNS from outside, and no server. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { addressQuestion, type BenchQuestion } from '../question.ts';
import { faultOf } from '../reply-check.ts';
import { ZONE } from '../services.ts';
import { sharedNow } from './calls.ts';
import { BENCH_NAMESPACE, MARKER, MARKER_ENDPOINTS, markerAddress } from './cluster.ts';

export class Marker {
  readonly #socket: Socket;
  #id: Count = 0;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // Nobody listens yet: that is no reply.
    socket.on('error', () => {});
  }

  static async open(port: number): Promise<Marker> {
    const socket = createSocket('udp4');
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Marker(socket);
  }

  /** Resolves when there is a reply, whatever it says. */
  async untilAnything(): Promise<void> {
    await this.#until(serviceQuestion(0), () => true, POLL);
  }

  /** When the marker Service's address of that number was first answered, asked without a pause. */
  async untilService(number: Count): Promise<Milliseconds> {
    const question = serviceQuestion(number);
    return this.#until(question, (reply) => faultOf(reply, question) === undefined, 0);
  }

  /** When all markers, of those kinds that are watched, were first answered with the addresses of that number, asked a few hundred times a second. */
  async untilAll(number: Count, pods: 'insecure' | 'verified'): Promise<Milliseconds> {
    const address = markerAddress(number);
    const questions = [
      serviceQuestion(number),
      addressQuestion(`${MARKER_ENDPOINTS}.${BENCH_NAMESPACE}.svc.${ZONE}`, [address]),
      addressQuestion(`${address.replaceAll('.', '-')}.${BENCH_NAMESPACE}.pod.${ZONE}`, [address]),
    ];
    let at: Milliseconds = 0;
    for (const question of questions.slice(0, pods === 'verified' ? 3 : 2)) {
      at = await this.#until(question, (reply) => faultOf(reply, question) === undefined, POLL);
    }
    return at;
  }

  /** Whoever still waits is told so. */
  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  /** @throws Error if it takes too long, or is closed meanwhile */
  async #until(
    question: BenchQuestion,
    isMet: (reply: Buffer) => boolean,
    between: Milliseconds,
  ): Promise<Milliseconds> {
    const deadline = sharedNow() + DEADLINE;
    let last: Buffer | undefined;
    while (sharedNow() < deadline) {
      if (this.#isClosed) throw new Error('closed');
      const reply = await this.#ask(question);
      if (reply !== undefined && isMet(reply)) return sharedNow();
      last = reply ?? last;
      if (between > 0) await pause(between);
    }
    const why = last === undefined ? 'no reply at all' : faultOf(last, question);
    throw new Error(`a change did not come to the wire within ${DEADLINE / 1000} s: ${why}`);
  }

  /** Undefined if there is no reply for so long that it will not come. */
  #ask({ query }: BenchQuestion): Promise<Buffer | undefined> {
    this.#id = (this.#id + 1) & 0xffff;
    const message = Buffer.from(query);
    message.writeUInt16BE(this.#id, 0);
    return new Promise((resolve) => {
      const finish = (reply: Buffer | undefined): void => {
        clearTimeout(timer);
        this.#socket.off('message', take);
        resolve(reply);
      };
      const take = (reply: Buffer): void => {
        if (reply.length >= 2 && reply.readUInt16BE(0) === this.#id) finish(reply);
      };
      const timer = setTimeout(finish, REPLY_WITHIN, undefined);
      this.#socket.on('message', take);
      this.#socket.send(message);
    });
  }
}

const POLL: Milliseconds = 5;
const REPLY_WITHIN: Milliseconds = 200;
const DEADLINE: Milliseconds = 180_000;

function serviceQuestion(number: Count): BenchQuestion {
  return addressQuestion(`${MARKER}.${BENCH_NAMESPACE}.svc.${ZONE}`, [markerAddress(number)]);
}
