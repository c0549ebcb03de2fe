/** Names of topology zones below headless services (CoreDNS plugin/kubernetes `zonal`), asked of the `kubernetes` plugin. */

import test from 'ava';

import { NAME_MAX, nameFrom } from '../../../zones/name.ts';
import { ask, handlerFor, storeOf, testRows, type Row } from '../../support/cluster-zone.ts';
import { endpoint, EXAMPLE_OBJECTS, inZones, port, puts, service, slice } from '../../support/example-cluster.ts';

/** 31 labels: a zone's name has 63 characters at most. */
const MANY_LABELS = Array.from({ length: 31 }, (_, i) => 'abcdefghijklmnopqrstuvwxyz012345'.charAt(i)).join('.');
const PORTS = [port('http/TCP 80')];
const ENDPOINTS = [endpoint('192.0.2.1'), endpoint('192.0.2.2', { hostname: 'two' }), endpoint('192.0.2.3')];
const OBJECTS = [
  ...EXAMPLE_OBJECTS,
  service('prod/zoned', ['None'], PORTS),
  inZones(slice('prod/zoned', 'v4', PORTS, ENDPOINTS), 'us-west-2a', 'us-west-2b', 'us-west-2b'),
  inZones(slice('prod/zoned', 'v6', PORTS, [endpoint('2001:db8::2', { hostname: 'two' })]), 'us-west-2b'),
  // One of them runs where nobody knows.
  service('prod/dotted', ['None'], PORTS),
  inZones(
    slice('prod/dotted', 'v4', PORTS, [...ENDPOINTS, endpoint('192.0.2.4')]),
    'corp.example.com',
    MANY_LABELS,
    '',
    'us_west',
  ),
];

function rows(...table: readonly Row[]): readonly Row[] {
  return table.map((row) => ({ store: storeOf(OBJECTS), body: 'zonal', ...row }));
}

function answers(name: string, ...data: readonly string[]): Pick<Row, 'ask' | 'answer'> {
  return { ask: name, answer: data.map((record) => `${name} 5 IN ${record}`) };
}

testRows([
  ...rows(
    { title: 'pin: the endpoints in the zone', ...answers('us-west-2a.pin._zone.zoned.prod.Z', 'A 192.0.2.1') },
    {
      title: 'pin: every endpoint in the zone',
      ...answers('us-west-2b.pin._zone.zoned.prod.Z', 'A 192.0.2.2', 'A 192.0.2.3'),
    },
    {
      title: 'pin: other slices count too',
      types: 'AAAA',
      ...answers('us-west-2b.pin._zone.zoned.prod.Z', 'AAAA 2001:db8::2'),
    },
    { title: 'prefer: the endpoints in the zone', ...answers('us-west-2a.prefer._zone.zoned.prod.Z', 'A 192.0.2.1') },
    {
      title: 'prefer: all endpoints where the zone has none',
      ...answers('us-west-2c.prefer._zone.zoned.prod.Z', 'A 192.0.2.1', 'A 192.0.2.2', 'A 192.0.2.3'),
    },
    {
      title: 'letters are compared without case (RFC 4343)',
      ...answers('US-West-2A.Pin._Zone.ZONED.prod.Z', 'A 192.0.2.1'),
    },
    {
      title: 'SRV: the targets are the endpoints own names',
      types: 'SRV',
      ...answers(
        'us-west-2b.pin._zone.zoned.prod.Z',
        'SRV 0 33 80 two.zoned.prod.Z',
        'SRV 0 33 80 192-0-2-3.zoned.prod.Z',
      ),
      additional: [
        'two.zoned.prod.Z 5 IN A 192.0.2.2',
        'two.zoned.prod.Z 5 IN AAAA 2001:db8::2',
        '192-0-2-3.zoned.prod.Z 5 IN A 192.0.2.3',
      ],
    },
    {
      title: 'SRV: prefer without an endpoint in the zone names all',
      types: 'SRV',
      ...answers('x.prefer._zone.cache.prod.Z', ...['10-244-3-4', 'fd00-244-3--0'].map(redisAt)),
      additional: ['10-244-3-4.cache.prod.Z 5 IN A 10.244.3.4', 'fd00-244-3--0.cache.prod.Z 5 IN AAAA fd00:244:3::'],
    },
    {
      title: 'pin: a zone without endpoints is NODATA, drained or misspelled',
      ask: 'us-west-2c.pin._zone.zoned.prod.Z x.y.z.pin._zone.zoned.prod.Z a.pin._zone.db.prod.Z',
      types: 'A AAAA SRV TXT',
    },
    { title: 'no addresses of the family', ask: 'us-west-2a.pin._zone.zoned.prod.Z', types: 'AAAA' },
    {
      title: 'other types are NODATA',
      ask: 'us-west-2a.pin._zone.zoned.prod.Z us-west-2c.prefer._zone.zoned.prod.Z',
      types: 'TXT MX NS CNAME HTTPS ANY SOA',
    },
    {
      title: 'the names above exist (RFC 8020)',
      ask: '_zone.zoned.prod.Z pin._zone.zoned.prod.Z prefer._zone.db.prod.Z _ZONE.db.prod.Z',
      types: 'A SRV TXT SOA',
    },
    {
      title: 'a zone of several labels',
      ...answers('corp.example.com.pin._zone.dotted.prod.Z', 'A 192.0.2.1'),
    },
    { title: 'a zone of very many labels', ...answers(`${MANY_LABELS}.pin._zone.dotted.prod.Z`, 'A 192.0.2.2') },
    { title: 'a zone with an underscore', ...answers('us_west.pin._zone.dotted.prod.Z', 'A 192.0.2.4') },
    {
      title: 'a dot inside a label does not join labels, and parts of a zone are no zone',
      ask: 'corp\\.example\\.com.pin._zone.dotted.prod.Z example.com.pin._zone.dotted.prod.Z com.pin._zone.dotted.prod.Z',
    },
    {
      title: 'another word for how does not exist',
      ask: 'us-west-2a.florp._zone.zoned.prod.Z florp._zone.zoned.prod.Z a.b.c._zone.zoned.prod.Z us-west-2a.zone.zoned.prod.Z us-west-2a.pin.zone.zoned.prod.Z',
      types: 'A TXT SRV',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'no other service has names of zones: with cluster IPs, aliases, missing ones',
      ask: 'a.pin._zone.web.prod.Z a.prefer._zone.web.prod.Z _zone.web.prod.Z pin._zone.web.prod.Z a.pin._zone.ext.prod.Z _zone.ext.prod.Z a.pin._zone.nosuch.prod.Z a.pin._zone.zoned.nons.Z',
      types: 'A TXT',
      rcode: 'NXDOMAIN',
    },
    {
      // CoreDNS says NODATA.
      title: 'what is below a service that does not exist does not either (RFC 8020)',
      ask: 'a.pin._zone.down.prod.Z a.prefer._zone.down.prod.Z _zone.down.prod.Z',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'pods have no names of zones',
      ask: 'a.pin._zone.10-244-1-5.prod.pod.cluster.local. _zone.10-244-1-5.prod.pod.cluster.local.',
      body: 'zonal\npods insecure',
      rcode: 'NXDOMAIN',
    },
    {
      title: 'ports and endpoints are found as without the option',
      ...answers('_http._tcp.zoned.prod.Z', 'A 192.0.2.1', 'A 192.0.2.2', 'A 192.0.2.3'),
    },
    { title: 'endpoints are found as without the option', ...answers('two.zoned.prod.Z', 'A 192.0.2.2') },
    { title: 'protocols exist as without the option', ask: '_tcp.zoned.prod.Z' },
    {
      title: 'longer names do not exist, as without the option',
      ask: 'a.b.c.zoned.prod.Z a._http._tcp.zoned.prod.Z a.b.c.web.prod.Z a.b.c.d.nosuch.prod.Z',
      rcode: 'NXDOMAIN',
    },
  ),
  ...rows({
    title: 'without the option there are no such names',
    body: '',
    ask: 'us-west-2a.pin._zone.zoned.prod.Z a.prefer._zone.zoned.prod.Z pin._zone.zoned.prod.Z _zone.zoned.prod.Z',
    types: 'A TXT SRV',
    rcode: 'NXDOMAIN',
  }),
]);

function redisAt(label: string): string {
  return `SRV 0 50 6379 ${label}.cache.prod.Z`;
}

test('a name of 255 octets is looked up like any other', async (t) => {
  const handler = handlerFor({ store: storeOf(OBJECTS), body: 'zonal' });
  const seen = async (directive: string): Promise<string> => {
    const name = longestBelow(`${directive}._zone.zoned.prod.svc.cluster.local`);
    t.is(nameFrom(name).length, NAME_MAX);
    const { reply, answer } = await ask(handler, name, 'A');
    return `${reply} ${answer.length}`;
  };
  t.is(await seen('pin'), 'NOERROR aa 0');
  t.is(await seen('prefer'), 'NOERROR aa 3');
  t.is(await seen('other'), 'NXDOMAIN aa 0');
});

/** As many labels as fit. */
function longestBelow(parent: string): string {
  const room = NAME_MAX - nameFrom(parent).length;
  const labels = Array.from({ length: Math.floor(room / 2) - 1 }, () => 'a');
  return [...labels, room % 2 === 0 ? 'b' : 'bc', parent].join('.');
}

test('endpoints move from zone to zone', async (t) => {
  const store = storeOf(OBJECTS);
  const handler = handlerFor({ store, body: 'zonal' });
  const at = async (zone: string): Promise<readonly string[]> =>
    (await ask(handler, `${zone}.pin._zone.zoned.prod.svc.cluster.local`, 'A')).answer.map((line) => line.slice(-1));
  t.deepEqual([await at('us-west-2a'), await at('us-west-2b')], [['1'], ['2', '3']]);
  const whole = slice('prod/zoned', 'v4', PORTS, ENDPOINTS);
  store.apply(puts(inZones(whole, 'us-west-2b', '', 'us-west-2a')));
  t.deepEqual([await at('us-west-2a'), await at('us-west-2b')], [['3'], ['1']]);
  store.apply(puts(whole));
  t.deepEqual([await at('us-west-2a'), await at('us-west-2b')], [[], []]);
});
