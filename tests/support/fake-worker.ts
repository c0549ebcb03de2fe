/** A data thread without a thread: a test says what it says, and sees what it was told. */

import { EventEmitter } from 'node:events';

import type { StartWorker, ThreadWorker } from '../../server/control/data-thread.ts';
import { Counters, HEARTBEAT_SLOT } from '../../server/counters.ts';
import type { Log } from '../../server/log.ts';
import type { DataThreadMemory, FromData, ToData } from '../../server/messages.ts';
import { ringLog } from '../../server/ring.ts';

export class FakeWorker implements ThreadWorker {
  readonly told: ToData[] = [];
  readonly counters: Counters;
  readonly log: Log;
  isTerminated = false;
  readonly #events = new EventEmitter();
  readonly #slots: Float64Array;

  constructor(memory: DataThreadMemory) {
    this.#slots = new Float64Array(memory.counters);
    this.counters = new Counters(memory.counters, (series) => this.say({ type: 'series', series: [series] }));
    this.log = ringLog(memory.log);
  }

  say(message: FromData): void {
    this.#events.emit('message', structuredClone(message));
  }

  beat(): void {
    this.#slots[HEARTBEAT_SLOT] = (this.#slots[HEARTBEAT_SLOT] ?? 0) + 1;
  }

  crash(error: Error): void {
    this.#events.emit('error', error);
    this.#events.emit('exit', 1);
  }

  exit(code: number): void {
    this.#events.emit('exit', code);
  }

  postMessage(message: ToData): void {
    this.told.push(structuredClone(message));
  }

  terminate(): Promise<number> {
    this.isTerminated = true;
    this.#events.emit('exit', 1);
    return Promise.resolve(1);
  }

  // The overloads of ThreadWorker are EventEmitter's one.
  on(event: string, listener: Parameters<EventEmitter['on']>[1]): unknown {
    return this.#events.on(event, listener);
  }
}

/** Starts fakes and keeps them in the order of their start. */
export function fakeWorkers(): {
  readonly start: StartWorker;
  readonly all: FakeWorker[];
  readonly last: () => FakeWorker;
} {
  const all: FakeWorker[] = [];
  return {
    all,
    start(memory) {
      const worker = new FakeWorker(memory);
      all.push(worker);
      return worker;
    },
    last() {
      const worker = all.at(-1);
      if (worker === undefined) throw new Error('no thread was started');
      return worker;
    },
  };
}
