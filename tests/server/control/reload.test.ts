/** When the Corefile is read again, and what is said of it. */

import test from 'ava';

import type { Configuration } from '../../../server/control/configuration.ts';
import { Reloader } from '../../../server/control/reload.ts';
import { CorefileError } from '../../../server/errors.ts';
import { FakeTimers } from '../../support/fake-timers.ts';

const PERIOD = { interval: 30_000, jitter: 15_000 };
const BAD = new CorefileError({ file: 'Corefile', line: 3, column: 5 }, 'found "forwad"');

function configuration(hash: string): Configuration {
  return { plan: { listeners: [], blocks: [] }, hash, isEmpty: false, warnings: [`${hash} warns`] };
}

type Stage = {
  readonly reloader: Reloader;
  readonly timers: FakeTimers;
  /** What the next reading gives. */
  readonly file: { content: Configuration | Error };
  /** Hashes that cannot be used. */
  readonly unusable: Set<string>;
  readonly used: string[];
  readonly lines: string[];
  readonly counted: { failed: number; hash: string };
  reads: number;
};

function stage(random: (below: number) => number = () => 7_500): Stage {
  const timers = new FakeTimers();
  const made: Omit<Stage, 'reloader'> = {
    timers,
    file: { content: configuration('one') },
    unusable: new Set(),
    used: [],
    lines: [],
    counted: { failed: 0, hash: '' },
    reads: 0,
  };
  const reloader = new Reloader(
    {
      read() {
        result.reads++;
        if (made.file.content instanceof Error) throw made.file.content;
        return made.file.content;
      },
      async use({ hash }) {
        if (made.unusable.has(hash)) throw new Error('port :53 is taken');
        made.used.push(hash);
      },
      timers,
      log: (level, source, text) => void made.lines.push(`${level} ${source}: ${text}`),
      metrics: {
        reloadFailed: () => void made.counted.failed++,
        reloaded: (hash) => void (made.counted.hash = hash),
      },
      random,
    },
    configuration('one'),
  );
  const result = Object.assign(made, { reloader });
  return result;
}

test('with the directive: the hash is told at the start, and the same words are no reason to reload', async (t) => {
  const { reloader, timers, lines, used, counted } = stage();
  reloader.schedule(PERIOD);
  t.deepEqual(lines, ['info plugin/reload: Running configuration SHA512 = one']);
  t.is(counted.hash, 'one');
  await timers.advance(300_000);
  t.is(lines.length, 1);
  t.deepEqual(used, []);
});

test('a Corefile with other words is put into use at the next look', async (t) => {
  const { reloader, timers, lines, used, file, counted } = stage();
  reloader.schedule(PERIOD);
  file.content = configuration('two');
  await timers.advance(29_999);
  t.deepEqual(used, []);
  await timers.advance(1);
  t.deepEqual(used, ['two']);
  t.deepEqual(lines.slice(1), ['info : Reloading', 'warning : two warns', 'info : Reloading complete']);
  t.is(counted.hash, 'two');
  t.is(counted.failed, 0);
});

test('a bad Corefile is complained of once, with its place, and looked at again', async (t) => {
  const { reloader, timers, lines, used, file, counted } = stage();
  reloader.schedule(PERIOD);
  file.content = BAD;
  await timers.advance(300_000);
  t.deepEqual(lines.slice(1), [
    'error plugin/reload: Corefile changed but reload failed: Corefile:3:5: found "forwad". The configuration before it stays in use.',
  ]);
  t.is(counted.failed, 1);
  file.content = configuration('three');
  await timers.advance(30_000);
  t.deepEqual(used, ['three']);
});

test('a Corefile that cannot be used is tried once; the old hash stays, another content is tried', async (t) => {
  const { reloader, timers, lines, used, file, counted, unusable } = stage();
  reloader.schedule(PERIOD);
  unusable.add('two');
  file.content = configuration('two');
  await timers.advance(300_000);
  t.deepEqual(used, []);
  t.is(counted.failed, 1);
  t.is(counted.hash, 'one');
  t.is(lines.filter((line) => line.startsWith('error')).length, 1);
  t.regex(lines.at(-1) ?? '', /port :53 is taken\. The configuration before it stays in use\.$/);
  file.content = configuration('one');
  await timers.advance(30_000);
  t.deepEqual(used, []);
  file.content = configuration('two');
  await timers.advance(30_000);
  t.is(counted.failed, 2);
  unusable.clear();
  file.content = configuration('three');
  await timers.advance(30_000);
  t.deepEqual(used, ['three']);
});

test('a signal reloads without a change, and says each time why not', async (t) => {
  const { reloader, used, file, counted, lines } = stage();
  await reloader.reload();
  t.deepEqual(used, ['one']);
  file.content = BAD;
  await reloader.reload();
  await reloader.reload();
  t.is(counted.failed, 2);
  t.is(lines.filter((line) => line.startsWith('error plugin/reload: Reload failed: Corefile:3:5:')).length, 2);
});

test('signals that come together are worked off one after the other', async (t) => {
  const { reloader, used } = stage();
  await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()]);
  t.deepEqual(used, ['one', 'one', 'one']);
});

test('the period is the interval, half of the jitter more or less', async (t) => {
  for (const [drawn, period] of [
    [0, 22_500],
    [15_000, 37_500],
  ] as const) {
    const made = stage((below) => {
      t.is(below, 15_001);
      return drawn;
    });
    made.reloader.schedule(PERIOD);
    await made.timers.advance(period - 1);
    t.is(made.reads, 0);
    await made.timers.advance(1);
    t.is(made.reads, 1);
  }
});

test('without the directive nothing is looked at any more', async (t) => {
  const made = stage();
  made.reloader.schedule(PERIOD);
  made.reloader.schedule(undefined);
  await made.timers.advance(300_000);
  t.is(made.reads, 0);
  t.is(made.timers.pending, 0);
});

test('after close neither time nor a signal reloads', async (t) => {
  const made = stage();
  made.reloader.schedule(PERIOD);
  made.reloader.close();
  await made.reloader.reload();
  made.reloader.schedule(PERIOD);
  await made.timers.advance(300_000);
  t.is(made.reads, 0);
});

test('an emptied Corefile changes nothing, by signal or by watching, and is told once', async (t) => {
  const { reloader, timers, file, lines, used, counted } = stage();
  reloader.schedule(PERIOD);
  file.content = { ...configuration('default'), isEmpty: true };
  await reloader.reload();
  await timers.advance(300_000);
  t.deepEqual(used, []);
  t.is(counted.failed, 1);
  t.is(lines.filter((line) => /no server block/.test(line)).length, 1);
});

test('what a signal could not put into use is not complained of again by watching', async (t) => {
  const { reloader, timers, file, counted, unusable } = stage();
  reloader.schedule(PERIOD);
  file.content = configuration('two');
  unusable.add('two');
  await reloader.reload();
  await timers.advance(300_000);
  t.is(counted.failed, 1);
});
