/**
 * Keeps the data threads at work: gives them the plan and the clusters' state, and lets none of them do what the others do not.
 * Knows nothing of what a plan says, nor of how one thread is watched.
 */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Kind } from '../../zones/kubernetes/objects.ts';
import type { Log } from '../log.ts';
import type { ToData } from '../messages.ts';
import type { Plan } from '../plan.ts';
import { probeMemory } from '../upstream/probe-table.ts';
import type { StartWorker } from './data-thread.ts';
import { Seat, START_LIMIT, type SaidToAll } from './seat.ts';
import type { SeriesBook } from './series.ts';
import { pause, type Stop, type Timers } from './timers.ts';

/** How often the heartbeats are looked at; a data thread beats every 100 ms. */
const LOOK_INTERVAL: Milliseconds = 250;
/** How often the threads' log lines are fetched. */
const LOG_INTERVAL: Milliseconds = 50;

export type SupervisorOptions = {
  /** How many data threads there are, from the start to the end. */
  readonly threads: Count;
  readonly start: StartWorker;
  readonly timers: Timers;
  readonly log: Log;
  readonly series: SeriesBook;
  /** The clusters' state, for a thread that begins with nothing. Threads are counted from 0. */
  readonly state: (thread: Count) => Iterable<ToData>;
  /** A part of a cluster's state has been taken in; of these kinds the thread knows everything. */
  readonly taken: (thread: Count, cluster: string, whole: readonly Kind[]) => void;
  readonly restarted: () => void;
};

/** What became of a plan. */
export type PlanOutcome = { readonly kind: 'planned' } | { readonly kind: 'refused'; readonly message: string };

type Generation = { readonly number: number; readonly plan: Plan };

/** A plan that is not in use everywhere yet. */
type Pending = {
  readonly generation: Generation;
  readonly settle: (outcome: PlanOutcome) => void;
  /** The one that tries it for all. */
  readonly first: Count;
  /** Has that one taken it up? Then it is the plan in use. */
  isTaken: boolean;
  /** The others that have not said yet that they have it. */
  readonly others: Set<Count>;
};

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #stops: readonly Stop[];
  readonly #seats: readonly Seat[];
  #generation = 0;
  #inUse: Generation | undefined;
  #pending: Pending | undefined;
  #listening: readonly string[] = [];
  /** Do all threads run? The others begin when the first one answers: loading their code must not delay that. */
  #haveAllBegun = false;
  #lastLook: Milliseconds;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#lastLook = options.timers.now();
    const probes = probeMemory(options.threads);
    this.#seats = Array.from({ length: options.threads }, (_, index) => this.#newSeat(index, probes));
    this.#stops = [
      options.timers.every(LOOK_INTERVAL, () => this.#look()),
      options.timers.every(LOG_INTERVAL, () => this.#seats.forEach((seat) => seat.drainLog())),
    ];
    this.#seats[0]?.begin();
  }

  /** Does any data thread answer queries just now? */
  get isAnswering(): boolean {
    return this.#seats.some((seat) => seat.isAnswering);
  }

  /**
   * Does every query find a data thread that answers? One that has ended has no sockets, and the system gives its clients to the
   * others; one that is silent keeps its clients waiting.
   */
  get isWhole(): boolean {
    return this.isAnswering && this.#seats.every((seat) => seat.isAnswering || !seat.isOpen);
  }

  /** How many data threads answer queries just now. */
  get answering(): Count {
    return this.#seats.filter((seat) => seat.isAnswering).length;
  }

  /** The DNS sockets, as `host:port`. */
  get listening(): readonly string[] {
    return this.#listening;
  }

  /** Log lines of all threads so far that found no room. */
  get droppedLines(): Count {
    return this.#seats.reduce((sum, seat) => sum + seat.droppedLines, 0);
  }

  /**
   * Puts a plan into use. While it cannot be used the one before stays: one thread tries it, and what this one has taken up is
   * the plan of all. Resolves when each of them has it, or has come to its end.
   */
  apply(plan: Plan): Promise<PlanOutcome> {
    if (this.#pending?.isTaken === true) this.#settle({ kind: 'planned' });
    this.#settle({ kind: 'refused', message: 'another plan came before this one was in use' });
    const generation = { number: ++this.#generation, plan };
    return new Promise((settle) => {
      const isAny = this.#seats.some((seat) => seat.isAnswering);
      const first = this.#seats.findIndex((seat) => (isAny ? seat.isAnswering : seat.isTaken));
      this.#pending = { generation, settle, first, isTaken: false, others: new Set() };
      if (first === -1) this.#settle({ kind: 'refused', message: 'the data thread is being replaced; try again' });
      else this.#seats[first]?.post(messageOf(generation, true));
    });
  }

  /** Tells a thread of a change. A thread that is still to come gets the whole state instead. */
  send(message: ToData, thread: Count): void {
    this.#seats[thread]?.post(message);
  }

  /** Lets the threads finish what they accepted, at most so long; `false` if they did not, or there is none. */
  async drain(limit: Milliseconds): Promise<boolean> {
    const isAny = this.#seats.some((seat) => seat.isTaken);
    let isDone = false;
    const over = Promise.all(this.#seats.map((seat) => seat.drain())).then((all) => {
      isDone = all.every(Boolean);
    });
    if (isAny) await pause(this.#options.timers, limit, over);
    return isAny && isDone;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    await Promise.all(this.#seats.map((seat) => seat.close()));
    this.#settle({ kind: 'refused', message: 'the server is stopping' });
  }

  #newSeat(index: Count, probes: SharedArrayBuffer): Seat {
    const { threads, start, timers, log, series, state, restarted } = this.#options;
    const place = { index, reusePort: threads > 1, probes };
    return new Seat({
      // They load their code at the same time.
      startLimit: START_LIMIT * threads,
      name: threads === 1 ? 'The data thread' : `Data thread ${index + 1}`,
      start: (memory) => start(memory, place),
      timers,
      log,
      series,
      // State before plan: its sockets open when it knows the answers.
      briefing: () => [...state(index), ...(this.#inUse === undefined ? [] : [messageOf(this.#inUse, false)])],
      said: (message) => this.#hear(index, message),
      left: (reason) => {
        this.#forget(index, reason);
        restarted();
      },
    });
  }

  #hear(index: Count, message: SaidToAll): void {
    switch (message.type) {
      case 'planned':
        this.#listening = message.listening;
        this.#planned(index, message.generation, message.listening);
        break;
      case 'refused':
        this.#refused(index, message.generation, message.message);
        break;
      case 'taken':
        this.#options.taken(index, message.cluster, message.whole);
        break;
    }
  }

  #planned(index: Count, generation: number, listening: readonly string[]): void {
    const pending = this.#pending;
    if (generation !== pending?.generation.number) return;
    if (index === pending.first && !pending.isTaken) {
      pending.isTaken = true;
      const { number, plan } = pending.generation;
      this.#inUse = { number, plan: this.#options.threads > 1 ? withPorts(plan, listening) : plan };
      for (const [other, seat] of this.#seats.entries()) {
        if (other === index || (this.#haveAllBegun && !seat.isTaken)) continue;
        pending.others.add(other);
        if (this.#haveAllBegun) seat.post(messageOf(this.#inUse, false));
        else seat.begin();
      }
      this.#haveAllBegun = true;
    } else pending.others.delete(index);
    if (pending.others.size === 0) this.#settle({ kind: 'planned' });
  }

  #refused(index: Count, generation: number, why: string): void {
    const pending = this.#pending;
    const isTried = generation === pending?.generation.number && index === pending.first && !pending.isTaken;
    if (isTried) this.#settle({ kind: 'refused', message: why });
    else void this.#seats[index]?.refuse(why);
  }

  /** Nobody waits for a thread that is gone; its successor is given the plan in use. */
  #forget(index: Count, reason: string): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (index === pending.first && !pending.isTaken) {
      this.#settle({ kind: 'refused', message: `the data thread did not survive it: ${reason}` });
    } else if (pending.others.delete(index) && pending.others.size === 0) this.#settle({ kind: 'planned' });
  }

  #look(): void {
    const now = this.#options.timers.now();
    // A control thread that did not run itself cannot say that the others were silent meanwhile.
    const passed = Math.min(now - this.#lastLook, 2 * LOOK_INTERVAL);
    this.#lastLook = now;
    for (const seat of this.#seats) seat.look(now, passed);
  }

  #settle(outcome: PlanOutcome): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.settle(outcome);
  }
}

function messageOf({ number, plan }: Generation, isFirst: boolean): ToData {
  return { type: 'plan', generation: number, plan, isFirst };
}

/** The plan with the ports that one thread was given, so that the others open the same ones. */
function withPorts(plan: Plan, listening: readonly string[]): Plan {
  const listeners = plan.listeners.map((listener, i) => {
    const address = listening[i] ?? '';
    return listener.port === 0 ? { ...listener, port: Number(address.slice(address.lastIndexOf(':') + 1)) } : listener;
  });
  return { ...plan, listeners };
}
