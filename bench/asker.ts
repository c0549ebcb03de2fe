/** Keeps queries on the way to one server and checks what comes back. Knows neither rounds nor processes. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import { SOCKETS, WINDOW, type Tally } from './job.ts';
import { presentQuestion, queryWith, type BenchQuestion } from './question.ts';
import { faultOf } from './reply-check.ts';

/** Later than this is missing: no server takes so long, a busy machine may. */
const REPLY_DEADLINE: Milliseconds = 2_000;
const SWEEP_INTERVAL: Milliseconds = 100;
const FINISH_POLL: Milliseconds = 5;
const FAULTS_KEPT: Count = 5;
const RECEIVE_BUFFER: Bytes = 4 * 1024 * 1024;

/** Asks a list of questions from beginning to end, over and over. */
export class Asker {
  readonly tally: Tally = { asked: 0, answered: 0, missing: 0, wrong: 0, faults: [] };
  readonly #questions: readonly BenchQuestion[];
  readonly #lanes: readonly Lane[];
  /** How many questions may be asked in all. */
  #limit: Count = 0;
  readonly #sweep: NodeJS.Timeout;

  private constructor(questions: readonly BenchQuestion[], sockets: readonly Socket[], share: Count) {
    this.#questions = questions;
    this.#lanes = sockets.map((socket) => new Lane(socket, share, () => this.#next(), this.tally));
    this.#sweep = setInterval(() => {
      for (const lane of this.#lanes) lane.expire();
    }, SWEEP_INTERVAL);
  }

  static async open(
    port: number,
    questions: readonly BenchQuestion[],
    window: Count = WINDOW,
    socketCount: Count = SOCKETS,
  ): Promise<Asker> {
    const sockets = await Promise.all(Array.from({ length: socketCount }, () => connected(port)));
    return new Asker(questions, sockets, Math.ceil(window / socketCount));
  }

  /** Asks that many questions; Infinity until `stop`. */
  ask(count: Count): void {
    this.#limit = this.tally.asked + count;
    for (const lane of this.#lanes) lane.fill();
  }

  /** Asks no more. */
  stop(): void {
    this.#limit = 0;
  }

  /** Resolves once every question asked is answered or missing, and none may be asked. */
  async finished(): Promise<void> {
    while (this.#lanes.some((lane) => lane.waiting > 0)) await pause(FINISH_POLL);
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const lane of this.#lanes) lane.close();
  }

  #next(): Asked | undefined {
    const number = this.tally.asked;
    const question = this.#questions[number % this.#questions.length];
    if (number >= this.#limit || question === undefined) return undefined;
    this.tally.asked++;
    return { question, number };
  }
}

/** A socket of 127.0.0.1 that talks to that port only. */
async function connected(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setRecvBufferSize(RECEIVE_BUFFER);
  return socket;
}

type Asked = { readonly question: BenchQuestion; readonly number: Count };

type Waiting = Asked & { readonly since: Milliseconds };

/** One socket with its ids; each reply, right, wrong or missing, makes room for the next question. */
class Lane {
  readonly #socket: Socket;
  /** How many may wait. */
  readonly #share: Count;
  readonly #next: () => Asked | undefined;
  readonly #tally: Tally;
  readonly #waiting = new Map<number, Waiting>();
  /** Ids given up: their replies are late, not wrong. */
  readonly #expired = new Set<number>();
  #id = 0;

  constructor(socket: Socket, share: Count, next: () => Asked | undefined, tally: Tally) {
    this.#socket = socket;
    this.#share = share;
    this.#next = next;
    this.#tally = tally;
    socket.on('message', (reply) => this.#take(reply));
    // Nobody listens (ECONNREFUSED): the query will be missing.
    socket.on('error', () => {});
  }

  get waiting(): Count {
    return this.#waiting.size;
  }

  /** Asks until its share of the window is full. */
  fill(): void {
    while (this.#waiting.size < this.#share && this.#ask());
  }

  #ask(): boolean {
    const asked = this.#next();
    if (asked === undefined) return false;
    do this.#id = (this.#id + 1) & 0xffff;
    while (this.#waiting.has(this.#id) || this.#expired.has(this.#id));
    this.#waiting.set(this.#id, { ...asked, since: performance.now() });
    this.#socket.send(queryWith(asked.question, this.#id, asked.number));
    return true;
  }

  /** Gives up what has waited too long. */
  expire(): void {
    const oldest = performance.now() - REPLY_DEADLINE;
    for (const [id, { since }] of this.#waiting) {
      if (since >= oldest) continue;
      this.#waiting.delete(id);
      this.#expired.add(id);
      this.#tally.missing++;
    }
    this.fill();
  }

  close(): void {
    this.#socket.close();
  }

  #take(reply: Buffer): void {
    const id = reply.length < 2 ? -1 : reply.readUInt16BE(0);
    if (this.#expired.delete(id)) return;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return this.#wrong('a reply that nobody asked for');
    this.#waiting.delete(id);
    const fault = faultOf(reply, waiting.question, waiting.number);
    if (fault === undefined) this.#tally.answered++;
    else this.#wrong(`${presentQuestion(waiting.question)}: ${fault}`);
    if (this.#waiting.size <= this.#share / 2) this.fill();
  }

  #wrong(fault: string): void {
    this.#tally.wrong++;
    if (this.#tally.faults.length < FAULTS_KEPT) this.#tally.faults.push(fault);
  }
}
