import test from 'ava';
import fc from 'fast-check';

import { RequestPace } from '../../../../zones/kubernetes/api/request-pace.ts';
import type { RequestLimits } from '../../../../zones/kubernetes/source.ts';
import { ManualTime } from '../../../support/manual-time.ts';

const NONE: RequestLimits = { perSecond: undefined, burst: undefined, inFlight: undefined };
const live = (): AbortSignal => new AbortController().signal;

test('without limits nothing waits', async (t) => {
  const time = new ManualTime();
  const pace = new RequestPace(NONE, time);
  for (let i = 0; i < 100; i++) await pace.start(live());
  t.deepEqual(time.pauses, []);
});

test('a burst goes at once, what follows goes at the rate', async (t) => {
  const time = new ManualTime();
  const pace = new RequestPace({ ...NONE, perSecond: 10, burst: 3 }, time);
  for (let i = 0; i < 5; i++) await pace.start(live());
  t.deepEqual(time.pauses, [100, 100]);
});

test('a pause fills the bucket again, and never above the burst', async (t) => {
  const time = new ManualTime();
  const pace = new RequestPace({ ...NONE, perSecond: 10, burst: 2 }, time);
  await pace.start(live());
  await pace.start(live());
  time.advance(60_000);
  for (let i = 0; i < 3; i++) await pace.start(live());
  t.deepEqual(time.pauses, [100]);
});

test('the burst is the rate if it is not said, and 0 is no limit', async (t) => {
  const time = new ManualTime();
  const pace = new RequestPace({ perSecond: 2, burst: 0, inFlight: 0 }, time);
  for (let i = 0; i < 3; i++) await pace.start(live());
  t.deepEqual(time.pauses, [500]);
});

test('a place is handed over in the order of asking, and only once', async (t) => {
  const pace = new RequestPace({ ...NONE, inFlight: 1 }, new ManualTime());
  const started: string[] = [];
  const first = await pace.start(live());
  const second = pace.start(live()).then((leave) => {
    started.push('second');
    return leave;
  });
  const third = pace.start(live()).then(() => started.push('third'));
  t.deepEqual(started, []);
  first();
  first();
  const leave = await second;
  t.deepEqual(started, ['second']);
  leave();
  await third;
  t.deepEqual(started, ['second', 'third']);
});

test('who gives up waiting takes no place from others', async (t) => {
  const pace = new RequestPace({ ...NONE, inFlight: 1 }, new ManualTime());
  const abort = new AbortController();
  const first = await pace.start(live());
  const givenUp = pace.start(abort.signal);
  const last = pace.start(live());
  abort.abort();
  (await givenUp)();
  first();
  await last;
  t.pass();
});

test('never more starts in any second than the rate and the burst allow', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(500), { maxLength: 60 }),
      async (perSecond, burst, gaps) => {
        const time = new ManualTime();
        const pace = new RequestPace({ perSecond, burst, inFlight: undefined }, time);
        const starts: number[] = [];
        for (const gap of gaps) {
          time.advance(gap);
          await pace.start(live());
          starts.push(time.now());
        }
        for (const start of starts) {
          const within = starts.filter((other) => other >= start && other < start + 1000).length;
          t.true(within <= perSecond + burst, `${within} in a second`);
        }
      },
    ),
    { numRuns: 50 },
  );
});
