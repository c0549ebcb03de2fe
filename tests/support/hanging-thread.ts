/** A data thread that takes up its first plan and hangs at the second, as a fault in a loop would make it. */

import { parentPort, workerData } from 'node:worker_threads';

import { HEARTBEAT_SLOT } from '../../server/counters.ts';
import type { DataThreadMemory, FromData, ToData } from '../../server/messages.ts';
import { ringLog } from '../../server/ring.ts';

const memory = workerData as DataThreadMemory;
const slots = new Float64Array(memory.counters);
const log = ringLog(memory.log);
let plans = 0;
setInterval(() => (slots[HEARTBEAT_SLOT] = (slots[HEARTBEAT_SLOT] ?? 0) + 1), 100);
parentPort?.on('message', (message: ToData) => {
  if (message.type !== 'plan') return;
  plans++;
  log('info', 'hanging', `plan ${message.generation}`);
  while (plans > 1);
  say({ type: 'planned', generation: message.generation, listening: [] });
});
say({ type: 'online' });

function say(message: FromData): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  parentPort?.postMessage(message);
}
