/** Calls between the bench and a process that it starts. Knows nothing of what is called. */

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Count, Milliseconds } from '../../zones/units.ts';

/** What a process can be asked for; words and results are plain data. */
type Calls = { readonly [name: string]: (...words: never[]) => unknown };

type Asked = { readonly id: Count; readonly name: string; readonly words: readonly unknown[] };
type Told = { readonly id: Count; readonly result: unknown; readonly error: string | undefined };

/** A process that answers calls; it ends with this one. */
export class Callee<Known extends Calls> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<Count, PromiseWithResolvers<unknown>>();
  #calls: Count = 0;

  constructor(program: URL, words: readonly string[] = []) {
    const path = fileURLToPath(program);
    this.#child = fork(path, words, { serialization: 'advanced' });
    this.#child.on('message', ({ id, result, error }: Told) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    this.#child.once('exit', (code) => {
      const error = new Error(`${basename(path)} ended with code ${String(code)}`);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
    });
  }

  /** @throws Error if the call fails, or the process ends */
  call<Name extends keyof Known & string>(
    name: Name,
    ...words: Parameters<Known[Name]>
  ): Promise<Awaited<ReturnType<Known[Name]>>> {
    if (!this.#child.connected) return Promise.reject(new Error(`${name} was called of a process that has ended`));
    const waiting = Promise.withResolvers<unknown>();
    const asked: Asked = { id: ++this.#calls, name, words };
    this.#waiting.set(asked.id, waiting);
    this.#child.send(asked);
    return waiting.promise as Promise<Awaited<ReturnType<Known[Name]>>>; // `answerCalls` has the same calls
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** In the process that was started: answers every call, until whoever calls is gone. */
export function answerCalls(answers: Calls): void {
  process.on('message', ({ id, name, words }: Asked) => {
    const tell = (told: Omit<Told, 'id'>): void => void process.send?.({ id, ...told });
    Promise.try(async () => answers[name]?.(...(words as never[]))).then(
      (result) => tell({ result, error: undefined }),
      (error: unknown) =>
        tell({ result: undefined, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/** The same clock in all processes of a machine. */
export function sharedNow(): Milliseconds {
  return Number(process.hrtime.bigint()) / 1e6;
}
