/** Parts that several kinds of objects have. Knows no kind. */

import fc from 'fast-check';

/** A part of an object, as JSON. */
export type Part = { readonly [field: string]: unknown };

/** How the API writes a field that is not there, when it does not leave it out. */
// oxlint-disable-next-line unicorn/no-null -- it is the API's word
export const NULL: null = null;

/** Labels that selectors may ask for. */
export const labels: fc.Arbitrary<Record<string, string>> = fc
  .record({ tier: fc.constantFrom(undefined, 'front', 'front', 'back'), app: fc.constantFrom(undefined, 'web') })
  .map((each) => defined(each) as Record<string, string>);

/** Without the fields that are not there; `null` is. */
export function defined(fields: Part): Part {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The fields of what may be an object. */
export function fieldsIn(value: unknown): Part {
  return typeof value === 'object' && value !== null ? (value as Part) : {};
}

/** The elements of what may be a list. */
export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
