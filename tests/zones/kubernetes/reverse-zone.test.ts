/** Names of addresses, asked of the `kubernetes` plugin: what CoreDNS says, but where an RFC (cited) says otherwise. */

import test from 'ava';

import { reverseNameOf, addressFrom } from '../../../zones/ip.ts';
import { present } from '../../../zones/name.ts';
import { ask, handlerFor, PASSED_ON, storeOf, testRows } from '../../support/cluster-zone.ts';
import {
  endpoint,
  EXAMPLE_OBJECTS,
  namespace,
  port,
  puts,
  removal,
  service,
  slice,
} from '../../support/example-cluster.ts';
import { testQuery } from '../../support/plugin-context.ts';

testRows([
  {
    title: 'cluster IP: the service (Kubernetes DNS spec 2.3.3)',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'PTR',
    answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
  },
  {
    title: 'cluster IP, IPv6: the service',
    ask: reverse('fd00:96::1'),
    types: 'PTR',
    answer: [`${reverse('fd00:96::1')} 5 IN PTR web.prod.Z`],
  },
  {
    title: 'upper case is answered in upper case, and the target is not (RFC 4343)',
    ask: reverse('fd00:96::1').toUpperCase(),
    types: 'PTR',
    answer: [`${reverse('fd00:96::1').toUpperCase()} 5 IN PTR web.prod.Z`],
  },
  {
    title: 'endpoint: one name for each service, headless first, whatever the order of events (CoreDNS: any order)',
    ask: '5.1.244.10.in-addr.arpa.',
    types: 'PTR',
    answer: [
      '5.1.244.10.in-addr.arpa. 5 IN PTR 10-244-1-5.v4only.prod.Z',
      '5.1.244.10.in-addr.arpa. 5 IN PTR 10-244-1-5.web.prod.Z',
    ],
  },
  {
    title: 'endpoint with a host name (Kubernetes DNS spec 2.4.3)',
    ask: '10.2.244.10.in-addr.arpa.',
    types: 'PTR',
    answer: ['10.2.244.10.in-addr.arpa. 5 IN PTR db-0.db.prod.Z'],
  },
  {
    title: 'endpoint of a service that is not headless',
    ask: '7.1.244.10.in-addr.arpa.',
    types: 'PTR',
    answer: ['7.1.244.10.in-addr.arpa. 5 IN PTR 10-244-1-7.single.prod.Z'],
  },
  {
    title: 'endpoint_pod_names: the name is that of the pod',
    ask: '4.3.244.10.in-addr.arpa.',
    types: 'PTR',
    body: 'endpoint_pod_names',
    answer: ['4.3.244.10.in-addr.arpa. 5 IN PTR cache-aaaa.cache.prod.Z'],
  },
  {
    title: 'no such address',
    ask: '99.99.99.10.in-addr.arpa. 34.2.0.192.in-addr.arpa.',
    types: 'PTR A',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'other types at a name that exists are NODATA (RFC 2308; CoreDNS says NXDOMAIN)',
    ask: '1.0.96.10.in-addr.arpa. 5.1.244.10.in-addr.arpa.',
    types: 'A TXT ANY SOA NS',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'the names between an address and the zone exist (RFC 8020; CoreDNS says NXDOMAIN)',
    ask: '10.in-addr.arpa. 96.10.in-addr.arpa. 0.96.10.in-addr.arpa. 244.10.in-addr.arpa.',
    types: 'PTR A NS',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'the names between an IPv6 address and the zone exist (RFC 8020)',
    ask: 'd.f.ip6.arpa. f.ip6.arpa. 0.d.f.ip6.arpa. 6.9.0.0.0.0.d.f.ip6.arpa.',
    types: 'PTR',
    zone: 'ip6.arpa.',
  },
  {
    title: 'names above no address do not exist',
    ask: '11.in-addr.arpa. 97.10.in-addr.arpa. 1.96.10.in-addr.arpa.x.in-addr.arpa.',
    types: 'PTR',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'names above no IPv6 address do not exist',
    ask: 'e.ip6.arpa. e.f.ip6.arpa. 1.d.f.ip6.arpa. 10.ip6.arpa. g.ip6.arpa.',
    types: 'PTR',
    rcode: 'NXDOMAIN',
    zone: 'ip6.arpa.',
  },
  {
    title: 'what is no reverse name does not exist: leading zeros, more than 255, more labels, a dot inside a label',
    ask: '01.0.96.10.in-addr.arpa. 256.0.96.10.in-addr.arpa. x.1.0.96.10.in-addr.arpa. 1.1.0.96.10.in-addr.arpa. 1\\.0.96.10.in-addr.arpa. +1.0.96.10.in-addr.arpa. a.in-addr.arpa.',
    types: 'PTR',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'the apex exists',
    ask: 'in-addr.arpa.',
    types: 'PTR A TXT',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'the apex has name servers in the zone that has names (CoreDNS names one that does not exist)',
    ask: 'in-addr.arpa.',
    types: 'NS',
    answer: ['in-addr.arpa. 5 IN NS kube-dns.kube-system.Z'],
    additional: ['kube-dns.kube-system.Z 5 IN A 10.96.0.10'],
  },
  {
    title: 'names of services do not exist in a reverse zone (CoreDNS has empty svc and pod there)',
    ask: 'svc.in-addr.arpa. pod.in-addr.arpa. kubernetes.default.svc.in-addr.arpa.',
    types: 'A TXT',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'the name server of the SOA record has addresses',
    ask: 'ns.dns.in-addr.arpa.',
    types: 'A',
    answer: ['ns.dns.in-addr.arpa. 5 IN A 10.96.0.10'],
  },
  {
    title: 'a reverse zone that is written first is still not where names are (CoreDNS makes names below in-addr.arpa)',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'PTR',
    zones: 'in-addr.arpa ip6.arpa cluster.local',
    answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
  },
  {
    title: 'a zone for one network',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'PTR',
    zones: 'cluster.local 10.96.0.0/16',
    answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
  },
  {
    title: 'a zone for one address',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'PTR',
    zones: 'cluster.local 10.96.0.1/32',
    answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
  },
  {
    title: 'a zone for one address has an SOA record there',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'SOA',
    zones: 'cluster.local 10.96.0.1/32',
    answer: [
      '1.0.96.10.in-addr.arpa. 5 IN SOA ns.dns.1.0.96.10.in-addr.arpa. hostmaster.1.0.96.10.in-addr.arpa. SERIAL 7200 1800 86400 5',
    ],
  },
  {
    title: 'a reverse name above a reverse zone exists, whether an address is below or not (RFC 8020)',
    ask: '172.in-addr.arpa. 16.172.in-addr.arpa.',
    types: 'PTR A NS',
    zones: 'cluster.local in-addr.arpa 172.16.32.0/24',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'a reverse name beside it does not',
    ask: '173.in-addr.arpa. 17.172.in-addr.arpa. 33.16.172.in-addr.arpa.',
    types: 'PTR',
    zones: 'cluster.local in-addr.arpa 172.16.32.0/24',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'a mask between two boundaries: each zone denies for itself',
    ask: '9.20.96.10.in-addr.arpa.',
    types: 'PTR',
    zones: 'cluster.local 10.96.16.0/20',
    rcode: 'NXDOMAIN',
    zone: '20.96.10.in-addr.arpa.',
  },
  {
    title: 'namespaces: addresses of others have no name, services and endpoints alike',
    ask: '1.0.96.10.in-addr.arpa. 10.0.244.10.in-addr.arpa.',
    types: 'PTR',
    body: 'namespaces prod',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'namespaces: what stands only above addresses of others does not exist either (RFC 8020)',
    ask: '0.96.10.in-addr.arpa. 0.244.10.in-addr.arpa.',
    types: 'PTR A',
    body: 'namespaces prod',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'namespaces: what also stands above an address that is shown exists',
    ask: '96.10.in-addr.arpa. 1.96.10.in-addr.arpa. 244.10.in-addr.arpa.',
    types: 'PTR A',
    body: 'namespaces prod',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'a namespace that is gone takes its names along (CoreDNS keeps them)',
    ask: '1.0.96.10.in-addr.arpa. 10.2.244.10.in-addr.arpa.',
    types: 'PTR',
    store: storeOf(EXAMPLE_OBJECTS.filter(({ kind }) => kind !== 'Namespace')),
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'a slice of no service gives no name (CoreDNS makes one that cannot be sent, and no reply at all)',
    ask: '7.7.244.10.in-addr.arpa.',
    types: 'PTR',
    store: storeOf([
      ...EXAMPLE_OBJECTS,
      { ...slice('prod/web', 'hand-made', [], [endpoint('10.244.7.7')]), service: '' },
    ]),
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
  {
    title: 'ptr hostname-only: cluster IPs have names (Kubernetes DNS spec 2.3.3)',
    ask: '1.0.96.10.in-addr.arpa.',
    types: 'PTR',
    body: 'ptr hostname-only',
    answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
  },
  {
    title: 'ptr hostname-only: endpoints with a host name in a headless service have names (Kubernetes DNS spec 2.4.3)',
    ask: '10.2.244.10.in-addr.arpa.',
    types: 'PTR',
    body: 'ptr hostname-only',
    answer: ['10.2.244.10.in-addr.arpa. 5 IN PTR db-0.db.prod.Z'],
  },
  {
    title: 'ptr hostname-only: no other endpoint has one, whatever its pod is called',
    ask: '5.1.244.10.in-addr.arpa. 7.1.244.10.in-addr.arpa. 4.3.244.10.in-addr.arpa.',
    types: 'PTR A',
    body: 'ptr hostname-only\nendpoint_pod_names',
    rcode: 'NXDOMAIN',
    zone: 'in-addr.arpa.',
  },
]);

test('a host name in a headless service comes before an address in one, and that before other services', async (t) => {
  const address = '192.0.2.1';
  const store = storeOf([
    namespace('a'),
    service('a/a', ['198.51.100.1']),
    slice('a/a', 'x', [], [endpoint(address, { hostname: 'named-but-not-headless' })]),
    service('a/b', ['None']),
    slice('a/b', 'x', [], [endpoint(address)]),
    service('a/c', ['None']),
    slice('a/c', 'x', [], [endpoint(address, { hostname: 'z' })]),
    service('a/d', ['None']),
    slice('a/d', 'x', [], [endpoint(address, { hostname: 'y' })]),
  ]);
  const { answer } = await ask(handlerFor({ store }), reverse(address), 'PTR');
  t.deepEqual(
    answer.map((line) => line.split(' ').at(-1)),
    ['y.d', 'z.c', '192-0-2-1.b', 'named-but-not-headless.a'].map((name) => `${name}.a.svc.cluster.local.`),
  );
  const hostnamesOnly = await ask(handlerFor({ store, body: 'ptr hostname-only' }), reverse(address), 'PTR');
  t.deepEqual(hostnamesOnly.answer, answer.slice(0, 2));
});

test('of two services with one cluster IP the first one by namespace and name has it', async (t) => {
  const both = [service('a/long-name', ['192.0.2.1']), service('b/x', ['192.0.2.1']), service('a/z', ['192.0.2.1'])];
  for (const services of [both, both.toReversed()]) {
    const store = storeOf([namespace('a'), namespace('b'), ...services]);
    const { answer } = await ask(handlerFor({ store }), reverse('192.0.2.1'), 'PTR');
    t.deepEqual(answer, ['1.2.0.192.in-addr.arpa. 5 IN PTR long-name.a.svc.cluster.local.']);
  }
});

test('one address in two slices of a service is one name', async (t) => {
  const store = storeOf([
    namespace('a'),
    service('a/b', ['None']),
    slice('a/b', 'x', [port('http/TCP 80')], [endpoint('192.0.2.1')]),
    slice('a/b', 'y', [port('http/TCP 80')], [endpoint('192.0.2.1')]),
  ]);
  const { answer } = await ask(handlerFor({ store }), reverse('192.0.2.1'), 'PTR');
  t.is(answer.length, 1);
});

test('fallthrough: the names between addresses are left to the next plugin too', async (t) => {
  const next = handlerFor({ body: 'fallthrough in-addr.arpa' });
  for (const name of ['10.in-addr.arpa', '99.99.99.10.in-addr.arpa', 'svc.in-addr.arpa']) {
    t.is(await next(testQuery(name, 'PTR')), PASSED_ON, name);
  }
  t.is((await ask(next, 'd.f.ip6.arpa', 'PTR')).reply, 'NOERROR aa');
  t.is((await ask(next, '1.0.96.10.in-addr.arpa', 'A')).reply, 'NOERROR aa');
});

test('fallthrough: the names above a reverse zone are left to the next plugin too', async (t) => {
  const next = handlerFor({ zones: 'cluster.local in-addr.arpa 172.16.0.0/16', body: 'fallthrough in-addr.arpa' });
  t.is(await next(testQuery('172.in-addr.arpa', 'PTR')), PASSED_ON);
});

test('the names between addresses come and go with the addresses', async (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  const handler = handlerFor({ store });
  const between = async (): Promise<string> => (await ask(handler, '100.51.198.in-addr.arpa', 'PTR')).reply;
  const added = service('prod/new', ['198.51.100.7']);
  t.is(await between(), 'NXDOMAIN aa');
  store.apply(puts(added));
  t.is(await between(), 'NOERROR aa');
  store.apply([removal(added)]);
  t.is(await between(), 'NXDOMAIN aa');
});

function reverse(text: string): string {
  const address = addressFrom(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return present(reverseNameOf(address));
}
