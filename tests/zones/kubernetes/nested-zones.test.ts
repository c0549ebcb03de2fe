/** Zones that stand below one another: which of them a name belongs to, and what that says of the names between. */

import test from 'ava';
import fc from 'fast-check';

import { clusterZones, zoneHolding } from '../../../zones/kubernetes/cluster-zones.ts';
import { KINDS } from '../../../zones/kubernetes/objects.ts';
import type { Zone } from '../../../zones/kubernetes/zone.ts';
import { nameFrom, parentOf, present, ROOT, type Name } from '../../../zones/name.ts';
import { RRType } from '../../../zones/rr.ts';
import { ask, handlerFor, PASSED_ON, storeOf, testRows } from '../../support/cluster-zone.ts';
import { EXAMPLE_OBJECTS, externalName } from '../../support/example-cluster.ts';
import { testQuery } from '../../support/plugin-context.ts';

testRows([
  {
    title: 'a name above a longer zone exists, whatever the zone above it has there (RFC 8020)',
    ask: 'b.cluster.local. B.Cluster.Local.',
    types: 'A NS TXT SOA PTR ANY',
    zones: 'cluster.local a.b.cluster.local',
  },
  {
    title: 'a name above a longer zone, far down',
    ask: 'x.nosuch.Z nosuch.Z',
    zones: 'cluster.local y.x.nosuch.svc.cluster.local',
  },
  {
    title: 'a name beside the names above a longer zone does not exist',
    ask: 'bb.cluster.local. c.b.cluster.local. x.svc.cluster.local.',
    zones: 'cluster.local a.b.cluster.local',
    rcode: 'NXDOMAIN',
  },
  {
    title: 'a DS question at a zone of ours is for the zone above (RFC 4035 section 3.1.4.1)',
    ask: 'a.b.cluster.local.',
    types: 'DS',
    zones: 'cluster.local a.b.cluster.local',
  },
  {
    title: 'a DS question at a zone with none of ours above is for the zone itself',
    ask: 'cluster.local.',
    types: 'DS',
  },
]);

test('the root holds what in-addr.arpa and ip6.arpa stand in', async (t) => {
  t.is((await ask(handlerFor({ zones: '.' }), 'arpa', 'NS')).reply, 'NOERROR aa');
});

test('an alias may lead to a name above a longer zone: it exists', async (t) => {
  const store = storeOf([...EXAMPLE_OBJECTS, externalName('prod/above', 'b.cluster.local')]);
  const { reply, answer } = await ask(
    handlerFor({ store, zones: 'cluster.local a.b.cluster.local' }),
    'above.prod.svc.cluster.local',
    'A',
  );
  t.deepEqual([reply, ...answer], ['NOERROR aa', 'above.prod.svc.cluster.local. 5 IN CNAME b.cluster.local.']);
});

test('fallthrough: a name above a longer zone is left to the next plugin', async (t) => {
  const handler = handlerFor({ zones: 'cluster.local a.b.cluster.local', body: 'fallthrough' });
  t.is(await handler(testQuery('b.cluster.local')), PASSED_ON);
});

/** Apexes that stand in one another's way: above and below names of services, endpoints, ports, pods and addresses. */
const APEXES = [
  'local cluster.local svc.cluster.local prod.svc.cluster.local db.prod.svc.cluster.local _tcp.db.prod.svc.cluster.local',
  'x.y.db.prod.svc.cluster.local b.cluster.local a.b.cluster.local q.ns.dns.cluster.local x.pod.cluster.local',
  '. arpa in-addr.arpa 10.in-addr.arpa 96.10.in-addr.arpa 10.2.244.10.in-addr.arpa 9.9.10.2.244.10.in-addr.arpa',
  'ip6.arpa d.f.ip6.arpa',
].flatMap((line) => line.split(' ').map(nameFrom));
const NAMES: readonly Name[] = [
  ...APEXES,
  ...['db-0.db.prod', '_pg._tcp.db.prod', 'web.prod', 'ext.prod', 'alias.prod', 'down.prod', 'x.nosuch'].map((front) =>
    nameFrom(`${front}.svc.cluster.local`),
  ),
  ...['dns-version', 'ns.dns', '10-0-0-1.prod.pod'].map((front) => nameFrom(`${front}.cluster.local`)),
  ...['11.2.244.10.in-addr.arpa', '1.0.96.10.in-addr.arpa', '5.0.0.0.1.6.9.0.0.0.d.f.ip6.arpa'].map(nameFrom),
];

test('whatever zones there are: where a name exists, all names above it do that one of them holds (RFC 8020)', (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  fc.assert(
    fc.property(fc.subarray(APEXES, { minLength: 1, maxLength: 6 }), (apexes) => {
      const zones = clusterZones(store, apexes, { ...OPTIONS, primary: apexes[0] });
      for (const name of NAMES) {
        if (!exists(zones, name, RRType.A)) continue;
        for (let above = name; above !== ROOT;) {
          above = parentOf(above);
          if (zoneHolding(zones, above, RRType.A) === undefined) break;
          for (const type of [RRType.A, RRType.DS]) {
            t.true(exists(zones, above, type), `${present(above)} ${type}, with ${apexes.map(present).join(' ')}`);
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

function exists(zones: readonly Zone[], name: Name, type: number): boolean {
  const found = zoneHolding(zones, name, type)?.find(name, name, type);
  return found !== undefined && (found.outcome !== 'nxdomain' || found.answer.length > 0);
}

const OPTIONS = {
  kinds: KINDS,
  multicluster: [],
  ttl: 5,
  namespaces: undefined,
  pods: 'insecure',
  endpointPodNames: false,
  zonal: false,
  pointsToHostnamesOnly: false,
  ignoreEmptyService: false,
  localAddresses: [],
  passesOn: () => false,
} as const;
