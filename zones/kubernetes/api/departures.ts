/**
 * Endpoints that have left their slice while they were ready. They stay for a moment, in a slice of their own, for the event
 * that puts them into another one may be on its way: the API has no transactions, so a move is two events. Knows nothing of
 * watches.
 */

import type { Count, Milliseconds } from '../../units.ts';
import { keyOf, objectFrom } from '../object-text.ts';
import type { Endpoint, EndpointSlice } from '../objects.ts';
import type { WatchedChange } from './replica.ts';
import type { SourceChange } from '../source.ts';
import { MultiMap } from '../store/multi-map.ts';
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
  readonly #known: () => ReadonlyMap<string, string>;
  readonly #tell: (changes: readonly SourceChange[]) => void;
  /** Keys of the API's slices by owner. */
  #siblings = new MultiMap<string>();
  /** What the step in hand has changed or removed, and the list that it began with, if it did. */
  readonly #step = new Map<string, EndpointSlice | undefined>();
  #listed: ReadonlyMap<string, string> | undefined;
  /** By owner; no more than were lost within the delay. */
  #stays = new MultiMap<Stay>();
  #count: Count = 0;

  /** @param known texts by key of all that was told */
  constructor(
    time: Pick<Time, 'after'>,
    known: () => ReadonlyMap<string, string>,
    tell: (changes: readonly SourceChange[]) => void,
  ) {
    this.#time = time;
    this.#known = known;
    this.#tell = tell;
  }

  /** Tells changes of EndpointSlices, and in the same step what stays of them. A whole list is told as it is. */
  readonly publish = (changes: readonly WatchedChange[]): void => {
    const step = changes.flatMap((change) => this.#follow(change));
    this.#step.clear();
    this.#listed = undefined;
    this.#tell(step);
  };

  close(): void {
    for (const owner of this.#stays.keys()) for (const stay of this.#stays.get(owner)) stay.cancel();
    this.#stays = new MultiMap();
  }

  #follow(change: WatchedChange): readonly SourceChange[] {
    switch (change.verb) {
      case 'put': {
        const { object, notReady = [] } = change;
        const stays = object.kind === 'EndpointSlice' ? this.#put(object, notReady) : [];
        return [{ verb: 'put', object }, ...stays];
      }
      case 'remove':
        this.#forget(keyOf(change));
        return [change];
      case 'replace': {
        this.close();
        this.#siblings = new MultiMap();
        this.#step.clear();
        this.#listed = change.listing.texts;
        for (const object of change.listing.objects()) {
          if (object.kind === 'EndpointSlice') this.#siblings.add(ownerOf(object), keyOf(object));
        }
        return [change];
      }
    }
  }

  /** What has come, or is now said not to be ready, stays no longer; what has gone without a word stays. */
  #put(slice: EndpointSlice, notReady: readonly string[]): readonly SourceChange[] {
    const key = keyOf(slice);
    const before = this.#find(key);
    const owner = ownerOf(slice);
    if (before !== undefined && ownerOf(before) !== owner) this.#siblings.delete(ownerOf(before), key);
    this.#siblings.add(owner, key);
    this.#step.set(key, slice);
    const present = new Set(notReady);
    for (const { addresses } of slice.endpoints) for (const address of addresses) present.add(address);
    const over = this.#stays.get(owner).flatMap((stay) => this.#shorten(owner, stay, present));
    const lost = before !== undefined && ownerOf(before) === owner ? without(present, before.endpoints) : [];
    return before === undefined || lost.length === 0 ? over : [...over, ...this.#keep(owner, before, lost)];
  }

  #keep(owner: string, before: EndpointSlice, lost: readonly Endpoint[]): readonly SourceChange[] {
    const elsewhere = new Set<string>();
    for (const sibling of this.#siblings.get(owner)) {
      for (const { addresses } of this.#find(sibling)?.endpoints ?? [])
        for (const address of addresses) elsewhere.add(address);
    }
    const endpoints = without(elsewhere, lost);
    if (endpoints.length === 0) return [];
    // No name of the API's (`hasApiName`).
    const slice = { ...before, name: `${before.name}:${++this.#count}`, endpoints };
    const cancel = this.#time.after(DEPARTURE_DELAY, () => this.#tell([this.#end(owner, stay)]));
    const stay: Stay = { slice, cancel };
    this.#stays.add(owner, stay);
    return [{ verb: 'put', object: slice }];
  }

  #shorten(owner: string, stay: Stay, present: ReadonlySet<string>): readonly SourceChange[] {
    const endpoints = without(present, stay.slice.endpoints);
    if (endpoints.length === stay.slice.endpoints.length) return [];
    if (endpoints.length === 0) return [this.#end(owner, stay)];
    stay.slice = { ...stay.slice, endpoints };
    return [{ verb: 'put', object: stay.slice }];
  }

  #end(owner: string, stay: Stay): SourceChange {
    stay.cancel();
    this.#stays.delete(owner, stay);
    const { kind, namespace, name } = stay.slice;
    return { verb: 'remove', kind, namespace, name };
  }

  #forget(key: string): void {
    const before = this.#find(key);
    if (before !== undefined) this.#siblings.delete(ownerOf(before), key);
    this.#step.set(key, undefined);
  }

  /** A slice as it is in this step. */
  #find(key: string): EndpointSlice | undefined {
    if (this.#step.has(key)) return this.#step.get(key);
    const text = (this.#listed ?? this.#known()).get(key);
    const object = text === undefined ? undefined : objectFrom(text);
    return object?.kind === 'EndpointSlice' ? object : undefined;
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
