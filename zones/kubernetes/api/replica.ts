/**
 * How far one resource has been followed, and what an event of its watch changes. Knows nothing of how events come, nor of
 * who keeps the objects.
 */

import type { Count } from '../../units.ts';
import { ApiFault, plainText } from './api-fault.ts';
import { isNotNewer, keyFrom, versionFrom, type Resource } from './api-resources.ts';
import type { Fields } from '../api-values.ts';
import { Listing } from '../listing.ts';
import { placeOf } from '../object-text.ts';
import type { Kind } from '../objects.ts';
import type { SourceChange } from '../source.ts';
import { notReadyAddresses, trim } from '../trim.ts';

/** Objects of one kind that are taken: ten times what Kubernetes is tested with, far from what a Map can hold. */
const OBJECTS_MAX: Count = 1_500_000;

/** A change, and what an event says beyond the object that is kept. */
export type WatchedChange = SourceChange & {
  /** Of a slice that is put: the addresses of its endpoints that are not ready. */
  readonly notReady?: readonly string[];
};

/** Whose objects they are, and what of them is kept. */
type TrimmedResource = Pick<Resource, 'kind' | 'trim'>;

/** All the objects of a resource as the API server says them, while they come in. */
export class ResourceListing {
  readonly #resource: TrimmedResource;
  readonly listing: Listing;

  /** @param known texts by key of what was published */
  constructor(resource: TrimmedResource, known: ReadonlyMap<string, string>) {
    this.#resource = resource;
    this.listing = new Listing(resource.kind, [], known);
  }

  /** Takes a whole object. @throws ApiFault if it has no name, or if there are too many */
  put(raw: Fields): void {
    const { kind, trim: options } = this.#resource;
    const key = keyIn(kind, raw);
    const object = trim(kind, raw, options);
    if (object === undefined) this.listing.remove(key);
    else this.listing.put(object);
    if (this.listing.size > OBJECTS_MAX) throw tooMany(kind);
  }

  /** @throws ApiFault if the object has no name */
  remove(raw: Fields): void {
    this.listing.remove(keyIn(this.#resource.kind, raw));
  }
}

export class Replica {
  readonly resource: TrimmedResource;
  readonly #known: () => ReadonlyMap<string, string>;
  #version: string | undefined;

  /** @param known texts by key of what was published */
  constructor(resource: TrimmedResource, known: () => ReadonlyMap<string, string>) {
    this.resource = resource;
    this.#known = known;
  }

  /** For a list that is to replace everything. */
  newListing(): ResourceListing {
    return new ResourceListing(this.resource, this.#known());
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
  replace({ listing }: ResourceListing, version: string): WatchedChange {
    this.#version = version;
    return { verb: 'replace', listing };
  }

  /** A bookmark: nothing has changed up to this version. */
  advance(version: string): void {
    if (this.#version === undefined || !isNotNewer(version, this.#version)) this.#version = version;
  }

  /**
   * What an ADDED, MODIFIED or DELETED event changes, which may be nothing that was known.
   * `old` means that its version has been passed already: a watch does not go back, so it says nothing new.
   * @throws ApiFault if it is no object, or there are too many
   */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', raw: Fields): WatchedChange | 'old' {
    const { kind, trim: options } = this.resource;
    const key = keyIn(kind, raw);
    const version = versionFrom(raw);
    if (version === undefined)
      throw new ApiFault('protocol', `${type} event of ${plainText(key)} without a resourceVersion`);
    if (this.#version !== undefined && isNotNewer(version, this.#version)) return 'old';
    const object = type === 'DELETED' ? undefined : trim(kind, raw, options);
    const known = this.#known();
    if (object !== undefined && known.size >= OBJECTS_MAX && !known.has(key)) throw tooMany(kind);
    this.#version = version;
    if (object === undefined) return { verb: 'remove', kind, ...placeOf(key) };
    return kind === 'EndpointSlice'
      ? { verb: 'put', object, notReady: notReadyAddresses(raw) }
      : { verb: 'put', object };
  }
}

function keyIn(kind: Kind, raw: Fields): string {
  const key = keyFrom(kind, raw);
  if (key === undefined) throw new ApiFault('protocol', 'an object without a name');
  return key;
}

function tooMany(kind: Kind): ApiFault {
  return new ApiFault('protocol', `more than ${OBJECTS_MAX} objects of kind ${kind}`);
}
