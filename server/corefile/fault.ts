/** How a fault in a Corefile is worded: what was found, what is allowed. Knows neither the grammar nor any plugin. */

import { CorefileError } from '../errors.ts';
import type { Count } from '../../zones/units.ts';
import type { Token } from './block.ts';

/** Characters of a foreign word that an error shows: enough to recognise it, too few to fill a log. */
const SHOWN_MAX: Count = 60;
/** Words longer than this get no suggestion: comparing them costs time and no plugin's name is half as long. */
const SUGGESTED_LENGTH_MAX: Count = 40;

/** @throws CorefileError at the token: `found "x", expected …` */
export function refuse(found: Token, expected: string): never {
  throw new CorefileError(found.position, `found ${show(found.text)}, expected ${expected}`);
}

/** A foreign word in quotes, safe to print: control characters are escaped and what is too long is cut. */
export function show(text: string): string {
  const cut = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return JSON.stringify(cut).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escaped);
}

/** `; did you mean "x"?` where one of the known words is near, else nothing. */
export function suggestion(found: string, known: readonly string[]): string {
  const nearest = byNearness(found, known)[0];
  if (nearest === undefined || distance(found, nearest) > Math.max(1, Math.floor(nearest.length / 3))) return '';
  return `; did you mean ${show(nearest)}?`;
}

/** The known words, those spelled most like the found one first. */
export function byNearness(found: string, known: readonly string[]): readonly string[] {
  if (found.length > SUGGESTED_LENGTH_MAX) return known;
  return known.toSorted((a, b) => distance(found, a) - distance(found, b));
}

/** Insertions, deletions and replacements that make one word the other (Levenshtein). */
function distance(from: string, to: string): number {
  if (from.length > SUGGESTED_LENGTH_MAX) return Infinity;
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
