/**
 * Takes in the steps that the control thread sends of one cluster's state, so that no query waits for a large one. Knows
 * nothing of where they come from.
 */

import { objectFrom } from '../../zones/kubernetes/object-text.ts';
import type { ClusterChange, Kind } from '../../zones/kubernetes/objects.ts';
import type { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { ClusterPart } from '../messages.ts';

/**
 * Two to fifteen milliseconds. The state of 100,000 endpoints takes 50 ms to make again, and at 1,000 changes a second in slices of
 * a hundred that is how many endpoints gather meanwhile: with a lower limit every step would be large from the first one on.
 */
const AT_ONCE_MAX: Count = 5000;
/** Endpoints that go for one that comes. */
const LOSSES_PER_PUT: Count = 2;
/** Work on a larger step before queries have their turn. */
const WORK_SLICE: Milliseconds = 1;

export type ReceiverOptions = {
  readonly store: ClusterStore;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  /** Endpoints and objects of a step that is applied at once; absent for `AT_ONCE_MAX`. */
  readonly atOnceMax?: Count | undefined;
  /** Told of each part that has been taken in, in order. */
  readonly taken: () => void;
};

export class ClusterReceiver {
  readonly #options: ReceiverOptions;
  /** No more than the sender lets be on the way, but for a thread that begins, which gets everything at once. */
  readonly #parts: ClusterPart[] = [];
  /** Of the step that is coming in. */
  #changes: ClusterChange[] = [];
  #weight: Count = 0;
  #working: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  take(part: ClusterPart): void {
    this.#parts.push(part);
    if (this.#working === undefined) this.#work();
  }

  /** Resolves when everything that came so far is in use. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** What is not in use yet will not be. */
  close(): void {
    this.#isClosed = true;
    this.#parts.length = 0;
  }

  #work(): void {
    const { store, taken, atOnceMax = AT_ONCE_MAX } = this.#options;
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) {
      this.#read(part);
      if (part.isLast) {
        const changes = this.#changes;
        const isLarge = this.#weight > atOnceMax;
        this.#changes = [];
        this.#weight = 0;
        if (isLarge) {
          this.#working = this.#applyBeside(changes, part.serial);
          return;
        }
        store.apply(changes, part.serial);
      }
      taken();
    }
  }

  #read({ put, removed, whole, loaded = [] }: ClusterPart): void {
    for (const line of put === '' ? [] : put.split('\n')) {
      const object = objectFrom(line);
      const endpoints = object.kind === 'EndpointSlice' ? object.endpoints.length : 0;
      this.#weight += Math.max(1, endpoints, this.#lossOf(object));
      this.#changes.push({ verb: 'put', object });
    }
    for (const place of removed) {
      this.#weight += Math.max(1, this.#lossOf(place));
      this.#changes.push({ verb: 'remove', ...place });
    }
    for (const kind of loaded) this.#changes.push({ verb: 'loaded', kind });
    for (const kind of whole) this.#changes.push({ verb: 'whole', kind });
  }

  /** What it costs to take away what an object has now. */
  #lossOf({
    kind,
    namespace,
    name,
  }: {
    readonly kind: Kind;
    readonly namespace: string;
    readonly name: string;
  }): Count {
    return kind === 'EndpointSlice' ? this.#options.store.addressCount(namespace, name) / LOSSES_PER_PUT : 0;
  }

  async #applyBeside(changes: readonly ClusterChange[], serial: number | undefined): Promise<void> {
    const { store, clock, taken } = this.#options;
    let until = -Infinity;
    for (const _ of store.applyBeside(changes, serial)) {
      if (clock() < until) continue;
      await nextTurn();
      if (this.#isClosed) {
        this.#working = undefined;
        return;
      }
      until = clock() + WORK_SLICE;
    }
    taken();
    this.#working = undefined;
    this.#work();
  }
}

/** Lets the packets that wait go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
