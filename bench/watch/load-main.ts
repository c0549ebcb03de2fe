/**
 * The process that asks in an open loop: so many questions a second, whatever becomes of them. A latency begins when the question was due, not
 * when it was sent, so that a server, or this process, that stands still shows in all of them. Knows nothing of what is answered.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import { answerCalls, sharedNow } from './calls.ts';
import type { LoadCalls } from './load-process.ts';
import { spreadOf } from './spread.ts';

/** What became of the questions of one part of the run. */
type Part = { asked: Count; readonly latencies: Milliseconds[]; latest: Milliseconds };

const socket = createSocket('udp4');
let part: Part = newPart();
/** By message id: when it was due, and whose it is; undefined once it is answered. */
const dues = new Float64Array(0x10000);
const parts: (Part | undefined)[] = Array.from({ length: 0x10000 }, () => undefined);

/** Later than this is lost, as for a stub resolver's second try. */
const LOST_AFTER: Milliseconds = 1_000;
const RECEIVE_BUFFER: Bytes = 4 * 1024 * 1024;
const TICK: Milliseconds = 1;

answerCalls({
  async start(port, queries, rate) {
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setRecvBufferSize(RECEIVE_BUFFER);
    // Nobody listens: the query is lost.
    socket.on('error', () => {});
    socket.on('message', take);
    ask(
      queries.map((query) => Buffer.from(query)),
      rate,
    );
  },
  begin() {
    part = newPart();
  },
  async take() {
    const taken = part;
    part = newPart();
    await pause(LOST_AFTER);
    const { asked, latencies, latest } = taken;
    return { asked, lost: asked - latencies.length, latest, ...spreadOf(latencies) };
  },
} satisfies LoadCalls);

function newPart(): Part {
  return { asked: 0, latencies: [], latest: 0 };
}

function ask(queries: readonly Buffer[], rate: number): void {
  const began = sharedNow();
  let sent = 0;
  setInterval(() => {
    const now = sharedNow();
    for (let due = began + (1000 * sent) / rate; due <= now; due = began + (1000 * sent) / rate) {
      const query = Buffer.from(queries[sent % queries.length] ?? '');
      const id = sent & 0xffff;
      query.writeUInt16BE(id, 0);
      dues[id] = due;
      parts[id] = part;
      part.asked++;
      part.latest = Math.max(part.latest, now - due);
      socket.send(query);
      sent++;
    }
  }, TICK);
}

function take(reply: Buffer): void {
  if (reply.length < 2) return;
  const id = reply.readUInt16BE(0);
  const owner = parts[id];
  const latency = sharedNow() - (dues[id] ?? NaN);
  parts[id] = undefined;
  if (latency <= LOST_AFTER) owner?.latencies.push(latency);
}
