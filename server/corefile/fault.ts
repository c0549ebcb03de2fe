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
  return printable(JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text));
}

/** Foreign text with what a terminal or a log would not show as it is written as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
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

/** Insertions, deletions, replacements and swaps of neighbours that make one word the other (optimal string alignment). */
function distance(from: string, to: string): number {
  if (from.length > SUGGESTED_LENGTH_MAX) return Infinity;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
