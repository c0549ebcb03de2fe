/** What counts as a change of an object. */

import test from 'ava';

import type { ClusterObject } from '../../../../zones/kubernetes/objects.ts';
import { isSameObject } from '../../../../zones/kubernetes/store/same-object.ts';
import {
  endpoint,
  externalName,
  importedSlice,
  inZones,
  namespace,
  pod,
  port,
  service,
  serviceImport,
  slice,
} from '../../../support/example-cluster.ts';

const web = service('prod/web', ['192.0.2.1'], [port('http/TCP 80')]);
const ready = slice('prod/web', 'a', [port('http/TCP 80')], [endpoint('192.0.2.9', { hostname: 'h', pod: 'p' })]);

const imported = importedSlice('prod/web', 'east', 'a', [], []);
const clusterset = serviceImport('prod/web', ['192.0.2.1'], [port('http/TCP 80')]);

for (const object of [
  namespace('prod'),
  web,
  externalName('prod/x', 'a.example.org'),
  ready,
  inZones({ ...ready, name: 'web-in-zones' }, 'a'),
  { ...imported, name: 'web-imported' },
  pod('prod/a', '192.0.2.1'),
  clusterset,
]) {
  test(`the same: ${object.kind} ${object.name}`, (t) => t.true(isSameObject(object, structuredClone(object))));
}

const others: readonly [string, ClusterObject, ClusterObject][] = [
  ['cluster IPs', web, { ...web, clusterIPs: ['192.0.2.2'] }],
  [
    'their order',
    { ...web, clusterIPs: ['192.0.2.1', '2001:db8::1'] },
    { ...web, clusterIPs: ['2001:db8::1', '192.0.2.1'] },
  ],
  ['service of a slice', ready, { ...ready, service: 'other' }],
  ['host name', ready, { ...ready, endpoints: [endpoint('192.0.2.9', { pod: 'p' })] }],
  ['topology zone', inZones(ready, 'a'), inZones(ready, 'b')],
  ['no topology zone', inZones(ready, 'a'), ready],
  ['cluster', imported, { ...imported, imported: { service: 'web', cluster: 'west' } }],
  ['import', imported, { ...imported, imported: { service: 'other', cluster: 'east' } }],
  ['address of an import', clusterset, { ...clusterset, clusterIPs: ['192.0.2.2'] }],
  ['port of an import', clusterset, { ...clusterset, ports: [port('http/TCP 81')] }],
  ['pod address', pod('prod/a', '192.0.2.1'), pod('prod/a', '192.0.2.1', '2001:db8::1')],
  ['kind', namespace('web'), web],
];

for (const [what, before, after] of others) {
  test(`another: ${what}`, (t) => t.false(isSameObject(before, after)));
}
