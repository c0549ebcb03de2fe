/**
 * One data thread as the control thread holds it: its memory, its messages, its end. Knows nothing of when a thread has to be
 * replaced.
 */

import type { Count } from '../../zones/units.ts';
import { COUNTER_SLOTS, HEARTBEAT_SLOT } from '../counters.ts';
import type { Log } from '../log.ts';
import type { DataThreadMemory, DataThreadPlace, FromData, ToData } from '../messages.ts';
import { ringMemory, RingReader } from '../ring.ts';

/** What is used of node:worker_threads' Worker. */
export type ThreadWorker = {
  postMessage(message: ToData): void;
  terminate(): Promise<unknown>;
  on(event: 'message', listener: (message: FromData) => void): unknown;
  on(event: 'error' | 'messageerror', listener: (error: Error) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
};

/** Starts the worker of a place with its memory. */
export type StartWorker = (memory: DataThreadMemory, place: DataThreadPlace) => ThreadWorker;

/** The same for one place. */
export type StartThread = (memory: DataThreadMemory) => ThreadWorker;

export type DataThreadEvents = {
  readonly message: (message: FromData) => void;
  /** It has stopped by itself: why. Said once, and not after `end`. */
  readonly ended: (reason: string) => void;
};

export class DataThread {
  readonly memory: DataThreadMemory;
  readonly #worker: ThreadWorker;
  readonly #beats: Float64Array;
  readonly #lines: RingReader;
  #isOver = false;

  constructor(start: StartThread, events: DataThreadEvents) {
    this.memory = {
      counters: new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT),
      log: ringMemory(),
    };
    this.#beats = new Float64Array(this.memory.counters);
    this.#lines = new RingReader(this.memory.log);
    this.#worker = start(this.memory);
    const end = (reason: string): void => {
      if (this.#isOver) return;
      this.#isOver = true;
      events.ended(reason);
    };
    this.#worker.on('message', (message) => {
      if (!this.#isOver) events.message(message);
    });
    this.#worker.on('messageerror', (error) => end(`a message could not be read: ${error.message}`));
    this.#worker.on('error', (error) => end((error.stack ?? error.message).replaceAll(/\n\s*/g, ' ')));
    this.#worker.on('exit', (code) => end(`it exited with code ${code}`));
  }

  post(message: ToData): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    this.#worker.postMessage(message);
  }

  /** A number that grows while the thread's event loop turns. */
  get beat(): number {
    return this.#beats[HEARTBEAT_SLOT] ?? 0;
  }

  /** Lines that found no room in its ring. */
  get droppedLines(): Count {
    return this.#lines.dropped;
  }

  /** Hands its log lines over. */
  drainLog(log: Log): void {
    this.#lines.drain(log);
  }

  /** Stops it, whatever it is doing; resolves when its sockets are closed. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }
}
