/** The programs of this bench that are compiled when it starts: the capture, and clients that are libraries. Knows nothing of what they do. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { COMPILERS } from '../native.ts';
import { isInstalled } from '../processes.ts';

export type ProgramName = 'capture' | 'musl' | 'ares' | 'go';

/** Paths of programs, and why the others are not here. */
export type Programs = {
  readonly paths: ReadonlyMap<ProgramName, string>;
  readonly missing: ReadonlyMap<ProgramName, string>;
  readonly remove: () => Promise<void>;
};

/** Compiles these programs, those that can be compiled here. */
export async function compiled(names: readonly ProgramName[]): Promise<Programs> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-ndots-'));
  const paths = new Map<ProgramName, string>();
  const missing = new Map<ProgramName, string>();
  for (const name of names) {
    const program = join(folder, name);
    const fault = await faultOf(RECIPES[name], program);
    if (fault === undefined) paths.set(name, program);
    else missing.set(name, fault);
  }
  return { paths, missing, remove: () => rm(folder, { recursive: true, force: true }) };
}

type Recipe = {
  readonly compilers: readonly string[];
  /** Between the compiler and the program's path, and behind that. */
  readonly words: readonly [before: readonly string[], after: readonly string[]];
};

const sourceOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const C = ['-O2', '-w'];
const LOOKUP = sourceOf('../../fixtures/programs/lookup.c');
const RECIPES: Readonly<Record<ProgramName, Recipe>> = {
  capture: { compilers: COMPILERS, words: [[...C, '-o'], [sourceOf('capture.c')]] },
  musl: { compilers: ['musl-gcc'], words: [[...C, '-static', '-o'], [LOOKUP]] },
  ares: {
    compilers: ['cc', 'gcc', 'clang'],
    words: [
      [...C, '-o'],
      [sourceOf('clients/ares.c'), '-lcares'],
    ],
  },
  go: { compilers: ['go'], words: [['build', '-o'], [sourceOf('clients/lookup.go')]] },
};

async function faultOf({ compilers, words: [before, after] }: Recipe, program: string): Promise<string | undefined> {
  const here = compilers.filter(isInstalled);
  let fault = `${compilers.join(', ')} not installed`;
  for (const compiler of here) {
    try {
      // Without cgo Go has no other resolver than its own.
      await promisify(execFile)(compiler, [...before, program, ...after], {
        env: { ...process.env, CGO_ENABLED: '0' },
      });
      return undefined;
    } catch (error) {
      fault = String(error).split('\n').slice(0, 3).join(' ').slice(0, FAULT_KEPT);
    }
  }
  return fault;
}

const FAULT_KEPT = 300;
