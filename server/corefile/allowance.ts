/**
 * What one load of a Corefile may consume, imports and replayed snippets included, and what it has to warn of. Knows nothing
 * of the grammar.
 */

import type { Count } from '../../zones/units.ts';
import { CorefileError, type Position } from '../errors.ts';

/** Characters of all files and of replaced variables: sixteen ConfigMaps of the largest size that Kubernetes stores (1 MiB). */
export const CHARACTERS_MAX: Count = 16_777_216;
/** Words read from files, and words handed to the parser: snippets that import snippets double them at each level. */
export const TOKENS_MAX: Count = 1_000_000;
/** Imports of snippets, as CoreDNS allows. */
export const SNIPPET_IMPORTS_MAX: Count = 10_000;
/** Imports of files, as CoreDNS allows. */
export const FILE_IMPORTS_MAX: Count = 100_000;
/** Warnings kept; the rest says nothing new. */
export const WARNINGS_MAX: Count = 100;

type Limited = 'characters' | 'words' | 'tokens' | 'snippets' | 'files';

const LIMITS: Readonly<Record<Limited, { readonly most: Count; readonly text: string }>> = {
  characters: { most: CHARACTERS_MAX, text: 'characters in a Corefile and its imports' },
  words: { most: TOKENS_MAX, text: 'words in a Corefile and its imports' },
  tokens: { most: TOKENS_MAX, text: 'words in a Corefile after its imports; does a snippet multiply itself?' },
  snippets: { most: SNIPPET_IMPORTS_MAX, text: 'imports of snippets' },
  files: { most: FILE_IMPORTS_MAX, text: 'imports of files' },
};

/** One for each load. */
export class Allowance {
  readonly #spent: Record<Limited, Count> = { characters: 0, words: 0, tokens: 0, snippets: 0, files: 0 };
  readonly #warnings: string[] = [];
  #dropped: Count = 0;

  /** @throws CorefileError at `position` when there is no more of it */
  spend(what: Limited, amount: Count, position: Position): void {
    this.#spent[what] += amount;
    const { most, text } = LIMITS[what];
    if (this.#spent[what] > most) throw new CorefileError(position, `found more than the ${most} allowed ${text}`);
  }

  warn(position: Position, message: string): void {
    if (this.#warnings.length === WARNINGS_MAX) this.#dropped++;
    else this.#warnings.push(`${position.file}:${position.line}:${position.column}: ${message}`);
  }

  /** `file:line:column: message`, in the order found. */
  warnings(): readonly string[] {
    return this.#dropped === 0 ? this.#warnings : [...this.#warnings, `${this.#dropped} more warnings are left out`];
  }
}
