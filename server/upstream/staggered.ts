/** Tries upstreams one after the other without waiting long for a silent one. Knows nothing of policies, replies or sockets. */

import type { Count, Milliseconds } from '../../zones/units.ts';

/**
 * A silent upstream gets company after this: more than nearly every answer from a cache takes, little enough that a stub never
 * notices one dead server. The first one is still listened to.
 */
const STAGGER: Milliseconds = 400;

export type Attempt<Reply> = {
  readonly run: (signal: AbortSignal) => Promise<Reply>;
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
  readonly nothing: Error;
  /** All of it takes no longer than this: a client has given up by then. */
  readonly limit: Milliseconds;
};

/**
 * The first final reply; the rest are called off.
 * @throws the last error if there was no reply at all
 */
export function staggered<Reply>(attempts: Attempts<Reply>, stagger: Milliseconds = STAGGER): Promise<Reply> {
  return new Promise<Reply>((resolve, reject) => {
    const calling = new AbortController();
    let running: Count = 0;
    let spare: { readonly reply: Reply } | undefined;
    let mayStart = true;
    let lastError = attempts.nothing;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;

    const end = (settle: () => void): void => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(limit);
      calling.abort();
      settle();
    };
    const settleWithWhatThereIs = (): void => {
      end(() => (spare === undefined ? reject(lastError) : resolve(spare.reply)));
    };
    const startOrEnd = (): void => {
      clearTimeout(timer);
      const attempt = attempts.next();
      if (attempt !== undefined) start(attempt);
      else if (running === 0) settleWithWhatThereIs();
    };
    const replied = (reply: Reply): void => {
      const verdict = attempts.judge(reply);
      if (verdict === 'final') return end(() => resolve(reply));
      spare = { reply };
      mayStart &&= verdict === 'again';
      if (mayStart) return startOrEnd();
      return running === 0 ? settleWithWhatThereIs() : undefined;
    };
    const failed = (attempt: Attempt<Reply>, error: unknown): void => {
      lastError = error instanceof Error ? error : new Error(String(error));
      attempt.failed(lastError);
      if (mayStart) startOrEnd();
      else if (running === 0) settleWithWhatThereIs();
    };
    const start = (attempt: Attempt<Reply>): void => {
      running++;
      timer = setTimeout(() => {
        attempt.slow();
        if (mayStart) startOrEnd();
      }, stagger);
      attempt
        .run(calling.signal)
        .finally(() => running--)
        .then(
          (reply) => (isOver ? undefined : replied(reply)),
          (error: unknown) => (isOver ? undefined : failed(attempt, error)),
        )
        .catch((error: unknown) => end(() => reject(error instanceof Error ? error : new Error(String(error)))));
    };
    const limit = setTimeout(settleWithWhatThereIs, attempts.limit);
    startOrEnd();
  });
}
