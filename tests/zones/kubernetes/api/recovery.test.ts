/** What each fault leads to: reasons and pauses. That a reflector does it is tested from outside in reflector.test.ts. */

import test from 'ava';

import { ApiFault, type ApiFaultCode } from '../../../../zones/kubernetes/api/api-fault.ts';
import { Recovery, type Phase } from '../../../../zones/kubernetes/api/recovery.ts';
import { RECONNECT_REASONS, RELIST_REASONS } from '../../../../zones/kubernetes/following.ts';
import { ManualTime } from '../../../support/manual-time.ts';

const CODES: readonly Exclude<ApiFaultCode, 'closed'>[] = [
  'credentials',
  'unreachable',
  'timeout',
  'status',
  'cut',
  'stalled',
  'overdue',
  'event',
  'protocol',
  'unmarked',
  'shrunk',
  'internal',
];
const PHASES: readonly Phase[] = ['list', 'first-list', 'watch'];
const STATUSES = [0, 400, 401, 403, 404, 410, 422, 429, 500, 504];

// A series that is not there from the start begins with its first increase, which `rate` does not see.
test('whatever goes wrong, its reason is one of those that are shown from the start', (t) => {
  const seen = new Set<string>();
  for (const phase of PHASES) {
    for (const code of CODES) {
      if (code === 'unmarked' && phase !== 'first-list') continue; // only a first list can lack its mark
      for (const status of code === 'status' || code === 'event' ? STATUSES : [0]) {
        for (const cause of ['', 'ResourceVersionTooLarge']) {
          const recovery = new Recovery(new ManualTime());
          for (let times = 0; times < 3; times++) {
            const fault = new ApiFault(code, 'planned', {
              status: { code: status, reason: '', cause, retryAfter: undefined },
            });
            const { mustList, reason } = recovery.after(fault, phase, false);
            const shown: readonly string[] = mustList ? RELIST_REASONS : RECONNECT_REASONS;
            t.true(shown.includes(reason), `${code} ${status} ${cause} in ${phase}: ${reason}`);
            seen.add(reason);
          }
        }
      }
    }
  }
  const all = new Set<string>([...RELIST_REASONS, ...RECONNECT_REASONS]);
  all.delete('ended'); // no fault
  t.deepEqual([...seen].toSorted(), [...all].toSorted());
});

function fault(code: ApiFaultCode, status: number, more: { cause?: string; retryAfter?: number } = {}): ApiFault {
  const { cause = '', retryAfter } = more;
  return new ApiFault(code, 'planned', { status: { code: status, reason: '', cause, retryAfter } });
}

for (const [chance, least, most] of [
  [0, 1000, 60_000],
  [0.5, 1200, 66_000],
  [0.999_999, 1599.9992, 71_999.988],
] as const) {
  test(`Retry-After is followed between 1 and 60 s, and up to a fifth more (chance ${chance})`, (t) => {
    const time = new ManualTime();
    time.chance = chance;
    const after = (retryAfter: number): number =>
      new Recovery(time).after(fault('status', 429, { retryAfter }), 'watch', false).delay;
    t.is(after(0.001).toFixed(3), least.toFixed(3));
    t.is(after(86_400).toFixed(3), most.toFixed(3));
    t.is(after(20).toFixed(3), (20_000 * (1 + chance / 5)).toFixed(3));
  });
}

test('a version from the future is listed after a second at least, whatever the chance', (t) => {
  const time = new ManualTime();
  time.chance = 0;
  for (const code of ['event', 'status'] as const) {
    const remedy = new Recovery(time).after(
      fault(code, 504, { cause: 'ResourceVersionTooLarge', retryAfter: 1 }),
      'watch',
      false,
    );
    t.deepEqual(remedy, { delay: 1000, mustList: true, listBy: 'any', reason: 'future-version' });
  }
});

test('a version that is too old is listed within two seconds, and then with growing pauses', (t) => {
  for (const [chance, pause] of [
    [0, 0],
    [0.999_999, 1999.998],
  ] as const) {
    const time = new ManualTime();
    time.chance = chance;
    const recovery = new Recovery(time);
    t.is(recovery.after(fault('event', 410), 'watch', true).delay, pause);
    t.true(recovery.after(fault('event', 410), 'watch', true).delay >= 1600);
  }
});

test('404 waits a minute and 403 ten seconds, at the least', (t) => {
  const recovery = new Recovery(new ManualTime());
  t.deepEqual(
    [403, 404, 403, 404, 403].map((status) => recovery.after(fault('status', status), 'watch', false).delay),
    [10_000, 60_000, 10_000, 60_000, 19_200],
  );
});

test('pauses grow until nothing has failed for two minutes', (t) => {
  const time = new ManualTime();
  const recovery = new Recovery(time);
  const next = (): number => recovery.after(fault('status', 500), 'watch', false).delay;
  t.deepEqual([next(), next(), next()], [1200, 2400, 4800]);
  time.advance(4800 + 120_000);
  t.is(next(), 9600);
  time.advance(9600 + 120_001);
  t.is(next(), 1200);
});

test('silence is gone on from once; the second one in a row, however it shows, is answered with a list', (t) => {
  const silences = (...attempts: readonly (readonly [ApiFaultCode, boolean])[]): boolean[] => {
    const recovery = new Recovery(new ManualTime());
    return attempts.map(([code, hadBytes]) => recovery.after(fault(code, 0), 'watch', hadBytes).mustList);
  };
  t.deepEqual(silences(['stalled', false], ['stalled', false]), [false, true]);
  t.deepEqual(silences(['timeout', false], ['stalled', false]), [false, true]);
  t.deepEqual(silences(['stalled', false], ['stalled', true], ['stalled', false]), [false, false, false]);
  t.deepEqual(silences(['stalled', true], ['stalled', true], ['stalled', true]), [false, false, false]);
  const recovery = new Recovery(new ManualTime());
  recovery.after(fault('stalled', 0), 'watch', false);
  recovery.succeeded();
  t.false(recovery.after(fault('stalled', 0), 'watch', false).mustList);
});

test('what stalls is taken up at once, and what times out is not', (t) => {
  const recovery = new Recovery(new ManualTime());
  t.is(recovery.after(fault('stalled', 0), 'watch', false).delay, 0);
  t.is(recovery.after(fault('overdue', 0), 'watch', true).delay, 0);
  t.is(recovery.after(fault('timeout', 0), 'watch', false).delay, 1200);
});

test('what cannot be read is asked for again at once, and then with growing pauses even if each watch went forward', (t) => {
  const time = new ManualTime();
  const recovery = new Recovery(time);
  const next = (): number => {
    const { delay, mustList } = recovery.after(fault('protocol', 0), 'watch', true);
    t.false(mustList);
    recovery.succeeded();
    return delay;
  };
  t.deepEqual([next(), next(), next()], [0, 2400, 4800]);
  time.advance(4800 + 120_001);
  t.is(next(), 0);
});
