/**
 * Starts fivedots as an operator does, as a process of its own with a Corefile, and ends it. Knows the command line, not
 * one function of the server.
 */

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { exchange } from './client.ts';
import { asked, encodeQuery } from './query.ts';

export type StartOptions = {
  /** A Corefile; it says `{$PORT}` where the DNS port goes and `{$READY_PORT}` where the port of `ready` does. */
  readonly corefile: { readonly file: string } | { readonly text: string };
  /** What else the Corefile asks for as `{$NAME}`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Wait until every plugin is ready, or only until a query is answered (which needs no `ready` in the Corefile). */
  readonly until?: 'ready' | 'answering';
  /** The DNS port, if it must be known before; `freePort` gives one. */
  readonly port?: number;
  /** Further words of the command line. */
  readonly args?: readonly string[];
};

export type StartedServer = {
  readonly port: number;
  readonly readyPort: number;
  readonly pid: number;
  /** What it wrote so far, both streams. */
  readonly log: () => string;
  /** The exit code, once it ended; undefined if a signal ended it. */
  readonly exited: Promise<number | undefined>;
  /** SIGTERM, then the exit code. */
  readonly close: () => Promise<number | undefined>;
};

/** @throws Error with what the server wrote, if it ends or does not answer in time */
export async function startServer(options: StartOptions): Promise<StartedServer> {
  for (let tries = 1; ; tries++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // A query to somebody's upstream goes out from any port, and may have taken ours before the server had it.
      if (tries === START_TRIES_MAX || !/another program uses (that port|it)/.test(String(error))) throw error;
    }
  }
}

const START_TRIES_MAX: Count = 5;

async function startOnce(options: StartOptions): Promise<StartedServer> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-'));
  const file = 'file' in options.corefile ? options.corefile.file : join(folder, 'Corefile');
  if ('text' in options.corefile) await writeFile(file, options.corefile.text);
  const port = options.port ?? (await freePort());
  const readyPort = await freePort();
  const child = spawn(process.execPath, ['server/main.ts', '-conf', file, ...(options.args ?? [])], {
    cwd: ROOT,
    env: { ...process.env, ...options.environment, PORT: String(port), READY_PORT: String(readyPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test run that is broken off leaves nothing behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let log = '';
  child.stdout.on('data', (text: Buffer) => void (log += text.toString()));
  child.stderr.on('data', (text: Buffer) => void (log += text.toString()));
  const exited = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : undefined));

  const close = async (): Promise<number | undefined> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE);
    const code = await exited;
    clearTimeout(timer);
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  const isUp = (options.until ?? 'ready') === 'ready' ? () => isReady(readyPort) : () => isAnswering(port);
  try {
    await upOrGone(isUp, exited);
  } catch (error) {
    await close();
    throw new Error(`the server did not start: ${String(error)}\n${log}`, { cause: error });
  }
  return { port, readyPort, pid: child.pid ?? 0, log: () => log, exited, close };
}

/**
 * A port that is free for UDP and for TCP on 127.0.0.1 just now, and that the system gives to nobody who asks for any port: it is
 * still free when the server has started.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, FIRST_EPHEMERAL_PORT);
    const tcp = createServer();
    const udp = createSocket('udp4');
    const isFree = await Promise.all([
      new Promise<boolean>((resolve) => {
        tcp.once('error', () => resolve(false));
        tcp.listen(port, '127.0.0.1', () => resolve(true));
      }),
      new Promise<boolean>((resolve) => {
        udp.once('error', () => resolve(false));
        udp.bind(port, '127.0.0.1', () => resolve(true));
      }),
    ]);
    udp.close();
    await new Promise((resolve) => void tcp.close(resolve));
    if (isFree.every(Boolean)) return port;
  }
}

/** Linux's ip_local_port_range begins here; elsewhere it begins higher. */
const FIRST_EPHEMERAL_PORT = 32_768;

/** The project's root. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

const START_DEADLINE: Milliseconds = 15_000;
const STOP_DEADLINE: Milliseconds = 15_000;
const POLL_EVERY: Milliseconds = 25;

async function upOrGone(isUp: () => Promise<boolean>, exited: Promise<number | undefined>): Promise<void> {
  let exitCode: { readonly code: number | undefined } | undefined;
  void exited.then((code) => (exitCode = { code }));
  const deadline = performance.now() + START_DEADLINE;
  while (performance.now() < deadline) {
    if (await isUp()) return;
    if (exitCode !== undefined) throw new Error(`it ended with code ${exitCode.code}`);
    await pause(POLL_EVERY);
  }
  throw new Error(`it was not up after ${START_DEADLINE} ms`);
}

async function isReady(port: number): Promise<boolean> {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(1_000) });
    return reply.ok;
  } catch {
    return false;
  }
}

/** TCP tells a closed port at once; both transports open together. */
async function isAnswering(port: number): Promise<boolean> {
  try {
    await exchange({ host: '127.0.0.1', port }, 'tcp', encodeQuery(1, asked('example.org', 'SOA')));
    return true;
  } catch {
    return false;
  }
}
