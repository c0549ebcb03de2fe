import test from 'ava';
import fc from 'fast-check';

import type { Token } from '../../../server/corefile/block.ts';
import { keysFrom, reverseZones, zonesFrom } from '../../../server/corefile/keys.ts';
import { reverseNameOf } from '../../../zones/ip.ts';
import { isWithin, present } from '../../../zones/name.ts';
import { messageOf } from '../../support/corefile.ts';

function word(text: string): Token {
  return { text, position: { file: 'Corefile', line: 2, column: 4 } };
}

function keys(text: string): readonly string[] {
  return keysFrom(word(text)).map(({ transport, zone, port }) => `${transport} ${present(zone)} ${port ?? '-'}`);
}

const LABEL = 'x'.repeat(63);

for (const [text, ...results] of [
  ['.', 'dns . -'],
  ['.:53', 'dns . 53'],
  ['.:0', 'dns . 0'],
  ['.:65535', 'dns . 65535'],
  ['example.org', 'dns example.org. -'],
  ['Example.ORG.:1053', 'dns example.org. 1053'],
  ['dns://example.org', 'dns example.org. -'],
  ['tls://example.org:853', 'tls example.org. 853'],
  ['https://.', 'https . -'],
  ['https3://.', 'https3 . -'],
  ['grpc://.', 'grpc . -'],
  ['quic://.:8853', 'quic . 8853'],
  [`${LABEL}.${LABEL}.${LABEL}.${'x'.repeat(61)}:53`, `dns ${LABEL}.${LABEL}.${LABEL}.${'x'.repeat(61)}. 53`],
  // RFC 2317 zones hold a slash and are no networks.
  ['0/25.2.0.192.in-addr.arpa', 'dns 0/25.2.0.192.in-addr.arpa. -'],
  // CoreDNS: an address without a mask is an ordinary name.
  ['10.0.0.1', 'dns 10.0.0.1. -'],
  ['10.0.0.0/8', 'dns 10.in-addr.arpa. -'],
  ['dns://10.1.0.0/16:5353', 'dns 1.10.in-addr.arpa. 5353'],
  ['192.0.2.0/24', 'dns 2.0.192.in-addr.arpa. -'],
  ['192.0.2.1/32', 'dns 1.2.0.192.in-addr.arpa. -'],
  ['0.0.0.0/0', 'dns in-addr.arpa. -'],
  ['10.98.7.6/15', 'dns 98.10.in-addr.arpa. -', 'dns 99.10.in-addr.arpa. -'],
  ['192.0.2.0/30', ...[0, 1, 2, 3].map((n) => `dns ${n}.2.0.192.in-addr.arpa. -`)],
  ['2001:db8::/32', 'dns 8.b.d.0.1.0.0.2.ip6.arpa. -'],
  ['2001:db8::/32:53', 'dns 8.b.d.0.1.0.0.2.ip6.arpa. 53'],
  ['fd00::/7', 'dns c.f.ip6.arpa. -', 'dns d.f.ip6.arpa. -'],
  ['2001:db8::1/128', `dns 1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa. -`],
] as const) {
  test(`key ${text} is ${results.length === 1 ? results[0] : `${results.length} zones`}`, (t) => {
    t.deepEqual(keys(text), [...results]);
  });
}

for (const [text, message] of [
  ['', 'found "", expected a zone; write "." for all names'],
  [':53', 'found ":53", expected a zone; write "." for all names'],
  ['dns://', 'found "dns://", expected a zone; write "." for all names'],
  ['.:', 'found ".:", expected a port number after the last colon'],
  ['.:65536', 'found ".:65536", expected a port from 0 to 65535'],
  ['.:000053', 'found ".:000053", expected a port from 0 to 65535'],
  ['udp://.', 'found "udp://.", expected one of the schemes dns, tls, https, https3, grpc, quic before "://"'],
  ['DNS://.', 'found "DNS://.", expected one of the schemes dns, tls, https, https3, grpc, quic before "://"'],
  ['a:b', 'found "a:b", expected a zone, or a network with its mask; only a port of digits may follow a colon'],
  [
    '2001:db8::1',
    'found "2001:db8::1", expected a zone, or a network with its mask; only a port of digits may follow a colon',
  ],
  ['::1/128', 'found "::1/128", expected an IPv6 network that does not begin with ":" or "0"'],
  ['0064:ff9b::/96', 'found "0064:ff9b::/96", expected an IPv6 network that does not begin with ":" or "0"'],
  ['10.0.0.0/33', 'found "10.0.0.0/33", expected a mask of at most /32'],
  ['2001:db8::/129', 'found "2001:db8::/129", expected a mask of at most /128'],
  ['a..b', 'found "a..b", which is not a domain name: it has an empty label'],
  ['.example.org', 'found ".example.org", which is not a domain name: it has an empty label'],
  [
    'b\u00fccher.example',
    'found "b\u00fccher.example", expected a zone in ASCII; write an internationalised name as xn--',
  ],
  [
    `${LABEL}x.org`,
    `found "${LABEL.slice(0, 60)}…", which is not a domain name: label "${LABEL}x" is 64 octets long, at most 63 are allowed`,
  ],
  [
    `${LABEL}.${LABEL}.${LABEL}.${'x'.repeat(62)}`,
    `found "${LABEL.slice(0, 60)}…", which is not a domain name: it is 256 octets long, at most 255 are allowed`,
  ],
] as const) {
  test(`key ${JSON.stringify(text.slice(0, 70))} is refused`, (t) => {
    t.is(
      messageOf(() => keysFrom(word(text))),
      `Corefile:2:4: ${message}`,
    );
  });
}

test('networks between two boundaries become all the zones of the longer one', (t) => {
  const service = zonesFrom(word('10.96.0.0/12')).map(present);
  t.deepEqual(
    service,
    Array.from({ length: 16 }, (_, i) => `${96 + i}.10.in-addr.arpa.`),
  );
  t.is(keysFrom(word('192.0.2.32/27')).length, 32);
  t.is(zonesFrom(word('128.0.0.0/1')).length, 128);
  t.is(zonesFrom(word('8000::/1')).length, 8);
});

test('a zone argument of a plugin may carry a scheme and a port, which say nothing', (t) => {
  t.deepEqual(zonesFrom(word('dns://Example.org:53')).map(present), ['example.org.']);
});

test('the zones of a network hold the reverse names of its addresses and of no others', (t) => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const networks = address.chain((network) =>
    fc.record({
      network: fc.constant(network),
      prefix: fc.integer({ min: 0, max: 8 * network.length }),
      other: fc.uint8Array({ minLength: network.length, maxLength: network.length }),
      shared: fc.integer({ min: 0, max: 8 * network.length }),
    }),
  );
  const property = fc.property(networks, ({ network, prefix, other, shared }) => {
    // `shared` leading bits of the network make near misses as likely as hits.
    const candidate = other.map((octet, i) => {
      const mask = (0xff00 >> Math.max(0, Math.min(8, shared - 8 * i))) & 0xff;
      return ((network[i] ?? 0) & mask) | (octet & ~mask & 0xff);
    });
    const isInside = bits(candidate).slice(0, prefix) === bits(network).slice(0, prefix);
    const zones = reverseZones(network, prefix);
    const holding = zones.filter((zone) => isWithin(reverseNameOf(candidate), zone));
    return new Set(zones).size === zones.length && holding.length === (isInside ? 1 : 0);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 1000 }));
});

function bits(octets: Uint8Array): string {
  return [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('');
}
