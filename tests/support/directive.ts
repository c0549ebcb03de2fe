/** A plugin's options from lines of a Corefile, read by the server's own parser. Knows no plugin. */

import { loadCorefile } from '../../server/corefile/load.ts';
import type { ServerBlock } from '../../server/corefile/block.ts';
import { CorefileError } from '../../server/errors.ts';
import type { Plugin } from '../../server/pipeline.ts';

/**
 * What the plugin makes of directives that stand alone in a block for `.`; `text` begins on line 2.
 * @throws CorefileError
 */
export function optionsFrom<Options>(plugin: Plugin<Options>, text: string): Options {
  const block = blockFrom(`. {\n${text}\n}\n`);
  const [first, ...more] = block.directives;
  if (first === undefined) throw new Error(`"${text}" holds no directive`);
  const options = plugin.parse([first, ...more], block);
  structuredClone(options); // or it could not cross to a data thread
  return options;
}

/** `Corefile:line:column: message` of what the plugin refuses; undefined if it takes it. */
export function faultOf<Options>(plugin: Plugin<Options>, text: string): string | undefined {
  try {
    optionsFrom(plugin, text);
  } catch (error) {
    if (error instanceof CorefileError) return error.message;
    throw error;
  }
  return undefined;
}

/** The only server block of a text. */
export function blockFrom(text: string): ServerBlock {
  const { blocks } = loadCorefile('Corefile', { environment: new Map(), readFile: () => text });
  const [block] = blocks;
  if (block === undefined || blocks.length !== 1) throw new Error(`"${text}" is not one server block`);
  return block;
}
