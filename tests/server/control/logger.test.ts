/** The printed log: CoreDNS's lines, one per event, and a reader that does not read. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { escapeText, openLogger, type Logger } from '../../../server/control/logger.ts';
import { systemTimers } from '../../../server/control/timers.ts';
import type { Level } from '../../../server/log.ts';

/** What is printed for what was logged. */
async function printed(write: (logger: Logger) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fivedots-log-'));
  const file = join(folder, 'log');
  const descriptor = openSync(file, 'w');
  try {
    const logger = openLogger(descriptor, systemTimers);
    write(logger);
    await logger.flush(10_000);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

const LINES: readonly (readonly [Level, string, string, string])[] = [
  [
    'info',
    'plugin/reload',
    'Running configuration SHA512 = ab',
    '[INFO] plugin/reload: Running configuration SHA512 = ab\n',
  ],
  ['info', '', 'Reloading complete', '[INFO] Reloading complete\n'],
  ['warning', 'plugin/health', 'slow', '[WARNING] plugin/health: slow\n'],
  ['error', 'plugin/errors', '2 example.org. A: timeout', '[ERROR] plugin/errors: 2 example.org. A: timeout\n'],
  ['info', '', '%s %d %% %j', '[INFO] %s %d %% %j\n'],
  ['info', '', 'a\nb\r\u001b[31mred\u007f\u0085', '[INFO] a\\x0ab\\x0d\\x1b[31mred\\x7f\\x85\n'],
  ['info', 'plugin/\n', 'x', '[INFO] plugin/\\x0a: x\n'],
  ['info', '', 'abc\u202ecba\u2028', '[INFO] abc\\u202ecba\\u2028\n'],
  ['info', '', 'zürich 東京 🐟', '[INFO] zürich 東京 🐟\n'],
  ['info', '', '', '[INFO] \n'],
];

for (const [level, source, text, expected] of LINES) {
  test(`log: ${JSON.stringify([level, source, text])}`, async (t) => {
    t.is(await printed(({ log }) => log(level, source, text)), expected);
  });
}

test('the banner is printed as it is, between the lines', async (t) => {
  const text = await printed((logger) => {
    logger.log('info', '', 'one');
    logger.print('.:53');
    logger.log('info', '', 'two');
  });
  t.is(text, '[INFO] one\n.:53\n[INFO] two\n');
});

test('a file that is shared with other writers is written in turn', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fivedots-log-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const descriptor = openSync(join(folder, 'log'), 'w');
  writeSync(descriptor, 'before\n');
  const logger = openLogger(descriptor, systemTimers);
  logger.print('ours');
  await logger.flush(10_000);
  writeSync(descriptor, 'after\n');
  closeSync(descriptor);
  t.is(readFileSync(join(folder, 'log'), 'utf8'), 'before\nours\nafter\n');
});

test('a line that is far too long is cut', async (t) => {
  const text = await printed(({ log }) => log('info', '', 'x'.repeat(100_000)));
  t.regex(text, /^\[INFO\] x{8192}…\n$/);
});

test('one event is one line, whatever it says: no control character is left', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // oxlint-disable-next-line no-control-regex -- these are what must not be there
      t.notRegex(escapeText(text), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});

type Report = { readonly dropped: number; readonly grown: number; readonly written: number };

/** Runs the writer to its end with this as its standard output. */
async function ran(
  t: ExecutionContext,
  output: 'pipe' | number,
  before: (child: ChildProcess) => void,
): Promise<Report> {
  const child = spawn(process.execPath, ['tests/support/log-writer.ts'], { stdio: ['ignore', output, 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  before(child);
  let report = '';
  child.stderr?.on('data', (text: Buffer) => void (report += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  t.is(code, 0, report);
  return JSON.parse(report) as Report;
}

/** A pipe of the file system: both ends. */
function fifo(t: ExecutionContext): { reader: number; writer: number } {
  const folder = mkdtempSync(join(tmpdir(), 'fivedots-log-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pipe');
  t.is(spawnSync('mkfifo', [path]).status, 0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

const GROWTH_MAX = 48 * 1024 * 1024;

test('a socket that nobody reads: lines are dropped and counted, memory stays, the process goes on and ends', async (t) => {
  const { dropped, grown, written } = await ran(t, 'pipe', (child) => child.stdout?.pause());
  t.true(dropped > written / 2, `${dropped} of ${written} dropped`);
  t.true(grown < GROWTH_MAX, `${grown} octets more`);
});

test('a pipe that nobody reads: lines are dropped and counted, memory stays, the process goes on and ends', async (t) => {
  const { reader, writer } = fifo(t);
  const { dropped, grown, written } = await ran(t, writer, () => {});
  t.true(dropped > written / 2, `${dropped} of ${written} dropped`);
  t.true(grown < GROWTH_MAX, `${grown} octets more`);
  closeSync(reader);
  closeSync(writer);
});

test('a socket whose reader has gone: lines are dropped and counted, nothing is thrown', async (t) => {
  const { dropped } = await ran(t, 'pipe', (child) => child.stdout?.destroy());
  t.true(dropped > 0);
});

test('a pipe whose reader has gone: lines are dropped and counted, nothing is thrown', async (t) => {
  const { reader, writer } = fifo(t);
  closeSync(reader);
  const { dropped } = await ran(t, writer, () => {});
  t.true(dropped > 0);
  closeSync(writer);
});

test('a reader that reads gets every line', async (t) => {
  let octets = 0;
  const { dropped, written } = await ran(t, 'pipe', (child) =>
    child.stdout?.on('data', (text: Buffer) => (octets += text.length)),
  );
  t.is(octets, (Math.ceil(written) - dropped) * '[INFO] \n'.length + (Math.ceil(written) - dropped) * 1000);
});
