/** After a fault: how long to wait, and whether to go on or to list again. Knows nothing of connections and objects. */

import type { Count, Milliseconds, Seconds } from '../../units.ts';
import type { Interruption } from '../following.ts';
import { isExpired, isFromTheFuture, type ApiFault } from './api-fault.ts';
import type { Time } from './time.ts';

/** What was going on: a list, the list that a watch begins with, or the watch itself. */
export type Phase = 'list' | 'first-list' | 'watch';

/** What to do next. */
export type Remedy = {
  readonly delay: Milliseconds;
  /** The version cannot be gone on from. */
  readonly mustList: boolean;
  /** How the next list is to be asked for. `pages` stands for an hour; then the server may have been upgraded. */
  readonly listBy: 'any' | 'pages-once' | 'pages';
  /** For the figures. */
  readonly reason: Interruption;
};

type Decision = Omit<Remedy, 'reason'> & { readonly reason?: Interruption };

/** One per kind, for its counters span many attempts. */
export class Recovery {
  readonly #time: Time;
  readonly #pause: Backoff;
  /** In a row, without a version gone forward between them. */
  #setbacks: Count = 0;
  /** Watches in a row that said nothing at all. */
  #silences: Count = 0;
  /** How long they were open. */
  #silence: Milliseconds = 0;
  /** First lists in a row that did not come to their end. */
  #cutLists: Count = 0;

  constructor(time: Time) {
    this.#time = time;
    this.#pause = new Backoff(time);
  }

  /** A list came to its end, or a watch went forward. */
  succeeded(): void {
    this.#setbacks = 0;
    this.#silences = 0;
    this.#cutLists = 0;
  }

  /** A watch is over, in whatever way. `open`: how long it could have said something. */
  watched(hadBytes: boolean, open: Milliseconds): void {
    this.#silence = hadBytes ? 0 : this.#silence + open;
  }

  /** Have watches said nothing for so long that the server may know less than we do? */
  get isDeaf(): boolean {
    return this.#silence >= SILENCE_MAX;
  }

  /** `hadBytes`: did the watch say anything before it failed? */
  after(fault: ApiFault, phase: Phase, hadBytes: boolean): Remedy {
    const decision = this.#decide(fault, phase, hadBytes);
    if (decision.mustList) this.#silence = 0;
    return { reason: interruptionBy(fault), ...decision };
  }

  #decide(fault: ApiFault, phase: Phase, hadBytes: boolean): Decision {
    // In pages, which is another way to the same state.
    if (fault.code === 'shrunk') return again(SHRUNK_DELAY * (1 + this.#time.random()), 'pages-once');
    if (phase === 'watch') return this.#afterWatch(fault, hadBytes);
    return phase === 'first-list' ? this.#afterFirstList(fault) : again(this.#delayAfter(fault), 'any');
  }

  #afterFirstList(fault: ApiFault): Decision {
    const { code } = fault;
    if (isBadQuestion(fault) || code === 'unmarked' || code === 'stalled') return again(0, 'pages');
    const delay = this.#delayAfter(fault);
    const isCut = code === 'cut' || code === 'event' || code === 'protocol' || code === 'timeout' || code === 'overdue';
    if (isCut) this.#cutLists++;
    return again(delay, this.#cutLists >= CUT_LISTS_MAX ? 'pages-once' : 'any');
  }

  #afterWatch(fault: ApiFault, hadBytes: boolean): Decision {
    const { code } = fault;
    if (isExpired(fault)) return again(this.#pause.isFresh ? this.#pause.spread() : this.#pause.next(), 'any');
    if (isFromTheFuture(fault)) return again(Math.max(FUTURE_DELAY, this.#pause.next()), 'any');
    if (code === 'overdue') return goOn(0);
    if (code === 'stalled' || code === 'timeout') {
      // A server whose state was put back to an older one says nothing until it has caught up with our version.
      this.#silences = hadBytes ? 0 : this.#silences + 1;
      const delay = code === 'stalled' ? 0 : this.#pause.next();
      return this.#silences >= SILENCES_MAX ? { ...again(delay, 'any'), reason: 'silence' } : goOn(delay);
    }
    if (code === 'protocol' || code === 'event') {
      this.#setbacks++;
      const isFirst = this.#setbacks === 1 && code === 'protocol' && this.#pause.isFresh;
      const pause = this.#delayAfter(fault);
      const delay = isFirst ? 0 : pause;
      return this.#setbacks >= SETBACKS_MAX ? again(delay, 'any') : goOn(delay);
    }
    const delay = this.#delayAfter(fault);
    if (this.isDeaf) return { ...again(delay, 'any'), reason: 'silence' };
    // After a fault of our own nobody knows what was published: only a list tells for certain.
    return code === 'internal' || isBadQuestion(fault) ? again(delay, 'any') : goOn(delay);
  }

  #delayAfter({ status }: ApiFault): Milliseconds {
    const delay = this.#pause.next();
    if (status.code === 404) return Math.max(delay, ABSENT_DELAY);
    if (status.code === 403) return Math.max(delay, FORBIDDEN_DELAY);
    return Math.max(delay, status.retryAfter === undefined ? 0 : this.#delayAsked(status.retryAfter));
  }

  /** A little more than asked for, so that not all clients come back in one moment. */
  #delayAsked(seconds: Seconds): Milliseconds {
    return Math.min(Math.max(seconds, 1), ASKED_MAX) * 1000 * (1 + this.#time.random() / 5);
  }
}

/** Growing pauses: `min(30 s, 0.8 s * 2^n) * U(1, 2)`, as client-go's reflector has them. */
export class Backoff {
  readonly #time: Time;
  #failures: Count = 0;
  /** When the pause after the last failure ends. */
  #until: Milliseconds = -Infinity;

  constructor(time: Time) {
    this.#time = time;
  }

  /** Has nothing failed for two minutes? */
  get isFresh(): boolean {
    return this.#failures === 0 || this.#time.now() - this.#until > FORGIVEN_AFTER;
  }

  next(): Milliseconds {
    if (this.isFresh) this.#failures = 0;
    const delay = Math.min(PAUSE_MAX, PAUSE_MIN * 2 ** this.#failures) * (1 + this.#time.random());
    this.#failures = Math.min(this.#failures + 1, FAILURES_COUNTED);
    this.#until = this.#time.now() + delay;
    return delay;
  }

  /** A short pause that keeps the replicas of a server from listing in one moment; it counts as a failure. */
  spread(): Milliseconds {
    this.next();
    return SPREAD * this.#time.random();
  }
}

const PAUSE_MIN: Milliseconds = 800;
const PAUSE_MAX: Milliseconds = 30_000;
const FORGIVEN_AFTER: Milliseconds = 120_000;
/** 0.8 s * 2^6 is more than PAUSE_MAX. */
const FAILURES_COUNTED: Count = 6;
const SPREAD: Milliseconds = 2000;
/** Given to a server that may be about to come to itself. */
const SHRUNK_DELAY: Milliseconds = 2000;
const FUTURE_DELAY: Milliseconds = 1000;
/** Somebody has to grant a right; once they have, ten seconds are short. */
const FORBIDDEN_DELAY: Milliseconds = 10_000;
/** Somebody has to install an API. */
const ABSENT_DELAY: Milliseconds = 60_000;
/** Longest Retry-After that is followed. */
const ASKED_MAX: Seconds = 60;
/** A line that cannot be read is asked for once more; if it cannot be read again, a list goes round it. */
const SETBACKS_MAX: Count = 2;
const SILENCES_MAX: Count = 2;
/** As long as two watches that stall. Where something on the way ends silent watches sooner, none does. */
const SILENCE_MAX: Milliseconds = 300_000;
const CUT_LISTS_MAX: Count = 2;

/** Did the server not understand what it was asked? */
function isBadQuestion({ code, status }: ApiFault): boolean {
  return code === 'status' && (status.code === 400 || status.code === 422);
}

function interruptionBy(fault: ApiFault): Interruption {
  if (isExpired(fault)) return 'expired';
  if (isFromTheFuture(fault)) return 'future-version';
  switch (fault.code) {
    case 'status':
      return 'refused';
    case 'event':
      return 'error-event';
    case 'closed':
      return 'internal';
    default:
      return fault.code;
  }
}

function goOn(delay: Milliseconds): Decision {
  return { delay, mustList: false, listBy: 'any' };
}

function again(delay: Milliseconds, listBy: Remedy['listBy']): Decision {
  return { delay, mustList: true, listBy };
}
