/** The directive `autopath` as it is written, and what is wrong with one that is not. */

import test from 'ava';

import { autopath, autopathAt } from '../../../server/plugins/autopath.ts';
import { systemSchedule } from '../../../server/timer.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';

const plugin = autopathAt({ nodeDomains: () => [nameFrom('corp.example')], patience: 500, schedule: systemSchedule });
const LIST = 'fixtures/resolv-conf/pod.conf';

test('what is written is what counts', (t) => {
  const text = `autopath cluster.local @kubernetes {
    except kube-system ci
    except dev
    suffix corp.internal Lab.
    tld fixtures/tlds/one.txt
    ttl 30
    pods
  }`;
  t.deepEqual(optionsFrom(plugin, text), {
    zones: [nameFrom('cluster.local')],
    list: undefined,
    nodeDomains: [nameFrom('corp.example')],
    except: ['kube-system', 'ci', 'dev'],
    suffixes: [nameFrom('corp.internal'), nameFrom('lab')],
    tlds: ['internal'],
    ttl: 30,
    usesPods: true,
  });
});

test('the zones of the block, and nothing else, where nothing is written', (t) => {
  const options = optionsFrom(plugin, 'autopath @kubernetes');
  t.deepEqual(options.zones.map(present), ['.']);
  t.deepEqual([options.ttl, options.usesPods, options.except, options.tlds], [5, false, [], undefined]);
});

test('a file’s search list', (t) => {
  const list = optionsFrom(plugin, `autopath ${LIST}`).list;
  t.deepEqual(list?.map(present), [
    'default.svc.cluster.local.',
    'svc.cluster.local.',
    'cluster.local.',
    'corp.example.',
  ]);
});

const FAULTS: readonly (readonly [text: string, fault: RegExp])[] = [
  [
    'autopath',
    /^Corefile:2:1: found the end of the line after "autopath", expected: autopath \[ZONES…\] @kubernetes\|FILE/,
  ],
  ['autopath @erratic', /^Corefile:2:10: found "@erratic", expected @kubernetes, or a file in resolv\.conf format/],
  ['autopath fixtures/nowhere.conf', /^Corefile:2:10: .*expected a file that can be used \(ENOENT/],
  ['autopath fixtures/tlds/one.txt', /^Corefile:2:10: .*expected a file with a search line; this one has none/],
  ['autopath cluster..local @kubernetes', /^Corefile:2:10: /],
  ['autopath @kubernetes\nautopath @kubernetes', /^Corefile:3:1: found a second "autopath"/],
  [
    'autopath @kubernetes {\n  exempt ci\n}',
    /^Corefile:3:3: found "exempt", which is not an option of autopath, expected except, /,
  ],
  ['autopath @kubernetes {\n  except\n}', /^Corefile:3:3: found the end of the line/],
  ['autopath @kubernetes {\n  except UPPER\n}', /^Corefile:3:10: found "UPPER", expected the name of a namespace/],
  ['autopath @kubernetes {\n  ttl 3601\n}', /^Corefile:3:7: .*expected a whole number from 0 to 3600/],
  ['autopath @kubernetes {\n  tld fixtures/nowhere.txt\n}', /^Corefile:3:7: .*ENOENT/],
  ['autopath @kubernetes {\n  tld fixtures/resolv-conf/pod.conf\n}', /^Corefile:3:7: .*line 1: found/],
  ['autopath @kubernetes {\n  suffix corp.internal .\n}', /^Corefile:3:24: found "\.", expected a name below the root/],
  ['autopath @kubernetes {\n  pods all\n}', /^Corefile:3:8: /],
  [`autopath ${LIST} {\n  pods\n}`, /^Corefile:3:3: found "pods", expected no option pods beside a file/],
  [
    `autopath @kubernetes {\n  suffix ${Array.from({ length: 65 }, (_, i) => `s${i}`).join(' ')}\n}`,
    /at most 64 names/,
  ],
];

for (const [text, fault] of FAULTS) {
  test(`refused: ${JSON.stringify(text.slice(0, 60))}`, (t) => {
    t.regex(faultOf(autopath, text) ?? 'it was taken', fault);
  });
}
