/**
 * Endpoints that have left their slice. They stay for a moment, in a slice of their own, for the event that puts them into
 * another one may be on its way: the API has no transactions, so a move is two events. Knows nothing of watches.
 */

import type { Count, Milliseconds } from '../../units.ts';
import type { ClusterChange, Endpoint, EndpointSlice } from '../objects.ts';
import type { Time } from './time.ts';

/**
 * Four times what a controller waits between two updates at the 20 requests a second that kube-controller-manager allows
 * itself; short beside every TTL, and beside the second for which kube-proxy gathers changes.
 */
export const DEPARTURE_DELAY: Milliseconds = 200;

export class Departures {
  readonly #time: Pick<Time, 'now' | 'after'>;
  readonly #tell: (changes: readonly ClusterChange[]) => void;
  /** As last told; as many as the API has, which the replica limits. */
  readonly #slices = new Map<string, EndpointSlice>();
  /** The first to go comes first; no more than were lost within the delay. */
  #staying: { readonly slice: EndpointSlice; readonly until: Milliseconds }[] = [];
  #count: Count = 0;
  #cancel: () => void = () => {};

  constructor(time: Pick<Time, 'now' | 'after'>, tell: (changes: readonly ClusterChange[]) => void) {
    this.#time = time;
    this.#tell = tell;
  }

  /** Tells changes of EndpointSlices, and in the same step what stays of them. A whole list is told as it is. */
  readonly publish = (changes: readonly ClusterChange[]): void => {
    this.#tell(changes.flatMap((change) => [change, ...this.#stayOf(change)]));
  };

  close(): void {
    this.#cancel();
    this.#staying = [];
  }

  #stayOf(change: ClusterChange): readonly ClusterChange[] {
    switch (change.verb) {
      case 'put':
        return change.object.kind === 'EndpointSlice' ? this.#follow(keyOf(change.object), change.object) : [];
      case 'remove':
        return this.#follow(keyOf(change), undefined);
      case 'replace':
        this.#slices.clear();
        for (const object of change.objects) {
          if (object.kind === 'EndpointSlice') this.#slices.set(keyOf(object), object);
        }
        return [];
    }
  }

  #follow(key: string, next: EndpointSlice | undefined): readonly ClusterChange[] {
    const known = this.#slices.get(key);
    if (next === undefined) this.#slices.delete(key);
    else this.#slices.set(key, next);
    const endpoints = known === undefined ? [] : lostEndpoints(known, next);
    if (known === undefined || endpoints.length === 0) return [];
    // No object of the API has a colon in its name.
    const slice = { ...known, name: `${known.name}:${++this.#count}`, endpoints };
    this.#staying.push({ slice, until: this.#time.now() + DEPARTURE_DELAY });
    if (this.#staying.length === 1) this.#wait(DEPARTURE_DELAY);
    return [{ verb: 'put', object: slice }];
  }

  #wait(delay: Milliseconds): void {
    this.#cancel = this.#time.after(delay, () => this.#end());
  }

  #end(): void {
    const now = this.#time.now();
    const over = this.#staying.filter(({ until }) => until <= now);
    this.#staying = this.#staying.slice(over.length);
    const [first] = this.#staying;
    if (first !== undefined) this.#wait(first.until - now);
    this.#tell(
      over.map(({ slice: { kind, namespace, name } }): ClusterChange => ({ verb: 'remove', kind, namespace, name })),
    );
  }
}

/** Those that the slice had and has no more; all of them if it now belongs to somebody else. */
function lostEndpoints(known: EndpointSlice, next: EndpointSlice | undefined): readonly Endpoint[] {
  if (next === undefined || ownerOf(next) !== ownerOf(known)) return known.endpoints;
  const kept = new Set(next.endpoints.map(valueOf));
  return known.endpoints.filter((endpoint) => !kept.has(valueOf(endpoint)));
}

/** Its Service, and what it is imported as. */
function ownerOf({ service, imported }: EndpointSlice): string {
  return JSON.stringify([service, imported]);
}

/** Equal for equal endpoints: `trim` gives all of them their fields in one order. */
function valueOf(endpoint: Endpoint): string {
  return JSON.stringify(endpoint);
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
