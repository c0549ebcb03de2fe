/**
 * The process: arguments, environment, signals, exit codes. Nothing else knows of them; what the server does is in control/control.ts.
 */

import { randomInt } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { close as closeInspector } from 'node:inspector';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import type { Count, Milliseconds } from '../zones/units.ts';
import { readArguments, type Arguments } from './arguments.ts';
import { startLines, versionLines, type Surroundings } from './control/banner.ts';
import { checkDataThread } from './control/check.ts';
import { configurationReader, type ReadConfiguration } from './control/configuration.ts';
import { startControl, type Control } from './control/control.ts';
import type { StartWorker } from './control/data-thread.ts';
import { openLogger, type Logger } from './control/logger.ts';
import { collectGarbage, collectingAfterChanges } from './control/garbage.ts';
import { loadSources, sourceOpener } from './control/sources.ts';
import { systemTimers } from './control/timers.ts';
import { readStandardInput } from './corefile/files.ts';
import type { DataThreadSettings, DataThreadStart } from './messages.ts';
import { plugins } from './plugins/order.ts';
import { VERSION } from './version.ts';

/** For the last lines at the end, if nobody reads them. */
const FLUSH_LIMIT: Milliseconds = 1_000;

const ASKS_FOR_INSPECTOR = /^--inspect(-brk|-wait)?(=|$)/;

const DEMO = fileURLToPath(new URL('../fixtures/corefiles/demo', import.meta.url));
const OWN_COREFILE = 'Corefile';

const surroundings: Surroundings = {
  platform: `${process.platform}/${process.arch}`,
  runtime: process.version,
  revision: process.env['FIVEDOTS_REVISION'] ?? '',
};

function workerStarter(settings: DataThreadSettings): StartWorker {
  return (memory, place) => {
    const workerData: DataThreadStart = { ...memory, ...settings, ...place };
    return new Worker(new URL('./data/thread.ts', import.meta.url), { workerData, name: 'data' });
  };
}

await main();

async function main(): Promise<void> {
  const logger = openLogger(1, systemTimers);
  const reading = readArguments(process.argv.slice(2));
  if (reading.kind === 'text') {
    logger.print(reading.text);
    return leave(logger, reading.code);
  }
  switch (reading.arguments.action) {
    case 'version':
      for (const line of versionLines(surroundings)) logger.print(line);
      return leave(logger, 0);
    case 'plugins':
      for (const name of [...plugins.keys()].toSorted()) logger.print(`dns.${name}`);
      return leave(logger, 0);
    case 'check':
      return leave(logger, await check(reading.arguments, logger));
    case 'serve':
      return serve(reading.arguments, logger);
  }
}

/** Loads and plans, and says what would be served. It also fills Node's compile cache (NODE_COMPILE_CACHE) for the next start. */
async function check(words: Arguments, logger: Logger): Promise<0 | 1> {
  try {
    const { plan, warnings } = readerFor(corefileFor(words, logger), words)();
    for (const warning of warnings) logger.log('warning', '', warning);
    await loadSources();
    const fault = await checkDataThread(workerStarter(words.dataThreads), systemTimers);
    if (fault !== undefined) throw new Error(`The data thread cannot be started: ${fault}`);
    for (const line of startLines(plan, surroundings)) logger.print(line);
    return 0;
  } catch (error) {
    logger.log('error', '', messageOf(error));
    return 1;
  }
}

async function serve(words: Arguments, logger: Logger): Promise<void> {
  let control: Control | undefined;
  let stops: Count = 0;
  const end = async (code: number): Promise<never> => {
    if (words.pidFile !== undefined) rmSync(words.pidFile, { force: true });
    return leave(logger, code);
  };
  const stop = async (how: { lameduck: boolean }, code: number): Promise<void> => {
    stops++;
    await control?.stop(how);
    await end(code);
  };
  const fail = (error: unknown): void => {
    logger.log('error', '', `A fault of the program itself: ${stackOf(error)}`);
    logger.log('error', '', 'It ends, so that it starts again with a clean state. Please report the lines above.');
    if (stops > 0) void end(1);
    else void stop({ lameduck: false }, 1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.on('SIGTERM', () => {
    if (stops > 0) return;
    logger.log('info', '', 'SIGTERM: Shutting down servers then terminating');
    void stop({ lameduck: true }, 0);
  });
  process.on('SIGINT', () => {
    if (stops > 0) return void end(2);
    logger.log('info', '', 'SIGINT: Shutting down');
    void stop({ lameduck: false }, 0);
  });
  process.on('SIGQUIT', () => void end(0));
  for (const signal of ['SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => void control?.reload());
  // Node's own answer to SIGUSR1, if one came before; it comes in two steps, of which the second needs a turn of the loop.
  if (!process.execArgv.some((word) => ASKS_FOR_INSPECTOR.test(word))) setImmediate(closeInspector);
  process.on('SIGUSR2', () => {
    logger.log(
      'warning',
      '',
      'SIGUSR2 (binary upgrade) is not supported: replace the pod, or send SIGHUP to read the Corefile again.',
    );
  });

  try {
    if (words.pidFile !== undefined) writePid(words.pidFile);
    const { path, isDemo } = corefileFor(words, logger);
    const begun = await startControl({
      read: readerFor({ path }, words),
      plugins,
      start: workerStarter(words.dataThreads),
      open: collectingAfterChanges(
        sourceOpener({ version: VERSION, variables: process.env }),
        systemTimers,
        collectGarbage,
      ),
      logger,
      timers: systemTimers,
      random: (below) => randomInt(below),
      surroundings,
      quiet: words.quiet,
      isDemo,
    });
    control = begun;
  } catch (error) {
    if (stops > 0) return;
    logger.log('error', '', messageOf(error));
    await end(1);
  }
}

/** What -conf says; else the Corefile of the working directory, as CoreDNS does; else the demo. */
function corefileFor({ conf }: Arguments, logger: Logger): { readonly path: string; readonly isDemo: boolean } {
  if (conf !== undefined) return { path: conf, isDemo: false };
  if (existsSync(OWN_COREFILE)) return { path: OWN_COREFILE, isDemo: false };
  logger.log('info', '', `There is no ./Corefile and no -conf: this is the demo, ${DEMO}.`);
  return { path: DEMO, isDemo: true };
}

function readerFor({ path }: { readonly path: string }, { port }: Arguments): ReadConfiguration {
  const variables = Object.entries(process.env).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, value]],
  );
  return configurationReader({
    path,
    standardInput: readStandardInput,
    environment: new Map(variables),
    defaultPort: port,
    plugins,
  });
}

/** @throws Error that says why not */
function writePid(file: string): void {
  try {
    writeFileSync(file, `${process.pid}\n`);
  } catch (error) {
    throw new Error(
      `The pid file cannot be written: ${messageOf(error)}. Give -pidfile another path, or leave it out.`,
      {
        cause: error,
      },
    );
  }
}

async function leave(logger: Logger, code: number): Promise<never> {
  await logger.flush(FLUSH_LIMIT);
  process.exit(code);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return (error instanceof Error ? (error.stack ?? error.message) : String(error)).replaceAll(/\n\s*/g, ' ');
}
