/**
 * Asks a server over UDP, one question after the other without a pause, in a thread of its own: whatever keeps the control
 * thread busy, queries go on. Says what each question was answered with, in order. Knows nothing of what is right.
 */

import { createSocket, type Socket } from 'node:dgram';
import { parentPort } from 'node:worker_threads';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { answerText } from './answer-text.ts';
import type { AskedQuestion, AskerOrder, AskerReply, Turn } from './asker.ts';
import type { ServerAddress } from '../support/client.ts';
import { asked, encodeQuery } from '../support/query.ts';

/** Nothing is slow for so long: whoever waits longer has lost the query. */
const LOST_AFTER: Milliseconds = 5_000;
/** A question whose answer changes more often than that is not written down further. */
const TURNS_MAX: Count = 1_000;

const port = parentPort;
if (port === null) throw new Error('asker-thread.ts runs as a worker thread');
const tell = (reply: AskerReply): void => port.postMessage(reply);

type Question = { readonly query: Buffer; readonly turns: Turn[]; last: Buffer };

class Asking {
  readonly #questions: readonly Question[];
  readonly #socket: Socket;
  #next = 0;
  #id = 0;
  #sentAt: Milliseconds = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost: Count = 0;
  #queries: Count = 0;
  #largestDelay: Milliseconds = 0;
  #rounds: (() => void)[] = [];
  #begun: (() => void)[] = [];
  #isOver = false;

  constructor(server: ServerAddress, questions: readonly AskedQuestion[]) {
    this.#questions = questions.map(({ name, type }) => ({
      query: encodeQuery(0, asked(name, type)),
      turns: [],
      last: Buffer.alloc(0),
    }));
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (reply) => this.#take(reply));
    this.#socket.on('error', () => {});
    this.#socket.connect(server.port, server.host, () => this.#send());
  }

  /** Runs `then` when every question has been asked and answered once more. */
  round(then: () => void): void {
    this.#rounds.push(then);
  }

  end(): void {
    this.round(() => {
      this.#isOver = true;
      this.#socket.close();
      const turns = this.#questions.map((question) => question.turns);
      tell({ type: 'report', turns, queries: this.#queries, lost: this.#lost, largestDelay: this.#largestDelay });
    });
  }

  #send(): void {
    if (this.#next === 0) {
      const done = this.#begun;
      this.#begun = this.#rounds;
      this.#rounds = [];
      for (const then of done) then();
      if (this.#isOver) return;
    }
    const question = this.#questions[this.#next];
    if (question === undefined) return;
    this.#id = (this.#id + 1) & 0xffff;
    question.query.writeUInt16BE(this.#id);
    this.#queries++;
    this.#timer ??= setTimeout(() => this.#lose(), LOST_AFTER);
    this.#sentAt = performance.now();
    this.#socket.send(question.query);
  }

  #take(reply: Buffer): void {
    if (this.#isOver || reply.length < 2 || reply.readUInt16BE(0) !== this.#id) return;
    this.#largestDelay = Math.max(this.#largestDelay, performance.now() - this.#sentAt);
    const question = this.#questions[this.#next];
    if (question !== undefined) write(question, reply);
    this.#timer?.refresh();
    this.#goOn();
  }

  #lose(): void {
    this.#timer = undefined;
    if (this.#isOver) return;
    this.#lost++;
    this.#goOn();
  }

  #goOn(): void {
    this.#next = (this.#next + 1) % this.#questions.length;
    this.#send();
    if (this.#isOver) clearTimeout(this.#timer);
  }
}

/** Equal octets are equal answers; only others are read. */
function write(question: Question, reply: Buffer): void {
  const { turns } = question;
  const turn = turns.at(-1);
  if (
    turn !== undefined &&
    reply.length === question.last.length &&
    reply.compare(question.last, 2, undefined, 2) === 0
  ) {
    turn.replies++;
    return;
  }
  question.last = reply;
  const answer = answerText(reply);
  if (turn?.answer === answer) turn.replies++;
  else if (turns.length < TURNS_MAX) turns.push({ answer, replies: 1 });
}

let asking: Asking | undefined;
port.on('message', (order: AskerOrder) => {
  switch (order.type) {
    case 'begin':
      asking = new Asking(order.server, order.questions);
      break;
    case 'round':
      asking?.round(() => tell({ type: 'round' }));
      break;
    case 'end':
      asking?.end();
      asking = undefined;
      break;
  }
});
