/** Supervision of the data thread: silence, crashes, replacements, and what survives them. */

import { Worker } from 'node:worker_threads';

import test from 'ava';

import { SeriesBook } from '../../../server/control/series.ts';
import {
  REPLACE_AFTER,
  REPORT_AFTER,
  RESTART_DELAY_MAX,
  START_LIMIT,
  STEADY_AFTER,
} from '../../../server/control/seat.ts';
import { Supervisor } from '../../../server/control/supervisor.ts';
import { systemTimers } from '../../../server/control/timers.ts';
import type { ToData } from '../../../server/messages.ts';
import type { Plan } from '../../../server/plan.ts';
import type { Milliseconds } from '../../../zones/units.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { fakeWorkers, type FakeWorker } from '../../support/fake-worker.ts';

const PLAN: Plan = { listeners: [{ server: 'dns://:53', host: '', port: 53, routes: [] }], blocks: [] };
const OTHER: Plan = { listeners: [{ server: 'dns://:54', host: '', port: 54, routes: [] }], blocks: [] };
const STATE: ToData = {
  type: 'cluster',
  cluster: 'c',
  part: { put: '{"kind":"Namespace","namespace":"","name":"shop"}', removed: [], whole: ['Namespace'], isLast: true },
};

type Stage = {
  readonly supervisor: Supervisor;
  readonly timers: FakeTimers;
  readonly workers: ReturnType<typeof fakeWorkers>;
  readonly series: SeriesBook;
  readonly lines: string[];
  readonly restarts: () => number;
  /** Lets time pass in which the newest thread beats. */
  readonly live: (span: Milliseconds) => Promise<void>;
};

function stage(): Stage {
  const timers = new FakeTimers();
  const workers = fakeWorkers();
  const series = new SeriesBook();
  const lines: string[] = [];
  let restarts = 0;
  const supervisor = new Supervisor({
    threads: 1,
    start: workers.start,
    timers,
    log: (level, source, text) => lines.push(`${level} ${source}: ${text}`),
    series,
    state: () => [STATE],
    taken: (_thread, cluster, whole) => lines.push(`taken ${cluster} ${whole.join()}`),
    restarted: () => restarts++,
  });
  const live = async (span: Milliseconds): Promise<void> => {
    for (let passed = 0; passed < span; passed += 100) {
      workers.last().beat();
      await timers.advance(100);
    }
  };
  return { supervisor, timers, workers, series, lines, restarts: () => restarts, live };
}

/** A stage whose thread has its plan. */
async function serving(): Promise<Stage> {
  const made = stage();
  const applied = made.supervisor.apply(PLAN);
  takeUp(made.workers.last());
  await applied;
  return made;
}

function takeUp(worker: FakeWorker): void {
  worker.say({ type: 'online' });
  for (const message of worker.told) {
    if (message.type === 'plan')
      worker.say({ type: 'planned', generation: message.generation, listening: ['127.0.0.1:53'] });
  }
}

test('a plan goes to the thread, which says where it listens', async (t) => {
  const { supervisor, workers } = stage();
  t.false(supervisor.isAnswering);
  const applied = supervisor.apply(PLAN);
  t.deepEqual(workers.last().told.at(-1), { type: 'plan', generation: 1, plan: PLAN, isFirst: true });
  takeUp(workers.last());
  t.deepEqual(await applied, { kind: 'planned' });
  t.deepEqual(supervisor.listening, ['127.0.0.1:53']);
  t.true(supervisor.isAnswering);
});

test('a plan that is refused changes nothing: a later thread gets the one before', async (t) => {
  const { supervisor, workers, timers } = await serving();
  const applied = supervisor.apply(OTHER);
  workers.last().say({ type: 'refused', generation: 2, message: 'port 54 is taken' });
  t.deepEqual(await applied, { kind: 'refused', message: 'port 54 is taken' });
  t.true(supervisor.isAnswering);
  workers.last().crash(new Error('boom'));
  await timers.advance(0);
  t.deepEqual(workers.last().told, [STATE, { type: 'plan', generation: 1, plan: PLAN, isFirst: false }]);
});

test('a thread that beats is left alone', async (t) => {
  const { workers, live, lines } = await serving();
  await live(10 * REPLACE_AFTER);
  t.is(workers.all.length, 1);
  t.deepEqual(lines, []);
});

test('silence of a second is reported once and shows in isAnswering; a beat ends it', async (t) => {
  const { supervisor, workers, timers, lines, live } = await serving();
  await live(1_000);
  await timers.advance(REPORT_AFTER + 500);
  t.false(supervisor.isAnswering);
  t.is(lines.length, 1);
  t.regex(lines[0] ?? '', /^warning supervisor: The data thread has been silent for 1\.[0-9] s: queries wait\./);
  workers.last().beat();
  await timers.advance(250);
  t.true(supervisor.isAnswering);
  t.regex(lines[1] ?? '', /^info supervisor: The data thread is back after 1\.[0-9] s/);
  t.is(lines.length, 2);
  t.is(workers.all.length, 1);
});

test('silence of three seconds: the thread is ended and another gets the state, then the plan', async (t) => {
  const { supervisor, workers, timers, lines, restarts } = await serving();
  await timers.advance(REPLACE_AFTER + 500);
  t.is(workers.all.length, 2);
  t.true(workers.all[0]?.isTerminated);
  t.is(restarts(), 1);
  t.regex(
    lines.at(-1) ?? '',
    /^error supervisor: The data thread has been silent for 3\.[0-9] s .* replaced at once\.$/,
  );
  t.deepEqual(workers.last().told, [STATE, { type: 'plan', generation: 1, plan: PLAN, isFirst: false }]);
  t.false(supervisor.isAnswering);
  takeUp(workers.last());
  t.true(supervisor.isAnswering);
});

test('silence is not held against the thread while the control thread itself stood still', async (t) => {
  const { workers, timers, live } = await serving();
  await live(1_000);
  timers.freeze(60_000);
  await timers.advance(250);
  await live(2_000);
  t.is(workers.all.length, 1);
});

test('a thread that loads its code has time', async (t) => {
  const { workers, timers, supervisor } = stage();
  const applied = supervisor.apply(PLAN);
  await timers.advance(START_LIMIT - 1_000);
  t.is(workers.all.length, 1);
  await timers.advance(2_000);
  t.is(workers.all.length, 2);
  t.is((await applied).kind, 'refused');
});

for (const [name, end] of [
  ['an error', (worker: FakeWorker) => worker.crash(new Error('boom'))],
  ['an exit', (worker: FakeWorker) => worker.exit(0)],
] as const) {
  test(`a thread that ends by ${name} is replaced at once, and once`, async (t) => {
    const { workers, timers, restarts, lines } = await serving();
    end(workers.last());
    await timers.advance(0);
    t.is(workers.all.length, 2);
    t.is(restarts(), 1);
    t.is(lines.filter((line) => line.startsWith('error')).length, 1);
  });
}

test('a crash loop is slowed down, and a steady life ends the count', async (t) => {
  const { workers, timers, live } = await serving();
  const began = timers.now();
  for (let crashes = 0; crashes < 20; crashes++) {
    workers.last().crash(new Error('boom'));
    await timers.advance(RESTART_DELAY_MAX);
  }
  t.is(workers.all.length, 21);
  workers.last().crash(new Error('boom'));
  await timers.advance(RESTART_DELAY_MAX - 1);
  t.is(workers.all.length, 21);
  await timers.advance(1);
  t.is(workers.all.length, 22);
  t.true(timers.now() - began <= 21 * RESTART_DELAY_MAX);

  takeUp(workers.last());
  await live(STEADY_AFTER + 1_000);
  workers.last().crash(new Error('boom'));
  await timers.advance(0);
  t.is(workers.all.length, 23);
});

test('threads that fall silent one after the other are given longer each time: the work itself may need it', async (t) => {
  const { workers, timers } = await serving();
  await timers.advance(REPLACE_AFTER + 500);
  takeUp(workers.last());
  t.is(workers.all.length, 2);
  await timers.advance(REPLACE_AFTER + 500);
  t.is(workers.all.length, 2);
  await timers.advance(REPLACE_AFTER + 500);
  t.is(workers.all.length, 3);
});

test('a successor that cannot take up the plan is replaced too, later', async (t) => {
  const { workers, timers, lines } = await serving();
  workers.last().crash(new Error('boom'));
  await timers.advance(0);
  workers.last().say({ type: 'online' });
  workers.last().say({ type: 'refused', generation: 1, message: 'port 53 is taken' });
  await timers.advance(0);
  t.is(workers.all.length, 2);
  t.regex(lines.at(-1) ?? '', /port 53 is taken\. .*replaced in 0\.2 s/);
  await timers.advance(200);
  t.is(workers.all.length, 3);
  t.deepEqual(workers.last().told.at(-1), { type: 'plan', generation: 1, plan: PLAN, isFirst: false });
});

test('a crash while a plan is taken up fails that plan, and the one before is served again', async (t) => {
  const { supervisor, workers, timers } = await serving();
  const applied = supervisor.apply(OTHER);
  workers.last().crash(new Error('boom'));
  const outcome = await applied;
  t.is(outcome.kind, 'refused');
  if (outcome.kind === 'refused') t.regex(outcome.message, /boom/);
  await timers.advance(0);
  t.deepEqual(workers.last().told.at(-1), { type: 'plan', generation: 1, plan: PLAN, isFirst: false });
});

test('counters go on where the ended thread stopped', async (t) => {
  const { workers, timers, series } = await serving();
  workers.last().counters.counter('coredns_dns_requests_total').add(5);
  workers.last().crash(new Error('boom'));
  await timers.advance(0);
  workers.last().counters.counter('coredns_dns_requests_total').add(2);
  t.deepEqual(
    series.samples().map(({ values }) => values),
    [[7]],
  );
});

test('the last lines of an ended thread are printed, those that found no room counted', async (t) => {
  const { supervisor, workers, timers, lines } = await serving();
  const { log } = workers.last();
  for (let i = 0; i < 10_000; i++) log('info', '', 'x'.repeat(100));
  t.true(supervisor.droppedLines > 0);
  const dropped = supervisor.droppedLines;
  workers.last().crash(new Error('boom'));
  await timers.advance(0);
  t.is(lines.filter((line) => line.startsWith('info')).length, 10_000 - dropped);
  t.is(supervisor.droppedLines, dropped);
});

test('log lines come while the thread lives', async (t) => {
  const { workers, timers, lines } = await serving();
  workers.last().log('warning', 'plugin/forward', 'slow');
  await timers.advance(100);
  t.deepEqual(lines, ['warning plugin/forward: slow']);
});

test('what an ended thread still says is not heard', async (t) => {
  const { workers, timers, lines } = await serving();
  const [first] = workers.all;
  first?.crash(new Error('boom'));
  await timers.advance(0);
  const before = lines.length;
  first?.say({ type: 'taken', cluster: 'c', whole: ['Service'] });
  t.is(lines.length, before);
  workers.last().say({ type: 'taken', cluster: 'c', whole: ['Service'] });
  t.is(lines.at(-1), 'taken c Service');
});

test('drain waits for the thread, and its end afterwards is no fault', async (t) => {
  const { supervisor, workers, timers, lines } = await serving();
  const drained = supervisor.drain(5_000);
  t.deepEqual(workers.last().told.at(-1), { type: 'drain' });
  workers.last().say({ type: 'drained' });
  workers.last().exit(0);
  t.true(await drained);
  await supervisor.close();
  await timers.advance(60_000);
  t.is(workers.all.length, 1);
  t.deepEqual(lines, []);
  t.is(timers.pending, 0);
});

test('drain gives up at its limit', async (t) => {
  const { supervisor, timers, workers } = await serving();
  const drained = supervisor.drain(5_000);
  await timers.advance(5_000);
  t.false(await drained);
  await supervisor.close();
  t.true(workers.last().isTerminated);
});

test('close ends the thread, and no other comes, not even one that was due', async (t) => {
  const { supervisor, workers, timers } = await serving();
  workers.last().crash(new Error('one'));
  await timers.advance(0);
  workers.last().crash(new Error('two'));
  await timers.advance(0);
  await supervisor.close();
  await timers.advance(RESTART_DELAY_MAX);
  t.is(workers.all.length, 2);
  t.is(timers.pending, 0);
});

test('a real thread that hangs in a loop is ended, its last lines are printed, and another does the work', async (t) => {
  const lines: string[] = [];
  let started = 0;
  let restart: () => void = () => {};
  const restarted = new Promise<void>((resolve) => (restart = resolve));
  const supervisor = new Supervisor({
    threads: 1,
    start(memory) {
      started++;
      return new Worker(new URL('../../support/hanging-thread.ts', import.meta.url), { workerData: memory });
    },
    timers: systemTimers,
    log: (level, source, text) => lines.push(`${level} ${source}: ${text}`),
    series: new SeriesBook(),
    state: () => [],
    taken: () => {},
    restarted: () => restart(),
  });
  t.teardown(() => supervisor.close());
  t.is((await supervisor.apply(PLAN)).kind, 'planned');
  const second = await supervisor.apply(OTHER);
  t.is(second.kind, 'refused');
  await restarted;
  t.deepEqual(
    lines.filter((line) => line.startsWith('info hanging')),
    ['info hanging: plan 1', 'info hanging: plan 2'],
  );
  t.true(lines.some((line) => line.startsWith('warning supervisor: The data thread has been silent for')));
  while (!supervisor.isAnswering) await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(started, 2);
});
