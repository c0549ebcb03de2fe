/**
 * Changes of an EndpointSlice that leave nearly everything as it was: endpoints that exchange places or parts, an address that
 * is spelled otherwise. Knows nothing of what they mean.
 */

import { isIPv6 } from 'node:net';

import type { RawObject } from '../support/raw-objects.ts';
import { fieldsIn, listIn, type Part } from './object-parts.ts';

/** Two endpoints exchange a part, or their places; a slice of fewer stays as it is. @param nth says which, of what */
export function exchanged(slice: RawObject, nth: number): RawObject {
  const endpoints = listIn(slice['endpoints']);
  const count = endpoints.length;
  if (count < 2) return slice;
  const part = EXCHANGED[nth % EXCHANGED.length];
  const one = Math.floor(nth / EXCHANGED.length) % count;
  const other = (one + 1 + (nth % (count - 1))) % count;
  const [a, b] = [fieldsIn(endpoints[one]), fieldsIn(endpoints[other])];
  const [first, second] = part === undefined ? [b, a] : [withPartOf(a, b, part), withPartOf(b, a, part)];
  return { ...slice, endpoints: endpoints.with(one, first).with(other, second) };
}

/** Undefined is the whole endpoint. */
const EXCHANGED: readonly (string | undefined)[] = [
  undefined,
  'hostname',
  'targetRef',
  'zone',
  'targetRef',
  'addresses',
];

/** Every IPv6 address that can be is written with one group of zeros more. */
export function respelled(slice: RawObject): RawObject {
  const endpoints = listIn(slice['endpoints']).map((raw) => {
    const endpoint = fieldsIn(raw);
    return { ...endpoint, addresses: listIn(endpoint['addresses']).map(respelledText) };
  });
  return endpoints.length === 0 ? slice : { ...slice, endpoints };
}

function respelledText(text: unknown): unknown {
  if (typeof text !== 'string') return text;
  const longer = text.replace('::', text.startsWith('::') ? '0::' : ':0::');
  return isIPv6(longer) ? longer : text;
}

function withPartOf(endpoint: Part, donor: Part, part: string): Part {
  const { [part]: _, ...rest } = endpoint;
  return donor[part] === undefined ? rest : { ...rest, [part]: donor[part] };
}
