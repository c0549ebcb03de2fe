/** The log ring: order, loss and counting, in one thread and across two. */

import { Worker } from 'node:worker_threads';
import { setImmediate } from 'node:timers/promises';

import test from 'ava';
import fc from 'fast-check';

import type { Level } from '../../server/log.ts';
import { LOG_LINE_MAX, ringLog, ringMemory, RingReader } from '../../server/ring.ts';

type Line = readonly [Level, string, string];

function readerOf(memory: SharedArrayBuffer): { drain: () => Line[]; readonly dropped: number } {
  const reader = new RingReader(memory);
  return {
    drain() {
      const lines: Line[] = [];
      reader.drain((level, source, text) => lines.push([level, source, text]));
      return lines;
    },
    get dropped() {
      return reader.dropped;
    },
  };
}

test('lines come out as they went in, oldest first', (t) => {
  const memory = ringMemory();
  const log = ringLog(memory);
  const lines: Line[] = [
    ['info', '', '192.0.2.1:5000 - 1 "A IN example.org. udp 40 false 512" NOERROR'],
    ['error', 'plugin/errors', 'zürich, 東京, 🐟'],
    ['warning', 'plugin/forward', ''],
    ['debug', 'x', 'y'],
  ];
  for (const line of lines) log(...line);
  const reader = readerOf(memory);
  t.deepEqual(reader.drain(), lines);
  t.deepEqual(reader.drain(), []);
  t.is(reader.dropped, 0);
});

test('a line that is too long is cut between characters and marked', (t) => {
  const memory = ringMemory();
  ringLog(memory)('info', 's'.repeat(300), '🐟'.repeat(LOG_LINE_MAX));
  const [line] = readerOf(memory).drain();
  t.is(line?.[1].length, 255);
  t.regex(line?.[2] ?? '', /^(🐟)+…$/u);
  t.true(Buffer.byteLength(line?.[2] ?? '') <= LOG_LINE_MAX);
});

test('a full ring drops the newest and counts them; what is in it stays whole', (t) => {
  const memory = ringMemory(1024);
  const log = ringLog(memory);
  for (let i = 0; i < 100; i++) log('info', '', `line ${i}`);
  const reader = readerOf(memory);
  const kept = reader.drain();
  t.deepEqual(
    kept.map(([, , text]) => text),
    kept.map((_, i) => `line ${i}`),
  );
  t.true(kept.length > 50);
  t.is(kept.length + reader.dropped, 100);
  log('info', '', 'room again');
  t.deepEqual(reader.drain(), [['info', '', 'room again']]);
});

test('any order of writing and reading: a line is either read once, whole and in order, or counted as dropped', (t) => {
  const level = fc.constantFrom<Level>('debug', 'info', 'warning', 'error');
  const write = fc.tuple(
    level,
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
  );
  const steps = fc.array(fc.oneof(write, fc.constant('read' as const)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 100, max: 600 }), (all, size) => {
      const memory = ringMemory(size);
      const log = ringLog(memory);
      const reader = readerOf(memory);
      const waiting: Line[] = [];
      for (const step of [...all, 'read' as const]) {
        if (step === 'read') t.deepEqual(reader.drain(), waiting.splice(0));
        else {
          const before = reader.dropped;
          log(...step);
          if (reader.dropped === before) waiting.push(step);
        }
      }
    }),
  );
});

test('two threads: every line that was written is read in order or was dropped', async (t) => {
  const memory = ringMemory(4096);
  const total = 20_000;
  const worker = new Worker(new URL('../support/ring-writer.ts', import.meta.url), { workerData: { memory, total } });
  let isOver = false;
  const over = new Promise<void>((resolve, reject) => worker.once('exit', () => resolve()).once('error', reject));
  void over.finally(() => (isOver = true));
  const reader = readerOf(memory);
  const seen: number[] = [];
  const read = (): void => {
    for (const [level, source, text] of reader.drain()) {
      const number = Number(text.split(' ')[0]);
      t.is(text, `${number} ${'.'.repeat(number % 50)}`);
      t.is(level, 'info');
      t.is(source, 'writer');
      seen.push(number);
    }
  };
  while (!isOver) {
    read();
    await setImmediate();
  }
  await over;
  read();
  t.deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
  t.is(new Set(seen).size, seen.length);
  t.is(seen.length + reader.dropped, total);
  t.true(seen.length > 0);
});
