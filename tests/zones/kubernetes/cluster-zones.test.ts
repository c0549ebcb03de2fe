/**
 * Zones of the clusterset (`multicluster`) beside those of the cluster, asked of the `kubernetes` plugin: what the Multi-Cluster
 * Services API (KEP-1645) and its DNS specification say, and CoreDNS plugin/kubernetes where they say nothing.
 */

import test from 'ava';

import type { Kind } from '../../../zones/kubernetes/objects.ts';
import { ask, handlerFor, storeOf, testRows, type Options, type Row } from '../../support/cluster-zone.ts';
import {
  endpoint,
  EXAMPLE_OBJECTS,
  externalName,
  importedSlice,
  listed,
  port,
  puts,
  removal,
  serviceImport,
  slice,
} from '../../support/example-cluster.ts';

const ZONES = 'clusterset.local cluster.local in-addr.arpa ip6.arpa';
const BODY = 'multicluster clusterset.local';
const HTTP = [port('http/TCP 80')];
const PG = [port('pg/TCP 5432')];
const OBJECTS = [
  ...EXAMPLE_OBJECTS,
  serviceImport('prod/shared', ['10.112.0.1', 'fd00:112::1'], [...HTTP, port('/TCP 8080')]),
  importedSlice('prod/shared', 'east', 'a', HTTP, [endpoint('10.1.0.1')]),
  serviceImport('prod/idle-import', ['10.112.0.2'], HTTP),
  serviceImport('prod/pending', [], HTTP),
  serviceImport('prod/db', ['None'], PG),
  importedSlice('prod/db', 'east', 'a', PG, [
    endpoint('10.1.1.1', { hostname: 'db-0' }),
    endpoint('10.1.1.2', { pod: 'db-xyz' }),
  ]),
  importedSlice('prod/db', 'west', 'a', PG, [endpoint('10.2.1.1', { hostname: 'db-0' })]),
  importedSlice('prod/db', 'west', 'b', PG, [endpoint('fd00:2::1', { hostname: 'db-0' })]),
  importedSlice('prod/db', 'drained', 'a', PG, []),
  serviceImport('prod/nameless', ['None'], HTTP),
  importedSlice('prod/nameless', '', 'a', HTTP, [endpoint('10.3.0.1')]),
  importedSlice('prod/nameless', 'east', 'b', HTTP, [endpoint('10.3.0.2')]),
  serviceImport('prod/down', ['None'], HTTP),
  serviceImport('nons/shared', ['10.112.0.3'], HTTP),
  // In both kinds of zones.
  serviceImport('prod/v4only', ['None'], HTTP),
  { ...slice('prod/v4only', 'both', HTTP, [endpoint('10.4.0.1')]), imported: { service: 'v4only', cluster: 'east' } },
  externalName('prod/other-clusters', 'shared.prod.svc.clusterset.local'),
];

/** `C` stands for the clusterset's `svc`. */
function written(text: string): string {
  return text.replace(/\bC(?= |$)/g, 'svc.clusterset.local.');
}

function rows(...table: readonly Row[]): readonly Row[] {
  const defaults = { store: storeOf(OBJECTS), zones: ZONES, body: BODY, zone: 'clusterset.local.' };
  return table.map((row) => {
    const { answer = [], additional = [] } = row;
    const texts = { ask: written(row.ask), answer: answer.map(written), additional: additional.map(written) };
    return { ...defaults, ...row, ...texts };
  });
}

testRows(
  rows(
    // ClusterSetIP.
    { title: 'clusterset IP: A', ask: 'shared.prod.C', answer: ['shared.prod.C 5 IN A 10.112.0.1'] },
    {
      title: 'clusterset IP: AAAA',
      ask: 'shared.prod.C',
      types: 'AAAA',
      answer: ['shared.prod.C 5 IN AAAA fd00:112::1'],
    },
    {
      title: 'clusterset IP: SRV of a named port (multicluster DNS spec 2.3.2)',
      ask: '_http._tcp.shared.prod.C',
      types: 'SRV',
      answer: ['_http._tcp.shared.prod.C 5 IN SRV 0 50 80 shared.prod.C'],
      additional: ['shared.prod.C 5 IN A 10.112.0.1', 'shared.prod.C 5 IN AAAA fd00:112::1'],
    },
    {
      title: 'clusterset IP: SRV without port and protocol names every port',
      ask: 'shared.prod.C',
      types: 'SRV',
      answer: ['shared.prod.C 5 IN SRV 0 25 80 shared.prod.C', 'shared.prod.C 5 IN SRV 0 25 8080 shared.prod.C'],
      additional: ['shared.prod.C 5 IN A 10.112.0.1', 'shared.prod.C 5 IN AAAA fd00:112::1'],
    },
    { title: 'other types are NODATA', ask: 'shared.prod.C db.prod.C', types: 'TXT MX NS CNAME PTR SOA ANY' },
    {
      title: 'an import needs no endpoints',
      ask: 'idle-import.prod.C',
      answer: ['idle-import.prod.C 5 IN A 10.112.0.2'],
    },
    { title: 'an import that waits for its address exists', ask: 'pending.prod.C', types: 'A AAAA SRV TXT' },
    {
      title: 'ignore empty_service: an import without ready endpoints does not exist',
      ask: 'idle-import.prod.C _http._tcp.idle-import.prod.C',
      body: `${BODY}\nignore empty_service`,
      rcode: 'NXDOMAIN',
    },
    {
      title: 'ignore empty_service: endpoints of other clusters count',
      ask: 'shared.prod.C',
      body: `${BODY}\nignore empty_service`,
      answer: ['shared.prod.C 5 IN A 10.112.0.1'],
    },

    // Headless.
    {
      title: 'headless: the endpoints of all clusters (multicluster DNS spec 2.4.1)',
      ask: 'db.prod.C',
      answer: ['10.1.1.1', '10.1.1.2', '10.2.1.1'].map((address) => `db.prod.C 5 IN A ${address}`),
    },
    { title: 'headless: AAAA', ask: 'db.prod.C', types: 'AAAA', answer: ['db.prod.C 5 IN AAAA fd00:2::1'] },
    ...['db.prod.C', '_pg._tcp.db.prod.C'].map((name) => ({
      title: 'headless: SRV names endpoints below their clusters (multicluster DNS spec 2.4.2)',
      ask: name,
      types: 'SRV',
      answer: ['db-0.east', '10-1-1-2.east', 'db-0.west'].map(
        (target) => `${name} 5 IN SRV 0 25 5432 ${target}.db.prod.C`,
      ),
      additional: [
        'db-0.east.db.prod.C 5 IN A 10.1.1.1',
        '10-1-1-2.east.db.prod.C 5 IN A 10.1.1.2',
        'db-0.west.db.prod.C 5 IN A 10.2.1.1',
        'db-0.west.db.prod.C 5 IN AAAA fd00:2::1',
      ],
    })),
    {
      title: 'headless: without ready endpoints there is no name',
      ask: 'down.prod.C',
      types: 'A TXT',
      rcode: 'NXDOMAIN',
    },

    // Endpoints.
    {
      title: 'endpoint below its cluster: A',
      ask: 'db-0.east.db.prod.C',
      answer: ['db-0.east.db.prod.C 5 IN A 10.1.1.1'],
    },
    {
      title: 'endpoint below its cluster: letters are compared without case (RFC 4343)',
      ask: 'DB-0.WEST.db.prod.svc.ClusterSet.local.',
      types: 'AAAA',
      answer: ['DB-0.WEST.db.prod.svc.ClusterSet.local. 5 IN AAAA fd00:2::1'],
    },
    {
      title: 'endpoint below its cluster: SRV',
      ask: '10-1-1-2.east.db.prod.C',
      types: 'SRV',
      answer: ['10-1-1-2.east.db.prod.C 5 IN SRV 0 100 5432 10-1-1-2.east.db.prod.C'],
      additional: ['10-1-1-2.east.db.prod.C 5 IN A 10.1.1.2'],
    },
    {
      title: 'endpoint_pod_names: the name is that of the pod',
      ask: 'db-xyz.east.db.prod.C',
      body: `${BODY}\nendpoint_pod_names`,
      answer: ['db-xyz.east.db.prod.C 5 IN A 10.1.1.2'],
    },
    {
      title: 'endpoint of an import with a clusterset IP, as in CoreDNS',
      ask: '10-1-0-1.east.shared.prod.C',
      answer: ['10-1-0-1.east.shared.prod.C 5 IN A 10.1.0.1'],
    },
    {
      title: 'endpoint without its cluster does not exist',
      ask: 'db-0.db.prod.C 10-1-1-2.db.prod.C 10-1-0-1.shared.prod.C',
      types: 'A AAAA SRV TXT',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'endpoint below another cluster does not exist, nor do longer names',
      ask: '10-1-1-2.west.db.prod.C db-0.north.db.prod.C x.db-0.east.db.prod.C _pg._tcp.east.db.prod.C east.db-0.db.prod.C',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'a cluster exists where it has endpoints, and has no records (RFC 8020; multicluster DNS spec 2.4.4)',
      ask: 'east.db.prod.C WEST.db.prod.C east.shared.prod.C',
      types: 'A AAAA SRV TXT',
    },
    {
      title: 'a cluster without endpoints does not exist',
      ask: 'drained.db.prod.C north.db.prod.C west.shared.prod.C east.idle-import.prod.C',
      rcode: 'NXDOMAIN',
    },

    // Ports.
    { title: 'a protocol exists above its ports (RFC 8020)', ask: '_tcp.db.prod.C _TCP.shared.prod.C' },
    {
      title: 'one underscore tells a port from an endpoint, as in CoreDNS',
      ask: '_pg.tcp.db.prod.C',
      types: 'AAAA',
      answer: ['_pg.tcp.db.prod.C 5 IN AAAA fd00:2::1'],
    },
    {
      title: 'without underscores it is an endpoint below a cluster, as in CoreDNS',
      ask: 'pg.tcp.db.prod.C http.tcp.shared.prod.C',
      types: 'A SRV',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'no such port or protocol',
      ask: '_http._tcp.db.prod.C _pg._udp.db.prod.C _._tcp.shared.prod.C _udp.shared.prod.C',
      types: 'A SRV',
      rcode: 'NXDOMAIN',
    },

    // Slices that are not as they should be.
    {
      title: 'an endpoint whose cluster is not known adds its address',
      ask: 'nameless.prod.C',
      answer: ['nameless.prod.C 5 IN A 10.3.0.1', 'nameless.prod.C 5 IN A 10.3.0.2'],
    },
    {
      // CoreDNS names a target with an empty label, which cannot be sent, and so there is no reply at all.
      title: 'an endpoint whose cluster is not known has no name',
      ask: 'nameless.prod.C',
      types: 'SRV',
      answer: ['nameless.prod.C 5 IN SRV 0 50 80 10-3-0-2.east.nameless.prod.C'],
      additional: ['10-3-0-2.east.nameless.prod.C 5 IN A 10.3.0.2'],
    },
    {
      title: 'an endpoint whose cluster is not known has no name to be asked for',
      ask: '10-3-0-1.nameless.prod.C 10-3-0-1.east.nameless.prod.C',
      rcode: 'NXDOMAIN',
    },

    // What is not there.
    {
      title: 'no such import',
      ask: 'nosuch.prod.C web.prod.C east.nosuch.prod.C',
      types: 'A TXT SRV',
      rcode: 'NXDOMAIN',
    },
    { title: 'no aliases', ask: 'ext.prod.C', types: 'A CNAME', rcode: 'NXDOMAIN' },
    {
      title: 'no names of topology zones',
      ask: 'a.pin._zone.db.prod.C pin._zone.db.prod.C _zone.db.prod.C',
      body: `${BODY}\nzonal`,
      rcode: 'NXDOMAIN',
    },
    { title: 'namespaces exist as in the cluster', ask: 'prod.C empty.C svc.clusterset.local. pod.clusterset.local.' },
    { title: 'no such namespace', ask: 'shared.nons.C nons.C', rcode: 'NXDOMAIN' },
    {
      title: 'namespaces: others do not exist',
      ask: 'shared.prod.C prod.C',
      body: `${BODY}\nnamespaces default`,
      rcode: 'NXDOMAIN',
    },
    {
      title: 'pods have the names that they have in every zone',
      ask: '10-244-1-5.prod.pod.clusterset.local.',
      body: `${BODY}\npods insecure`,
      answer: ['10-244-1-5.prod.pod.clusterset.local. 5 IN A 10.244.1.5'],
    },

    // The apex.
    {
      title: 'the version of the schema is that of the multicluster DNS spec (its section 2.2; CoreDNS says 1.1.0)',
      ask: 'dns-version.clusterset.local.',
      types: 'TXT',
      answer: ['dns-version.clusterset.local. 28800 IN TXT "1.0.0"'],
    },
    {
      title: 'name servers are named where their names are (CoreDNS names one that does not exist)',
      ask: 'clusterset.local.',
      types: 'NS',
      answer: ['clusterset.local. 5 IN NS kube-dns.kube-system.Z'],
      additional: ['kube-dns.kube-system.Z 5 IN A 10.96.0.10'],
    },
    {
      title: 'without a zone of the cluster the name server is ns.dns',
      ask: 'clusterset.local.',
      types: 'NS',
      zones: 'clusterset.local',
      answer: ['clusterset.local. 5 IN NS ns.dns.clusterset.local.'],
      additional: ['ns.dns.clusterset.local. 5 IN A 10.96.0.10'],
    },
    {
      title: 'the name server of the SOA record has addresses',
      ask: 'ns.dns.clusterset.local.',
      answer: ['ns.dns.clusterset.local. 5 IN A 10.96.0.10'],
    },

    // The other zones.
    {
      title: 'the cluster has its own services of the same names, and its own endpoints',
      ask: 'db.prod.Z',
      answer: ['db.prod.Z 5 IN A 10.244.2.10', 'db.prod.Z 5 IN A 10.244.2.11'],
    },
    {
      title: 'imports are not in the zone of the cluster',
      ask: 'shared.prod.Z',
      rcode: 'NXDOMAIN',
      zone: 'cluster.local.',
    },
    {
      title: 'clusters and endpoints below them are not in the zone of the cluster',
      ask: 'east.db.prod.Z db-0.east.db.prod.Z',
      rcode: 'NXDOMAIN',
      zone: 'cluster.local.',
    },
    {
      title: 'underscores may be missing in the zone of the cluster',
      ask: 'pg.tcp.db.prod.Z',
      types: 'AAAA',
      answer: ['pg.tcp.db.prod.Z 5 IN AAAA fd00:244:2::10'],
    },
    {
      title: 'a slice with both labels is in both zones: the cluster',
      ask: '10-4-0-1.v4only.prod.Z',
      answer: ['10-4-0-1.v4only.prod.Z 5 IN A 10.4.0.1'],
    },
    {
      title: 'a slice with both labels is in both zones: the clusterset',
      ask: '10-4-0-1.east.v4only.prod.C',
      answer: ['10-4-0-1.east.v4only.prod.C 5 IN A 10.4.0.1'],
    },
    {
      title: 'addresses of imports have no names (multicluster DNS spec 2.3.3 and 2.4.3)',
      ask: '1.0.112.10.in-addr.arpa. 1.1.1.10.in-addr.arpa. 112.10.in-addr.arpa.',
      types: 'PTR',
      rcode: 'NXDOMAIN',
      zone: 'in-addr.arpa.',
    },
    {
      title: 'names of addresses stand in the zone of the cluster, though it is not the first',
      ask: '1.0.96.10.in-addr.arpa.',
      types: 'PTR',
      answer: ['1.0.96.10.in-addr.arpa. 5 IN PTR kubernetes.default.Z'],
    },
    {
      title: 'without a zone of the cluster addresses have no names',
      ask: '1.0.96.10.in-addr.arpa.',
      types: 'PTR',
      zones: 'clusterset.local in-addr.arpa',
      rcode: 'NXDOMAIN',
      zone: 'in-addr.arpa.',
    },
    {
      title: 'without a zone of the cluster the name server of a reverse zone is its own',
      ask: 'in-addr.arpa.',
      types: 'NS',
      zones: 'clusterset.local in-addr.arpa',
      answer: ['in-addr.arpa. 5 IN NS ns.dns.in-addr.arpa.'],
      additional: ['ns.dns.in-addr.arpa. 5 IN A 10.96.0.10'],
    },
    {
      title: 'several zones of the clusterset have the same names',
      ask: 'db-0.east.db.prod.svc.example.org.',
      zones: 'cluster.local clusterset.local example.org',
      body: 'multicluster clusterset.local example.org',
      answer: ['db-0.east.db.prod.svc.example.org. 5 IN A 10.1.1.1'],
    },
    {
      title: 'without the option the zone shows the cluster',
      ask: 'db-0.db.prod.C',
      body: '',
      answer: ['db-0.db.prod.C 5 IN A 10.244.2.10'],
    },
  ),
);

test('an alias into the clusterset is asked of the server, for another zone answers', async (t) => {
  const handler = handlerFor({
    store: storeOf(OBJECTS),
    zones: ZONES,
    body: BODY,
    resolve: (query) => handler(query),
  });
  t.deepEqual((await ask(handler, 'other-clusters.prod.svc.cluster.local', 'A')).answer, [
    'other-clusters.prod.svc.cluster.local. 5 IN CNAME shared.prod.svc.clusterset.local.',
    'shared.prod.svc.clusterset.local. 5 IN A 10.112.0.1',
  ]);
});

const NAMES: readonly (readonly [name: string, kinds: readonly Kind[], Pick<Options, 'zones' | 'body'>])[] = [
  ['nosuch.prod.svc.clusterset.local', ['Namespace', 'EndpointSlice', 'ServiceImport'], {}],
  ['nosuch.prod.svc.cluster.local', ['Namespace', 'Service', 'EndpointSlice'], {}],
  ['9.9.9.10.in-addr.arpa', ['Namespace', 'Service', 'EndpointSlice'], {}],
  // Zones of addresses have names of this cluster's services only, whatever the option says of them.
  ['9.9.9.10.in-addr.arpa', ['Namespace', 'Service', 'EndpointSlice'], { body: `${BODY} in-addr.arpa` }],
  // The root holds addresses too, which have the names of this cluster's services.
  [
    '9.9.9.10.in-addr.arpa',
    ['Namespace', 'Service', 'EndpointSlice', 'ServiceImport'],
    { zones: '. cluster.local', body: 'multicluster .' },
  ],
];

for (const [name, kinds, options] of NAMES) {
  const { zones, body } = { zones: ZONES, body: BODY, ...options };
  test(`${name} is denied in ${zones} with ${body} when ${kinds.join(', ')} were received, whatever else is missing`, async (t) => {
    for (const missing of kinds) {
      const rest = kinds.filter((kind) => kind !== missing);
      const handler = handlerFor({ store: storeOf(OBJECTS, rest), zones, body });
      t.is((await ask(handler, name, 'A')).reply, 'SERVFAIL aa', missing);
    }
    const handler = handlerFor({ store: storeOf(OBJECTS, kinds), zones, body });
    t.is((await ask(handler, name, 'A')).reply, 'NXDOMAIN aa');
  });
}

test('imports come, change and go with their slices', async (t) => {
  const store = storeOf(EXAMPLE_OBJECTS);
  const handler = handlerFor({ store, zones: ZONES, body: BODY });
  const seen = async (): Promise<string> => {
    const { reply, answer } = await ask(handler, 'new.prod.svc.clusterset.local', 'A');
    return [reply, ...answer.map((line) => line.split(' ').at(-1))].join(' ');
  };
  const [headless, east] = [serviceImport('prod/new', ['None']), importedSlice('prod/new', 'east', 'a', [], [])];
  t.is(await seen(), 'NXDOMAIN aa');
  store.apply(puts({ ...east, endpoints: [endpoint('192.0.2.1')] }));
  t.is(await seen(), 'NXDOMAIN aa', 'a slice alone is no service');
  store.apply(puts(headless));
  t.is(await seen(), 'NOERROR aa 192.0.2.1');
  store.apply(puts({ ...east, endpoints: [endpoint('192.0.2.1'), endpoint('192.0.2.2')] }));
  t.is(await seen(), 'NOERROR aa 192.0.2.1 192.0.2.2');
  store.apply(puts({ ...headless, clusterIPs: ['192.0.2.9'] }));
  t.is(await seen(), 'NOERROR aa 192.0.2.9');
  store.apply(listed([{ ...headless, clusterIPs: ['192.0.2.8'] }], ['ServiceImport']));
  t.is(await seen(), 'NOERROR aa 192.0.2.8');
  store.apply([removal(headless)]);
  t.is(await seen(), 'NXDOMAIN aa');
  t.is((await ask(handler, 'east.new.prod.svc.clusterset.local', 'A')).reply, 'NXDOMAIN aa');
});
