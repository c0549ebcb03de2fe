/** Equal questions on their way down at the same time are asked once. Knows nothing of what becomes of the reply. */

import type { Count } from '../../zones/units.ts';
import type { Counter, Counters, Labels } from '../counters.ts';
import { servfail, type Reply } from '../query.ts';

/** Queries that may wait for somebody else's reply at once in one block: about 2 KiB each. Above it they fail at once. */
export const WAITERS_MAX: Count = 10_000;

export class Flights {
  readonly #flights = new Map<string, Promise<Reply>>();
  readonly #joined: Counter;
  readonly #refused: Counter;
  #waiting: Count = 0;

  constructor(counters: Counters, labels: Labels) {
    this.#joined = counters.counter('fivedots_cache_coalesced_total', labels);
    this.#refused = counters.counter('fivedots_cache_refused_waiters_total', labels);
  }

  /** The reply that is already on its way for this key, if one is. */
  join(key: string): Promise<Reply> | Reply | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined) return undefined;
    if (this.#waiting >= WAITERS_MAX) {
      this.#refused.add();
      return servfail('cache', `${WAITERS_MAX} queries wait for answers to equal ones already`);
    }
    this.#joined.add();
    this.#waiting++;
    return flight.then(withoutFault).finally(() => this.#waiting--);
  }

  /** Others may join until the reply is there. As many flights as `next` lets wait. */
  start(key: string, reply: Promise<Reply>): Promise<Reply> {
    const flight = reply.finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }
}

/** One fault is logged once, by the one who asked. */
function withoutFault(reply: Reply): Reply {
  return reply.fault === undefined ? reply : { ...reply, fault: undefined };
}
