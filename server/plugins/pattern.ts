/**
 * A regular expression of the Corefile: Go's syntax (RE2), which is what CoreDNS takes, run by V8. Knows no directive.
 */

import type { Count } from '../../zones/units.ts';
import type { Token } from '../corefile/block.ts';
import { CorefileError } from '../errors.ts';

/** Plain data, so that it crosses threads; `compilePattern` makes it run. */
export type Pattern = {
  /** As written in the Corefile. */
  readonly text: string;
  /** In JavaScript's syntax. */
  readonly source: string;
  readonly flags: string;
};

/** CoreDNS's limit: what compiling may cost stays small. */
export const PATTERN_MAX: Count = 10_000;

/**
 * Takes what means the same in both languages, and Go's `(?ims)` in front and `(?P<name>…)` besides. What would silently
 * mean something else here is refused.
 * @throws CorefileError at the token
 */
export function patternFrom({ text, position }: Token): Pattern {
  if (text.length > PATTERN_MAX) {
    const message = `the regular expression has ${text.length} characters, at most ${PATTERN_MAX} are allowed`;
    throw new CorefileError(position, message);
  }
  const [front = '', flags = ''] = /^\(\?([ims]+)\)/.exec(text) ?? [];
  const source = text.slice(front.length).replace(CONSTRUCT, (construct) => {
    const advice = REFUSED.get(construct);
    if (advice === undefined) return construct === '(?P<' ? '(?<' : construct;
    throw new CorefileError(position, `the regular expression "${text}" contains ${construct}: ${advice}`);
  });
  const pattern = { text, source, flags: [...new Set(flags)].join('') };
  try {
    compilePattern(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CorefileError(
      position,
      `"${text}" is not a regular expression (${reason}); Go's syntax (RE2) is allowed`,
    );
  }
  return pattern;
}

/** V8's linear engine where it is switched on and can do it; otherwise its ordinary one, which can be slow on hostile text. */
export function compilePattern({ source, flags }: Pattern): RegExp {
  try {
    return new RegExp(source, `${flags}l`);
  } catch {
    return new RegExp(source, flags);
  }
}

/** An escape with its character, or what opens something that the two languages do not share. */
const CONSTRUCT = /\\[^]|\(\?(?:P<|<?[=!])|\[\[:/g;

const NO_LOOK = 'RE2 has no look-around';
const NO_BACK = 'RE2 has no back-references';
const NO_CLASS = 'write the characters out, such as [a-z]';
const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['(?=', '(?!', '(?<=', '(?<!'].map((construct) => [construct, NO_LOOK] as const),
  ...['\\1', '\\2', '\\3', '\\4', '\\5', '\\6', '\\7', '\\8', '\\9', '\\k'].map((each) => [each, NO_BACK] as const),
  ...['\\p', '\\P', '[[:'].map((construct) => [construct, NO_CLASS] as const),
  ['\\A', 'write ^'],
  ['\\z', 'write $'],
  ['\\Q', 'put a backslash before each sign'],
  ['\\C', 'write a dot'],
]);
