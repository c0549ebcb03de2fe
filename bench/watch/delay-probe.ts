/**
 * Loaded into fivedots' process before it starts (`--import`): in the data thread, a timer that notes in a file by how much it is late, and for how
 * much of that the thread was running. What is left of a delay is other processes' and threads' use of the core.
 */

import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

import type { Milliseconds } from '../../zones/units.ts';
import { sharedNow } from './calls.ts';
import { DELAY_FILE_VARIABLE, type Delay } from './delays.ts';

const INTERVAL: Milliseconds = 1;
/** Shorter ones are of no interest. */
const DELAY_MIN: Milliseconds = 2;

const file = process.env[DELAY_FILE_VARIABLE];
if (!isMainThread && file !== undefined) {
  let before = read();
  setInterval(() => {
    const now = read();
    const late = now.at - before.at - INTERVAL;
    const delay: Delay = { at: now.at, late, busy: now.busy - before.busy };
    before = now;
    if (late < DELAY_MIN) return;
    appendFileSync(file, `${JSON.stringify(delay)}\n`);
  }, INTERVAL).unref();
}

function read(): { readonly at: Milliseconds; readonly busy: Milliseconds } {
  const { user, system } = process.threadCpuUsage();
  return { at: sharedNow(), busy: (user + system) / 1000 };
}
