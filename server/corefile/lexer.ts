/**
 * The words of a Corefile: white space, comments, quotes and variables (CoreDNS: caddyfile lexer). Knows nothing of blocks and
 * directives, but marks the words that only the grammar may read.
 */

import { CorefileError, type Position } from '../errors.ts';
import type { Allowance } from './allowance.ts';
import type { Token } from './block.ts';
import { expand, type Environment } from './environment.ts';
import { show } from './fault.ts';

/** A token with what the grammar must know of it. */
export type Lexeme = Token & {
  /** `{`, `}` and `import` are themselves only as written in the file: neither quotes nor variables make them. */
  readonly kind: 'word' | 'open' | 'close' | 'import';
  /** Is it the first of its line? A quoted token's lines are not counted. */
  readonly startsLine: boolean;
};

/**
 * All words of one file.
 * @throws CorefileError at a quote that is never closed, or where variables have no end
 */
export function lexemesOf(
  text: string,
  file: string,
  environment: Environment,
  allowance: Allowance,
): readonly Lexeme[] {
  const lexemes: Lexeme[] = [];
  const reader = new CharacterReader(text, file);
  for (let startsLine = reader.skipBlank(); !reader.isAtEnd(); startsLine = reader.skipBlank()) {
    const position = reader.position();
    allowance.spend('words', 1, position);
    const isQuoted = reader.isAt('"');
    const written = isQuoted ? reader.quoted() : reader.word(allowance);
    const textOfToken = expand({ text: written, position }, environment, allowance);
    lexemes.push({
      text: textOfToken,
      position,
      kind: (isQuoted ? undefined : KINDS.get(written)) ?? 'word',
      startsLine: startsLine || lexemes.length === 0,
    });
  }
  return lexemes;
}

const KINDS: ReadonlyMap<string, Lexeme['kind']> = new Map([
  ['{', 'open'],
  ['}', 'close'],
  ['import', 'import'],
] as const);

/** White space as Go's unicode.IsSpace has it, but for `\r`, which is skipped wherever it stands outside quotes. */
const SPACES: ReadonlySet<string> = new Set(
  '\t\n\v\f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
);

/** Goes through a text once and counts lines and columns. */
class CharacterReader {
  readonly #text: string;
  readonly #file: string;
  #at: number;
  #line = 1;
  #lineStart: number;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
    this.#lineStart = this.#at;
  }

  position(): Position {
    return { file: this.#file, line: this.#line, column: this.#at - this.#lineStart + 1 };
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  isAt(character: string): boolean {
    return this.#text[this.#at] === character;
  }

  /** Skips white space and comments. Has a line ended? */
  skipBlank(): boolean {
    const { line } = this.position();
    for (; !this.isAtEnd(); this.#step()) {
      if (this.isAt('#')) this.#skipComment();
      else if (!this.isAt('\r') && !SPACES.has(this.#text[this.#at] ?? '')) break;
    }
    return this.#line !== line;
  }

  /** From behind the opening quote to the closing one; only `\"` is an escape. */
  quoted(): string {
    const opening = this.position();
    this.#step();
    const start = this.#at;
    for (; !this.isAtEnd() && !this.isAt('"'); this.#step()) if (this.isAt('\\')) this.#step();
    const written = this.#text.slice(start, this.#at);
    if (this.isAtEnd()) {
      throw new CorefileError(
        opening,
        `found ${show(`"${written}`)}, expected a closing quote before the end of the file`,
      );
    }
    this.#step();
    return written.replaceAll(/\\./gs, (pair) => (pair === '\\"' ? '"' : pair));
  }

  /** To the next white space; what follows a `#` is left out, as in CoreDNS, where the next word is read again. */
  word(allowance: Allowance): string {
    const position = this.position();
    const start = this.#at;
    while (!this.isAtEnd() && !SPACES.has(this.#text[this.#at] ?? '')) this.#step();
    const written = this.#text.slice(start, this.#at).replaceAll('\r', '');
    const [text = '', ...dropped] = written.split('#', 2);
    if (dropped.length > 0) {
      allowance.warn(
        position,
        `found ${show(written)}: only ${show(text)} is read and the next word is read again; put a blank before "#" for a comment, or quotes around the word`,
      );
    }
    return text;
  }

  #skipComment(): void {
    while (!this.isAtEnd() && this.#text[this.#at + 1] !== '\n') this.#step();
  }

  #step(): void {
    if (this.#text[this.#at] === '\n') {
      this.#line++;
      this.#lineStart = this.#at + 1;
    }
    this.#at++;
  }
}
