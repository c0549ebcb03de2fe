/** The thread that asks, as seen from the test. Knows nothing of what is right. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { ServerAddress } from '../support/client.ts';

export type AskedQuestion = { readonly name: string; readonly type: string };

/** Replies in a row that said the same. */
export type Turn = { readonly answer: string; replies: Count };

export type AskerReport = {
  /** For each question, in order. */
  readonly turns: readonly (readonly Turn[])[];
  readonly queries: Count;
  readonly lost: Count;
  readonly largestDelay: Milliseconds;
};

export type AskerOrder =
  | { readonly type: 'begin'; readonly server: ServerAddress; readonly questions: readonly AskedQuestion[] }
  | { readonly type: 'round' }
  | { readonly type: 'end' };

export type AskerReply = { readonly type: 'round' } | ({ readonly type: 'report' } & AskerReport);

/** One thread for one server after the other. */
export class Asker {
  readonly #worker = new Worker(new URL('asker-thread.ts', import.meta.url));

  /** Comes back when every question has been answered once. */
  async begin(server: ServerAddress, questions: readonly AskedQuestion[]): Promise<void> {
    this.#send({ type: 'begin', server, questions });
    await this.round();
  }

  /** Comes back when every question has been asked, and answered, from now on. */
  async round(): Promise<void> {
    this.#send({ type: 'round' });
    await once(this.#worker, 'message');
  }

  async end(): Promise<AskerReport> {
    this.#send({ type: 'end' });
    const [reply] = (await once(this.#worker, 'message')) as [AskerReply];
    if (reply.type !== 'report') throw new Error(`the asker said ${reply.type} instead of its report`);
    return reply;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(order: AskerOrder): void {
    this.#worker.postMessage(order);
  }
}
