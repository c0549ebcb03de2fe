/** What is printed at the start. */

import test from 'ava';

import { PUBLIC_TLDS_DATE } from '../../../server/completion/public-tlds.ts';
import { demoLines, programLines, versionLines } from '../../../server/control/banner.ts';
import type { Plan } from '../../../server/plan.ts';
import { nameFrom, ROOT } from '../../../zones/name.ts';

function planAt(host: string, port: number): Plan {
  return { listeners: [{ server: '', host, port, routes: [] }], blocks: [] };
}

test('-version says as well how old the list of public TLDs is', (t) => {
  const surroundings = { platform: 'linux/x64', runtime: 'v26.9.0', revision: '' };
  t.deepEqual(versionLines(surroundings), [...programLines(surroundings), `public TLDs of ${PUBLIC_TLDS_DATE}`]);
});

test('the program says its version and what it runs on; the commit if somebody said it', (t) => {
  const surroundings = { platform: 'linux/x64', runtime: 'v26.9.0', revision: '' };
  t.regex(programLines(surroundings)[0] ?? '', /^fivedots-[0-9]+\.[0-9]+\.[0-9]+$/);
  t.is(programLines(surroundings)[1], 'linux/x64, node v26.9.0');
  t.is(programLines({ ...surroundings, revision: '7a57134' })[1], 'linux/x64, node v26.9.0, 7a57134');
});

test("the demo's commands ask where the plan listens, in the cluster's zone", (t) => {
  const [, ...commands] = demoLines(planAt('127.0.0.1', 1053), nameFrom('cluster.local'));
  t.deepEqual(commands, [
    '  dig @127.0.0.1 -p 1053 web.shop.svc.cluster.local',
    '  dig @127.0.0.1 -p 1053 _postgres._tcp.db.shop.svc.cluster.local SRV',
    '  dig @127.0.0.1 -p 1053 gateway.payments.svc.cluster.local',
  ]);
  t.regex(
    demoLines(planAt('', 53), nameFrom('k8s.example.org'))[1] ?? '',
    /@127\.0\.0\.1 -p 53 web\.shop\.svc\.k8s\.example\.org$/,
  );
  t.regex(demoLines(planAt('::1', 53), nameFrom('cluster.local'))[1] ?? '', /@::1 -p 53 /);
});

test('a plan without a cluster or a listener has no commands', (t) => {
  t.deepEqual(demoLines(planAt('', 53), undefined), []);
  t.deepEqual(demoLines(planAt('', 53), ROOT), []);
  t.deepEqual(demoLines({ listeners: [], blocks: [] }, nameFrom('cluster.local')), []);
});
