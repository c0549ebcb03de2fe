/** What each fault leads to, as far as figures go. What is done about it is tested from outside in reflector.test.ts. */

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
