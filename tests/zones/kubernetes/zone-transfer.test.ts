/** Whole zones: complete, equal to answers, of one instant (RFC 5936 section 3). */

import test from 'ava';

import { addressFrom } from '../../../zones/ip.ts';
import { clusterZones, type ClusterZonesOptions } from '../../../zones/kubernetes/cluster-zones.ts';
import { KINDS, type ClusterObject } from '../../../zones/kubernetes/objects.ts';
import type { ClusterStore } from '../../../zones/kubernetes/store/store.ts';
import { zoneTransfer } from '../../../zones/kubernetes/zone-transfer.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { RRType, typeName, type RRset } from '../../../zones/rr.ts';
import { storeOf, written } from '../../support/cluster-zone.ts';
import {
  endpoint,
  EXAMPLE_OBJECTS,
  externalName,
  importedSlice,
  inZones,
  listed,
  namespace,
  OWN_ADDRESS,
  pod,
  port,
  puts,
  removal,
  service,
  serviceImport,
  slice,
} from '../../support/example-cluster.ts';
import { presentSets } from '../../support/present-sets.ts';

const APEXES = ['cluster.local', 'in-addr.arpa', 'ip6.arpa'].map(nameFrom);

type Setting = {
  readonly zones?: readonly string[];
  readonly options?: Partial<ClusterZonesOptions>;
  readonly store?: ClusterStore;
};

/** What is taken step by step. */
function stepsOf(apex: string, { zones, options, store = storeOf(EXAMPLE_OBJECTS) }: Setting = {}) {
  const apexes = zones?.map(nameFrom) ?? APEXES;
  return zoneTransfer(store, apexes, { ...OPTIONS, ...options }, nameFrom(apex));
}

function setsOf(apex: string, setting: Setting = {}): RRset[] {
  return [...stepsOf(apex, setting)].filter((set) => set !== undefined);
}

function linesOf(apex: string, setting: Setting = {}): readonly string[] {
  return presentSets(setsOf(apex, setting));
}

const OPTIONS: ClusterZonesOptions = {
  primary: nameFrom('cluster.local'),
  multicluster: [],
  kinds: KINDS,
  ttl: 5,
  namespaces: undefined,
  pods: 'verified',
  endpointPodNames: false,
  zonal: false,
  pointsToHostnamesOnly: false,
  ignoreEmptyService: false,
  localAddresses: [addressFrom(OWN_ADDRESS) ?? new Uint8Array(4)],
  passesOn: () => false,
};

const SMALL: readonly ClusterObject[] = [
  namespace('a'),
  namespace('b'),
  service('b/web', ['10.96.0.1', 'fd00:96::1'], [port('http/TCP 80'), port('/UDP 53')]),
  slice('b/web', 'x', [port('http/TCP 8080')], [endpoint('10.244.0.2'), endpoint('10.244.0.1')]),
  service('b/db', ['None'], [port('pg/TCP 5432')]),
  slice('b/db', 'x', [port('pg/TCP 5432')], [endpoint('10.244.0.3', { hostname: 'db-0' })]),
  externalName('a/out', 'www.example.org'),
  service('hidden/web', ['10.96.0.9']),
  pod('b/p', '10.244.0.7', 'fd00:244::7'),
  pod('a/p', '10.244.0.8'),
];

const SOA = 'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5';
const HEAD = [
  SOA,
  'cluster.local. 5 IN NS ns.dns.cluster.local.',
  'dns-version.cluster.local. 28800 IN TXT "1.1.0"',
  'ns.dns.cluster.local. 5 IN A 10.244.0.10',
];

test('the zone of names: SOA, NS, well-known names, services with endpoints and ports, pods, SOA, in order', (t) => {
  t.deepEqual(linesOf('cluster.local', { store: storeOf(SMALL) }), [
    ...HEAD,
    ...[
      'out.a.Z 5 IN CNAME www.example.org.',
      'db.b.Z 5 IN A 10.244.0.3',
      'db.b.Z 5 IN SRV 0 100 5432 db-0.db.b.Z',
      'db-0.db.b.Z 5 IN A 10.244.0.3',
      'db-0.db.b.Z 5 IN SRV 0 100 5432 db-0.db.b.Z',
      '_pg._tcp.db.b.Z 5 IN A 10.244.0.3',
      '_pg._tcp.db.b.Z 5 IN SRV 0 100 5432 db-0.db.b.Z',
      'web.b.Z 5 IN A 10.96.0.1',
      'web.b.Z 5 IN AAAA fd00:96::1',
      'web.b.Z 5 IN SRV 0 25 80 web.b.Z',
      'web.b.Z 5 IN SRV 0 25 53 web.b.Z',
      '10-244-0-1.web.b.Z 5 IN A 10.244.0.1',
      '10-244-0-1.web.b.Z 5 IN SRV 0 100 8080 10-244-0-1.web.b.Z',
      '10-244-0-2.web.b.Z 5 IN A 10.244.0.2',
      '10-244-0-2.web.b.Z 5 IN SRV 0 100 8080 10-244-0-2.web.b.Z',
      '_http._tcp.web.b.Z 5 IN A 10.96.0.1',
      '_http._tcp.web.b.Z 5 IN AAAA fd00:96::1',
      '_http._tcp.web.b.Z 5 IN SRV 0 50 80 web.b.Z',
    ].map(written),
    '10-244-0-8.a.pod.cluster.local. 5 IN A 10.244.0.8',
    '10-244-0-7.b.pod.cluster.local. 5 IN A 10.244.0.7',
    'fd00-244--7.b.pod.cluster.local. 5 IN AAAA fd00:244::7',
    SOA,
  ]);
});

test('a reverse zone: SOA, NS, well-known names, PTR in the order of addresses, SOA', (t) => {
  t.deepEqual(linesOf('in-addr.arpa', { store: storeOf(SMALL) }), [
    'in-addr.arpa. 5 IN SOA ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. SERIAL 7200 1800 86400 5',
    'in-addr.arpa. 5 IN NS ns.dns.cluster.local.',
    'dns-version.in-addr.arpa. 28800 IN TXT "1.1.0"',
    'ns.dns.in-addr.arpa. 5 IN A 10.244.0.10',
    '1.0.96.10.in-addr.arpa. 5 IN PTR web.b.svc.cluster.local.',
    '1.0.244.10.in-addr.arpa. 5 IN PTR 10-244-0-1.web.b.svc.cluster.local.',
    '2.0.244.10.in-addr.arpa. 5 IN PTR 10-244-0-2.web.b.svc.cluster.local.',
    '3.0.244.10.in-addr.arpa. 5 IN PTR db-0.db.b.svc.cluster.local.',
    'in-addr.arpa. 5 IN SOA ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. SERIAL 7200 1800 86400 5',
  ]);
});

const ZONED: readonly ClusterObject[] = [
  namespace('a'),
  service('a/db', ['None'], [port('pg/TCP 5432')]),
  inZones(
    slice('a/db', 'x', [port('pg/TCP 5432')], [endpoint('10.244.0.1'), endpoint('10.244.0.2'), endpoint('10.244.0.3')]),
    'eu-1.a',
    'eu-1.b',
    '',
  ),
  service('a/web', ['10.96.0.1']),
  inZones(slice('a/web', 'x', [], [endpoint('10.244.0.4')]), 'eu-1.a'),
];

const IMPORTED: readonly ClusterObject[] = [
  namespace('a'),
  service('a/own', ['10.96.0.1']),
  serviceImport('a/web', ['10.100.0.1'], [port('http/TCP 80')]),
  importedSlice('a/web', 'west', 'x', [port('http/TCP 80')], [endpoint('10.1.0.1')]),
  serviceImport('a/db', ['None'], [port('pg/TCP 5432')]),
  importedSlice('a/db', 'west', 'x', [port('pg/TCP 5432')], [endpoint('10.1.0.2', { hostname: 'db-0' })]),
  importedSlice('a/db', 'east', 'x', [port('pg/TCP 5432')], [endpoint('10.2.0.2', { hostname: 'db-0' })]),
];

const SETTINGS: readonly { readonly title: string; readonly apexes?: readonly string[]; readonly setting: Setting }[] =
  [
    { title: 'as it is', setting: {} },
    { title: 'with another TTL', setting: { options: { ttl: 30 } } },
    { title: 'of one namespace', setting: { options: { namespaces: new Set(['prod']) } } },
    { title: 'with pod names', setting: { options: { endpointPodNames: true } } },
    { title: 'without empty services', setting: { options: { ignoreEmptyService: true } } },
    { title: 'without pods', setting: { options: { pods: 'disabled' } } },
    { title: 'with pods of any address', setting: { options: { pods: 'insecure' } } },
    { title: 'of a machine without addresses', setting: { options: { localAddresses: [] } } },
    { title: 'of a cluster without anything', setting: { store: storeOf([]) } },
    {
      title: 'of networks',
      apexes: ['cluster.local', '96.10.in-addr.arpa', '244.10.in-addr.arpa', 'd.f.ip6.arpa'],
      setting: { zones: ['cluster.local', '96.10.in-addr.arpa', '244.10.in-addr.arpa', 'd.f.ip6.arpa'] },
    },
    {
      title: 'one inside the other',
      apexes: ['cluster.local', 'prod.svc.cluster.local', 'in-addr.arpa', '96.10.in-addr.arpa'],
      setting: { zones: ['cluster.local', 'prod.svc.cluster.local', 'in-addr.arpa', '96.10.in-addr.arpa'] },
    },
    { title: 'with names of topology zones', setting: { options: { zonal: true }, store: storeOf(ZONED) } },
    { title: 'with names for host names only', setting: { options: { pointsToHostnamesOnly: true } } },
    {
      title: 'of the clusterset',
      apexes: ['clusterset.local'],
      setting: {
        zones: ['cluster.local', 'clusterset.local', 'in-addr.arpa', 'ip6.arpa'],
        options: { multicluster: [nameFrom('clusterset.local')] },
        store: storeOf(IMPORTED),
      },
    },
    { title: 'the root, which holds both kinds of names', apexes: ['.'], setting: { zones: ['.'] } },
    {
      title: 'of a single address',
      apexes: ['1.0.96.10.in-addr.arpa'],
      setting: { zones: ['cluster.local', '1.0.96.10.in-addr.arpa'] },
    },
  ];

for (const { title, setting, apexes = APEXES.map(present) } of SETTINGS) {
  for (const apex of apexes) {
    test(`each record is what a question for it gets, and no RRset is there twice: ${apex} ${title}`, (t) => {
      const store = setting.store ?? storeOf(EXAMPLE_OBJECTS);
      const sets = setsOf(apex, { ...setting, store });
      const zones = clusterZones(store, setting.zones?.map(nameFrom) ?? APEXES, { ...OPTIONS, ...setting.options });
      const zone = zones.find((each) => each.apex === nameFrom(apex));
      for (const set of sets) {
        const name = nameFrom(present(set.owner));
        t.deepEqual(zone?.find(name, name, set.type).answer, [set], `${present(name)} ${typeName(set.type)}`);
      }
      t.deepEqual(sets.at(-1), sets[0]);
      t.is(sets[0]?.type, RRType.SOA);
      const keys = sets.slice(1).map((set) => `${present(set.owner)} ${typeName(set.type)}`);
      t.is(new Set(keys).size, keys.length);
    });
  }
}

test('topology zones of headless services have the names that can be listed', (t) => {
  const lines = linesOf('cluster.local', { options: { zonal: true }, store: storeOf(ZONED) });
  t.deepEqual(
    lines.filter((line) => line.includes('_zone') && line.includes(' A ')),
    [
      'eu-1.a.pin._zone.db.a.Z 5 IN A 10.244.0.1',
      'eu-1.a.prefer._zone.db.a.Z 5 IN A 10.244.0.1',
      'eu-1.b.pin._zone.db.a.Z 5 IN A 10.244.0.2',
      'eu-1.b.prefer._zone.db.a.Z 5 IN A 10.244.0.2',
    ].map(written),
  );
  t.deepEqual(
    linesOf('cluster.local', { store: storeOf(ZONED) }),
    lines.filter((line) => !line.includes('_zone')),
  );
});

test('a zone of the clusterset has imported services, with the endpoints under their clusters', (t) => {
  const zones = ['cluster.local', 'clusterset.local'];
  const options = { multicluster: [nameFrom('clusterset.local')] };
  const owners = setsOf('clusterset.local', { zones, options, store: storeOf(IMPORTED) }).map(({ owner }) =>
    present(owner),
  );
  t.deepEqual(
    [...new Set(owners)].filter((owner) => owner.includes('.svc.')),
    [
      'db.a.svc.clusterset.local.',
      'db-0.east.db.a.svc.clusterset.local.',
      'db-0.west.db.a.svc.clusterset.local.',
      '_pg._tcp.db.a.svc.clusterset.local.',
      'web.a.svc.clusterset.local.',
      '10-1-0-1.west.web.a.svc.clusterset.local.',
      '_http._tcp.web.a.svc.clusterset.local.',
    ],
  );
});

test('an imported endpoint of no known cluster has no name, and does not repeat its service', (t) => {
  const store = storeOf([
    namespace('a'),
    serviceImport('a/web', ['10.112.0.1']),
    importedSlice('a/web', '', 'v4', [], [endpoint('10.1.0.1')]),
  ]);
  const options = { multicluster: [nameFrom('clusterset.local')] };
  const lines = linesOf('clusterset.local', { zones: ['cluster.local', 'clusterset.local'], options, store });
  t.deepEqual(
    lines.filter((line) => line.includes('.svc.')),
    ['web.a.svc.clusterset.local. 5 IN A 10.112.0.1'],
  );
});

test('names of a longer zone are in that zone only', (t) => {
  const zones = ['cluster.local', 'prod.svc.cluster.local', 'in-addr.arpa', '96.10.in-addr.arpa'];
  const owners = (apex: string): readonly string[] => setsOf(apex, { zones }).map(({ owner }) => present(owner));
  t.deepEqual(
    owners('cluster.local').filter((owner) => owner.endsWith('prod.svc.cluster.local.')),
    [],
  );
  t.deepEqual(
    owners('in-addr.arpa').filter((owner) => owner.endsWith('.96.10.in-addr.arpa.')),
    [],
  );
  t.true(owners('96.10.in-addr.arpa').includes('1.1.96.10.in-addr.arpa.'));
});

test('the primary zone is where reverse names point to, and another zone has the same names', (t) => {
  const zones = ['cluster.local', 'in-addr.arpa', 'other.example'];
  const lines = linesOf('other.example', { zones, store: storeOf(SMALL) });
  t.true(lines.includes('_http._tcp.web.b.svc.other.example. 5 IN SRV 0 50 80 web.b.svc.other.example.'));
  t.is(lines.length, linesOf('cluster.local', { zones, store: storeOf(SMALL) }).length);
});

test('a transfer is of the instant in which it began, whatever happens to the cluster while it runs', (t) => {
  for (const apex of APEXES.map(present)) {
    const store = storeOf(EXAMPLE_OBJECTS);
    const expected = linesOf(apex, { store });
    const steps = stepsOf(apex, { store });
    const sets: RRset[] = [];
    for (let changed = 0; ; changed++) {
      const { done, value } = steps.next();
      if (done === true) break;
      if (value !== undefined) sets.push(value);
      const object = EXAMPLE_OBJECTS[changed];
      if (object !== undefined) store.apply([removal(object)]);
      store.apply(puts(namespace('late'), service(`late/s${changed}`, [`10.97.0.${changed % 250}`])));
      store.apply(puts(slice('prod/db', 'v4', [], [endpoint(`10.244.99.${changed % 250}`)])));
      store.apply(puts(pod('prod/web-1', `10.244.98.${changed % 250}`)));
    }
    t.deepEqual(presentSets(sets), expected);
    t.deepEqual(sets.at(-1), sets[0], 'the same serial at both ends');
    t.notDeepEqual(linesOf(apex, { store }), expected, 'the next one is of its own instant');
  }
});

test('equal clusters give equal transfers, in whatever order their objects came', (t) => {
  for (const apex of APEXES.map(present)) {
    t.deepEqual(
      linesOf(apex, { store: storeOf(EXAMPLE_OBJECTS.toReversed()) }),
      linesOf(apex, { store: storeOf(EXAMPLE_OBJECTS) }),
    );
  }
});

test('ports whose names are no label with an underscore in front are left out, and harm nothing', (t) => {
  const ports = [port(`${'p'.repeat(62)}/TCP 1`), port(`${'q'.repeat(63)}/TCP 2`), port('\u{1f600}/TCP 3')];
  const store = storeOf([namespace('a'), service('a/web', ['10.96.0.1'], ports)]);
  const services = linesOf('cluster.local', { store }).filter((line) => line.startsWith('_'));
  t.deepEqual(services, [
    written(`_${'p'.repeat(62)}._tcp.web.a.Z 5 IN A 10.96.0.1`),
    written(`_${'p'.repeat(62)}._tcp.web.a.Z 5 IN SRV 0 100 1 web.a.Z`),
  ]);
});

test('in a large cluster others have their turn, also where nothing of it is in the zone', (t) => {
  const endpoints = Array.from({ length: 10_000 }, (_, i) => endpoint(`10.245.${i >> 8}.${i & 255}`));
  const slices = Array.from({ length: 10 }, (_, i) =>
    slice('a/big', `${i}`, [], endpoints.slice(1000 * i, 1000 * (i + 1))),
  );
  const store = storeOf([namespace('a'), service('a/big', ['None']), ...slices]);
  for (const apex of ['in-addr.arpa', 'ip6.arpa']) {
    const turns = [...stepsOf(apex, { store })].filter((step) => step === undefined).length;
    t.true(turns >= 5, `${apex}: ${turns} turns`);
  }
  t.is(linesOf('in-addr.arpa', { store }).length, 10_000 + 5);
});

test('listing a cluster anew while a transfer runs does not touch it', (t) => {
  const store = storeOf(SMALL);
  const steps = stepsOf('cluster.local', { store });
  const first = steps.next().value;
  store.apply(listed([]));
  const rest = [...steps].filter((set) => set !== undefined);
  t.is(first === undefined ? 0 : rest.length + 1, setsOf('cluster.local', { store: storeOf(SMALL) }).length);
});
