/** The entry of a data thread: connects a data plane to the control thread's messages and to shared memory. */

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';

import type { Milliseconds } from '../../zones/units.ts';
import { Counters, HEARTBEAT_SLOT } from '../counters.ts';
import type { DataThreadStart, FromData, ToData } from '../messages.ts';
import { plugins } from '../plugins/order.ts';
import { ringLog } from '../ring.ts';
import { ProbeTable } from '../upstream/probe-table.ts';
import { DataPlane } from './data-plane.ts';

/** The control thread calls a thread silent after a second without a beat. */
const HEARTBEAT_INTERVAL: Milliseconds = 100;

if (parentPort !== null) run(parentPort, workerData as DataThreadStart);

function run(control: MessagePort, start: DataThreadStart): void {
  const { counters, log, express, udp, index, reusePort, probes } = start;
  const say = (message: FromData): void => control.postMessage(message);
  const plane = new DataPlane({
    clock: () => performance.now(),
    wallClock: () => (performance.timeOrigin + performance.now()) / 1000,
    log: ringLog(log),
    counters: new Counters(counters, (series) => say({ type: 'series', series: [series] })),
    plugins,
    express,
    udp,
    reusePort,
    // Of several wildcard sockets each would be given a part of what comes to an address that is new.
    wildcard: index === 0,
    probes: new ProbeTable(probes, index),
    taken: (cluster, whole) => say({ type: 'taken', cluster, whole }),
  });
  beat(new Float64Array(counters));
  let last: Promise<void> = Promise.resolve();
  control.on('message', (message: ToData) => {
    switch (message.type) {
      case 'cluster':
        plane.take(message.cluster, message.part);
        break;
      case 'forget-cluster':
        plane.forget(message.cluster);
        break;
      case 'plan':
        last = last.then(() => usePlan(plane, message, say));
        break;
      case 'drain':
        last = last.then(async () => {
          await plane.close();
          say({ type: 'drained' });
          control.close();
        });
        break;
    }
  });
  say({ type: 'online' });
}

async function usePlan(
  plane: DataPlane,
  message: ToData & { type: 'plan' },
  say: (message: FromData) => void,
): Promise<void> {
  const { generation } = message;
  try {
    const listening = await plane.use(message.plan, message.isFirst);
    say({ type: 'planned', generation, listening });
  } catch (error) {
    say({ type: 'refused', generation, message: error instanceof Error ? error.message : String(error) });
  }
}

function beat(slots: Float64Array): void {
  setInterval(() => (slots[HEARTBEAT_SLOT] = (slots[HEARTBEAT_SLOT] ?? 0) + 1), HEARTBEAT_INTERVAL).unref();
}
