/** Supervision of several data threads: who tries a plan, what becomes of the others when one fails. */

import test from 'ava';

import { REPLACE_AFTER, REPORT_AFTER } from '../../../server/control/seat.ts';
import { SeriesBook } from '../../../server/control/series.ts';
import { Supervisor } from '../../../server/control/supervisor.ts';
import type { ToData } from '../../../server/messages.ts';
import type { Plan } from '../../../server/plan.ts';
import type { Count, Milliseconds } from '../../../zones/units.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { fakeWorkers, type FakeWorker } from '../../support/fake-worker.ts';

/** A plan with one listener, on that port. */
function planOf(port: number): Plan {
  return { listeners: [{ server: `dns://:${port}`, host: '', port, routes: [] }], blocks: [] };
}

type Stage = {
  readonly supervisor: Supervisor;
  readonly timers: FakeTimers;
  readonly series: SeriesBook;
  readonly lines: string[];
  /** By place: the one that sits there now. */
  readonly threads: FakeWorker[];
  /** How many began so far. */
  readonly began: () => Count;
  /** Lets time pass in which those beat. */
  readonly live: (span: Milliseconds, ...places: Count[]) => Promise<void>;
};

function stage(count: Count): Stage {
  const timers = new FakeTimers();
  const workers = fakeWorkers();
  const series = new SeriesBook();
  const lines: string[] = [];
  const threads: FakeWorker[] = [];
  const supervisor = new Supervisor({
    threads: count,
    start(memory, place) {
      const worker = workers.start(memory, place);
      threads[place.index] = workers.last();
      return worker;
    },
    timers,
    log: (level, source, text) => lines.push(`${level} ${source}: ${text}`),
    series,
    state: (thread) => [{ type: 'forget-cluster', cluster: `state of ${thread}` }],
    taken: (thread, cluster, whole) => lines.push(`${thread} has taken ${cluster} ${whole.join()}`),
    restarted: () => {},
  });
  return {
    supervisor,
    timers,
    series,
    lines,
    threads,
    began: () => workers.all.length,
    async live(span, ...places) {
      for (let passed = 0; passed < span; passed += 100) {
        for (const place of places) threads[place]?.beat();
        await timers.advance(100);
      }
    },
  };
}

/** Plans that a thread was given and did not speak of yet. */
function plansOf(worker: FakeWorker | undefined): Extract<ToData, { type: 'plan' }>[] {
  return (worker?.told ?? []).filter((message) => message.type === 'plan');
}

function takeUp(worker: FakeWorker | undefined, address = '127.0.0.1:53'): void {
  worker?.say({ type: 'online' });
  const generation = plansOf(worker).at(-1)?.generation ?? 0;
  worker?.say({ type: 'planned', generation, listening: [address] });
}

/** All threads have the plan of port 53. */
async function serving(count: Count): Promise<Stage> {
  const made = stage(count);
  const applied = made.supervisor.apply(planOf(53));
  for (const worker of made.threads) takeUp(worker);
  await applied;
  return made;
}

test('the first thread tries a plan; the others get it with the ports that the first was given', async (t) => {
  const { supervisor, threads } = stage(3);
  const applied = supervisor.apply(planOf(0));
  t.is(threads.length, 1, 'the others begin when it answers');
  t.true(plansOf(threads[0])[0]?.isFirst);
  takeUp(threads[0], '127.0.0.1:5300');
  t.is(threads.length, 3);
  for (const worker of threads.slice(1)) {
    t.is(worker.told[0]?.type, 'forget-cluster', 'state before plan');
    const [given] = plansOf(worker);
    t.is(given?.plan.listeners[0]?.port, 5300);
    t.false(given?.isFirst);
  }
  t.true(supervisor.isAnswering);
  takeUp(threads[1], '127.0.0.1:5300');
  t.is(await Promise.race([applied, Promise.resolve('pending')]), 'pending');
  takeUp(threads[2], '127.0.0.1:5300');
  t.deepEqual(await applied, { kind: 'planned' });
  t.deepEqual(supervisor.listening, ['127.0.0.1:5300']);
  t.is(supervisor.answering, 3);
});

test('a plan that the first thread refuses, no other thread is told of', async (t) => {
  const { supervisor, threads, began } = await serving(2);
  const applied = supervisor.apply(planOf(54));
  threads[0]?.say({ type: 'refused', generation: 2, message: 'port 54 is taken' });
  t.deepEqual(await applied, { kind: 'refused', message: 'port 54 is taken' });
  t.deepEqual(
    threads.map((worker) => plansOf(worker).length),
    [2, 1],
  );
  t.is(began(), 2);
});

test('a plan that only another thread refuses is in use, and that thread is replaced', async (t) => {
  const { supervisor, threads, timers, lines } = await serving(2);
  const applied = supervisor.apply(planOf(54));
  const [, refusing] = threads;
  threads[0]?.say({ type: 'planned', generation: 2, listening: ['127.0.0.1:54'] });
  refusing?.say({ type: 'refused', generation: 2, message: 'no descriptors left' });
  t.deepEqual(await applied, { kind: 'planned' });
  t.regex(lines.at(-1) ?? '', /^error supervisor: Data thread 2 .*no descriptors left\. It is replaced at once\.$/);
  await timers.advance(0);
  t.true(refusing?.isTerminated);
  t.deepEqual(
    plansOf(threads[1]).map(({ plan, isFirst }) => [plan.listeners[0]?.port, isFirst]),
    [[54, false]],
  );
});

test('one that dies is replaced; the others go on, and no query waits for it', async (t) => {
  const { supervisor, threads, timers, series, lines } = await serving(2);
  const [first, second] = threads;
  for (const worker of threads) worker.counters.counter('coredns_dns_requests_total').add(5);
  second?.crash(new Error('boom'));
  t.true(supervisor.isAnswering);
  t.true(supervisor.isWhole, 'its sockets are closed: the other one gets its clients');
  t.is(supervisor.answering, 1);
  await timers.advance(0);
  t.not(threads[1], second);
  t.is(threads[0], first);
  t.deepEqual(threads[1]?.told[0], { type: 'forget-cluster', cluster: 'state of 1' });
  t.is(lines.filter((line) => /^error supervisor: Data thread 2 ended: .*boom/.test(line)).length, 1);
  takeUp(threads[1]);
  t.is(supervisor.answering, 2);
  threads[1]?.counters.counter('coredns_dns_requests_total').add(1);
  t.deepEqual(
    series.samples().map(({ values }) => values),
    [[11]],
  );
});

test('one that is silent keeps its clients waiting: alive, not whole, until it is replaced', async (t) => {
  const { supervisor, threads, live, lines, began } = await serving(2);
  await live(1_000, 0, 1);
  const [, silent] = threads;
  await live(REPORT_AFTER + 500, 0);
  t.true(supervisor.isAnswering);
  t.false(supervisor.isWhole);
  t.regex(lines.at(-1) ?? '', /^warning supervisor: Data thread 2 has been silent for 1\.[0-9] s: queries wait\./);
  await live(REPLACE_AFTER - REPORT_AFTER, 0);
  t.is(began(), 3);
  t.true(silent?.isTerminated);
  t.true(supervisor.isWhole);
});

test('a crash loop of one thread leaves the count of another alone', async (t) => {
  const { threads, timers, live, began } = await serving(2);
  for (let crashes = 0; crashes < 8; crashes++) {
    threads[1]?.crash(new Error('boom'));
    await live(10_000, 0, 1);
  }
  const before = began();
  threads[0]?.crash(new Error('once'));
  await timers.advance(0);
  t.is(began(), before + 1, 'at once');
});

test('a plan comes while a thread is replaced: it is not waited for, and begins with that plan', async (t) => {
  const { supervisor, threads, timers } = await serving(2);
  const gone = threads[1];
  gone?.crash(new Error('one'));
  await timers.advance(0);
  threads[1]?.crash(new Error('two'));
  const applied = supervisor.apply(planOf(54));
  threads[0]?.say({ type: 'planned', generation: 2, listening: ['127.0.0.1:54'] });
  t.deepEqual(await applied, { kind: 'planned' });
  await timers.advance(1_000);
  t.deepEqual(
    plansOf(threads[1]).map(({ generation }) => generation),
    [2],
  );
});

test('while the first thread is replaced another one tries the plan', async (t) => {
  const { supervisor, threads, timers } = await serving(2);
  threads[0]?.crash(new Error('one'));
  await timers.advance(0);
  threads[0]?.crash(new Error('two'));
  const applied = supervisor.apply(planOf(54));
  t.true(plansOf(threads[1]).at(-1)?.isFirst);
  threads[1]?.say({ type: 'planned', generation: 2, listening: ['127.0.0.1:54'] });
  t.deepEqual(await applied, { kind: 'planned' });
});

test('a plan is tried by a thread that answers, not by one that hangs', async (t) => {
  const { supervisor, threads, live } = await serving(2);
  await live(REPORT_AFTER + 500, 1);
  const applied = supervisor.apply(planOf(54));
  t.is(plansOf(threads[0]).length, 1);
  threads[1]?.say({ type: 'refused', generation: 2, message: 'port 54 is taken' });
  t.is((await applied).kind, 'refused');
});

test('a plan is not held up for ever by a thread that hangs at it', async (t) => {
  const { supervisor, threads, live } = await serving(2);
  const applied = supervisor.apply(planOf(54));
  threads[0]?.say({ type: 'planned', generation: 2, listening: ['127.0.0.1:54'] });
  await live(REPLACE_AFTER + 500, 0);
  t.deepEqual(await applied, { kind: 'planned' });
});

test('messages go to the thread that they are for, and what it has taken is told with its place', async (t) => {
  const { supervisor, threads, lines } = await serving(2);
  supervisor.send({ type: 'forget-cluster', cluster: 'a' }, 1);
  t.deepEqual(threads[1]?.told.at(-1), { type: 'forget-cluster', cluster: 'a' });
  t.notDeepEqual(threads[0]?.told.at(-1), { type: 'forget-cluster', cluster: 'a' });
  threads[1]?.say({ type: 'taken', cluster: 'a', whole: ['Service'] });
  t.deepEqual(lines, ['1 has taken a Service']);
});

test('drain waits for all of them', async (t) => {
  const { supervisor, threads, timers } = await serving(2);
  const drained = supervisor.drain(5_000);
  for (const worker of threads) t.deepEqual(worker.told.at(-1), { type: 'drain' });
  threads[0]?.say({ type: 'drained' });
  threads[0]?.exit(0);
  t.is(await Promise.race([drained, Promise.resolve('pending')]), 'pending');
  threads[1]?.say({ type: 'drained' });
  t.true(await drained);
  await supervisor.close();
  t.true(threads.every(({ isTerminated }) => isTerminated));
  t.is(timers.pending, 0);
});

test('drain gives up at its limit, and for one that dies meanwhile', async (t) => {
  for (const end of [() => {}, (worker?: FakeWorker) => worker?.crash(new Error('boom'))]) {
    const { supervisor, threads, timers, began } = await serving(2);
    const drained = supervisor.drain(5_000);
    threads[0]?.say({ type: 'drained' });
    end(threads[1]);
    await timers.advance(5_000);
    t.false(await drained);
    await supervisor.close();
    t.is(began(), 2);
  }
});

test('lines of all threads are printed, also those of one that ends', async (t) => {
  const { threads, timers, lines } = await serving(2);
  threads[0]?.log('info', 'plugin/log', 'one');
  threads[1]?.log('info', 'plugin/log', 'two');
  await timers.advance(100);
  t.deepEqual(lines.toSorted(), ['info plugin/log: one', 'info plugin/log: two']);
  threads[1]?.log('info', 'plugin/log', 'last');
  threads[1]?.crash(new Error('boom'));
  t.true(lines.includes('info plugin/log: last'));
});
