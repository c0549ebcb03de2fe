/** One server, started afresh, under one load or at rest. Knows processes and cores, nothing of tables. */

import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Count, Milliseconds } from '../zones/units.ts';
import { isInstalled, searchPath, type Command, type Contender } from './contenders.ts';
import type { Job, Load, Measurement } from './generator.ts';
import type { BenchQuestion } from './question.ts';
import type { BenchService } from './services.ts';

/** The cores of server and generator; undefined if there are not two, or no taskset(1) to choose. */
export type Cores = { readonly server: number; readonly generator: number } | undefined;

/** A server that runs. */
export type Started = {
  readonly pid: number;
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  /**
   * Waits until the first question is answered rightly, then measures if there is a load.
   * @throws Error if the server ends, or never answers rightly
   */
  readonly measure: (questions: readonly BenchQuestion[], load: Load | undefined) => Promise<Measurement>;
};

/**
 * Starts the server, lets `use` have it, and ends it. One whose port somebody else has taken meanwhile, as any query from this machine may, is started
 * again, and `use` with it.
 * @throws Error if it ends before
 */
export async function withServer<T>(
  contender: Contender,
  services: readonly BenchService[],
  upstreamPort: number,
  cores: Cores,
  use: (server: Started) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await withServerOnce(contender, services, upstreamPort, cores, use);
    } catch (error) {
      if (tries === START_TRIES_MAX || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

async function withServerOnce<T>(
  contender: Contender,
  services: readonly BenchService[],
  upstreamPort: number,
  cores: Cores,
  use: (server: Started) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  let server: ChildProcess | undefined;
  let command: Command | undefined;
  try {
    const port = await freePort();
    const adminPorts = [await freePort(), await freePort(), await freePort()] as const;
    command = await contender.prepare({ folder, port, adminPorts, services, upstreamPort });
    server = start(command.words, cores?.server, ['ignore', 'pipe', 'pipe'], command.variables);
    const pid = server.pid ?? 0;
    const fate = fateOf(server, contender.name);
    fate.catch(() => {}); // when it is stopped, nobody waits for it any more
    const used = use({
      pid,
      port,
      measure: (questions, load) => generate({ port, pid, questions, load }, cores, fate),
    });
    return await Promise.race([fate, used]);
  } finally {
    if (server !== undefined) await stop(server);
    await command?.close?.();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first and the last core that this process may use: seldom two threads of one core. */
export function chooseCores(): Cores {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  const numbers = allowed?.split(/[,-]/).map(Number) ?? [];
  const [server = 0, generator = numbers.at(-1) ?? 0] = [numbers[0]];
  return server === generator || !isInstalled('taskset') ? undefined : { server, generator };
}

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));
const START_TRIES_MAX: Count = 5;
const PORT_TAKEN = /another program uses (that port|it)|address (already )?in use/i;
const STOP_DEADLINE: Milliseconds = 10_000;
/** What is kept of what a server writes, for when it ends unasked. */
const LOG_KEPT: Count = 4_000;

async function generate(job: Job, cores: Cores, fate: Promise<never>): Promise<Measurement> {
  const child = start([process.execPath, GENERATOR], cores?.generator, ['ignore', 'inherit', 'inherit', 'ipc']);
  try {
    const measured = once(child, 'message');
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the generator ended with code ${String(code)}`);
    });
    ended.catch(() => {}); // it ends after its measurement, too
    child.send(job);
    const [measurement] = await Promise.race([fate, ended, measured]);
    return measurement as Measurement; // what generator.ts sends
  } finally {
    await stop(child);
  }
}

/** It is ended with this process, whatever ends that. */
function start(
  words: readonly string[],
  core: number | undefined,
  stdio: ('ignore' | 'pipe' | 'inherit' | 'ipc')[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [program = '', ...rest] = core === undefined ? words : ['taskset', '-c', String(core), ...words];
  const env = { ...process.env, ...variables, PATH: searchPath() };
  const child = spawn(program, rest, { stdio, env, serialization: 'advanced' });
  const kill = (): boolean => child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** Rejects when the server ends, with what it wrote. */
async function fateOf(server: ChildProcess, name: string): Promise<never> {
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-LOG_KEPT)));
  }
  const [code] = await once(server, 'exit');
  throw new Error(`${name} ended with code ${String(code)}:\n${log}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
  await exited;
  clearTimeout(timer);
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
