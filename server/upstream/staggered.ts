/** Tries upstreams one after the other without waiting long for a silent one. Knows nothing of policies, replies or sockets. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import { Calling, type CallOff } from './calling.ts';

/**
 * A silent upstream gets company after this: more than nearly every answer from a cache takes, little enough that a stub never
 * notices one dead server. The first one is still listened to.
 */
const STAGGER: Milliseconds = 400;

export type Attempt<Reply> = {
  readonly run: (signal: CallOff) => Promise<Reply>;
  /** It has been silent for `STAGGER`. */
  readonly slow: () => void;
  /** It gave no reply. */
  readonly failed: (error: Error) => void;
};

export type Attempts<Reply> = {
  /** The next one to start, or undefined when no more may be started. */
  readonly next: () => Attempt<Reply> | undefined;
  /**
   * - `final`: this is the answer.
   * - `spare`: an answer if none of those that still run gives a better one.
   * - `again`: likewise, but another attempt may be started.
   */
  readonly judge: (reply: Reply) => 'final' | 'spare' | 'again';
  /** What to say if not even one could be started. */
  readonly nothing: () => Error;
  /** All of it takes no longer than this: a client has given up by then. */
  readonly limit: Milliseconds;
};

/**
 * The first final reply; the rest are called off.
 * @throws the last error if there was no reply at all
 */
export function staggered<Reply>(attempts: Attempts<Reply>, stagger: Milliseconds = STAGGER): Promise<Reply> {
  return new Promise<Reply>((resolve, reject) => new Staggered(attempts, stagger, resolve, reject).start());
}

/** One object instead of a closure for each of its steps: as many of these wait as there are queries without an answer. */
class Staggered<Reply> {
  readonly #attempts: Attempts<Reply>;
  readonly #stagger: Milliseconds;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: Error) => void;
  readonly #calling = new Calling();
  readonly #limit: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #running: Count = 0;
  #spare: { readonly reply: Reply } | undefined;
  #lastError: Error | undefined;
  #mayStart = true;
  #isOver = false;

  constructor(
    attempts: Attempts<Reply>,
    stagger: Milliseconds,
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
  ) {
    this.#attempts = attempts;
    this.#stagger = stagger;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#limit = setTimeout(() => this.#settleWithWhatThereIs(), attempts.limit);
  }

  /** Another one, or the end if there is none and none runs. */
  start(): void {
    clearTimeout(this.#timer);
    const attempt = this.#attempts.next();
    if (attempt !== undefined) this.#run(attempt);
    else if (this.#running === 0) this.#settleWithWhatThereIs();
  }

  #run(attempt: Attempt<Reply>): void {
    this.#running++;
    this.#timer = setTimeout(() => {
      attempt.slow();
      if (this.#mayStart) this.start();
    }, this.#stagger);
    attempt
      .run(this.#calling)
      .then(
        (reply) => this.#replied(reply),
        (error: unknown) => this.#failed(attempt, errorFrom(error)),
      )
      .catch((error: unknown) => this.#fail(errorFrom(error)));
  }

  #replied(reply: Reply): void {
    this.#running--;
    if (this.#isOver) return;
    const verdict = this.#attempts.judge(reply);
    if (verdict === 'final') {
      this.#settle(reply);
      return;
    }
    this.#spare = { reply };
    this.#mayStart &&= verdict === 'again';
    if (this.#mayStart) this.start();
    else if (this.#running === 0) this.#settleWithWhatThereIs();
  }

  #failed(attempt: Attempt<Reply>, error: Error): void {
    this.#running--;
    if (this.#isOver) return;
    this.#lastError = error;
    attempt.failed(error);
    if (this.#mayStart) this.start();
    else if (this.#running === 0) this.#settleWithWhatThereIs();
  }

  #settleWithWhatThereIs(): void {
    if (this.#spare === undefined) this.#fail(this.#lastError ?? this.#attempts.nothing());
    else this.#settle(this.#spare.reply);
  }

  #settle(reply: Reply): void {
    this.#end();
    this.#resolve(reply);
  }

  #fail(error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#limit);
    this.#calling.abort();
  }
}

function errorFrom(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
