/**
 * Which sockets stay open where none should, as a program: threads that run other tests in the same process open and close some all the time.
 * `left-open.ts taken MODE PORT` opens listeners on a port that is taken; `left-open.ts refused PORT` does it where descriptors have run out, now
 * for the first of what is needed, now for the second; `left-open.ts terminated PORT` ends a thread that listens. Writes JSON.
 */

import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { COUNTER_SLOTS, Counters } from '../../server/counters.ts';
import { openBatching } from '../../server/data/batch/batching.ts';
import { loadSystemCalls, type SystemCalls } from '../../server/data/batch/system-calls.ts';
import { UdpListener } from '../../server/data/udp.ts';
import type { UdpMode } from '../../server/messages.ts';
import type { ListenerSays } from './batched-listener.ts';
import { lanesOf } from './lanes.ts';

export type LeftOpen = { readonly before: number; readonly after: number; readonly codes: readonly string[] };

/** `EMFILE` */
const TOO_MANY_FILES = -24;

const [what, ...words] = process.argv.slice(2);
const codes: string[] = [];
const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT), () => {});

async function taken(mode: UdpMode, port: number): Promise<LeftOpen> {
  const batching = await openBatching({ mode, log: () => {}, counters, clock: () => 0 });
  const before = openSockets();
  for (let i = 0; i < 5; i++) {
    const lanes = lanesOf(() => undefined);
    await UdpListener.open('127.0.0.1', port, lanes, counters, { batching }).catch((error: NodeJS.ErrnoException) =>
      codes.push(error.code ?? error.message),
    );
  }
  await new Promise(setImmediate);
  return { before, after: openSockets(), codes };
}

async function refused(port: number): Promise<LeftOpen> {
  let left = Infinity;
  const load = async (): Promise<SystemCalls> => {
    const calls = await loadSystemCalls();
    return { ...calls, duplicate: (from, to) => (left-- > 0 ? calls.duplicate(from, to) : TOO_MANY_FILES) };
  };
  const batching = await openBatching({ mode: 'batched', log: () => {}, counters, clock: () => 0, load });
  const before = openSockets();
  for (let i = 0; i < 6; i++) {
    left = i % 2;
    await UdpListener.open(
      '0.0.0.0',
      port,
      lanesOf(() => undefined),
      counters,
      { batching },
    ).catch((error: NodeJS.ErrnoException) => codes.push(error.code ?? error.message));
  }
  await new Promise(setImmediate);
  return { before, after: openSockets(), codes };
}

async function terminated(port: number): Promise<LeftOpen> {
  const before = openSockets();
  const worker = new Worker(new URL('batched-listener.ts', import.meta.url), { workerData: { host: '', port } });
  for (;;) {
    const [said] = (await once(worker, 'message')) as [ListenerSays];
    codes.push(said.says);
    if (said.says === 'listening') break;
  }
  if (openSockets() === before) codes.push('nothing was open');
  await worker.terminate();
  await new Promise(setImmediate);
  return { before, after: openSockets(), codes };
}

/** Sockets and the events that wake whoever waits for some. */
function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
    } catch {
      return false; // closed since it was listed, as that of the folder itself
    }
  }).length;
}

const port = Number(words.at(-1));
const leftOpen =
  what === 'taken'
    ? await taken(words[0] === 'dgram' ? 'dgram' : 'batched', port)
    : what === 'refused'
      ? await refused(port)
      : await terminated(port);
process.stdout.write(JSON.stringify(leftOpen));
