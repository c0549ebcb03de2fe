/** What passes a network namespace, as bench/ndots/capture.c prints it. Knows nothing of who asks whom. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import type { Milliseconds } from '../../zones/units.ts';

/** A DNS message on its way. */
export type Passed = {
  /** Of the kernel's clock. */
  readonly at: Milliseconds;
  readonly isQuery: boolean;
  readonly transport: 'udp' | 'tcp';
  /** `address:port`. */
  readonly from: string;
  readonly to: string;
  readonly rcode: number;
  readonly type: number;
  /** In presentation format and lower case, without the final dot. */
  readonly name: string;
};

export class Capture {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** @param command with what goes in front of it to run it in the namespace */
  static async start(command: readonly string[]): Promise<Capture> {
    const [file = '', ...words] = command;
    const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const capture = new Capture(child, lines);
    await capture.#untilMark();
    return capture;
  }

  /**
   * What passed since the last time, in order.
   * @throws Error if the kernel dropped some of it
   */
  async passed(): Promise<readonly Passed[]> {
    this.#child.stdin?.write('\n');
    return this.#untilMark();
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exited;
  }

  async #untilMark(): Promise<readonly Passed[]> {
    const found: Passed[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error('the capture has ended');
      if (value.startsWith('. ')) {
        if (value !== '. 0') throw new Error(`the capture lost ${value.slice(2)} packets`);
        return found;
      }
      found.push(passedFrom(value));
    }
  }
}

function passedFrom(line: string): Passed {
  const [at, way, transport, from = '', to = '', rcode, type, name = ''] = line.split(' ');
  return {
    at: Number(at) / 1e6,
    isQuery: way === 'query',
    transport: transport === 'tcp' ? 'tcp' : 'udp',
    from,
    to,
    rcode: Number(rcode),
    type: Number(type),
    name: name.toLowerCase(),
  };
}
