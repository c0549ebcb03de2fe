/** Label and field selectors as the fake API server understands them: `=`, `==`, `!=`, `key`, `!key`. */

import type { RawObject } from './raw-objects.ts';

export type Matcher = (object: RawObject) => boolean;

/** What a list or watch selects. */
export function matcherFrom(query: URLSearchParams): Matcher {
  const terms = [
    ...termsOf(query.get('labelSelector'), (object, key) => object.metadata.labels?.[key]),
    ...termsOf(query.get('fieldSelector'), fieldOf),
  ];
  return (object) => terms.every((term) => term(object));
}

function termsOf(
  selector: string | null,
  valueOf: (object: RawObject, key: string) => string | undefined,
): readonly Matcher[] {
  if (selector === null || selector === '') return [];
  return selector.split(',').map((term) => {
    const [, key = '', sign = '', wanted = ''] = /^([^=!]+)(!=|==?)(.*)$/.exec(term) ?? [];
    if (sign === '!=') return (object) => valueOf(object, key) !== wanted;
    if (sign !== '') return (object) => valueOf(object, key) === wanted;
    if (term.startsWith('!')) return (object) => valueOf(object, term.slice(1)) === undefined;
    return (object) => valueOf(object, term) !== undefined;
  });
}

function fieldOf(object: RawObject, path: string): string | undefined {
  let value: unknown = object;
  for (const field of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, field);
  }
  return typeof value === 'string' ? value : undefined;
}
