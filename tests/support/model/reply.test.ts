/**
 * The reference model against tables written by hand: what CoreDNS plugin/kubernetes answers for a small cluster, and
 * where it breaks an RFC, what the RFC says.
 */

import test, { type ExecutionContext } from 'ava';

import { rawNamespace, rawPod, rawSlice, type RawObject } from '../raw-objects.ts';
import { aliasService, clusterService, exampleWorld, port, slice } from './example-world.ts';
import { modelReply } from './reply.ts';
import type { ModelReply, World } from './world.ts';

/**
 * Names and types asked, and the reply. `Z` is `svc.cluster.local.`; a record without owner is of the name asked; without
 * a TTL it has 5; a denial carries the zone's SOA.
 */
type Row = readonly [
  names: string,
  types: string,
  outcome: 'data' | 'nodata' | 'nxdomain' | 'servfail',
  answer?: readonly string[],
  additional?: readonly string[],
  authority?: readonly string[],
];

const ALL = 'A AAAA SRV TXT MX NS PTR CNAME SOA ANY DS HTTPS TYPE65280';
const OUTSIDE_SOA = 'example.org. 60 SOA ns.example.org. hostmaster.example.org. 1 2 3 4 60';
const ZONE_SOA = 'cluster.local. SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 5';

test('the zone itself', (t) => {
  check(t, exampleWorld(), [
    ['cluster.local.', 'A AAAA SRV MX CNAME PTR DS ANY HTTPS TXT', 'nodata'],
    ['cluster.local.', 'SOA', 'data', [ZONE_SOA]],
    ['CLUSTER.local.', 'SOA', 'data', ['SOA ns.dns.CLUSTER.local. hostmaster.CLUSTER.local. SERIAL 7200 1800 86400 5']],
    ['cluster.local.', 'NS', 'data', ['NS kube-dns.kube-system.Z'], ['kube-dns.kube-system.Z A 10.96.0.10']],
    [
      'Cluster.Local.',
      'NS',
      'data',
      ['NS kube-dns.kube-system.svc.Cluster.Local.'],
      ['kube-dns.kube-system.svc.Cluster.Local. A 10.96.0.10'],
    ],
    ['ns.dns.cluster.local. NS.dns.Cluster.local.', 'A', 'data', ['A 10.96.0.10']],
    ['ns.dns.cluster.local.', 'AAAA NS HTTPS TXT SOA', 'nodata'],
    ['dns.cluster.local.', ALL, 'nodata'],
    ['dns-version.cluster.local. DNS-Version.cluster.local.', 'TXT', 'data', ['28800 TXT "1.1.0"']],
    ['dns-version.cluster.local.', 'A AAAA NS SOA ANY', 'nodata'],
    ['svc.cluster.local. pod.cluster.local. prod.Z empty.Z PROD.Z', ALL, 'nodata'],
    ['foo.cluster.local. x.dns.cluster.local. x.dns-version.cluster.local.', ALL, 'nxdomain'],
    ['nons.Z prod.pod.cluster.local. x.nons.Z', ALL, 'nxdomain'],
  ]);
});

test('services with cluster IPs (Kubernetes DNS spec 2.3)', (t) => {
  const webGlue = ['web.prod.Z A 10.96.1.1', 'web.prod.Z AAAA fd00:96::1'];
  check(t, exampleWorld(), [
    ['kubernetes.default.Z KuberNetes.Default.SVC.Cluster.LOCAL.', 'A', 'data', ['A 10.96.0.1']],
    ['kubernetes.default.Z', 'AAAA TXT MX NS ANY HTTPS CNAME PTR SOA', 'nodata'],
    [
      'kubernetes.default.Z _https._tcp.kubernetes.default.Z _HTTPS._Tcp.kubernetes.default.Z',
      'SRV',
      'data',
      ['SRV 0 100 443 kubernetes.default.Z'],
      ['kubernetes.default.Z A 10.96.0.1'],
    ],
    [
      'kubernetes.default.SVC.Cluster.local.',
      'SRV',
      'data',
      ['SRV 0 100 443 kubernetes.default.svc.Cluster.local.'],
      ['kubernetes.default.svc.Cluster.local. A 10.96.0.1'],
    ],
    ['_https._tcp.kubernetes.default.Z https.tcp.kubernetes.default.Z', 'A', 'data', ['A 10.96.0.1']],
    ['_https._tcp.kubernetes.default.Z', 'AAAA TXT', 'nodata'],
    ['_http._tcp.kubernetes.default.Z _https._udp.kubernetes.default.Z', ALL, 'nxdomain'],
    [
      '_tcp.kubernetes.default.Z _TCP.kubernetes.default.Z tcp.kubernetes.default.Z _udp.kube-dns.kube-system.Z',
      ALL,
      'nodata',
    ],
    ['_udp.kubernetes.default.Z udp.kubernetes.default.Z _tcp.single.prod.Z', ALL, 'nxdomain'],
    ['a.kubernetes.default.Z a.b.c.kubernetes.default.Z *.default.Z any.default.Z', ALL, 'nxdomain'],
    ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
    ['web.prod.Z', 'AAAA', 'data', ['AAAA fd00:96::1']],
    ['web.prod.Z', 'SRV', 'data', ['SRV 0 25 80 web.prod.Z', 'SRV 0 25 443 web.prod.Z'], webGlue],
    ['_http._tcp.web.prod.Z', 'SRV', 'data', ['SRV 0 50 80 web.prod.Z'], webGlue],
    ['10-244-1-5.web.prod.Z', 'A', 'data', ['A 10.244.1.5']],
    ['fd00-244--5.web.prod.Z', 'AAAA', 'data', ['AAAA fd00:244::5']],
    ['fd00-244--5.web.prod.Z', 'A', 'nodata'],
    [
      '10-244-1-5.web.prod.Z',
      'SRV',
      'data',
      ['SRV 0 50 8080 10-244-1-5.web.prod.Z', 'SRV 0 50 8443 10-244-1-5.web.prod.Z'],
      ['10-244-1-5.web.prod.Z A 10.244.1.5'],
    ],
    ['10-244-1-99.web.prod.Z', ALL, 'nxdomain'],
    ['single.prod.Z', 'SRV', 'data', ['SRV 0 100 8080 single.prod.Z'], ['single.prod.Z A 10.96.1.2']],
    ['_._tcp.single.prod.Z _._tcp.web.prod.Z _http._.web.prod.Z _._.web.prod.Z', ALL, 'nxdomain'],
    ['idle.prod.Z', 'A', 'data', ['A 10.96.1.3']],
    ['nosuch.prod.Z', ALL, 'nxdomain'],
  ]);
});

test('headless services (Kubernetes DNS spec 2.4)', (t) => {
  const db0Glue = ['db-0.db.prod.Z A 10.244.2.10', 'db-0.db.prod.Z AAAA fd00:244:2::10'];
  check(t, exampleWorld(), [
    ['db.prod.Z _pg._tcp.db.prod.Z', 'A', 'data', ['A 10.244.2.10', 'A 10.244.2.11']],
    ['db.prod.Z', 'AAAA', 'data', ['AAAA fd00:244:2::10']],
    [
      'db.prod.Z _pg._tcp.db.prod.Z',
      'SRV',
      'data',
      ['SRV 0 33 5432 db-0.db.prod.Z', 'SRV 0 33 5432 db-1.db.prod.Z'],
      [...db0Glue, 'db-1.db.prod.Z A 10.244.2.11'],
    ],
    ['db-0.db.prod.Z', 'A', 'data', ['A 10.244.2.10']],
    ['db-0.db.prod.Z', 'AAAA', 'data', ['AAAA fd00:244:2::10']],
    ['db-0.db.prod.Z', 'SRV', 'data', ['SRV 0 50 5432 db-0.db.prod.Z'], db0Glue],
    ['db-0.db.prod.Z', 'TXT', 'nodata'],
    ['db-1.db.prod.Z', 'AAAA', 'nodata'],
    ['_tcp.db.prod.Z', ALL, 'nodata'],
    ['db-9.db.prod.Z 10-244-2-10.db.prod.Z _pg._tcp.db-0.db.prod.Z _udp.db.prod.Z', ALL, 'nxdomain'],
    [
      'cache.prod.Z',
      'SRV',
      'data',
      ['SRV 0 50 6379 10-244-3-4.cache.prod.Z', 'SRV 0 50 6379 fd00-244-3--0.cache.prod.Z'],
      ['10-244-3-4.cache.prod.Z A 10.244.3.4', 'fd00-244-3--0.cache.prod.Z AAAA fd00:244:3::'],
    ],
    ['portless.prod.Z', 'A', 'data', ['A 10.244.3.9']],
    ['portless.prod.Z', 'SRV', 'nodata'],
    ['down.prod.Z _tcp.down.prod.Z _http._tcp.down.prod.Z', ALL, 'nxdomain'],
    ['v4only.prod.Z', 'AAAA', 'nodata'],
  ]);
});

test('services that are names elsewhere (Kubernetes DNS spec 2.5, RFC 6604)', (t) => {
  const web = ['CNAME web.prod.Z', 'web.prod.Z A 10.96.1.1'];
  const ext = 'CNAME www.example.org.';
  const dangling = 'CNAME nosuch.prod.Z';
  check(t, exampleWorld(), [
    ['ext.prod.Z', 'A', 'data', [ext, 'www.example.org. 300 A 93.184.216.34']],
    ['ext.prod.Z', 'AAAA SRV TXT HTTPS SOA', 'nodata', [ext], [], [OUTSIDE_SOA]],
    ['ext.prod.Z', 'CNAME ANY', 'data', [ext]],
    ['gone.prod.Z', 'A', 'nxdomain', ['CNAME gone.example.org.'], [], [OUTSIDE_SOA]],
    ['alias.prod.Z', 'A', 'data', web],
    ['alias.prod.Z', 'AAAA', 'data', ['CNAME web.prod.Z', 'web.prod.Z AAAA fd00:96::1']],
    ['alias.prod.Z', 'TXT MX', 'nodata', ['CNAME web.prod.Z'], [], [ZONE_SOA]],
    [
      'alias.prod.Z',
      'SRV',
      'data',
      ['CNAME web.prod.Z', 'web.prod.Z SRV 0 25 80 web.prod.Z', 'web.prod.Z SRV 0 25 443 web.prod.Z'],
      ['web.prod.Z A 10.96.1.1', 'web.prod.Z AAAA fd00:96::1'],
    ],
    ['dangling.prod.Z', 'A AAAA SRV', 'nxdomain', [dangling], [], [ZONE_SOA]],
    ['dangling.prod.Z', 'CNAME ANY', 'data', [dangling]],
    ['loop-a.prod.Z', 'A AAAA TXT', 'nodata'],
    ['loop-a.prod.Z', 'CNAME ANY', 'data', ['CNAME loop-b.prod.Z']],
    ['extip.prod.Z x.ext.prod.Z _http._tcp.ext.prod.Z', ALL, 'nxdomain'],
  ]);
});

test('aliases in a row, in circles and to impossible names', (t) => {
  const chain = Array.from({ length: 13 }, (_, index) => (index === 12 ? 'web' : `c${index + 1}`));
  const links = chain.slice(1).map((to, index) => ({ from: chain[index] ?? '', to }));
  const more = [
    ...links.map(({ from, to }) => aliasService(`prod/${from}`, `${to}.prod.svc.cluster.local`)),
    aliasService('prod/self', 'self.prod.svc.cluster.local.'),
    aliasService('prod/below', 'x.below.prod.svc.cluster.local'),
    aliasService('prod/wrong', 'a..example.org'),
    aliasService('prod/long', `${'a'.repeat(64)}.example.org`),
    aliasService('prod/nameless', ''),
    aliasService('prod/upper', 'WEB.prod.SVC.cluster.local.'),
    aliasService('prod/reverse', '1.0.96.10.in-addr.arpa'),
    aliasService('prod/refused', 'example.com'),
  ];
  const eleven = links.slice(1).map(({ from, to }) => `${from}.prod.Z CNAME ${to}.prod.Z`);
  check(t, exampleWorld({}, more), [
    ['c2.prod.Z', 'A', 'data', [...eleven, 'web.prod.Z A 10.96.1.1']],
    ['c1.prod.Z self.prod.Z below.prod.Z', 'A AAAA MX', 'nodata'],
    ['self.prod.Z', 'CNAME', 'data', ['CNAME self.prod.Z']],
    ['wrong.prod.Z long.prod.Z nameless.prod.Z', ALL, 'nodata'],
    ['upper.prod.Z', 'A', 'data', ['CNAME WEB.prod.SVC.cluster.local.', 'WEB.prod.SVC.cluster.local. A 10.96.1.1']],
    [
      'reverse.prod.Z',
      'PTR',
      'data',
      ['CNAME 1.0.96.10.in-addr.arpa.', '1.0.96.10.in-addr.arpa. PTR kubernetes.default.Z'],
    ],
  ]);
  const { rcode, authoritative, answer } = replyTo(exampleWorld({}, more), 'refused.prod.Z', 'A');
  t.deepEqual([rcode, authoritative, answer.size], ['SERVFAIL', false, 0], 'who cannot say it says nothing');
});

test('names of addresses (Kubernetes DNS spec 2.3.3 and 2.4.3)', (t) => {
  const web6 = `1.${'0.'.repeat(23)}6.9.0.0.0.0.d.f.ip6.arpa.`;
  check(t, exampleWorld(), [
    ['1.0.96.10.in-addr.arpa. 1.0.96.10.IN-ADDR.Arpa.', 'PTR', 'data', ['PTR kubernetes.default.Z']],
    [web6, 'PTR', 'data', ['PTR web.prod.Z']],
    ['5.1.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR 10-244-1-5.web.prod.Z', 'PTR 10-244-1-5.v4only.prod.Z']],
    ['10.2.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR db-0.db.prod.Z']],
    ['7.1.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR 10-244-1-7.single.prod.Z']],
    ['99.99.99.10.in-addr.arpa. 99.1.244.10.in-addr.arpa. 1.1.0.96.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['1.0.96.10.in-addr.arpa.', 'A TXT ANY SOA NS SRV', 'nodata'],
    ['10.in-addr.arpa. 96.10.in-addr.arpa. 0.96.10.in-addr.arpa. d.f.ip6.arpa.', ALL, 'nodata'],
    ['11.in-addr.arpa. e.f.ip6.arpa.', ALL, 'nxdomain'],
    ['in-addr.arpa. ip6.arpa.', 'PTR A ANY', 'nodata'],
    [
      'in-addr.arpa. IN-Addr.ARPA.',
      'NS',
      'data',
      ['NS kube-dns.kube-system.Z'],
      ['kube-dns.kube-system.Z A 10.96.0.10'],
    ],
    ['ns.dns.in-addr.arpa.', 'A', 'data', ['A 10.96.0.10']],
    ['svc.in-addr.arpa. pod.ip6.arpa. prod.svc.in-addr.arpa. kubernetes.default.svc.in-addr.arpa.', ALL, 'nxdomain'],
  ]);
  check(t, exampleWorld({ fallthrough: ['in-addr.arpa.'] }), [
    ['1.0.96.10.in-addr.arpa.', 'PTR', 'data', ['PTR kubernetes.default.Z']],
    ['1.0.96.10.in-addr.arpa.', 'A TXT ANY', 'nodata'],
    ['d.f.ip6.arpa.', ALL, 'nodata'],
  ]);
  for (const name of ['10.in-addr.arpa.', '9.9.9.9.in-addr.arpa.', '9.9.in-addr.arpa.'])
    t.is(replyTo(exampleWorld({ fallthrough: ['in-addr.arpa.'] }), name, 'PTR').rcode, 'REFUSED', name);
});

test('pods disabled, insecure and verified (Kubernetes DNS spec 2.6)', (t) => {
  const known: readonly Row[] = [
    ['prod.pod.cluster.local.', ALL, 'nodata'],
    ['10-244-1-5.prod.pod.cluster.local.', 'A', 'data', ['A 10.244.1.5']],
    ['10-244-1-5.prod.pod.cluster.local.', 'AAAA SRV TXT PTR ANY', 'nodata'],
    ['fd00-244--7.prod.pod.cluster.local. FD00-244--7.prod.pod.cluster.local.', 'AAAA', 'data', ['AAAA fd00:244::7']],
    ['256-1-1-1.prod.pod.cluster.local. abc.prod.pod.cluster.local. 1-2-3.prod.pod.cluster.local.', ALL, 'nxdomain'],
    ['nons.pod.cluster.local. 10-244-1-5.nons.pod.cluster.local.', ALL, 'nxdomain'],
    ['x.10-244-1-5.prod.pod.cluster.local. x.y.10-244-1-5.prod.pod.cluster.local.', ALL, 'nxdomain'],
  ];
  check(t, exampleWorld({ pods: 'insecure' }), [
    ...known,
    ['1-2-3-4.prod.pod.cluster.local.', 'A', 'data', ['A 1.2.3.4']],
    ['--1.prod.pod.cluster.local.', 'AAAA', 'data', ['AAAA ::1']],
    ['2001-db8--.prod.pod.cluster.local.', 'AAAA', 'data', ['AAAA 2001:db8::']],
    ['fd00-0244--7.prod.pod.cluster.local.', 'AAAA', 'data', ['AAAA fd00:244::7']],
    ['01-2-3-4.prod.pod.cluster.local. 1.2.3.4.prod.pod.cluster.local.', ALL, 'nxdomain'],
  ]);
  const dual = rawPod('prod', 'dual', '10.244.1.20');
  dual['status'] = { podIP: '10.244.1.20', podIPs: [{ ip: '10.244.1.20' }, { ip: 'fd00:244::20' }] };
  const terminating = rawPod('prod', 'terminating', '10.244.1.21');
  terminating.metadata['deletionTimestamp'] = '2026-11-20T10:00:00Z';
  const failed = rawPod('prod', 'failed', '10.244.1.22', 'Failed');
  const lost = rawPod('prod', 'lost', '10.244.1.23', 'Unknown');
  check(t, exampleWorld({ pods: 'verified' }, [dual, terminating, failed, lost]), [
    ['10-244-1-22.prod.pod.cluster.local. 10-244-1-23.prod.pod.cluster.local.', ALL, 'nxdomain'],
    ...known,
    ['fd00-244--20.prod.pod.cluster.local.', 'AAAA', 'data', ['AAAA fd00:244::20']],
    ['10-244-1-21.prod.pod.cluster.local.', 'A', 'data', ['A 10.244.1.21']],
    ['1-2-3-4.prod.pod.cluster.local. 10-244-1-5.default.pod.cluster.local.', ALL, 'nxdomain'],
    ['fd00-0244--7.prod.pod.cluster.local. 10-244-9-8.prod.pod.cluster.local.', ALL, 'nxdomain'],
  ]);
  check(t, exampleWorld({ pods: 'disabled' }), [
    ['pod.cluster.local.', ALL, 'nodata'],
    ['prod.pod.cluster.local. 10-244-1-5.prod.pod.cluster.local.', ALL, 'nxdomain'],
  ]);
});

test('ttl: of every record, of a denial at most 300', (t) => {
  const soa = (ttl: number) => `SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 ${ttl}`;
  check(t, exampleWorld({ ttl: 900 }), [
    ['web.prod.Z', 'A', 'data', ['900 A 10.96.1.1']],
    ['web.prod.Z', 'TXT', 'nodata', [], [], [`cluster.local. 300 ${soa(900)}`]],
    ['cluster.local.', 'SOA', 'data', [`300 ${soa(900)}`]],
    ['dns-version.cluster.local.', 'TXT', 'data', ['28800 TXT "1.1.0"']],
    ['ext.prod.Z', 'A', 'data', ['900 CNAME www.example.org.', 'www.example.org. 300 A 93.184.216.34']],
  ]);
  check(t, exampleWorld({ ttl: 0 }), [
    ['web.prod.Z', 'A', 'data', ['0 A 10.96.1.1']],
    ['nosuch.prod.Z', 'A', 'nxdomain', [], [], [`cluster.local. 0 ${soa(0)}`]],
  ]);
});

test('namespaces and namespace_labels: what is in others is not there, by name or by address', (t) => {
  const seen: readonly Row[] = [
    ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
    ['default.Z kubernetes.default.Z empty.Z', ALL, 'nxdomain'],
    ['1.0.96.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['10.2.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR db-0.db.prod.Z']],
    ['10.0.244.10.in-addr.arpa. 0.244.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['10.in-addr.arpa.', 'PTR', 'nodata'],
  ];
  check(t, exampleWorld({ namespaces: ['prod', 'nons'] }), [...seen, ['nons.Z', ALL, 'nxdomain']]);
  check(t, exampleWorld({ namespaceLabels: 'team=shop' }), seen);
});

test('labels: services, slices and pods without them are not there', (t) => {
  const marked = clusterService('prod/marked', ['10.96.2.1'], [port('http', 80)]);
  marked.metadata.labels = { team: 'shop' };
  const pod = rawPod('prod', 'marked', '10.244.5.1');
  pod.metadata.labels = { team: 'shop' };
  check(t, exampleWorld({ labels: 'team=shop', pods: 'verified' }, [marked, pod]), [
    ['marked.prod.Z', 'A', 'data', ['A 10.96.2.1']],
    ['10-244-5-1.prod.pod.cluster.local.', 'A', 'data', ['A 10.244.5.1']],
    ['10-244-1-5.prod.pod.cluster.local. web.prod.Z 5.1.244.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['prod.Z default.Z', ALL, 'nodata'],
  ]);
});

test('endpoint_pod_names: the pod where there is no hostname', (t) => {
  const dotted = slice('prod/cache', 'more', [], [{ address: '10.244.3.5', podName: 'cache.dotted' }]);
  const nameless = slice('prod/cache', 'last', [], [{ address: '10.244.3.6', podName: 'p'.repeat(64) }]);
  check(t, exampleWorld({ endpointPodNames: true }), [
    [
      'cache.prod.Z',
      'SRV',
      'data',
      ['SRV 0 50 6379 cache-aaaa.cache.prod.Z'],
      ['cache-aaaa.cache.prod.Z A 10.244.3.4', 'cache-aaaa.cache.prod.Z AAAA fd00:244:3::'],
    ],
    ['10-244-3-4.cache.prod.Z', ALL, 'nxdomain'],
    ['db-0.db.prod.Z', 'A', 'data', ['A 10.244.2.10']],
    ['10-244-1-6.web.prod.Z', 'A', 'data', ['A 10.244.1.6']],
  ]);
  check(t, exampleWorld({ endpointPodNames: true }, [dotted, nameless]), [
    ['10-244-3-5.cache.prod.Z', 'A', 'data', ['A 10.244.3.5']],
    ['10-244-3-6.cache.prod.Z', 'A', 'data', ['A 10.244.3.6']],
  ]);
});

test('noendpoints: services keep their cluster IPs, all else is gone', (t) => {
  check(t, exampleWorld({ noendpoints: true }), [
    ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
    ['db.prod.Z db-0.db.prod.Z 10-244-1-5.web.prod.Z 5.1.244.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['1.0.96.10.in-addr.arpa.', 'PTR', 'data', ['PTR kubernetes.default.Z']],
    ['cluster.local.', 'NS', 'data', ['NS ns.dns.cluster.local.'], ['ns.dns.cluster.local. A 10.244.0.10']],
    ['ns.dns.cluster.local.', 'A', 'data', ['A 10.244.0.10']],
  ]);
});

test('endpoints headless: what the controller makes for cluster IPs is not known, all else is', (t) => {
  const labelled = (name: string, labels: Record<string, string>): RawObject => {
    const raw = rawSlice('prod', 'web', name, [{ address: `10.244.7.${name.length}` }]);
    return { ...raw, metadata: { ...raw.metadata, labels: { 'kubernetes.io/service-name': 'web', ...labels } } };
  };
  const managed = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
  const headless = { 'service.kubernetes.io/headless': '' };
  const world = exampleWorld({ endpoints: 'headless' }, [
    labelled('x', managed),
    labelled('xx', { ...managed, ...headless }),
    labelled('xxx', headless),
    labelled('xxxx', {}),
  ]);
  check(t, world, [
    ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
    ['10-244-7-1.web.prod.Z 10-244-1-5.web.prod.Z', ALL, 'nxdomain'],
    ['1.7.244.10.in-addr.arpa. 5.1.244.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['10-244-7-2.web.prod.Z', 'A', 'data', ['A 10.244.7.2']],
    ['10-244-7-3.web.prod.Z', 'A', 'data', ['A 10.244.7.3']],
    ['4.7.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR 10-244-7-4.web.prod.Z']],
    ['cluster.local.', 'NS', 'data', ['NS ns.dns.cluster.local.'], ['ns.dns.cluster.local. A 10.244.0.10']],
  ]);
});

test('ignore empty_service: only services with cluster IPs and no ready endpoint are not there', (t) => {
  check(t, exampleWorld({ ignoreEmptyService: true }), [
    ['idle.prod.Z kubernetes.default.Z _http._tcp.idle.prod.Z', ALL, 'nxdomain'],
    ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
    ['db.prod.Z', 'AAAA', 'data', ['AAAA fd00:244:2::10']],
    ['ext.prod.Z', 'CNAME', 'data', ['CNAME www.example.org.']],
  ]);
});

test('fallthrough: names that are not there go on, targets of aliases too; names that are there do not', (t) => {
  const everything = exampleWorld({ fallthrough: ['.'] });
  for (const name of ['nosuch.prod.Z', 'foo.cluster.local.', '99.99.99.10.in-addr.arpa.', 'down.prod.Z'])
    t.is(replyTo(everything, name, 'A').rcode, 'REFUSED', name);
  check(t, everything, [['web.prod.Z cluster.local. _tcp.db.prod.Z', 'TXT', 'nodata']]);
  const { rcode, answer, authority } = replyTo(everything, 'dangling.prod.Z', 'A');
  t.deepEqual([rcode, answer.size, authority.size], ['SERVFAIL', 0, 0]);
  check(t, exampleWorld({ fallthrough: ['in-addr.arpa.'] }), [['nosuch.prod.Z', ALL, 'nxdomain']]);
});

test('not synced: what is known is said, what is not there is SERVFAIL, and nobody else is asked', (t) => {
  for (const fallthrough of [undefined, ['.']]) {
    check(t, { ...exampleWorld({ fallthrough }), unlisted: new Set(['Service']) }, [
      ['web.prod.Z', 'A', 'data', ['A 10.96.1.1']],
      ['web.prod.Z prod.Z cluster.local.', 'TXT', 'nodata'],
      ['nosuch.prod.Z nons.Z foo.cluster.local. 99.99.99.10.in-addr.arpa.', ALL, 'servfail'],
      ['dangling.prod.Z', 'A', 'servfail', [], [], [ZONE_SOA]],
    ]);
  }
});

test('zonal: endpoints of one topology zone, of headless services only', (t) => {
  const inZone = (address: string, zone: string) => ({
    addresses: [address],
    conditions: { ready: true },
    zone,
  });
  const endpoints = [
    { ...inZone('10.244.4.1', 'EU-1.a'), hostname: 'near' },
    inZone('10.244.4.2', 'eu-2'),
    inZone('10.244.4.3', 'eu-2'),
  ];
  const more = [
    clusterService('prod/spread', ['None'], [port('http', 80)]),
    slice('prod/spread', 'v4', [port('http', 80)], [], { endpoints }),
  ];
  const near = ['near.spread.prod.Z A 10.244.4.1'];
  check(t, exampleWorld({ zonal: true }, more), [
    ['eu-1.a.pin._zone.spread.prod.Z EU-1.A.Prefer._ZONE.spread.prod.Z', 'A', 'data', ['A 10.244.4.1']],
    ['eu-1.a.pin._zone.spread.prod.Z', 'SRV', 'data', ['SRV 0 100 80 near.spread.prod.Z'], near],
    ['eu-2.pin._zone.spread.prod.Z', 'A', 'data', ['A 10.244.4.2', 'A 10.244.4.3']],
    ['eu-2.pin._zone.spread.prod.Z', 'AAAA TXT MX ANY', 'nodata'],
    ['nowhere.pin._zone.spread.prod.Z a.pin._zone.spread.prod.Z', ALL, 'nodata'],
    ['nowhere.prefer._zone.spread.prod.Z', 'A', 'data', ['A 10.244.4.1', 'A 10.244.4.2', 'A 10.244.4.3']],
    ['x.pin._zone.down.prod.Z nowhere.prefer._zone.down.prod.Z _zone.down.prod.Z', ALL, 'nxdomain'],
    ['_zone.spread.prod.Z pin._zone.spread.prod.Z prefer._zone.spread.prod.Z', ALL, 'nodata'],
    ['eu-2.near._zone.spread.prod.Z near._zone.spread.prod.Z eu-2.pin.zone.spread.prod.Z', ALL, 'nxdomain'],
    ['eu-2.pin._zone.web.prod.Z _zone.web.prod.Z pin._zone.ext.prod.Z', ALL, 'nxdomain'],
    ['eu-2.pin._zone.nosuch.prod.Z', ALL, 'nxdomain'],
  ]);
  check(t, exampleWorld({}, more), [
    ['eu-2.pin._zone.spread.prod.Z pin._zone.spread.prod.Z _zone.spread.prod.Z', ALL, 'nxdomain'],
  ]);
});

test('multicluster zones: what other clusters export (KEP-1645)', (t) => {
  const imported = (name: string, spec: Record<string, unknown>): RawObject => ({
    kind: 'ServiceImport',
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    metadata: { name, namespace: 'prod' },
    spec: { ports: [port('http', 80)], ...spec },
  });
  const exported = (name: string, cluster: string, address: string, hostname?: string): RawObject => {
    const endpoint = { address, ...(hostname === undefined ? {} : { hostname }) };
    const made = slice(`prod/${name}`, cluster, [port('http', 8080)], [endpoint]);
    made.metadata.labels = {
      'multicluster.kubernetes.io/service-name': name,
      'multicluster.kubernetes.io/source-cluster': cluster,
    };
    return made;
  };
  const world = exampleWorld(
    {
      zones: ['cluster.local.', 'clusterset.local.', 'in-addr.arpa.'],
      multicluster: ['clusterset.local.'],
      zonal: true,
    },
    [
      imported('front', { type: 'ClusterSetIP', ips: ['10.112.0.1'] }),
      exported('front', 'east', '10.245.0.1'),
      imported('store', { type: 'Headless' }),
      exported('store', 'East', '10.245.0.2', 'store-0'),
      exported('store', 'west', '10.246.0.2', 'store-0'),
      imported('nobody', { type: 'Headless' }),
      imported('anywhere', { type: 'Headless' }),
      exported('anywhere', '', '10.247.0.1', 'host'),
      imported('addressless', { type: 'ClusterSetIP', ips: ['pending'] }),
    ],
  );
  const S = 'prod.svc.clusterset.local.';
  const east = `store-0.east.store.${S}`;
  const west = `store-0.west.store.${S}`;
  check(t, world, [
    [`front.${S} _http._tcp.front.${S}`, 'A', 'data', ['A 10.112.0.1']],
    [`front.${S}`, 'SRV', 'data', [`SRV 0 100 80 front.${S}`], [`front.${S} A 10.112.0.1`]],
    [`10-245-0-1.east.front.${S}`, 'A', 'data', ['A 10.245.0.1']],
    [`store.${S}`, 'A', 'data', ['A 10.245.0.2', 'A 10.246.0.2']],
    [
      `store.${S} _http._tcp.store.${S}`,
      'SRV',
      'data',
      [`SRV 0 50 8080 ${east}`, `SRV 0 50 8080 ${west}`],
      [`${east} A 10.245.0.2`, `${west} A 10.246.0.2`],
    ],
    [`store-0.east.store.${S}`, 'A', 'data', ['A 10.245.0.2']],
    [`store-0.west.store.${S}`, 'SRV', 'data', [`SRV 0 100 8080 ${west}`], [`${west} A 10.246.0.2`]],
    [`_http.tcp.store.${S} http._tcp.store.${S}`, 'A', 'data', ['A 10.245.0.2', 'A 10.246.0.2']],
    [`east.store.${S} west.store.${S} east.front.${S} _tcp.store.${S} _tcp.front.${S}`, ALL, 'nodata'],
    [`store-0.store.${S} north.store.${S} store-0.north.store.${S} http.tcp.store.${S}`, ALL, 'nxdomain'],
    [`nobody.${S} web.${S} ext.${S} eu.pin._zone.store.${S} _zone.store.${S}`, ALL, 'nxdomain'],
    [`anywhere.${S}`, 'A', 'data', ['A 10.247.0.1']],
    [`anywhere.${S}`, 'SRV', 'nodata'],
    [`host.anywhere.${S}`, ALL, 'nxdomain'],
    [`addressless.${S} _http._tcp.addressless.${S}`, 'A AAAA SRV', 'nodata'],
    ['prod.svc.clusterset.local. clusterset.local.', 'A TXT', 'nodata'],
    ['nons.svc.clusterset.local.', ALL, 'nxdomain'],
    ['dns-version.clusterset.local.', 'TXT', 'data', ['28800 TXT "1.0.0"']],
    ['front.prod.Z store.prod.Z', ALL, 'nxdomain'],
    ['1.0.112.10.in-addr.arpa. 1.0.245.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['1.0.96.10.in-addr.arpa.', 'PTR', 'data', ['PTR kubernetes.default.Z']],
  ]);
});

test('several zones hold the same; names of addresses are in the first that is not of addresses', (t) => {
  const world = exampleWorld({ zones: ['in-addr.arpa.', 'one.test.', 'two.test.', '244.10.in-addr.arpa.'] }, [
    aliasService('prod/across', 'web.prod.svc.two.test'),
    aliasService('prod/round-a', 'round-b.prod.svc.two.test'),
    aliasService('prod/round-b', 'round-a.prod.svc.one.test'),
  ]);
  const kubeDns = 'kube-dns.kube-system.svc';
  const soa = (zone: string) => `${zone} SOA ns.dns.${zone} hostmaster.${zone} SERIAL 7200 1800 86400 5`;
  check(t, world, [
    ['web.prod.svc.one.test. web.prod.svc.two.test.', 'A', 'data', ['A 10.96.1.1']],
    ['two.test.', 'NS', 'data', [`NS ${kubeDns}.two.test.`], [`${kubeDns}.two.test. A 10.96.0.10`]],
    ['1.0.96.10.in-addr.arpa.', 'PTR', 'data', ['PTR kubernetes.default.svc.one.test.']],
    ['10.2.244.10.in-addr.arpa.', 'PTR', 'data', ['PTR db-0.db.prod.svc.one.test.']],
    ['10.2.244.10.in-addr.arpa.', 'A', 'nodata', [], [], [soa('244.10.in-addr.arpa.')]],
    ['244.10.in-addr.arpa.', 'NS', 'data', [`NS ${kubeDns}.one.test.`], [`${kubeDns}.one.test. A 10.96.0.10`]],
    ['across.prod.svc.one.test.', 'A', 'data', ['CNAME web.prod.svc.two.test.', 'web.prod.svc.two.test. A 10.96.1.1']],
    ['across.prod.svc.one.test.', 'TXT', 'nodata', ['CNAME web.prod.svc.two.test.'], [], [soa('two.test.')]],
  ]);
  t.is(replyTo(world, 'web.prod.Z', 'A').rcode, 'REFUSED');
  check(t, exampleWorld({ zones: ['ip6.arpa.', 'home.arpa.', 'in-addr.arpa.'] }), [
    ['1.0.96.10.in-addr.arpa.', 'PTR', 'data', ['PTR kubernetes.default.svc.home.arpa.']],
    ['web.prod.svc.home.arpa.', 'A', 'data', ['A 10.96.1.1']],
  ]);
  const { rcode, authoritative, answer } = replyTo(world, 'round-a.prod.svc.one.test.', 'A');
  t.deepEqual([rcode, authoritative, answer.size], ['SERVFAIL', false, 0], 'from zone to zone and back again');
});

test('ns.dns: endpoints of a headless service, and the server itself where no service leads to it', (t) => {
  const own = [
    clusterService('kube-system/own', ['None'], [port('dns', 53, 'UDP')]),
    slice('kube-system/own', 'v4', [], [{ address: '10.244.0.10', hostname: 'dns-0' }, { address: '10.244.0.11' }]),
  ];
  const [first, second] = ['dns-0.own.kube-system.Z', '10-244-0-11.own.kube-system.Z'];
  check(t, exampleWorld({}, own), [
    ['ns.dns.cluster.local.', 'A', 'data', ['A 10.96.0.10', 'A 10.244.0.10', 'A 10.244.0.11']],
    [
      'cluster.local.',
      'NS',
      'data',
      ['NS kube-dns.kube-system.Z', `NS ${first}`, `NS ${second}`],
      ['kube-dns.kube-system.Z A 10.96.0.10', `${first} A 10.244.0.10`, `${second} A 10.244.0.11`],
    ],
  ]);
  check(t, { ...exampleWorld(), localAddresses: ['192.0.2.7', '2001:DB8::7'] }, [
    ['ns.dns.cluster.local.', 'AAAA', 'data', ['AAAA 2001:db8::7']],
    [
      'cluster.local.',
      'NS',
      'data',
      ['NS ns.dns.cluster.local.'],
      ['ns.dns.cluster.local. A 192.0.2.7', 'ns.dns.cluster.local. AAAA 2001:db8::7'],
    ],
  ]);
  const spelled = slice('kube-system/kube-dns', 'v6', [], [{ address: '2001:DB8::7' }]);
  check(t, { ...exampleWorld({}, [spelled]), localAddresses: ['2001:db8::7'] }, [
    ['ns.dns.cluster.local.', 'A', 'data', ['A 10.96.0.10']],
  ]);
  check(t, { ...exampleWorld(), localAddresses: [] }, [['cluster.local. ns.dns.cluster.local.', 'NS A', 'nodata']]);
});

test('what the API server lets through and DNS can not say', (t) => {
  const ports = [port('http', 80)];
  const unlabelled = slice('prod/orphan', 'a', ports, [{ address: '10.244.7.7' }]);
  unlabelled.metadata.labels = {};
  const names = slice('prod/mixed', 'names', ports, [{ address: 'host.example.org' }], { addressType: 'FQDN' });
  const spelled = slice(
    'prod/spelled',
    'a',
    [port('Http', 80, 'tcp')],
    [{ address: 'FD00:0244::0:A' }, { address: 'pending' }],
  );
  const old = clusterService('prod/old', [], ports);
  old['spec'] = { clusterIP: '10.96.7.3', ports };
  const long = 'n'.repeat(63);
  const world = exampleWorld({}, [
    unlabelled,
    clusterService('prod/spelled', ['None'], ports),
    spelled,
    old,
    clusterService('prod/unallocated', [''], ports),
    clusterService('prod/mixed', ['None'], ports),
    names,
    slice('prod/mixed', 'v4', ports, [{ address: '10.244.7.1', hostname: 'a.b' }, { address: '10.244.7.2' }]),
    slice('prod/mixed', 'twice', ports, [{ address: '10.244.7.2' }]),
    slice('prod/mixed', 'nil', ports, [], {
      endpoints: [{ addresses: ['10.244.7.3'], conditions: {} }, { addresses: ['10.244.7.4', '10.244.7.5'] }],
    }),
    rawNamespace(long),
    clusterService(`${long}/${long}`, ['None'], ports),
    slice(`${long}/${long}`, 'a', ports, [{ address: '10.244.7.9', hostname: 'h'.repeat(63) }]),
    rawNamespace('svc'),
    rawNamespace('pod'),
    clusterService('svc/pod', ['10.96.7.1'], ports),
    clusterService('pod/svc', ['10.96.7.2'], ports),
  ]);
  const mixed = ['1', '2', '3', '4', '5'].map((last) => ({ last, name: `10-244-7-${last}.mixed.prod.Z` }));
  check(t, world, [
    ['7.7.244.10.in-addr.arpa.', ALL, 'nxdomain'],
    ['unallocated.prod.Z _http._tcp.unallocated.prod.Z', ALL, 'nodata'],
    ['mixed.prod.Z', 'A', 'data', mixed.map(({ last }) => `A 10.244.7.${last}`)],
    [
      'mixed.prod.Z',
      'SRV',
      'data',
      mixed.map(({ name }) => `SRV 0 16 80 ${name}`),
      mixed.map(({ name, last }) => `${name} A 10.244.7.${last}`),
    ],
    ['spelled.prod.Z', 'A', 'nodata'],
    ['_http._tcp.spelled.prod.Z', 'AAAA', 'data', ['AAAA fd00:244::a']],
    ['spelled.prod.Z fd00-0244--0-a.spelled.prod.Z', 'AAAA', 'data', ['AAAA fd00:244::a']],
    [`a.${'0.'.repeat(23)}4.4.2.0.0.0.d.f.ip6.arpa.`, 'PTR', 'data', ['PTR fd00-0244--0-a.spelled.prod.Z']],
    ['old.prod.Z', 'A', 'data', ['A 10.96.7.3']],
    [`${long}.${long}.Z`, 'A', 'data', ['A 10.244.7.9']],
    ['pod.svc.Z svc.Z pod.Z', 'TXT', 'nodata'],
    ['pod.svc.Z', 'A', 'data', ['A 10.96.7.1']],
    ['svc.pod.Z', 'A', 'data', ['A 10.96.7.2']],
  ]);
  t.is(modelReply(world, { labels: ['web.prod', 'svc', 'cluster', 'local'], type: 'A' }).rcode, 'NXDOMAIN');
});

test('a name that would be longer than 255 octets is never said', (t) => {
  const [zone, name, host] = [`${'z'.repeat(63)}.test.`, 'n'.repeat(63), 'h'.repeat(63)];
  const ports = [port('http', 80)];
  const world = exampleWorld({ zones: [zone, 'in-addr.arpa.'] }, [
    rawNamespace(name),
    clusterService(`${name}/web`, ['None'], ports),
    slice(`${name}/web`, 'a', ports, [{ address: '10.244.7.8', hostname: host }]),
    clusterService(`${name}/${name}`, ['None'], ports),
    slice(`${name}/${name}`, 'a', ports, [{ address: '10.244.7.9', hostname: host }]),
    aliasService('prod/far', `${name}.${name}.${name}.${name}`),
  ]);
  const shorter = `${host}.web.${name}.svc.${zone}`;
  const soa = (owner: string) => `${owner} SOA ns.dns.${owner} hostmaster.${owner} SERIAL 7200 1800 86400 5`;
  check(t, world, [
    [`web.${name}.svc.${zone}`, 'SRV', 'data', [`SRV 0 100 80 ${shorter}`], [`${shorter} A 10.244.7.8`]],
    ['8.7.244.10.in-addr.arpa.', 'PTR', 'data', [`PTR ${shorter}`]],
    [`${name}.${name}.svc.${zone}`, 'A', 'data', ['A 10.244.7.9']],
    [`${name}.${name}.svc.${zone}`, 'SRV', 'nodata', [], [], [soa(zone)]],
    ['9.7.244.10.in-addr.arpa.', 'PTR', 'nxdomain'],
    [`far.prod.svc.${zone}`, 'A CNAME', 'nodata', [], [], [soa(zone)]],
  ]);
});

function check(t: ExecutionContext, world: World, rows: readonly Row[]): void {
  for (const [names, types, outcome, answer = [], additional = [], authority] of rows) {
    for (const name of names.split(' ')) {
      for (const type of types.split(' ')) {
        const owner = expand(name);
        const denied = answer.length === 0 ? [soaOf(owner)] : [];
        const expected: Shown = {
          rcode: RCODES[outcome],
          authoritative: true,
          answer: answer.map((record) => lineFrom(record, owner)).toSorted(),
          authority: authority?.map((record) => lineFrom(record, owner)) ?? denied,
          additional: additional.map((record) => lineFrom(record, owner)).toSorted(),
        };
        t.deepEqual(shown(replyTo(world, name, type)), expected, `${name} ${type}`);
      }
    }
  }
}

const RCODES = { data: 'NOERROR', nodata: 'NOERROR', nxdomain: 'NXDOMAIN', servfail: 'SERVFAIL' } as const;

type Shown = {
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
};

function shown({ rcode, authoritative, answer, authority, additional }: ModelReply): Shown {
  return {
    rcode,
    authoritative,
    answer: [...answer].toSorted(),
    authority: [...authority].toSorted(),
    additional: [...additional].toSorted(),
  };
}

function replyTo(world: World, name: string, type: string): ModelReply {
  return modelReply(world, { labels: expand(name).slice(0, -1).split('.'), type });
}

function expand(name: string): string {
  return name.endsWith('.Z') ? `${name.slice(0, -1)}svc.cluster.local.` : name;
}

/** `owner ttl type rdata`, owner and TTL left out or not. */
function lineFrom(record: string, asked: string): string {
  const words = record.split(' ').map(expand);
  const owner = words[0]?.endsWith('.') ? words.shift() : asked;
  const ttl = /^\d+$/.test(words[0] ?? '') ? words.shift() : '5';
  return [owner, ttl, 'IN', ...words].join(' ');
}

/** Zones here have two labels. */
function soaOf(name: string): string {
  const zone = `${name.slice(0, -1).split('.').slice(-2).join('.')}.`;
  return `${zone} 5 IN SOA ns.dns.${zone} hostmaster.${zone} SERIAL 7200 1800 86400 5`;
}
