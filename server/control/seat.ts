/**
 * One place for a data thread: whoever sits there is watched, and replaced when it falls silent or ends. Knows nothing of the
 * other places, nor of what a plan says.
 */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { FromData, ToData } from '../messages.ts';
import { DataThread, type StartThread } from './data-thread.ts';
import type { SeriesBook, ThreadSeries } from './series.ts';
import type { Stop, Timers } from './timers.ts';

/** Silence that is reported. */
export const REPORT_AFTER: Milliseconds = 1_000;
/** Silence after which a thread is replaced. Doubled for each replacement in a row, for the work itself may need that long. */
export const REPLACE_AFTER: Milliseconds = 3_000;
const REPLACE_AFTER_MAX: Milliseconds = 24_000;
/** Time for one thread to load its code. */
export const START_LIMIT: Milliseconds = 10_000;
/** Between the end of a thread and its successor, doubled for each one in a row: the first is replaced at once. */
const RESTART_DELAY: Milliseconds = 100;
export const RESTART_DELAY_MAX: Milliseconds = 10_000;
/** A thread that worked so long begins a new count of replacements in a row. */
export const STEADY_AFTER: Milliseconds = 60_000;

export type SeatOptions = {
  /** Begins a sentence of the log. */
  readonly name: string;
  readonly start: StartThread;
  /** Time for a new thread to load its code. */
  readonly startLimit: Milliseconds;
  readonly timers: Timers;
  readonly log: Log;
  readonly series: SeriesBook;
  /** What a thread that begins with nothing is told first. */
  readonly briefing: () => Iterable<ToData>;
  /** What the thread said about plans and clusters. */
  readonly said: (message: SaidToAll) => void;
  /** The thread is gone, and is replaced. */
  readonly left: (reason: string) => void;
};

/** What concerns more than the thread itself. */
export type SaidToAll = Extract<FromData, { type: 'planned' | 'refused' | 'taken' }>;

/** A thread with what is known of it. */
type Sitting = {
  readonly thread: DataThread;
  readonly series: ThreadSeries;
  readonly began: Milliseconds;
  isOnline: boolean;
  hasPlan: boolean;
  beat: number;
  silence: Milliseconds;
};

export class Seat {
  readonly #options: SeatOptions;
  #sitting: Sitting | undefined;
  #replacements: Count = 0;
  #droppedLines: Count = 0;
  #callOffRestart: Stop = () => {};
  #drained: ((done: boolean) => void) | undefined;
  #isStopping = false;

  constructor(options: SeatOptions) {
    this.#options = options;
  }

  /** Lets a thread begin. */
  begin(): void {
    const { start, series, timers, briefing } = this.#options;
    const thread: DataThread = new DataThread(start, {
      message: (message) => this.#hear(message),
      ended: (reason) => void this.#replace(`${this.#options.name} ended: ${reason}`),
    });
    this.#sitting = {
      thread,
      series: series.attach(thread.memory.counters),
      began: timers.now(),
      isOnline: false,
      hasPlan: false,
      beat: thread.beat,
      silence: 0,
    };
    for (const message of briefing()) thread.post(message);
  }

  /** Is there a thread, whatever it does? */
  get isTaken(): boolean {
    return this.#sitting !== undefined;
  }

  /** Has its thread the sockets of a plan? */
  get isOpen(): boolean {
    return this.#sitting?.hasPlan ?? false;
  }

  /** Does its thread answer queries just now? */
  get isAnswering(): boolean {
    return this.#sitting !== undefined && this.#sitting.hasPlan && this.#sitting.silence < REPORT_AFTER;
  }

  /** Log lines of all threads that sat here so far that found no room. */
  get droppedLines(): Count {
    return this.#droppedLines + (this.#sitting?.thread.droppedLines ?? 0);
  }

  /** Prints what its thread has written since the last time. */
  drainLog(): void {
    this.#sitting?.thread.drainLog(this.#options.log);
  }

  /** A thread that is still to come is not told: it gets its briefing instead. */
  post(message: ToData): void {
    this.#sitting?.thread.post(message);
  }

  /** Looks whether the thread still beats. @param passed since the last look, as far as this thread itself ran */
  look(now: Milliseconds, passed: Milliseconds): void {
    const sitting = this.#sitting;
    if (sitting === undefined) return;
    const { name, log, startLimit } = this.#options;
    if (now - sitting.began >= STEADY_AFTER) this.#replacements = 0;
    const before = sitting.silence;
    sitting.silence = sitting.thread.beat === sitting.beat ? before + passed : 0;
    sitting.beat = sitting.thread.beat;
    if (!sitting.isOnline) {
      if (sitting.silence >= startLimit) void this.#replace(`${name} did not start within ${startLimit / 1000} s.`);
      return;
    }
    const limit = Math.min(REPLACE_AFTER * 2 ** this.#replacements, REPLACE_AFTER_MAX);
    if (sitting.silence >= limit) {
      void this.#replace(`${name} has been silent for ${seconds(sitting.silence)} and answers nothing.`);
    } else if (sitting.silence >= REPORT_AFTER && before < REPORT_AFTER) {
      log(
        'warning',
        SOURCE,
        `${name} has been silent for ${seconds(sitting.silence)}: queries wait. It is replaced after ${seconds(limit)}.`,
      );
    } else if (before >= REPORT_AFTER && sitting.silence === 0) {
      log('info', SOURCE, `${name} is back after ${seconds(before)} of silence.`);
    }
  }

  /** The thread cannot take up the plan that is in use: another one tries. */
  refuse(why: string): Promise<void> {
    return this.#replace(`${this.#options.name} cannot do what is done already: ${why}.`);
  }

  /** Ends the thread and lets another begin. */
  async #replace(reason: string): Promise<void> {
    if (this.#isStopping) {
      this.#drained?.(false);
      return;
    }
    const { log, timers, left } = this.#options;
    const sitting = this.#leave();
    if (sitting === undefined) return;
    const delay = this.#replacements === 0 ? 0 : Math.min(RESTART_DELAY * 2 ** this.#replacements, RESTART_DELAY_MAX);
    this.#replacements++;
    log('error', SOURCE, `${reason} It is replaced ${delay === 0 ? 'at once' : `in ${seconds(delay)}`}.`);
    left(reason);
    await sitting.thread.end();
    if (this.#isStopping) return;
    if (delay === 0) this.begin();
    else this.#callOffRestart = timers.after(delay, () => this.begin());
  }

  /** From now on nobody is replaced. Resolves when the thread has finished what it accepted, or with `false` at its end. */
  drain(): Promise<boolean> {
    this.#stop();
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#sitting === undefined) resolve(true);
      this.post({ type: 'drain' });
    });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#stop();
    const sitting = this.#leave();
    await sitting?.thread.end();
    sitting?.thread.drainLog(this.#options.log);
  }

  #hear(message: FromData): void {
    const sitting = this.#sitting;
    if (sitting === undefined) return;
    switch (message.type) {
      case 'online':
        sitting.isOnline = true;
        sitting.silence = 0;
        break;
      case 'planned':
        sitting.hasPlan = true;
        this.#options.said(message);
        break;
      case 'refused':
      case 'taken':
        this.#options.said(message);
        break;
      case 'series':
        for (const one of message.series) sitting.series.announce(one);
        break;
      case 'drained':
        this.#drained?.(true);
        break;
    }
  }

  #stop(): void {
    this.#isStopping = true;
    this.#callOffRestart();
  }

  /** Takes the thread off: its last lines are printed and its counters kept. */
  #leave(): Sitting | undefined {
    const sitting = this.#sitting;
    if (sitting === undefined) return undefined;
    this.#sitting = undefined;
    sitting.thread.drainLog(this.#options.log);
    this.#droppedLines += sitting.thread.droppedLines;
    sitting.series.retire();
    return sitting;
  }
}

const SOURCE = 'supervisor';

function seconds(span: Milliseconds): string {
  return `${(span / 1000).toFixed(1)} s`;
}
