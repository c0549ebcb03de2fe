/** Keeps queries on the way to one server and checks what comes back. Knows neither rounds nor processes. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import { faultOf, presentQuestion, type BenchQuestion } from './question.ts';

/** What became of the queries; `missing` ones had no reply in time. */
export type Tally = {
  asked: Count;
  answered: Count;
  missing: Count;
  wrong: Count;
  /** The first of the wrong replies, in words. */
  readonly faults: string[];
};

/** Queries on the way at once: enough to keep a server busy, few enough for the smallest receive buffer. */
export const WINDOW: Count = 128;
/** Sockets they are spread over. */
export const SOCKETS: Count = 4;
/** Each asks anew when half of its share is answered: in bursts, as clients do, so that servers that read several queries at once can. */
const LANE_WINDOW: Count = WINDOW / SOCKETS;

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

  private constructor(questions: readonly BenchQuestion[], sockets: readonly Socket[]) {
    this.#questions = questions;
    this.#lanes = sockets.map((socket) => new Lane(socket, () => this.#next(), this.tally));
    this.#sweep = setInterval(() => {
      for (const lane of this.#lanes) lane.expire();
    }, SWEEP_INTERVAL);
  }

  static async open(port: number, questions: readonly BenchQuestion[]): Promise<Asker> {
    return new Asker(questions, await Promise.all(Array.from({ length: SOCKETS }, () => connected(port))));
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

  #next(): BenchQuestion | undefined {
    const { asked } = this.tally;
    if (asked >= this.#limit) return undefined;
    this.tally.asked++;
    return this.#questions[asked % this.#questions.length];
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

type Waiting = { readonly question: BenchQuestion; readonly since: Milliseconds };

/** One socket with its ids; each reply, right, wrong or missing, makes room for the next question. */
class Lane {
  readonly #socket: Socket;
  readonly #next: () => BenchQuestion | undefined;
  readonly #tally: Tally;
  readonly #waiting = new Map<number, Waiting>();
  /** Ids given up: their replies are late, not wrong. */
  readonly #expired = new Set<number>();
  #id = 0;

  constructor(socket: Socket, next: () => BenchQuestion | undefined, tally: Tally) {
    this.#socket = socket;
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
    while (this.#waiting.size < LANE_WINDOW && this.#ask());
  }

  #ask(): boolean {
    const question = this.#next();
    if (question === undefined) return false;
    do this.#id = (this.#id + 1) & 0xffff;
    while (this.#waiting.has(this.#id) || this.#expired.has(this.#id));
    const query = Buffer.from(question.query);
    query.writeUInt16BE(this.#id, 0);
    this.#waiting.set(this.#id, { question, since: performance.now() });
    this.#socket.send(query);
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
    const fault = faultOf(reply, waiting.question);
    if (fault === undefined) this.#tally.answered++;
    else this.#wrong(`${presentQuestion(waiting.question)}: ${fault}`);
    if (this.#waiting.size <= LANE_WINDOW / 2) this.fill();
  }

  #wrong(fault: string): void {
    this.#tally.wrong++;
    if (this.#tally.faults.length < FAULTS_KEPT) this.#tally.faults.push(fault);
  }
}
