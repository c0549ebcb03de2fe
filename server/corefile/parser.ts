/** The grammar of a Corefile: words to server blocks (CoreDNS: caddyfile parser). Knows no directive by name. */

import { CorefileError } from '../errors.ts';
import type { Allowance } from './allowance.ts';
import type { BlockKey, Directive, Line, ServerBlock, Token } from './block.ts';
import { refuse, show } from './fault.ts';
import type { Importer } from './import.ts';
import { keysFrom } from './keys.ts';
import type { Lexeme } from './lexer.ts';
import type { TokenStream } from './stream.ts';

/**
 * All server blocks, in file order. Snippets are given to the importer as they are met.
 * @throws CorefileError
 */
export function blocksOf(stream: TokenStream, importer: Importer, allowance: Allowance): readonly ServerBlock[] {
  const blocks: ServerBlock[] = [];
  for (let first = stream.peekLine(); first !== undefined; first = stream.peekLine()) {
    if (first.kind === 'close') skipSurplus(stream, first, allowance);
    else if (isSnippet(first)) importer.define(first, snippetBody(stream, first));
    else blocks.push(block(stream, first, allowance));
  }
  return blocks;
}

function block(stream: TokenStream, first: Lexeme, allowance: Allowance): ServerBlock {
  const words = keyWords(stream, first);
  const [head, ...rest] = words.flatMap((word) => keysFrom(word));
  if (head === undefined) {
    throw new CorefileError(
      first.position,
      `found ${show(first.text)}, expected the zones of a server block, such as ".:53"`,
    );
  }
  for (const { text, position } of words) {
    if (text.includes(','))
      allowance.warn(position, `${show(text)} is one zone with a comma in its name; put a blank after the comma`);
  }
  const keys: readonly [BlockKey, ...BlockKey[]] = [head, ...rest];
  const directives = blockBody(stream, allowance);
  if (directives.length === 0)
    allowance.warn(first.position, `server block ${show(first.text)} has no plugins: it answers nothing`);
  return { keys, position: first.position, directives };
}

/** The words before the `{`, or on the first line of a block without braces. A trailing comma goes on to the next line. */
function keyWords(stream: TokenStream, first: Lexeme): readonly Token[] {
  const words: Token[] = [];
  let comma: Lexeme | undefined;
  for (let word: Lexeme | undefined = first; word !== undefined; word = nextKeyWord(stream, comma !== undefined)) {
    if (word.kind === 'open') {
      if (comma !== undefined) refuse(word, 'another zone after the comma');
      break;
    }
    if (word.kind === 'close') refuse(word, 'a zone or "{"');
    stream.take(word);
    comma = word.text.endsWith(',') ? word : undefined;
    const text = comma === undefined ? word.text : word.text.slice(0, -1);
    if (text.length > 1 && text.endsWith('{')) refuse(word, 'a blank before "{"');
    if (isSnippet(word)) refuse(word, 'a snippet to stand alone before its "{"');
    if (text !== '') words.push({ text, position: word.position });
  }
  if (comma !== undefined && stream.peek() === undefined) {
    throw new CorefileError(comma.position, 'found the end of the file after a comma, expected another zone');
  }
  return words;
}

/** On the same line, or on the next one after a comma. */
function nextKeyWord(stream: TokenStream, isContinued: boolean): Lexeme | undefined {
  const word = stream.peek();
  if (word?.startsLine !== true || word.kind === 'open') return word;
  return isContinued ? stream.peekLine() : undefined;
}

/** With braces to the closing one, without to the end of the file. */
function blockBody(stream: TokenStream, allowance: Allowance): readonly Directive[] {
  const opening = stream.peek();
  const isBraced = opening?.kind === 'open';
  if (isBraced) stream.take(opening);
  const directives: Directive[] = [];
  for (let word = stream.peekLine(); word !== undefined; word = stream.peekLine()) {
    const before = directives.at(-1);
    if (word.kind === 'close') {
      if (isBraced) {
        stream.take(word);
        return directives;
      }
      if (before === undefined) refuse(word, 'plugins, or "{" before them');
      skipSurplus(stream, word, allowance);
    } else if (word.kind === 'open') {
      refuse(
        word,
        before === undefined
          ? 'a plugin'
          : `a plugin; the "{" of ${show(before.name.text)} must stand at the end of its line`,
      );
    } else {
      directives.push(directive(stream, word));
    }
  }
  if (isBraced) neverClosed(opening);
  return directives;
}

function directive(stream: TokenStream, name: Lexeme): Directive {
  const { args, opening } = line(stream, name);
  if (opening === undefined) return { name: plain(name), args, body: undefined };
  stream.take(opening);
  const body: Line[] = [];
  for (let word = stream.peekLine(); word !== undefined; word = stream.peekLine()) {
    if (word.kind === 'close') {
      stream.take(word);
      const surplus = stream.peekArgument();
      if (surplus !== undefined) refuse(surplus, 'the end of the line after "}"');
      return { name: plain(name), args, body };
    }
    if (word.kind === 'open') refuse(word, `an option of ${show(name.text)}, or "}"`);
    const inner = line(stream, word);
    if (inner.opening !== undefined)
      refuse(inner.opening, 'the end of the line: blocks inside the block of a plugin do not exist');
    body.push({ name: plain(word), args: inner.args });
  }
  return neverClosed(opening);
}

/** The words after the first one of a line, up to a `{`. */
function line(stream: TokenStream, name: Lexeme): { args: readonly Token[]; opening: Lexeme | undefined } {
  stream.take(name);
  const args: Token[] = [];
  for (let word = stream.peekArgument(); word !== undefined; word = stream.peekArgument()) {
    if (word.kind === 'open') return { args, opening: word };
    if (word.kind === 'close') refuse(word, 'the end of the line; a closing "}" must stand on a line of its own');
    args.push(plain(stream.take(word)));
  }
  return { args, opening: undefined };
}

function isSnippet(word: Lexeme): boolean {
  return word.kind === 'word' && word.text.startsWith('(') && word.text.endsWith(')');
}

/** Everything between a snippet's braces as it stands: imports in it are replaced where it is imported. */
function snippetBody(stream: TokenStream, name: Lexeme): readonly Lexeme[] {
  stream.take(name);
  if (name.text.length < 3) refuse(name, 'a name between the parentheses of a snippet');
  const opening = stream.peek();
  if (opening?.kind !== 'open') {
    const expected = `"{" after the name of snippet ${show(name.text)}`;
    if (opening !== undefined) refuse(opening, expected);
    throw new CorefileError(name.position, `found the end of the file, expected ${expected}`);
  }
  stream.take(opening);
  const body: Lexeme[] = [];
  let depth = 1;
  for (let word = stream.peek(); word !== undefined; word = stream.peek()) {
    stream.take(word);
    if (word.kind === 'open') depth++;
    if (word.kind === 'close') depth--;
    if (depth === 0) return body;
    body.push(body.length === 0 ? { ...word, startsLine: true } : word);
  }
  return neverClosed(opening);
}

/** CoreDNS takes a surplus `}` at the end of a file for a zone of that name; anywhere else something is wrong. */
function skipSurplus(stream: TokenStream, brace: Lexeme, allowance: Allowance): void {
  stream.take(brace);
  const next = stream.peekLine();
  if (next !== undefined && next.kind !== 'close')
    refuse(brace, 'a zone or a plugin: there is no "{" that it could close');
  allowance.warn(brace.position, 'found a "}" that closes nothing; it is left aside');
}

function neverClosed(opening: Lexeme): never {
  throw new CorefileError(
    opening.position,
    'found a "{" that is never closed, expected a "}" before the end of the file',
  );
}

function plain(lexeme: Lexeme): Token {
  return { text: lexeme.text, position: lexeme.position };
}
