/**
 * Other people's programs that tests talk to: whether they are here, what they say, and how a long-running one is started
 * and ended. Knows no program by what it does, and runs outside of tests too.
 */

import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Milliseconds } from '../../zones/units.ts';

/** Is there a program of that name? Looked for where root's shell looks too: servers live in sbin. */
export function isInstalled(name: string): boolean {
  return searchPath()
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, name)));
}

/** What a program that ended wrote. `code` is NaN if a signal ended it. */
export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end, with `input` on its standard input; its exit code is an outcome, not a fault. */
export function run(command: readonly string[], input = ''): Promise<Finished> {
  const [file = '', ...words] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(file, words, { env: environment(), timeout: RUN_DEADLINE }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code === 'string') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
    child.stdin?.on('error', () => {}).end(input);
  });
}

/** A program that goes on running. */
export class Running {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | undefined>;
  #log = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#exited = new Promise((resolve) => void child.once('exit', (code) => resolve(code ?? undefined)));
    child.stdout?.on('data', (text: Buffer) => void (this.#log += text.toString()));
    child.stderr?.on('data', (text: Buffer) => void (this.#log += text.toString()));
  }

  /**
   * Starts it and waits until it is up.
   * @throws Error with what it wrote, if it ends before or is not up in time
   */
  static async start(
    command: readonly string[],
    isUp: (program: Running) => boolean | Promise<boolean>,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Running> {
    const [file = '', ...words] = command;
    const child = spawn(file, words, { env: { ...environment(), ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.on('error', () => {});
    const program = new Running(child);
    try {
      await until(`${file} is up`, () => {
        if (child.exitCode !== null) throw new Error(`${file} ended with code ${child.exitCode}`);
        return isUp(program);
      });
    } catch (error) {
      await program.stop();
      throw new Error(`${String(error)}\n${program.log}`, { cause: error });
    }
    return program;
  }

  /** What it wrote so far, both streams. */
  get log(): string {
    return this.#log;
  }

  /** The exit code, once it ended; undefined if a signal ended it. */
  get exited(): Promise<number | undefined> {
    return this.#exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it with SIGTERM, and with SIGKILL if that is not enough. */
  async stop(): Promise<number | undefined> {
    if (this.pid === 0) return undefined;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }
}

/**
 * Waits until something is so, looking again and again.
 * @throws Error that says what was waited for, if it is not so in time
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + UNTIL_DEADLINE;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${UNTIL_DEADLINE} ms until ${what}`);
    await pause(LOOK_EVERY);
  }
}

/** Deadlines, not measures: long enough for a busy machine, so that only silence reaches them. */
const RUN_DEADLINE: Milliseconds = 40_000;
const UNTIL_DEADLINE: Milliseconds = 30_000;
const STOP_DEADLINE: Milliseconds = 15_000;
const LOOK_EVERY: Milliseconds = 20;

/** In English, with the machine's own settings of dig and resolver left out. */
function environment(): NodeJS.ProcessEnv {
  const { LOCALDOMAIN: _, RES_OPTIONS: __, ...variables } = process.env;
  return { ...variables, PATH: searchPath(), LC_ALL: 'C', HOME: '/nonexistent' };
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
