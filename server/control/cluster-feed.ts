/**
 * What is known of a cluster, on its way to every data thread. Knows nothing of sources, nor of threads but how many places
 * for them there are.
 */

import { ClusterMemory } from '../../zones/kubernetes/cluster-memory.ts';
import type { Listing } from '../../zones/kubernetes/listing.ts';
import type { SourceChange } from '../../zones/kubernetes/source.ts';
import { serialAfter } from '../../zones/kubernetes/store/serial.ts';
import type { Count, Seconds } from '../../zones/units.ts';
import type { ClusterPart } from '../messages.ts';
import { ClusterSender } from './cluster-sender.ts';

export type FeedOptions = {
  /** Places for data threads. */
  readonly threads: Count;
  /** Seconds since 1970, for serials only. */
  readonly wallClock: () => Seconds;
  /** To the thread in that place, counted from 0. */
  readonly send: (part: ClusterPart, thread: Count) => void;
};

/**
 * Every thread goes at its own pace: what it does not have yet are keys of one memory that all share, so one that is slow, or
 * is being replaced, holds nobody up. The serial belongs to the state and not to the thread that shows it, or one zone would
 * have two serials.
 */
export class ClusterFeed {
  readonly memory: ClusterMemory = new ClusterMemory();
  readonly #wallClock: () => Seconds;
  readonly #senders: readonly ClusterSender[];
  #serial: number;

  constructor({ threads, wallClock, send }: FeedOptions) {
    this.#wallClock = wallClock;
    this.#serial = Math.floor(wallClock()) >>> 0;
    this.#senders = Array.from(
      { length: threads },
      (_, thread) =>
        new ClusterSender(
          this.memory,
          () => this.#serial,
          (part) => send(part, thread),
        ),
    );
  }

  /** What is new in the changes becomes visible in one step. */
  apply(changes: readonly SourceChange[]): void {
    for (const change of changes) {
      if (change.verb !== 'replace' || this.memory.isWhole(change.listing.kind)) continue;
      for (const sender of this.#senders) sender.noteWhole(change.listing.kind);
    }
    const before = this.memory.changes;
    this.memory.apply(changes, (kind, key) => {
      for (const sender of this.#senders) sender.note(kind, key);
    });
    this.#sendOn(before);
  }

  /** What a snapshot has of kinds that are not known whole becomes visible in one step. */
  load(listings: readonly Listing[]): void {
    const before = this.memory.changes;
    this.memory.load(listings, (kind, key) => {
      for (const sender of this.#senders) sender.note(kind, key);
    });
    for (const { kind } of listings) {
      if (this.memory.isLoaded(kind)) for (const sender of this.#senders) sender.noteLoaded(kind);
    }
    this.#sendOn(before);
  }

  /** The objects stay and are shown in another way: moves the serial on. */
  advance(): void {
    this.#serial = serialAfter(this.#serial, this.#wallClock());
    for (const sender of this.#senders) {
      sender.noteSerial();
      sender.sendOn();
    }
  }

  /** Runs `then` once every thread has taken all that was applied so far. */
  whenTaken(then: () => void): void {
    let left = this.#senders.length;
    for (const sender of this.#senders) {
      sender.whenTaken(() => {
        left--;
        if (left === 0) then();
      });
    }
  }

  /** A thread has taken a part. */
  taken(thread: Count): void {
    this.#senders[thread]?.taken();
  }

  /** Everything in one step, for a thread that has nothing. */
  restart(thread: Count): readonly ClusterPart[] {
    return this.#senders[thread]?.restart() ?? [];
  }

  #sendOn(before: Count): void {
    if (this.memory.changes !== before) this.#serial = serialAfter(this.#serial, this.#wallClock());
    for (const sender of this.#senders) sender.sendOn();
  }
}
