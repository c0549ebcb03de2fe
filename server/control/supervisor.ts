/**
 * Keeps a data thread at work: gives it the plan and the clusters' state, notices when it falls silent or ends, and replaces
 * it. Knows nothing of what a plan says.
 */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Kind } from '../../zones/kubernetes/objects.ts';
import type { Log } from '../log.ts';
import type { FromData, ToData } from '../messages.ts';
import type { Plan } from '../plan.ts';
import { DataThread, type StartWorker } from './data-thread.ts';
import type { SeriesBook, ThreadSeries } from './series.ts';
import { pause, type Stop, type Timers } from './timers.ts';

/** How often the heartbeat is looked at; a data thread beats every 100 ms. */
const LOOK_INTERVAL: Milliseconds = 250;
/** Silence that is reported. */
export const REPORT_AFTER: Milliseconds = 1_000;
/** Silence after which a thread is replaced. Doubled for each replacement in a row, for the work itself may need that long. */
export const REPLACE_AFTER: Milliseconds = 3_000;
const REPLACE_AFTER_MAX: Milliseconds = 24_000;
/** Time for a new thread to load its code. */
export const START_LIMIT: Milliseconds = 10_000;
/** Between the end of a thread and its successor, doubled for each one in a row: the first is replaced at once. */
const RESTART_DELAY: Milliseconds = 100;
export const RESTART_DELAY_MAX: Milliseconds = 10_000;
/** A thread that worked so long begins a new count of replacements in a row. */
export const STEADY_AFTER: Milliseconds = 60_000;
/** How often the threads' log lines are fetched. */
const LOG_INTERVAL: Milliseconds = 50;

export type SupervisorOptions = {
  readonly start: StartWorker;
  readonly timers: Timers;
  readonly log: Log;
  readonly series: SeriesBook;
  /** The clusters' state, for a thread that begins with nothing. */
  readonly state: () => Iterable<ToData>;
  /** A part of a cluster's state has been taken in; of these kinds the thread knows everything. */
  readonly taken: (cluster: string, whole: readonly Kind[]) => void;
  readonly restarted: () => void;
};

/** What became of a plan. */
export type PlanOutcome = { readonly kind: 'planned' } | { readonly kind: 'refused'; readonly message: string };

type Generation = { readonly number: number; readonly plan: Plan };

/** A thread with what is known of it. */
type Seat = {
  readonly thread: DataThread;
  readonly series: ThreadSeries;
  readonly began: Milliseconds;
  isOnline: boolean;
  hasPlan: boolean;
  beat: number;
  silence: Milliseconds;
};

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #stops: Stop[];
  #seat: Seat | undefined;
  #generation = 0;
  #inUse: Generation | undefined;
  #pending: { readonly generation: Generation; readonly settle: (outcome: PlanOutcome) => void } | undefined;
  #replacements: Count = 0;
  #droppedLines: Count = 0;
  #listening: readonly string[] = [];
  #lastLook: Milliseconds;
  #callOffRestart: Stop = () => {};
  #drained: ((done: boolean) => void) | undefined;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#lastLook = options.timers.now();
    this.#stops = [
      options.timers.every(LOOK_INTERVAL, () => this.#look()),
      options.timers.every(LOG_INTERVAL, () => this.#seat?.thread.drainLog(options.log)),
    ];
    this.#begin();
  }

  /** Does a data thread answer queries just now? */
  get isAnswering(): boolean {
    const seat = this.#seat;
    return seat !== undefined && seat.hasPlan && seat.silence < REPORT_AFTER;
  }

  /** The DNS sockets, as `host:port`. */
  get listening(): readonly string[] {
    return this.#listening;
  }

  /** Log lines of all threads so far that found no room. */
  get droppedLines(): Count {
    return this.#droppedLines + (this.#seat?.thread.droppedLines ?? 0);
  }

  /** Puts a plan into use. While it cannot be used the one before stays. */
  apply(plan: Plan): Promise<PlanOutcome> {
    this.#settle({ kind: 'refused', message: 'another plan came before this one was in use' });
    const generation = { number: ++this.#generation, plan };
    return new Promise((settle) => {
      this.#pending = { generation, settle };
      if (this.#seat !== undefined) this.#give(this.#seat, generation);
      else this.#settle({ kind: 'refused', message: 'the data thread is being replaced; try again' });
    });
  }

  /** Tells the thread of a change. A thread that is still to come gets the whole state instead. */
  send(message: ToData): void {
    this.#seat?.thread.post(message);
  }

  /** Lets the thread finish what it accepted, at most so long; `false` if it did not. */
  async drain(limit: Milliseconds): Promise<boolean> {
    const seat = this.#seat;
    this.#isStopping = true;
    this.#callOffRestart();
    if (seat === undefined) return false;
    let isDone = false;
    const over = new Promise<void>((resolve) => {
      this.#drained = (done) => {
        isDone ||= done;
        resolve();
      };
    });
    seat.thread.post({ type: 'drain' });
    await pause(this.#options.timers, limit, over);
    return isDone;
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#isStopping = true;
    this.#callOffRestart();
    for (const stop of this.#stops) stop();
    const seat = this.#leave();
    await seat?.thread.end();
    seat?.thread.drainLog(this.#options.log);
    this.#settle({ kind: 'refused', message: 'the server is stopping' });
  }

  #begin(): void {
    const { series, start, timers, state } = this.#options;
    const thread: DataThread = new DataThread(start, {
      message: (message) => this.#hear(message),
      ended: (reason) => void this.#replace(`The data thread ended: ${reason}`),
    });
    const counters = series.attach(thread.memory.counters);
    const seat: Seat = {
      thread,
      series: counters,
      began: timers.now(),
      isOnline: false,
      hasPlan: false,
      beat: thread.beat,
      silence: 0,
    };
    this.#seat = seat;
    // State before plan: its sockets open when it knows the answers.
    for (const message of state()) thread.post(message);
    if (this.#inUse !== undefined) this.#give(seat, this.#inUse);
  }

  #give(seat: Seat, generation: Generation): void {
    seat.thread.post({ type: 'plan', generation: generation.number, plan: generation.plan });
  }

  #hear(message: FromData): void {
    const seat = this.#seat;
    if (seat === undefined) return;
    switch (message.type) {
      case 'online':
        seat.isOnline = true;
        seat.silence = 0;
        break;
      case 'planned':
        seat.hasPlan = true;
        this.#listening = message.listening;
        if (message.generation !== this.#pending?.generation.number) break;
        this.#inUse = this.#pending.generation;
        this.#settle({ kind: 'planned' });
        break;
      case 'refused':
        if (message.generation === this.#pending?.generation.number)
          this.#settle({ kind: 'refused', message: message.message });
        else void this.#replace(`The new data thread cannot do what the one before did: ${message.message}`);
        break;
      case 'taken':
        this.#options.taken(message.cluster, message.whole);
        break;
      case 'series':
        for (const one of message.series) seat.series.announce(one);
        break;
      case 'drained':
        this.#drained?.(true);
        break;
    }
  }

  #look(): void {
    const now = this.#options.timers.now();
    // A control thread that did not run itself cannot say that the other one was silent meanwhile.
    const passed = Math.min(now - this.#lastLook, 2 * LOOK_INTERVAL);
    this.#lastLook = now;
    const seat = this.#seat;
    if (seat === undefined) return;
    if (now - seat.began >= STEADY_AFTER) this.#replacements = 0;
    const before = seat.silence;
    seat.silence = seat.thread.beat === seat.beat ? before + passed : 0;
    seat.beat = seat.thread.beat;
    if (!seat.isOnline) {
      if (seat.silence >= START_LIMIT)
        void this.#replace(`The data thread did not start within ${START_LIMIT / 1000} s.`);
      return;
    }
    const limit = Math.min(REPLACE_AFTER * 2 ** this.#replacements, REPLACE_AFTER_MAX);
    if (seat.silence >= limit) {
      void this.#replace(`The data thread has been silent for ${seconds(seat.silence)} and answers nothing.`);
    } else if (seat.silence >= REPORT_AFTER && before < REPORT_AFTER) {
      this.#options.log(
        'warning',
        'supervisor',
        `The data thread has been silent for ${seconds(seat.silence)}: queries wait. It is replaced after ${seconds(limit)}.`,
      );
    } else if (before >= REPORT_AFTER && seat.silence === 0) {
      this.#options.log('info', 'supervisor', `The data thread is back after ${seconds(before)} of silence.`);
    }
  }

  async #replace(reason: string): Promise<void> {
    if (this.#isStopping) {
      this.#drained?.(false);
      return;
    }
    const seat = this.#leave();
    if (seat === undefined) return;
    const delay = this.#replacements === 0 ? 0 : Math.min(RESTART_DELAY * 2 ** this.#replacements, RESTART_DELAY_MAX);
    this.#replacements++;
    this.#options.log(
      'error',
      'supervisor',
      `${reason} It is replaced ${delay === 0 ? 'at once' : `in ${seconds(delay)}`}.`,
    );
    this.#settle({ kind: 'refused', message: `the data thread did not survive it: ${reason}` });
    this.#options.restarted();
    await seat.thread.end();
    if (this.#isStopping) return;
    if (delay === 0) this.#begin();
    else this.#callOffRestart = this.#options.timers.after(delay, () => this.#begin());
  }

  /** Takes the thread off: its last lines are printed and its counters kept. */
  #leave(): Seat | undefined {
    const seat = this.#seat;
    if (seat === undefined) return undefined;
    this.#seat = undefined;
    seat.thread.drainLog(this.#options.log);
    this.#droppedLines += seat.thread.droppedLines;
    seat.series.retire();
    return seat;
  }

  #settle(outcome: PlanOutcome): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.settle(outcome);
  }
}

function seconds(span: Milliseconds): string {
  return `${(span / 1000).toFixed(1)} s`;
}
