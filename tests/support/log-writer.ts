/** A process that logs far more than waits for a reader, then ends as the server does, and reports on the standard error. */

import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { LOG_WAITING_MAX, openLogger } from '../../server/control/logger.ts';
import { systemTimers } from '../../server/control/timers.ts';

const line = 'x'.repeat(1000);
const written = (5 * LOG_WAITING_MAX) / line.length;
const logger = openLogger(1, systemTimers);
const before = process.memoryUsage().rss;
for (let i = 0; i < written; i++) {
  logger.log('info', '', line);
  if (i % 100 === 0) await setImmediate();
}
await logger.flush(100);
const grown = process.memoryUsage().rss - before;
writeSync(2, JSON.stringify({ dropped: logger.dropped(), grown, written }));
process.exit(0);
