/**
 * Trimmed objects as text: what is remembered of them, crosses threads and stands in a snapshot. An object with a hundred
 * endpoints is a third of its size as one string, is compared at once, and is nothing that the garbage collector has to walk.
 * Knows nothing of what is in an object.
 */

import type { ClusterObject } from './objects.ts';

/** One line; equal objects have equal texts, for `trim` writes the fields of a kind always in one order. */
export function textOf(object: ClusterObject): string {
  return JSON.stringify(object);
}

/** The object that `textOf` made the text of. */
export function objectFrom(text: string): ClusterObject {
  return JSON.parse(text) as ClusterObject;
}

/** An object's place among its kind. Neither part can contain a slash. */
export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** The opposite of `keyOf`. */
export function placeOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Is the object with that key one of the API's? No name there has a colon, so a source may use one in names of its own (api/departures.ts). */
export function hasApiName(key: string): boolean {
  return !key.includes(':');
}
