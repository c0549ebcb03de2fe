/** Records at one name of a Service. */

import test from 'ava';

import { addressKey } from '../../../../zones/ip.ts';
import { nameFrom, wireLabel } from '../../../../zones/name.ts';
import {
  addressesOf,
  GLUE_MAX,
  serviceNode,
  SERVICES_MAX,
  servicesOf,
} from '../../../../zones/kubernetes/store/service-node.ts';
import type { Member } from '../../../../zones/kubernetes/store/members.ts';
import { port } from '../../../support/example-cluster.ts';
import { RRType } from '../../../../zones/rr.ts';
import { presentSets } from '../../../support/present-sets.ts';

const ZONE = nameFrom('cluster.local');
const FRONT = '\x02db\x04prod\x03svc';

function member(label: string, last: number, ...ports: string[]): Member {
  return {
    labels: wireLabel(label),
    key: addressKey(Uint8Array.of(192, 0, 2, last)),
    ports: ports.map(port),
    topologyZone: '',
  };
}

function services(members: readonly Member[], asked?: { name: string; protocol: string }): readonly string[] {
  const { rdatas } = servicesOf(serviceNode(FRONT, members, asked), ZONE, 5);
  return presentSets([{ owner: ZONE, type: RRType.SRV, ttl: 5, rdatas }]).map((line) =>
    line.split(' ').slice(5).join(' '),
  );
}

test('weight: 100 divided by addresses times ports, duplicates counted, at least 1', (t) => {
  const target = 'a.db.prod.svc.cluster.local.';
  t.deepEqual(services([member('a', 1, 'x/TCP 1')]), [`100 1 ${target}`]);
  t.deepEqual(services([member('a', 1, 'x/TCP 1'), member('a', 2, 'x/TCP 1'), member('a', 2, 'x/TCP 1')]), [
    `33 1 ${target}`,
  ]);
  const many = Array.from({ length: 300 }, (_, i) => member('a', i % 250, 'x/TCP 1'));
  t.deepEqual(services(many), [`1 1 ${target}`]);
});

test('weight: a port without a number counts, and is not named', (t) => {
  t.deepEqual(services([member('a', 1, 'x/TCP', 'y/TCP 2')]), ['50 2 a.db.prod.svc.cluster.local.']);
  t.deepEqual(services([member('a', 1), member('b', 2, 'x/TCP 1')]), ['50 1 b.db.prod.svc.cluster.local.']);
});

test('one port: only endpoints that have it', (t) => {
  const members = [member('a', 1, 'x/TCP 1'), member('b', 2, 'y/TCP 2'), member('c', 3)];
  const asked = { name: 'y', protocol: 'tcp' };
  t.deepEqual(services(members, asked), ['100 2 b.db.prod.svc.cluster.local.']);
  t.deepEqual(addressesOf(serviceNode(FRONT, members, asked)).ipv4.map(String), ['192,0,2,2']);
});

test('port numbers that no SRV record can hold are left out', (t) => {
  const ports = [0, 65_536, -2, 1.5, Number.NaN, Infinity].map((number) => ({ name: 'x', protocol: 'TCP', number }));
  const { rdatas } = servicesOf(serviceNode(FRONT, [{ ...member('a', 1), ports }], undefined), ZONE, 5);
  t.deepEqual(rdatas, []);
});

test('ports: an endpoint in several slices has those of all of them, each once', (t) => {
  const members = [
    member('a', 1, 'x/TCP 1', 'y/TCP 2'),
    member('b', 2, 'x/TCP 1'),
    member('a', 3, 'z/TCP 3', 'w/UDP 2'),
  ];
  t.deepEqual(
    services(members).map((line) => line.split(' ').slice(1).join(' ')),
    ['1 a', '2 a', '3 a', '1 b'].map((line) => `${line}.db.prod.svc.cluster.local.`),
  );
});

for (const [endpoints, count] of [
  [5000, 100],
  [1, 20_000],
] as const) {
  test(`no more records are made than a message can hold, and one so that it shows: ${endpoints} endpoints, ${count} ports`, (t) => {
    const ports = Array.from({ length: count }, (_, i) => port(`x${i}/TCP ${i + 1}`));
    const members = Array.from({ length: endpoints }, (_, i) => ({ ...member(`e${i}`, i & 255), ports }));
    const { rdatas } = servicesOf(serviceNode(FRONT, members, undefined), ZONE, 5);
    const octets = (records: readonly Uint8Array[]): number =>
      records.reduce((sum, rdata) => sum + 12 + rdata.length, 0);
    t.true(octets(rdatas) > SERVICES_MAX);
    t.true(octets(rdatas.slice(0, -1)) <= SERVICES_MAX);
  });
}

test('glue: of every target, no more than would help', (t) => {
  const members = Array.from({ length: 2 * GLUE_MAX }, (_, i) => member(`e${i}`, i & 255, 'x/TCP 1'));
  const { rdatas, glue } = servicesOf(serviceNode(FRONT, members, undefined), ZONE, 5);
  t.is(rdatas.length, 2 * GLUE_MAX);
  t.is(glue.length, GLUE_MAX);
});

test('a target that would be longer than a name may be is left out', (t) => {
  const zone = nameFrom(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(30)}`);
  const members = [member('e'.repeat(63), 1, 'x/TCP 1'), member('f', 2, 'x/TCP 1')];
  const { rdatas, glue } = servicesOf(serviceNode(FRONT, members, undefined), zone, 5);
  t.is(rdatas.length, 1);
  t.is(glue.length, 1);
});

test('records are remembered for the last spelling of the zone and the TTL', (t) => {
  const node = serviceNode(FRONT, [member('a', 1, 'x/TCP 1')], undefined);
  const made = servicesOf(node, ZONE, 5);
  t.is(servicesOf(node, ZONE, 5), made);
  t.is(servicesOf(node, ZONE, 30).ttl, 30);
  t.not(servicesOf(node, ZONE, 5), made);
});
