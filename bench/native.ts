/** The bench's programs in C, compiled when it starts if there is a compiler. Knows nothing of what they do. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { isInstalled } from './processes.ts';

export type Native = {
  readonly compiler: string;
  /** Paths of programs. */
  readonly generator: string;
  readonly floor: string;
};

/** A compiler may be there without the headers of a C library; then the next is tried. */
export const COMPILERS: readonly string[] = ['cc', 'gcc', 'clang', 'musl-gcc'];
const SOURCES = fileURLToPath(new URL('./native/', import.meta.url));

/** Lets `use` have the programs, or undefined if they cannot be compiled here. */
export async function withNative<T>(use: (native: Native | undefined) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  try {
    return await use(await compiledIn(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function compiledIn(folder: string): Promise<Native | undefined> {
  for (const compiler of COMPILERS.filter(isInstalled)) {
    try {
      const [generator = '', floor = ''] = await Promise.all(
        ['generator', 'floor'].map(async (name) => {
          const program = join(folder, name);
          await promisify(execFile)(compiler, ['-O2', '-w', '-o', program, join(SOURCES, `${name}.c`)]);
          return program;
        }),
      );
      return { compiler, generator, floor };
    } catch (error) {
      process.stderr.write(`${compiler} does not compile the bench's programs: ${String(error).slice(0, 500)}\n`);
    }
  }
  return undefined;
}
