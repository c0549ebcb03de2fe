/**
 * What has been published of one kind: the keys, and the resourceVersion that they stand for. The objects themselves are
 * with whoever was told of them. Knows nothing of how events come.
 */

import type { Count } from '../../units.ts';
import { ApiFault } from './api-fault.ts';
import { isNotNewer, keyFrom, versionFrom, type Resource } from './api-resources.ts';
import type { Fields } from '../api-values.ts';
import type { ClusterChange, ClusterObject, Kind } from '../objects.ts';
import { notReadyAddresses, trim } from '../trim.ts';

/** Objects of one kind that are taken: ten times what Kubernetes is tested with, far from what a Map can hold. */
const OBJECTS_MAX: Count = 1_500_000;

/** A change, and what an event says beyond the object that is kept. */
export type WatchedChange = ClusterChange & {
  /** Of a slice that is put: the addresses of its endpoints that are not ready. */
  readonly notReady?: readonly string[];
};

/** Whose objects they are, and what of them is kept. */
type TrimmedResource = Pick<Resource, 'kind' | 'trim'>;

/** All the objects of a kind, while they come in. */
export class Listing {
  readonly #resource: TrimmedResource;
  readonly #objects = new Map<string, ClusterObject>();

  constructor(resource: TrimmedResource) {
    this.#resource = resource;
  }

  get size(): Count {
    return this.#objects.size;
  }

  /** Takes a whole object. @throws ApiFault if it has no name, or if there are too many */
  put(raw: Fields): void {
    const { kind, trim: options } = this.#resource;
    const key = keyOf(kind, raw);
    const object = trim(kind, raw, options);
    if (object === undefined) this.#objects.delete(key);
    else this.#objects.set(key, object);
    if (this.#objects.size > OBJECTS_MAX) throw tooMany(kind);
  }

  /** @throws ApiFault if the object has no name */
  remove(raw: Fields): void {
    this.#objects.delete(keyOf(this.#resource.kind, raw));
  }

  keys(): Set<string> {
    return new Set(this.#objects.keys());
  }

  objects(): ClusterObject[] {
    return [...this.#objects.values()];
  }
}

export class Replica {
  readonly resource: TrimmedResource;
  #keys = new Set<string>();
  #version: string | undefined;

  constructor(resource: TrimmedResource) {
    this.resource = resource;
  }

  /** From where a watch can go on; undefined if only a new list will do. */
  get version(): string | undefined {
    return this.#version;
  }

  /** The version cannot be gone on from. What was published stays published. */
  forgetVersion(): void {
    this.#version = undefined;
  }

  /** The listing is all there is now. */
  replace(listing: Listing, version: string): ClusterChange {
    this.#keys = listing.keys();
    this.#version = version;
    return { verb: 'replace', kind: this.resource.kind, objects: listing.objects() };
  }

  /** A bookmark: nothing has changed up to this version. */
  advance(version: string): void {
    if (this.#version === undefined || !isNotNewer(version, this.#version)) this.#version = version;
  }

  /**
   * What an ADDED, MODIFIED or DELETED event changes; undefined if it is about something that was never published.
   * `old` means that its version has been passed already: a watch does not go back, so it says nothing new.
   * @throws ApiFault if it is no object, or there are too many
   */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', raw: Fields): WatchedChange | 'old' | undefined {
    const { kind, trim: options } = this.resource;
    const key = keyOf(kind, raw);
    const version = versionFrom(raw);
    if (version === undefined) throw new ApiFault('protocol', `${type} event of ${key} without a resourceVersion`);
    if (this.#version !== undefined && isNotNewer(version, this.#version)) return 'old';
    const object = type === 'DELETED' ? undefined : trim(kind, raw, options);
    if (object !== undefined && this.#keys.size >= OBJECTS_MAX && !this.#keys.has(key)) throw tooMany(kind);
    this.#version = version;
    if (object !== undefined) {
      this.#keys.add(key);
      return kind === 'EndpointSlice'
        ? { verb: 'put', object, notReady: notReadyAddresses(raw) }
        : { verb: 'put', object };
    }
    if (!this.#keys.delete(key)) return undefined;
    const slash = key.indexOf('/');
    return { verb: 'remove', kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
  }
}

function keyOf(kind: Kind, raw: Fields): string {
  const key = keyFrom(kind, raw);
  if (key === undefined) throw new ApiFault('protocol', 'an object without a name');
  return key;
}

function tooMany(kind: Kind): ApiFault {
  return new ApiFault('protocol', `more than ${OBJECTS_MAX} objects of kind ${kind}`);
}
