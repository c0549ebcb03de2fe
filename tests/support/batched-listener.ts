/**
 * A listener in a process or thread of its own, which sends back what it is sent with the QR bit set: by the express lane what begins with `e`,
 * late what begins with `l`, by the plain lane everything else. Says what it does in lines of JSON; closes when its input ends. Knows no DNS.
 */

import { isMainThread, parentPort, workerData } from 'node:worker_threads';

import { COUNTER_SLOTS, Counters, type Series } from '../../server/counters.ts';
import { openBatching } from '../../server/data/batch/batching.ts';
import { UdpListener } from '../../server/data/udp.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { lanesOf } from './lanes.ts';

export type ListenerWishes = {
  readonly host: string;
  readonly port: number;
  /** Between two forced collections of garbage; needs `--expose-gc`. */
  readonly collectEvery?: Milliseconds;
};

export type ListenerSays =
  | { readonly says: 'log'; readonly line: string }
  | { readonly says: 'listening'; readonly port: number }
  | { readonly says: 'closed'; readonly collections: number; readonly counters: Readonly<Record<string, number>> };

const EXPRESS = 0x65;
const LATE = 0x6c;

// The program or thread that started it wrote the type.
const wishes = (isMainThread ? JSON.parse(process.argv[2] ?? '') : workerData) as ListenerWishes;

function say(what: ListenerSays): void {
  if (parentPort === null) process.stdout.write(`${JSON.stringify(what)}\n`);
  else parentPort.postMessage(what);
}

const memory = new Float64Array(new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT));
const series: Series[] = [];
const counters = new Counters(memory.buffer, (one) => void series.push(one));
const lanes = lanesOf(
  (packet) => {
    const reply = Buffer.from(packet);
    reply[2] = (reply[2] ?? 0) | 0x80;
    return reply[0] === LATE ? new Promise((resolve) => void setImmediate(resolve, reply)) : reply;
  },
  (query, start, end, reply, at) => {
    if (query[start] !== EXPRESS) return 0;
    reply.set(query.subarray(start, end), at);
    reply[at + 2] = (reply[at + 2] ?? 0) | 0x80;
    return end - start;
  },
);
const batching = await openBatching({
  mode: 'batched',
  log: (level, _source, text) => say({ says: 'log', line: `${level} ${text}` }),
  counters,
  clock: () => performance.now(),
});
const listener = await UdpListener.open(wishes.host, wishes.port, lanes, counters, { batching });
let collections = 0;
const collecting =
  wishes.collectEvery === undefined
    ? undefined
    : setInterval(() => {
        globalThis.gc?.();
        collections++;
      }, wishes.collectEvery);
say({ says: 'listening', port: listener.port });
if (isMainThread) {
  process.stdin.resume().once('end', () => {
    void listener.close().then(() => {
      clearInterval(collecting);
      say({
        says: 'closed',
        collections,
        counters: Object.fromEntries(series.map(({ metric, slot }) => [metric, memory[slot] ?? 0])),
      });
    });
  });
}
