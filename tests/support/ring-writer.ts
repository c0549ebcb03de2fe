/** A thread that writes numbered lines into a log ring as fast as it can. */

import { workerData } from 'node:worker_threads';

import { ringLog } from '../../server/ring.ts';

const { memory, total } = workerData as { memory: SharedArrayBuffer; total: number };
const log = ringLog(memory);
for (let i = 0; i < total; i++) log('info', 'writer', `${i} ${'.'.repeat(i % 50)}`);
