/** Rdata in octets, checked against dns-packet. */

import dnsPacket from 'dns-packet';
import test from 'ava';

import { nameFrom, spellingFrom } from '../../zones/name.ts';
import { addressRdata, nameOf, nameRdata, octetsOf, soaRdata, srvRdata, txtRdata } from '../../zones/rdata.ts';

/** dns-packet has it, its declared types do not. */
const { record } = dnsPacket as unknown as {
  readonly record: (type: string) => { encode(data: unknown): Buffer };
};

const cases: readonly [string, string, Uint8Array, unknown][] = [
  ['A', 'A', addressRdata(Uint8Array.of(192, 0, 2, 1)), '192.0.2.1'],
  ['CNAME', 'CNAME', nameRdata(spellingFrom('WWW.example.org')), 'WWW.example.org'],
  ['NS to the root', 'NS', nameRdata(nameFrom('.')), '.'],
  [
    'SRV',
    'SRV',
    srvRdata(1, 0xffff, 0x1234, nameFrom('a.example.org')),
    { priority: 1, weight: 0xffff, port: 0x1234, target: 'a.example.org' },
  ],
  [
    'SOA with the largest serial',
    'SOA',
    soaRdata({
      mname: nameFrom('ns.example.org'),
      rname: nameFrom('admin.example.org'),
      serial: 0xffffffff,
      refresh: 1,
      retry: 2,
      expire: 3,
      minimum: 4,
    }),
    {
      mname: 'ns.example.org',
      rname: 'admin.example.org',
      serial: 0xffffffff,
      refresh: 1,
      retry: 2,
      expire: 3,
      minimum: 4,
    },
  ],
  ['TXT', 'TXT', txtRdata(['1.1.0', '', 'ü']), ['1.1.0', '', 'ü']],
];

for (const [title, type, rdata, data] of cases) {
  // dns-packet puts the length of the rdata in front.
  test(title, (t) => t.deepEqual(Buffer.from(rdata), record(type).encode(data).subarray(2)));
}

test('TXT: 255 octets in one string, counted in octets, not more', (t) => {
  t.is(txtRdata(['a'.repeat(255)]).length, 256);
  t.throws(() => txtRdata(['a'.repeat(256)]), { instanceOf: RangeError });
  t.throws(() => txtRdata(['ü'.repeat(128)]), { instanceOf: RangeError });
});

test('the name in rdata is the name that was put there', (t) => {
  const name = spellingFrom('\\000\\255\\.A.example.ORG');
  t.is(nameOf(nameRdata(name)), name);
  const [padded] = [Buffer.concat([Buffer.from('xx'), octetsOf(name)]).subarray(2)];
  t.is(nameOf(padded), name, 'wherever in a buffer it stands');
});
