/** When the cluster's answer is not the last word: other zones, fallthrough, a cluster that is not read in full, transfers. */

import test from 'ava';

import { servfail } from '../../../server/query.ts';
import { transferableZones } from '../../../server/plugins/transferable-zones.ts';
import { KINDS, type Kind } from '../../../zones/kubernetes/objects.ts';
import { nameFrom } from '../../../zones/name.ts';
import { ask, exampleUpstream, handlerFor, PASSED_ON, seen, storeOf, TEST_TIME } from '../../support/cluster-zone.ts';
import { EXAMPLE_OBJECTS, listed, puts } from '../../support/example-cluster.ts';
import { ClusterStore } from '../../../zones/kubernetes/store/store.ts';
import { optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';
import { kubernetes } from '../../../server/plugins/kubernetes.ts';

const SOA = 'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5';

/** Objects that have come one by one, before any list was complete. */
function unsynced(): ClusterStore {
  const store = new ClusterStore(() => TEST_TIME);
  store.apply(puts(...EXAMPLE_OBJECTS));
  return store;
}

test('names outside the zones go to the next plugin as they came', async (t) => {
  const handler = handlerFor();
  for (const name of ['example.org', 'local', 'notcluster.local', 'xcluster.local', 'arpa', '.']) {
    t.is(await handler(testQuery(name)), PASSED_ON, name);
  }
});

test('replies say that they come from kubernetes and are not to be kept', async (t) => {
  const handler = handlerFor();
  for (const name of ['kubernetes.default.svc.cluster.local', 'nosuch.default.svc.cluster.local']) {
    t.like(await handler(testQuery(name)), { plugin: 'kubernetes', fresh: true, recursionAvailable: false });
  }
});

test('unsynced: what exists is answered', async (t) => {
  const handler = handlerFor({ store: unsynced() });
  t.deepEqual((await ask(handler, 'web.prod.svc.cluster.local', 'A')).answer, [
    'web.prod.svc.cluster.local. 5 IN A 10.96.1.1',
  ]);
  t.is((await ask(handler, 'web.prod.svc.cluster.local', 'TXT')).reply, 'NOERROR aa');
  t.is((await ask(handler, 'svc.cluster.local', 'A')).reply, 'NOERROR aa');
});

test('unsynced: what does not exist is SERVFAIL, and says that it will get better (RFC 8914 section 4.15)', async (t) => {
  const reply = await handlerFor({ store: unsynced() })(testQuery('nosuch.prod.svc.cluster.local'));
  t.deepEqual(seen(reply), { reply: 'SERVFAIL aa', answer: [], authority: [SOA], additional: [] });
  t.is(reply.extendedError?.code, 14);
});

test('unsynced: fallthrough does not leak names of the cluster (CoreDNS asks for them outside)', async (t) => {
  const handler = handlerFor({ store: unsynced(), body: 'fallthrough' });
  t.is((await ask(handler, '99.99.99.10.in-addr.arpa', 'PTR')).reply, 'SERVFAIL aa');
  t.is((await ask(handler, 'nosuch.prod.svc.cluster.local', 'A')).reply, 'SERVFAIL aa');
});

test('unsynced: a chain of aliases that ends nowhere is SERVFAIL', async (t) => {
  const handler = handlerFor({ store: unsynced() });
  t.is((await ask(handler, 'dangling.prod.svc.cluster.local', 'A')).reply, 'SERVFAIL aa');
});

const needs: readonly [string, readonly Kind[]][] = [
  ['', ['Namespace', 'Service', 'EndpointSlice']],
  ['pods insecure', ['Namespace', 'Service', 'EndpointSlice']],
  ['noendpoints', ['Namespace', 'Service']],
  ['pods verified', ['Namespace', 'Service', 'EndpointSlice', 'Pod']],
];

for (const [body, kinds] of needs) {
  test(`names are denied when all of ${kinds.join(', ')} were received: "${body}"`, async (t) => {
    for (const missing of kinds) {
      const store = unsynced();
      store.apply(
        listed(
          EXAMPLE_OBJECTS,
          kinds.filter((kind) => kind !== missing),
        ),
      );
      t.is((await ask(handlerFor({ store, body }), 'x.prod.svc.cluster.local', 'A')).reply, 'SERVFAIL aa', missing);
      store.apply(listed(EXAMPLE_OBJECTS, [missing]));
      t.is((await ask(handlerFor({ store, body }), 'x.prod.svc.cluster.local', 'A')).reply, 'NXDOMAIN aa', missing);
    }
  });
}

test('fallthrough without zones: every name that does not exist, and no other', async (t) => {
  const handler = handlerFor({ body: 'fallthrough' });
  for (const name of ['nosuch.prod.svc.cluster.local', 'foo.cluster.local', '1.2.0.192.in-addr.arpa']) {
    t.is(await handler(testQuery(name)), PASSED_ON, name);
  }
  for (const name of ['prod.svc.cluster.local', 'web.prod.svc.cluster.local', '_tcp.web.prod.svc.cluster.local']) {
    t.is((await ask(handler, name, 'TXT')).reply, 'NOERROR aa', name);
  }
});

test('fallthrough with zones: only names at or below them', async (t) => {
  const handler = handlerFor({ body: 'fallthrough in-addr.arpa b.cluster.local' });
  for (const name of ['1.2.0.192.in-addr.arpa', 'a.b.cluster.local', 'B.Cluster.Local']) {
    t.is(await handler(testQuery(name)), PASSED_ON, name);
  }
  for (const name of ['ab.cluster.local', '8.b.d.0.1.0.0.2.ip6.arpa']) {
    t.is((await ask(handler, name, 'A')).reply, 'NXDOMAIN aa', name);
  }
});

test('transfers are refused, with nothing said of authority', async (t) => {
  const handler = handlerFor();
  for (const type of ['AXFR', 'IXFR']) {
    for (const name of ['cluster.local', 'web.prod.svc.cluster.local', 'in-addr.arpa']) {
      t.deepEqual(await ask(handler, name, type), { reply: 'REFUSED', answer: [], authority: [], additional: [] });
    }
    t.is(await handler(testQuery('example.org', type)), PASSED_ON);
  }
});

test('a question without recursion gets the same answer', async (t) => {
  const handler = handlerFor();
  t.deepEqual(
    await ask(handler, 'db.prod.svc.cluster.local', 'A', { recursionDesired: false }),
    await ask(handler, 'db.prod.svc.cluster.local', 'A'),
  );
});

test('the plugin finds name servers by the addresses that it is bound to', async (t) => {
  const { context } = testContext({ cluster: () => storeOf([]), hosts: ['192.0.2.53', '2001:db8::53'] });
  const handler = kubernetes.layer?.(optionsFrom(kubernetes, 'kubernetes cluster.local'), context)(() => PASSED_ON);
  if (handler === undefined) return t.fail('kubernetes has a layer');
  const { answer, additional } = await ask(handler, 'cluster.local', 'NS');
  t.deepEqual(answer, ['cluster.local. 5 IN NS ns.dns.cluster.local.']);
  t.deepEqual(additional, ['ns.dns.cluster.local. 5 IN A 192.0.2.53', 'ns.dns.cluster.local. 5 IN AAAA 2001:db8::53']);
});

/** Objects of a snapshot; some kinds have been read since. */
function fromSnapshot(...synced: readonly Kind[]): ClusterStore {
  const store = new ClusterStore(() => TEST_TIME);
  store.apply([...puts(...EXAMPLE_OBJECTS), ...KINDS.map((kind) => ({ verb: 'loaded', kind }) as const)]);
  store.apply(synced.map((kind) => ({ verb: 'whole', kind })));
  return store;
}

test('from a snapshot: everything is answered, as stale and not for long (RFC 8767 section 4, RFC 8914 section 4.4)', async (t) => {
  const handler = handlerFor({ store: fromSnapshot(), body: 'ttl 3600', resolve: exampleUpstream });
  const rows: readonly [string, string, string, number | undefined][] = [
    ['web.prod.svc.cluster.local', 'A', 'NOERROR aa', 3],
    ['web.prod.svc.cluster.local', 'TXT', 'NOERROR aa', 3],
    ['_pg._tcp.db.prod.svc.cluster.local', 'SRV', 'NOERROR aa', 3],
    ['nosuch.prod.svc.cluster.local', 'A', 'NXDOMAIN aa', 19],
    ['5.1.244.10.in-addr.arpa', 'PTR', 'NOERROR aa', 3],
    ['99.99.99.10.in-addr.arpa', 'PTR', 'NXDOMAIN aa', 19],
    ['ext.prod.svc.cluster.local', 'A', 'NOERROR aa', 3],
    ['gone.prod.svc.cluster.local', 'A', 'NXDOMAIN aa', 19],
    ['dangling.prod.svc.cluster.local', 'A', 'NXDOMAIN aa', 19],
    ['cluster.local', 'SOA', 'NOERROR aa', 3],
  ];
  for (const [name, type, shown, code] of rows) {
    const reply = await handler(testQuery(name, type));
    t.is(seen(reply).reply, shown, name);
    t.is(reply.extendedError?.code, code, name);
    for (const { ttl } of [...reply.answer, ...reply.authority, ...reply.additional]) t.true(ttl <= 30, name);
  }
  const short = await handlerFor({ store: fromSnapshot(), body: 'ttl 0' })(testQuery('web.prod.svc.cluster.local'));
  t.is(short.answer[0]?.ttl, 0);
});

test('from a snapshot: what others say is theirs, and an error of theirs stays', async (t) => {
  const handler = handlerFor({ store: fromSnapshot(), body: 'fallthrough' });
  t.deepEqual(await handler(testQuery('nosuch.prod.svc.cluster.local')), { ...PASSED_ON, fresh: true });
  const extendedError = { code: 22, text: 'nobody answers' };
  const failing = handlerFor({ store: fromSnapshot(), resolve: () => servfail('forward', 'no', extendedError) });
  t.like(await failing(testQuery('ext.prod.svc.cluster.local')), { rcode: 2, extendedError });
});

test('from a snapshot: a zone is no longer stale when its own kinds have been read, and then it may be transferred', async (t) => {
  const name = 'web.prod.svc.cluster.local';
  const codeAt = async (store: ClusterStore, body = ''): Promise<number | undefined> =>
    (await handlerFor({ store, body })(testQuery(name))).extendedError?.code;
  t.is(await codeAt(fromSnapshot('Namespace', 'Service')), 3);
  t.is(await codeAt(fromSnapshot('Namespace', 'Service', 'EndpointSlice')), undefined);
  t.is(await codeAt(fromSnapshot('Namespace', 'Service'), 'noendpoints'), undefined);
  t.is(await codeAt(fromSnapshot('Namespace', 'Service', 'EndpointSlice'), 'pods verified'), 3);
  for (const [store, isComplete] of [
    [fromSnapshot('Namespace', 'Service'), false],
    [fromSnapshot('Namespace', 'Service', 'EndpointSlice'), true],
  ] as const) {
    const { context } = testContext({ cluster: () => store });
    kubernetes.layer?.(optionsFrom(kubernetes, 'kubernetes cluster.local'), context);
    t.is(transferableZones(context.shared).get(nameFrom('cluster.local'))?.isComplete(), isComplete);
  }
});
