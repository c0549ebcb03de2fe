/** Starts tests/support/batched-listener.ts as a process and reads what it says. Knows no datagrams. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type { ListenerSays, ListenerWishes } from './batched-listener.ts';
import { ROOT } from './server.ts';

const PROGRAM = 'tests/support/batched-listener.ts';

export class ListenerProcess {
  readonly log: readonly string[];
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, log: readonly string[], port: number) {
    this.#child = child;
    this.#lines = lines;
    this.log = log;
    this.port = port;
  }

  /** `options` are Node's; `where` goes in front of the command. */
  static async start(
    wishes: ListenerWishes,
    options: readonly string[] = [],
    where: readonly string[] = [],
  ): Promise<ListenerProcess> {
    const [file, ...words] = [...where, process.execPath, ...options, PROGRAM, JSON.stringify(wishes)];
    const child = spawn(file, words, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const log: string[] = [];
    for (;;) {
      const said = await next(lines);
      if (said.says === 'log') log.push(said.line);
      else if (said.says === 'listening') return new ListenerProcess(child, lines, log, said.port);
    }
  }

  /** Ends it; what it says last and its exit code. */
  async close(): Promise<ListenerSays & { readonly says: 'closed'; readonly code: number }> {
    const exited = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.stdin?.end();
    const said = await next(this.#lines);
    const [code] = await exited;
    if (said.says !== 'closed') throw new Error(`it said ${said.says} instead of closing`);
    return { ...said, code: code ?? Number.NaN };
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

async function next(lines: AsyncIterator<string>): Promise<ListenerSays> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('it has ended');
  return JSON.parse(value) as ListenerSays; // written by batched-listener.ts, which has the type
}
