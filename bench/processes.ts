/** Starts and ends other programs, on cores that are chosen. Knows nothing of what they do. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import type { Count, Milliseconds } from '../zones/units.ts';

/** As taskset(1) wants it: `0` or `2,3`. */
export type CoreList = string;

/** The cores of server and generator; undefined if there are too few, or no taskset(1) to choose. */
export type Cores = { readonly server: CoreList; readonly generator: CoreList } | undefined;

const STOP_DEADLINE: Milliseconds = 10_000;

/** The first cores that this process may use, and the last ones: seldom two threads of one core. */
export function chooseCores(perSide: Count = 1): Cores {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '';
  const numbers = allowed.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  if (numbers.length < 2 * perSide || !isInstalled('taskset')) return undefined;
  return { server: numbers.slice(0, perSide).join(','), generator: numbers.slice(-perSide).join(',') };
}

/** It is ended with this process, whatever ends that. */
export function start(
  words: readonly string[],
  cores: CoreList | undefined,
  stdio: ('ignore' | 'pipe' | 'inherit')[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [program = '', ...rest] = cores === undefined ? words : ['taskset', '-c', cores, ...words];
  const env = { ...process.env, ...variables, PATH: searchPath() };
  const child = spawn(program, rest, { stdio, env });
  const kill = (): boolean => child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
  await exited;
  clearTimeout(timer);
}

/** Is there a program of that name? Servers live in sbin, which is not in everybody's PATH. */
export function isInstalled(program: string): boolean {
  return searchPath()
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, program)));
}

function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
