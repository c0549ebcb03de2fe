/** A data thread that a test can make hang, as a fault in a loop would. */

import { workerData } from 'node:worker_threads';

import '../../server/data/thread.ts';
import type { Milliseconds } from '../../zones/units.ts';

const LOOK_EVERY: Milliseconds = 10;

const halt = new Int32Array((workerData as { readonly halt: SharedArrayBuffer }).halt);
setInterval(() => {
  while (Atomics.load(halt, 0) === 1);
}, LOOK_EVERY).unref();
