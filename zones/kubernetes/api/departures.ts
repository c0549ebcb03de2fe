/**
 * Endpoints that have left their slice while they were ready. They stay for a moment, in a slice of their own, for the event
 * that puts them into another one may be on its way: the API has no transactions, so a move is two events. Knows nothing of
 * watches.
 */

import type { Count, Milliseconds } from '../../units.ts';
import type { ClusterChange, Endpoint, EndpointSlice } from '../objects.ts';
import type { WatchedChange } from './replica.ts';
import { MultiMap } from '../store/multi-map.ts';
import { NamespacedMap } from '../store/namespaced-map.ts';
import { isSameSlice } from '../store/same-object.ts';
import type { Time } from './time.ts';

/**
 * Four times what a controller waits between two updates at the 20 requests a second that kube-controller-manager allows
 * itself; short beside every TTL, and beside the second for which kube-proxy gathers changes.
 */
export const DEPARTURE_DELAY: Milliseconds = 200;

/**
 * Only what nothing else explains stays: an endpoint that is in no slice of its owner any more, whose own slice is still
 * there, and of which nobody says that it is not ready. Pods that end are first not ready, and Kubernetes deletes a slice
 * after it has written those that its endpoints went to (k8s.io/endpointslice `finalize`).
 */
export class Departures {
  readonly #time: Pick<Time, 'after'>;
  readonly #tell: (changes: readonly ClusterChange[]) => void;
  /** As in the API; as many as it has, which the replica limits. */
  #slices = new NamespacedMap<EndpointSlice>();
  /** The same by owner. */
  #siblings = new MultiMap<EndpointSlice>();
  /** By owner; no more than were lost within the delay. */
  #stays = new MultiMap<Stay>();
  #count: Count = 0;

  constructor(time: Pick<Time, 'after'>, tell: (changes: readonly ClusterChange[]) => void) {
    this.#time = time;
    this.#tell = tell;
  }

  /** Tells changes of EndpointSlices, and in the same step what stays of them. A whole list is told as it is. */
  readonly publish = (changes: readonly WatchedChange[]): void => {
    this.#tell(changes.flatMap((change) => this.#follow(change)));
  };

  close(): void {
    for (const owner of this.#stays.keys()) for (const stay of this.#stays.get(owner)) stay.cancel();
    this.#stays = new MultiMap();
  }

  #follow(change: WatchedChange): readonly ClusterChange[] {
    switch (change.verb) {
      case 'put': {
        const { object, notReady = [] } = change;
        const stays = object.kind === 'EndpointSlice' ? this.#put(object, notReady) : [];
        return [{ verb: 'put', object }, ...stays];
      }
      case 'remove':
        this.#forget(this.#slices.get(change.namespace, change.name));
        return [change];
      case 'replace': {
        this.close();
        const before = this.#slices;
        this.#slices = new NamespacedMap();
        this.#siblings = new MultiMap();
        for (const object of change.objects) {
          if (object.kind === 'EndpointSlice') this.#remember(object, before.get(object.namespace, object.name));
        }
        return [change];
      }
    }
  }

  /** What has come, or is now said not to be ready, stays no longer; what has gone without a word stays. */
  #put(slice: EndpointSlice, notReady: readonly string[]): readonly ClusterChange[] {
    const known = this.#slices.get(slice.namespace, slice.name);
    this.#forget(known);
    this.#remember(slice, known);
    const owner = ownerOf(slice);
    const present = new Set(notReady);
    for (const { addresses } of slice.endpoints) for (const address of addresses) present.add(address);
    const over = this.#stays.get(owner).flatMap((stay) => this.#shorten(owner, stay, present));
    const lost = known !== undefined && ownerOf(known) === owner ? without(present, known.endpoints) : [];
    return known === undefined || lost.length === 0 ? over : [...over, ...this.#keep(owner, known, lost)];
  }

  #keep(owner: string, known: EndpointSlice, lost: readonly Endpoint[]): readonly ClusterChange[] {
    const elsewhere = new Set<string>();
    for (const sibling of this.#siblings.get(owner)) {
      for (const { addresses } of sibling.endpoints) for (const address of addresses) elsewhere.add(address);
    }
    const endpoints = without(elsewhere, lost);
    if (endpoints.length === 0) return [];
    // No object of the API has a colon in its name.
    const slice = { ...known, name: `${known.name}:${++this.#count}`, endpoints };
    const cancel = this.#time.after(DEPARTURE_DELAY, () => this.#tell([this.#end(owner, stay)]));
    const stay: Stay = { slice, cancel };
    this.#stays.add(owner, stay);
    return [{ verb: 'put', object: slice }];
  }

  #shorten(owner: string, stay: Stay, present: ReadonlySet<string>): readonly ClusterChange[] {
    const endpoints = without(present, stay.slice.endpoints);
    if (endpoints.length === stay.slice.endpoints.length) return [];
    if (endpoints.length === 0) return [this.#end(owner, stay)];
    stay.slice = { ...stay.slice, endpoints };
    return [{ verb: 'put', object: stay.slice }];
  }

  #end(owner: string, stay: Stay): ClusterChange {
    stay.cancel();
    this.#stays.delete(owner, stay);
    const { kind, namespace, name } = stay.slice;
    return { verb: 'remove', kind, namespace, name };
  }

  /** Who is told keeps the old object where the new one says the same; with two of them each slice would cost twice. */
  #remember(slice: EndpointSlice, known: EndpointSlice | undefined): void {
    const kept = known !== undefined && isSameSlice(known, slice) ? known : slice;
    this.#slices.set(kept.namespace, kept.name, kept);
    this.#siblings.add(ownerOf(kept), kept);
  }

  #forget(slice: EndpointSlice | undefined): void {
    if (slice === undefined) return;
    this.#slices.delete(slice.namespace, slice.name);
    this.#siblings.delete(ownerOf(slice), slice);
  }
}

/** What stays of one change, until `cancel` or the end of the delay. */
type Stay = { slice: EndpointSlice; readonly cancel: () => void };

/** Those of which no address is among these. */
function without(present: ReadonlySet<string>, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return endpoints.filter(({ addresses }) => !addresses.some((address) => present.has(address)));
}

/** Its Service, and what it is imported as: labels, which have no slash. */
function ownerOf({ namespace, service, imported }: EndpointSlice): string {
  return `${namespace}/${service}/${imported?.service ?? ''}/${imported?.cluster ?? ''}`;
}
