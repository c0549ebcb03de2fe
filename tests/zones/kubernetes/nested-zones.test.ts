/** Zones that stand below one another: which of them a name belongs to, and what that says of the names between. */

import test from 'ava';

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
