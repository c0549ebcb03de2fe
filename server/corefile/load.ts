/** From a path to a Corefile as values, imports and variables resolved. Knows no directive by name. */

import { createHash } from 'node:crypto';

import { present } from '../../zones/name.ts';
import { Allowance } from './allowance.ts';
import type { Line, ServerBlock, Token } from './block.ts';
import type { Environment } from './environment.ts';
import { DISK, readStandardInput, type Files } from './files.ts';
import { Importer } from './import.ts';
import { blocksOf } from './parser.ts';
import { TokenStream } from './stream.ts';

/** A Corefile that is right as far as the grammar goes. */
export type Corefile = {
  readonly blocks: readonly ServerBlock[];
  /** `file:line:column: what is odd and what is made of it` */
  readonly warnings: readonly string[];
  /**
   * SHA-512 in hexadecimal over the words and how they belong together, not over where they stand: moving a comment changes
   * nothing, so nothing is reloaded for it.
   */
  readonly digest: string;
  /** Has the file no server block? Then `blocks` are CoreDNS's default. */
  readonly isEmpty: boolean;
};

/** Where to read from. */
export type LoadOptions = Partial<Files> & {
  readonly environment: Environment;
  /** What the path `stdin` means. */
  readonly readStandardInput?: () => string;
};

/** What CoreDNS serves when its Corefile has no server block. */
const DEFAULT_COREFILE = '. {\n  whoami\n  log\n}\n';

/**
 * Reads a Corefile and everything that it imports; `stdin` is standard input.
 * @throws CorefileError, and nothing else, if it cannot be read or is not a Corefile
 */
export function loadCorefile(path: string, options: LoadOptions): Corefile {
  const standardInput = options.readStandardInput ?? readStandardInput;
  const files: Files = {
    readFile: options.readFile ?? DISK.readFile,
    listDirectory: options.listDirectory ?? DISK.listDirectory,
  };
  const allowance = new Allowance();
  const start: Token = { text: path, position: { file: path, line: 1, column: 1 } };
  const importer = new Importer(files, options.environment, allowance);
  const read = path === 'stdin' ? standardInput : () => files.readFile(path);
  const stream = new TokenStream(
    { source: `file ${path}`, lexemes: importer.lex(read, start) },
    start,
    importer,
    allowance,
  );
  const blocks = blocksOf(stream, importer, allowance);
  if (blocks.length > 0) return { blocks, warnings: allowance.warnings(), digest: digestOf(blocks), isEmpty: false };

  allowance.warn(
    start.position,
    'there is no server block in this file; every name is answered by "whoami", as in CoreDNS',
  );
  const words = importer.lex(() => DEFAULT_COREFILE, start);
  const standard = new TokenStream({ source: 'default', lexemes: words }, start, importer, allowance);
  const standardBlocks = blocksOf(standard, importer, allowance);
  const digest = digestOf(standardBlocks);
  return { blocks: standardBlocks, warnings: allowance.warnings(), digest, isEmpty: true };
}

function digestOf(blocks: readonly ServerBlock[]): string {
  const texts = blocks.map(({ keys, directives }) => [
    keys.map(({ transport, zone, port }) => [transport, present(zone), port ?? '']),
    directives.map((directive) => [...textsOf(directive), directive.body?.map(textsOf) ?? '']),
  ]);
  return createHash('sha512').update(JSON.stringify(texts)).digest('hex');
}

function textsOf(line: Line): readonly string[] {
  return [line.name.text, ...line.args.map((argument) => argument.text)];
}
