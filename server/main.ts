/**
 * The process: arguments, signals, exit codes. Nothing else reads `process`; what the server does is in control/control.ts.
 */

import { randomInt } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import type { Milliseconds } from '../zones/units.ts';
import { readArguments, type Arguments } from './arguments.ts';
import { programLines, startLines, type Surroundings } from './control/banner.ts';
import { checkStart } from './control/check.ts';
import { configurationReader, type ReadConfiguration } from './control/configuration.ts';
import { startControl, type Control } from './control/control.ts';
import type { StartWorker } from './control/data-thread.ts';
import { openLogger, type Logger } from './control/logger.ts';
import { sourceOpener } from './control/sources.ts';
import { systemTimers } from './control/timers.ts';
import { readStandardInput } from './corefile/files.ts';
import { CorefileError } from './errors.ts';
import { plugins } from './plugins/order.ts';
import { VERSION } from './version.ts';

/** For the last lines at the end, if nobody reads them. */
const FLUSH_LIMIT: Milliseconds = 1_000;

const DEMO = fileURLToPath(new URL('../fixtures/corefiles/demo', import.meta.url));
const OWN_COREFILE = 'Corefile';

const surroundings: Surroundings = {
  platform: `${process.platform}/${process.arch}`,
  runtime: process.version,
  revision: process.env['FIVEDOTS_REVISION'] ?? '',
};

const startWorker: StartWorker = (memory) =>
  new Worker(new URL('./data/thread.ts', import.meta.url), { workerData: memory, name: 'data' });

await main();

async function main(): Promise<void> {
  // With NODE_COMPILE_CACHE set, or in the folder that Node chooses: the next start neither strips types nor compiles.
  enableCompileCache();
  const logger = openLogger(1, systemTimers);
  const reading = readArguments(process.argv.slice(2));
  if (reading.kind === 'text') {
    logger.print(reading.text);
    await leave(logger, reading.code);
    return;
  }
  const { action } = reading.arguments;
  if (action === 'version') for (const line of programLines(surroundings)) logger.print(line);
  else if (action === 'plugins') for (const name of [...plugins.keys()].toSorted()) logger.print(`dns.${name}`);
  else if (action === 'check') await leave(logger, await check(reading.arguments, logger));
  else return serve(reading.arguments, logger);
  await leave(logger, 0);
}
