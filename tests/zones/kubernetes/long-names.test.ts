/** Names that are as long as a name may be (RFC 1035 section 2.3.4), and those that would be longer. */

import test from 'ava';

import { NAME_MAX, nameFrom } from '../../../zones/name.ts';
import type { ClusterObject } from '../../../zones/kubernetes/objects.ts';
import { trim } from '../../../zones/kubernetes/trim.ts';
import { ask, handlerFor, storeOf, type Options, type Seen } from '../../support/cluster-zone.ts';
import { endpoint, namespace, port, service, slice } from '../../support/example-cluster.ts';
import { rawService } from '../../support/raw-objects.ts';

const LONG = 'l'.repeat(63);

/** A zone of that many octets in wire form. */
function zoneOf(octets: number): string {
  const labels: string[] = [];
  for (let left = octets - 1; left > 0;) {
    // A label takes two octets at least: none is left over.
    const length = left > 64 && left < 66 ? 62 : Math.min(63, left - 1);
    labels.push('z'.repeat(length));
    left -= length + 1;
  }
  const zone = `${labels.join('.')}.`;
  if (nameFrom(zone).length !== octets) throw new Error(`${zone} is not ${octets} octets long`);
  return zone;
}

async function answers(
  objects: readonly ClusterObject[],
  zone: string,
  name: string,
  type: string,
  options: Options = {},
): Promise<Seen> {
  const handler = handlerFor({ store: storeOf(objects), zones: `${zone} in-addr.arpa`, ...options });
  return ask(handler, name, type);
}

/** `service.namespace.svc` takes 64 + 64 + 4 octets. */
const longest = [namespace(LONG), service(`${LONG}/${LONG}`, ['192.0.2.1'], [port('http/TCP 80')])];

test('a service whose name just fits is answered, and its address has that name', async (t) => {
  const zone = zoneOf(NAME_MAX - 132);
  const name = `${LONG}.${LONG}.svc.${zone}`;
  t.deepEqual((await answers(longest, zone, name, 'A')).answer, [`${name} 5 IN A 192.0.2.1`]);
  t.deepEqual((await answers(longest, zone, name, 'SRV')).answer, [`${name} 5 IN SRV 0 100 80 ${name}`]);
  t.deepEqual((await answers(longest, zone, '1.2.0.192.in-addr.arpa', 'PTR')).answer, [
    `1.2.0.192.in-addr.arpa. 5 IN PTR ${name}`,
  ]);
});

test('a service whose name does not fit has none, and its address neither', async (t) => {
  const zone = zoneOf(NAME_MAX - 131);
  t.is((await answers(longest, zone, '1.2.0.192.in-addr.arpa', 'PTR')).reply, 'NXDOMAIN aa');
  t.is((await answers(longest, zone, `${LONG}.svc.${zone}`, 'A')).reply, 'NOERROR aa');
});

test('SRV: targets that do not fit are left out, and without any there is no data', async (t) => {
  const headless = [
    namespace('ns'),
    service('ns/svc', ['None'], [port('http/TCP 80')]),
    slice('ns/svc', 'a', [port('http/TCP 80')], [endpoint('192.0.2.1'), endpoint('192.0.2.2', { hostname: 'a' })]),
  ];
  // `_http._tcp.svc.ns.svc.` takes 11 + 4 + 3 + 4 octets more than the zone, `192-0-2-1.svc.ns.svc.` 10 + 4 + 3 + 4.
  const fits = zoneOf(NAME_MAX - 22);
  const both = await answers(headless, fits, `_http._tcp.svc.ns.svc.${fits}`, 'SRV');
  t.deepEqual([both.answer.length, both.additional.length], [2, 2]);
  const tight = zoneOf(NAME_MAX - 20);
  const one = await answers(headless, tight, `svc.ns.svc.${tight}`, 'SRV');
  t.deepEqual(one.answer, [`svc.ns.svc.${tight} 5 IN SRV 0 50 80 a.svc.ns.svc.${tight}`]);
  t.deepEqual(one.additional, [`a.svc.ns.svc.${tight} 5 IN A 192.0.2.2`]);
  t.is((await answers(headless, tight, `svc.ns.svc.${tight}`, 'A')).answer.length, 2, 'addresses need no target');
  const tighter = zoneOf(NAME_MAX - 12);
  const none = await answers(headless, tighter, `svc.ns.svc.${tighter}`, 'SRV');
  t.deepEqual([none.reply, none.answer, none.authority.length], ['NOERROR aa', [], 1]);
  t.is((await answers(headless, tighter, '1.2.0.192.in-addr.arpa', 'PTR')).reply, 'NXDOMAIN aa');
});

test('a zone of 244 octets has an SOA record, and a name server under the name that always fits', async (t) => {
  const dns = [
    namespace('kube-system'),
    service('kube-system/kube-dns', ['10.96.0.10']),
    slice('kube-system/kube-dns', 'a', [], [endpoint('10.244.0.10')]),
  ];
  const zone = zoneOf(244);
  const [soa = ''] = (await answers(dns, zone, zone, 'SOA')).answer;
  t.true(soa.startsWith(`${zone} 5 IN SOA ns.dns.${zone} hostmaster.${zone} `));
  const { answer, additional } = await answers(dns, zone, zone, 'NS', { localAddresses: ['10.244.0.10'] });
  t.deepEqual(answer, [`${zone} 5 IN NS ns.dns.${zone}`]);
  t.deepEqual(additional, [`ns.dns.${zone} 5 IN A 10.96.0.10`]);
  const found = await answers(dns, zone, `ns.dns.${zone}`, 'A', { localAddresses: ['10.244.0.10'] });
  t.deepEqual(found.answer, [`ns.dns.${zone} 5 IN A 10.96.0.10`]);
});

test('a zone of 245 octets has no room for its SOA record', (t) => {
  t.throws(() => handlerFor({ zones: zoneOf(245) }), { message: /at most 244 octets leave room for its SOA record/ });
});

/** A host name of that many characters. */
function hostNameOf(length: number): string {
  return zoneOf(length + 2).slice(0, -1);
}

// The API takes names of 253 characters (RFC 1123 subdomain), with or without a final dot; 253 are 255 octets.
for (const { what, externalName, isAlias } of [
  { what: 'of 253 characters', externalName: hostNameOf(253), isAlias: true },
  { what: 'of 253 characters and a final dot', externalName: `${hostNameOf(253)}.`, isAlias: true },
  { what: 'of 254 characters', externalName: `${hostNameOf(252)}yy`, isAlias: false },
  { what: 'of 255 characters', externalName: `${hostNameOf(252)}.yy`, isAlias: false },
  { what: 'with a label of 63', externalName: `${LONG}.example.org`, isAlias: true },
  { what: 'with a label of 64', externalName: `${LONG}l.example.org`, isAlias: false },
  { what: 'with an empty label', externalName: 'a..example.org', isAlias: false },
  { what: 'that is a lone dot', externalName: '.', isAlias: false },
]) {
  test(`an ExternalName ${what} is ${isAlias ? 'an alias' : 'as good as none'}`, async (t) => {
    const spec = { type: 'ExternalName', externalName, clusterIP: undefined, clusterIPs: undefined };
    const alias = trim('Service', rawService('ns', 'ext', spec));
    if (alias === undefined) return t.fail('the service is refused');
    const { reply, answer } = await answers(
      [namespace('ns'), alias],
      'cluster.local',
      'ext.ns.svc.cluster.local',
      'CNAME',
    );
    const target = `${externalName.replace(/\.$/, '')}.`;
    t.deepEqual(answer, isAlias ? [`ext.ns.svc.cluster.local. 5 IN CNAME ${target}`] : []);
    t.is(reply, 'NOERROR aa');
  });
}
