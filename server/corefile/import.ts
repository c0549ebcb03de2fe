/** What an `import` stands for: a snippet, a file, or the files that match a pattern. Knows nothing of blocks. */

import { dirname, isAbsolute, join } from 'node:path';

import { CorefileError } from '../errors.ts';
import type { Allowance } from './allowance.ts';
import type { Token } from './block.ts';
import type { Environment } from './environment.ts';
import { refuse, show } from './fault.ts';
import type { Files } from './files.ts';
import { lexemesOf, type Lexeme } from './lexer.ts';

/** Words to put in the place of an import; `source` names where they come from, the same for each import of it. */
export type Imported = { readonly source: string; readonly lexemes: readonly Lexeme[] };

/** Finds what imports mean. It remembers the snippets and files of one load, so that a file is read once. */
export class Importer {
  readonly #files: Files;
  readonly #environment: Environment;
  readonly #allowance: Allowance;
  readonly #snippets = new Map<string, { readonly lexemes: readonly Lexeme[]; readonly name: Token }>();
  readonly #read = new Map<string, readonly Lexeme[]>();

  constructor(files: Files, environment: Environment, allowance: Allowance) {
    this.#files = files;
    this.#environment = environment;
    this.#allowance = allowance;
  }

  /** @throws CorefileError if there is one of that name */
  define(name: Token, lexemes: readonly Lexeme[]): void {
    const before = this.#snippets.get(name.text)?.name.position;
    if (before !== undefined) {
      refuse(name, `a new name: this snippet is already defined at ${before.file}:${before.line}:${before.column}`);
    }
    this.#snippets.set(name.text, { lexemes, name });
  }

  /** A snippet of that name wins over a file. Paths are relative to the file in which the import stands. */
  resolve(pattern: Token): readonly Imported[] {
    const snippet = this.#snippets.get(`(${pattern.text})`);
    if (snippet !== undefined) {
      this.#allowance.spend('snippets', 1, pattern.position);
      return [{ source: `snippet (${pattern.text})`, lexemes: snippet.lexemes }];
    }
    if (pattern.text === '') refuse(pattern, 'the name of a snippet or of a file to import');
    const isPattern = /[*?]/.test(pattern.text);
    const paths = isPattern ? this.#matching(pattern) : [this.#pathOf(pattern)];
    return paths.map((path) => {
      this.#allowance.spend('files', 1, pattern.position);
      return { source: `file ${path}`, lexemes: this.#file(path, pattern) };
    });
  }

  /**
   * The words of a text.
   * @param wanted what to blame if it cannot be read; the words stand in a file of that name
   */
  lex(read: () => string, wanted: Token, path: string = wanted.text): readonly Lexeme[] {
    let text: string;
    try {
      text = read();
    } catch (error) {
      throw new CorefileError(wanted.position, `cannot read ${show(path)}: ${reasonOf(error)}`);
    }
    this.#allowance.spend('characters', text.length, wanted.position);
    return lexemesOf(text, path, this.#environment, this.#allowance);
  }

  /** A file is read once, however often it is imported. */
  #file(path: string, wanted: Token): readonly Lexeme[] {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const lexemes = this.lex(() => this.#files.readFile(path), wanted, path);
    this.#read.set(path, lexemes);
    return lexemes;
  }

  #pathOf(pattern: Token): string {
    return isAbsolute(pattern.text) ? pattern.text : join(dirname(pattern.position.file), pattern.text);
  }

  /** One `*` and one `?` at most, no `[]`, as in CoreDNS: more would take long to match. No match is only a warning. */
  #matching(pattern: Token): readonly string[] {
    const wildcards = pattern.text.match(/[*?[\]]/g) ?? [];
    if (new Set(wildcards).size < wildcards.length || /[[\]]/.test(pattern.text)) {
      refuse(pattern, 'at most one "*" and one "?" in a pattern, and no brackets');
    }
    const paths = this.#expand(this.#pathOf(pattern));
    if (paths.length === 0)
      this.#allowance.warn(pattern.position, `no file matches ${show(pattern.text)}; nothing is imported`);
    return paths;
  }

  /** Part by part, so that a wildcard never matches a `/`; what follows one must exist to match. */
  #expand(pattern: string): readonly string[] {
    let paths = [isAbsolute(pattern) ? '/' : '.'];
    let isPast = false;
    for (const part of pattern.split('/')) {
      isPast ||= /[*?]/.test(part);
      paths = isPast ? paths.flatMap((path) => this.#within(path, part)) : paths.map((path) => join(path, part));
    }
    return paths;
  }

  #within(directory: string, pattern: string): readonly string[] {
    const matches = new RegExp(
      `^${pattern
        .split(/([*?])/)
        .map(matcherOf)
        .join('')}$`,
      'su',
    );
    let names: readonly string[];
    try {
      names = this.#files.listDirectory(directory);
    } catch {
      // Not a directory, or not ours to read: nothing in it matches (Go's filepath.Glob).
      return [];
    }
    return names
      .filter((name) => matches.test(name))
      .toSorted((a, b) => (a < b ? -1 : 1))
      .map((name) => join(directory, name));
  }
}

function matcherOf(part: string): string {
  if (part === '*') return '.*';
  return part === '?' ? '.' : RegExp.escape(part);
}

/** Node's reason without the system call and the path, which are named already. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^([A-Z]+: [^,]*),.*$/s, '$1') : String(error);
}
