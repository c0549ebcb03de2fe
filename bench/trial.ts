/** One server, started afresh, under one load or at rest. Knows nothing of rounds and tables. */

import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Count, Milliseconds } from '../zones/units.ts';
import { Asker } from './asker.ts';
import type { Command, Contender } from './contenders.ts';
import { wordsOf, type Load, type Measurement } from './job.ts';
import type { Native } from './native.ts';
import { processesOf } from './process-cost.ts';
import { start, stop, type Cores } from './processes.ts';
import type { BenchQuestion } from './question.ts';
import { questionFileOf } from './question-file.ts';
import type { BenchService } from './services.ts';

/** What stays the same in all trials. */
export type Surroundings = {
  readonly upstreamPort: number;
  readonly compileCache: string;
  readonly cores: Cores;
  readonly native: Native | undefined;
};

/** The data that a server is given. */
export type Served = { readonly services: readonly BenchService[]; readonly outside: Count };

/** A server that runs. */
export type Started = {
  readonly pid: number;
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  /**
   * Waits until the first question is answered rightly.
   * @throws Error if the server ends, or never answers rightly
   */
  readonly untilAnswered: (questions: readonly BenchQuestion[]) => Promise<void>;
  /** The same with that question, if it is not the first one, and then the load. */
  readonly measure: (questions: readonly BenchQuestion[], load: Load, first?: BenchQuestion) => Promise<Measurement>;
};

/**
 * Starts the server, lets `use` have it, and ends it. One whose port somebody else has taken meanwhile, as any query from this machine may, is started
 * again, and `use` with it.
 * @throws Error if it ends before
 */
export async function withServer<T>(
  contender: Contender,
  surroundings: Surroundings,
  served: Served,
  use: (server: Started) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await withServerOnce(contender, surroundings, served, use);
    } catch (error) {
      if (tries === START_TRIES_MAX || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

async function withServerOnce<T>(
  contender: Contender,
  surroundings: Surroundings,
  served: Served,
  use: (server: Started) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  let server: ChildProcess | undefined;
  let command: Command | undefined;
  try {
    const port = await freePort();
    const adminPorts = [await freePort(), await freePort(), await freePort()] as const;
    const { upstreamPort, compileCache, cores } = surroundings;
    command = await contender.prepare({ folder, port, adminPorts, upstreamPort, compileCache, ...served });
    server = start(command.words, cores?.server, ['ignore', 'pipe', 'pipe'], command.variables);
    const pid = server.pid ?? 0;
    const fate = fateOf(server, contender.name);
    fate.catch(() => {}); // when it is stopped, nobody waits for it any more
    const ready = (questions: readonly BenchQuestion[]): Promise<void> => {
      const [first] = questions.map((question) => askedOf(contender, question));
      return Promise.race([fate, first === undefined ? undefined : untilAnswered(port, first)]);
    };
    const used = use({
      pid,
      port,
      untilAnswered: ready,
      async measure(questions, load, first) {
        await ready(first === undefined ? questions.slice(0, 1) : [first]);
        const file = join(folder, `questions-${String(process.hrtime.bigint())}`);
        await writeFile(file, questionFileOf(questions.map((question) => askedOf(contender, question))));
        return generate(wordsOf(load, { port, pids: processesOf(pid), file }), surroundings, fate);
      },
    });
    return await Promise.race([fate, used]);
  } finally {
    if (server !== undefined) await stop(server);
    await command?.close?.();
    await rm(folder, { recursive: true, force: true });
  }
}

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));
const START_TRIES_MAX: Count = 5;
const PORT_TAKEN = /another program uses (that port|it)|address (already )?in use/i;
/** What is kept of what a server writes, for when it ends unasked. */
const LOG_KEPT: Count = 4_000;
const START_DEADLINE: Milliseconds = 60_000;
const START_POLL: Milliseconds = 50;

/** What a right answer is from that server. */
function askedOf({ isEcho = false, deniesBarely = false }: Contender, question: BenchQuestion): BenchQuestion {
  if (isEcho) return { ...question, rcode: 0, records: [], wantsSoa: false };
  return deniesBarely ? { ...question, wantsSoa: false } : question;
}

/** A server that starts says nothing, refuses or fails; none of that is wrong yet. */
async function untilAnswered(port: number, question: BenchQuestion): Promise<void> {
  const asker = await Asker.open(port, [question]);
  try {
    const deadline = performance.now() + START_DEADLINE;
    while (asker.tally.answered === 0) {
      if (performance.now() > deadline) {
        const last = asker.tally.faults.at(-1) ?? 'no reply at all';
        throw new Error(`no right answer within ${START_DEADLINE} ms: ${last}`);
      }
      asker.ask(1);
      await pause(START_POLL);
    }
  } finally {
    asker.close();
  }
}

async function generate(
  words: readonly string[],
  { native, cores }: Surroundings,
  fate: Promise<never>,
): Promise<Measurement> {
  const program = native === undefined ? [process.execPath, GENERATOR] : [native.generator];
  const child = start([...program, ...words], cores?.generator, ['ignore', 'pipe', 'inherit']);
  try {
    if (child.stdout === null) throw new Error('a generator without output');
    const ended = once(child, 'exit');
    const said = text(child.stdout);
    const [code] = await Promise.race([fate, ended]);
    if (code !== 0) throw new Error(`the generator ended with code ${String(code)}`);
    return JSON.parse(await said) as Measurement; // what generators say
  } finally {
    await stop(child);
  }
}

/** Rejects when the server ends, with what it wrote. */
async function fateOf(server: ChildProcess, name: string): Promise<never> {
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (octets: Buffer) => (log = (log + octets.toString()).slice(-LOG_KEPT)));
  }
  const [code] = await once(server, 'exit');
  throw new Error(`${name} ended with code ${String(code)}:\n${log}`);
}

/** A port that is free for UDP and for TCP on 127.0.0.1 just now. */
async function freePort(): Promise<number> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo; // an AddressInfo because it listens on a port, not on a path
    const udp = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.close();
    await new Promise((resolve) => void tcp.close(resolve));
    if (isFree) return port;
  }
}
