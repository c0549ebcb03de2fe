/**
 * The words of a Corefile one after the other, with what imports stand for in the place of the import. Knows what an import
 * is, nothing else of the grammar.
 */

import { CorefileError } from '../errors.ts';
import type { Allowance } from './allowance.ts';
import type { Token } from './block.ts';
import { refuse } from './fault.ts';
import type { Imported, Importer } from './import.ts';
import type { Lexeme } from './lexer.ts';

/** The texts that one import stands for, and how far they are read. */
type Frame = {
  readonly wanted: Token;
  readonly texts: readonly Imported[];
  text: number;
  index: number;
};

/** The top frame is read to its end before the one below goes on: no recursion, however deep imports go. */
export class TokenStream {
  readonly #importer: Importer;
  readonly #allowance: Allowance;
  readonly #frames: Frame[];
  readonly #active: Set<string>;

  constructor(start: Imported, wanted: Token, importer: Importer, allowance: Allowance) {
    this.#importer = importer;
    this.#allowance = allowance;
    this.#frames = [{ wanted, texts: [start], text: 0, index: 0 }];
    this.#active = new Set([start.source]);
  }

  /** The next word, where no import may stand; undefined at the end. */
  peek(): Lexeme | undefined {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const text = frame.texts[frame.text];
      const lexeme = text?.lexemes[frame.index];
      if (lexeme !== undefined) return lexeme;
      if (text !== undefined) this.#active.delete(text.source);
      frame.text++;
      frame.index = 0;
      if (frame.text < frame.texts.length) this.#enter(frame);
      else this.#frames.pop();
    }
    return undefined;
  }

  /** Takes the word that `peek` showed. */
  take(lexeme: Lexeme): Lexeme {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.index++;
    this.#allowance.spend('tokens', 1, lexeme.position);
    return lexeme;
  }

  /** The next word where a line begins: imports are replaced first. */
  peekLine(): Lexeme | undefined {
    for (;;) {
      const lexeme = this.peek();
      if (lexeme?.kind !== 'import') return lexeme;
      this.take(lexeme);
      this.#import(lexeme);
    }
  }

  /** The next word if it stands on the same line. */
  peekArgument(): Lexeme | undefined {
    const lexeme = this.peek();
    return lexeme?.startsLine === true ? undefined : lexeme;
  }

  #import(word: Token): void {
    const pattern = this.#ownArgument();
    if (pattern?.kind !== 'word') {
      if (pattern !== undefined) refuse(pattern, 'the name of a snippet or of a file to import');
      throw new CorefileError(
        word.position,
        'found the end of the line after "import", expected the name of a snippet or of a file',
      );
    }
    this.take(pattern);
    const surplus = this.#ownArgument();
    if (surplus !== undefined) refuse(surplus, 'the end of the line: import takes one name');
    const texts = this.#importer.resolve(pattern);
    if (texts.length === 0) return;
    const frame = { wanted: pattern, texts, text: 0, index: 0 };
    this.#enter(frame);
    this.#frames.push(frame);
  }

  /** The next word of the same line and the same text. Finished frames are left in place, so that a circle is seen. */
  #ownArgument(): Lexeme | undefined {
    const frame = this.#frames.at(-1);
    const lexeme = frame?.texts[frame.text]?.lexemes[frame.index];
    return lexeme?.startsLine === true ? undefined : lexeme;
  }

  /** @throws CorefileError if the frame's next text is being read already: it imports itself */
  #enter(frame: Frame): void {
    const source = frame.texts[frame.text]?.source ?? '';
    if (this.#active.has(source)) {
      const active = [...this.#active];
      const circle = [...active.slice(active.indexOf(source)), source];
      throw new CorefileError(frame.wanted.position, `found an import that never ends: ${circle.join(' imports ')}`);
    }
    this.#active.add(source);
  }
}
