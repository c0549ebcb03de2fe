/** `{$NAME}` and `{%NAME%}` in a token of a Corefile. Knows nothing of where tokens begin and end. */

import type { Count } from '../../zones/units.ts';
import type { Allowance } from './allowance.ts';
import type { Token } from './block.ts';
import { refuse, show } from './fault.ts';

/** References replaced in one token, those in replaced values included: more is a variable that names itself. */
export const REFERENCES_MAX: Count = 100;
/** Characters of a token after replacing: values that hold each other twice double it at each step. */
export const EXPANDED_MAX: Count = 65_536;

/** Variables by name. */
export type Environment = ReadonlyMap<string, string>;

/**
 * The token's text with references replaced until none is left: a value that holds references is replaced in its turn. A
 * variable that is not set gives nothing, and a warning. `{$}` and `{%%}` name nothing and stay.
 * @throws CorefileError if there is no end to it
 */
export function expand(token: Token, environment: Environment, allowance: Allowance): string {
  let { text } = token;
  for (let replaced = 0; ; replaced++) {
    const reference = firstReference(text);
    if (reference === undefined) return text;
    if (replaced === REFERENCES_MAX) {
      refuse(token, `at most ${REFERENCES_MAX} references to variables in one word; does a variable name itself?`);
    }
    const value = environment.get(reference.name);
    if (value === undefined) {
      allowance.warn(token.position, `environment variable ${show(reference.name)} is not set; it is taken as empty`);
    }
    text = text.slice(0, reference.start) + (value ?? '') + text.slice(reference.end);
    allowance.spend('characters', value?.length ?? 0, token.position);
    if (text.length > EXPANDED_MAX) refuse(token, `at most ${EXPANDED_MAX} characters once its variables are replaced`);
  }
}

type Reference = { readonly name: string; readonly start: number; readonly end: number };

/** The leftmost of both kinds. */
function firstReference(text: string): Reference | undefined {
  const windows = referenceBetween(text, '{%', '%}');
  const unix = referenceBetween(text, '{$', '}');
  if (windows === undefined || unix === undefined) return windows ?? unix;
  return windows.start < unix.start ? windows : unix;
}

function referenceBetween(text: string, open: string, close: string): Reference | undefined {
  for (let start = text.indexOf(open); start !== -1; start = text.indexOf(open, start + open.length)) {
    const inside = start + open.length;
    const end = text.indexOf(close, inside);
    if (end === -1) return undefined;
    if (end > inside) return { name: text.slice(inside, end), start, end: end + close.length };
  }
  return undefined;
}
