/** Corefiles in memory: texts by path instead of a disk. Knows no plugin. */

import type { ServerBlock } from '../../server/corefile/block.ts';
import { loadCorefile, type Corefile } from '../../server/corefile/load.ts';
import { CorefileError } from '../../server/errors.ts';
import { present } from '../../zones/name.ts';

/** Files by path and variables by name; `Corefile` is what is loaded. */
export type Texts = Readonly<Record<string, string>>;

/** Loads `Corefile`, which may import the other files; a path that is missing fails as the system would fail it. */
export function corefileOf(files: Texts, variables: Texts = {}): Corefile {
  const paths = new Map(Object.entries(files));
  return loadCorefile('Corefile', {
    environment: new Map(Object.entries(variables)),
    readFile(path) {
      const text = paths.get(path);
      if (text !== undefined) return text;
      const isDirectory = [...paths.keys()].some((each) => each.startsWith(`${path}/`));
      throw new Error(isDirectory ? 'it is a directory' : `ENOENT: no such file or directory, open '${path}'`);
    },
    listDirectory(directory) {
      const prefix = directory === '.' ? '' : `${directory}/`;
      const names = [...paths.keys()].filter((path) => path.startsWith(prefix));
      return [...new Set(names.map((path) => path.slice(prefix.length).split('/', 1)[0] ?? ''))].toReversed();
    },
  });
}

/** Zones, then one line for each directive with `{ }` around its body: what the grammar made of a text. */
export function outline(blocks: readonly ServerBlock[]): readonly string[] {
  return blocks.flatMap(({ keys, directives }) => [
    keys.map(({ transport, zone, port }) => `${transport}://${present(zone)}:${port ?? ''}`).join(' '),
    ...directives.map(({ name, args, body }) => {
      const words = [name, ...args].map(({ text }) => text).join('|');
      if (body === undefined) return `  ${words}`;
      return `  ${words} {${body.map((line) => [line.name, ...line.args].map(({ text }) => text).join('|')).join(';')}}`;
    }),
  ]);
}

/** The message of the CorefileError that `action` throws; undefined if it throws nothing. */
export function messageOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof CorefileError) return error.message;
    throw error;
  }
  return undefined;
}
