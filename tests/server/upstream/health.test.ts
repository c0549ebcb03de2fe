import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import { Health } from '../../../server/upstream/health.ts';
import type { Count, Milliseconds } from '../../../zones/units.ts';

type Checked = {
  readonly health: Health;
  /** Ends the check that is under way, now or as soon as there is one. */
  readonly end: (isGood: boolean) => Promise<void>;
  readonly pass: (span: Milliseconds) => void;
  readonly changes: readonly boolean[];
  readonly checks: () => Count;
};

function checked(maxFails: Count, interval: Milliseconds = 1): Checked {
  let now: Milliseconds = 0;
  let checks: Count = 0;
  let underWay: ((isGood: boolean) => void) | undefined;
  let arrived = (): void => {};
  const changes: boolean[] = [];
  const health = new Health({
    maxFails,
    interval,
    clock: () => now,
    check: () => {
      checks++;
      return new Promise((resolve, reject) => {
        underWay = (isGood) => (isGood ? resolve() : reject(new Error('silence')));
        arrived();
      });
    },
    failed: () => {},
    changed: (isDown) => void changes.push(isDown),
  });
  return {
    health,
    changes,
    checks: () => checks,
    pass: (span) => void (now += span),
    async end(isGood) {
      if (underWay === undefined) await new Promise<void>((resolve) => (arrived = resolve));
      const settle = underWay;
      underWay = undefined;
      settle?.(isGood);
      await setImmediate();
    },
  };
}

// CoreDNS plugin/forward: down when the checks that failed are more than max_fails.
test('an upstream is down after more failed checks than max_fails, and up again after one good one', async (t) => {
  const { health, end, changes } = checked(2);
  t.teardown(() => health.close());
  health.suspect();
  await end(false);
  await end(false);
  t.false(health.isDown);
  await end(false);
  t.true(health.isDown);
  await end(false);
  await end(true);
  t.false(health.isDown);
  t.deepEqual(changes, [true, false]);
});

test('checks are made only on suspicion, one at a time, and not again right after a good one', async (t) => {
  const { health, end, pass, checks } = checked(2, 500);
  t.teardown(() => health.close());
  t.is(checks(), 0);
  health.suspect();
  health.suspect();
  t.is(checks(), 1);
  await end(true);
  health.suspect();
  t.is(checks(), 1);
  pass(500);
  health.suspect();
  t.is(checks(), 2);
  await end(true);
});

test('max_fails 0: never checked, never down', (t) => {
  const { health, checks } = checked(0);
  health.suspect();
  t.is(checks(), 0);
  t.false(health.isDown);
});

test('nothing is checked any more once it is closed', async (t) => {
  const { health, end, checks } = checked(2);
  health.suspect();
  health.close();
  await end(false);
  health.suspect();
  t.is(checks(), 1);
});
