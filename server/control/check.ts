/** Whether a data thread can be started at all. Knows nothing of plans: nothing is opened or asked. */

import type { Milliseconds } from '../../zones/units.ts';
import { probeMemory } from '../upstream/probe-table.ts';
import { DataThread, type StartWorker } from './data-thread.ts';
import { pause, type Timers } from './timers.ts';

/** For loading its code. */
const START_LIMIT: Milliseconds = 10_000;

/** Starts a data thread and ends it: why it cannot be started, or undefined. Its code is in the compile cache afterwards. */
export async function checkDataThread(start: StartWorker, timers: Timers): Promise<string | undefined> {
  let outcome: string | undefined = `it did not start within ${START_LIMIT / 1000} s`;
  let settle = (): void => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const place = { index: 0, reusePort: false, probes: probeMemory(1) };
  const thread: DataThread = new DataThread((memory) => start(memory, place), {
    message: ({ type }) => {
      if (type === 'online') {
        outcome = undefined;
        thread.post({ type: 'drain' });
      } else if (type === 'drained') settle();
    },
    ended: (reason) => {
      outcome = outcome === undefined ? undefined : reason;
      settle();
    },
  });
  await pause(timers, START_LIMIT, settled);
  await thread.end();
  return outcome;
}
