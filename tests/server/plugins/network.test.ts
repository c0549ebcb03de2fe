import test from 'ava';
import fc from 'fast-check';

import { CorefileError } from '../../../server/errors.ts';
import { isInside, networkFrom, type Network } from '../../../server/plugins/network.ts';
import { addressFrom, type Address } from '../../../zones/ip.ts';

function network(text: string): Network {
  return networkFrom({ text, position: { file: 'Corefile', line: 1, column: 1 } });
}

function address(text: string): Address {
  const octets = addressFrom(text);
  if (octets === undefined) throw new Error(`"${text}" is not an address`);
  return octets;
}

for (const { inside, of, expected } of [
  { inside: '10.1.2.3', of: '10.0.0.0/8', expected: true },
  { inside: '11.0.0.0', of: '10.0.0.0/8', expected: false },
  { inside: '10.15.255.255', of: '10.0.0.0/12', expected: true },
  { inside: '10.16.0.0', of: '10.0.0.0/12', expected: false },
  { inside: '10.1.2.3', of: '10.200.0.1/8', expected: true },
  { inside: '192.0.2.1', of: '192.0.2.1/32', expected: true },
  { inside: '192.0.2.0', of: '192.0.2.1/32', expected: false },
  { inside: '203.0.113.9', of: '0.0.0.0/0', expected: true },
  { inside: '2001:db8::1', of: '0.0.0.0/0', expected: false },
  { inside: '203.0.113.9', of: '::/0', expected: false },
  { inside: '2001:db8:ffff::1', of: '2001:db8::/32', expected: true },
  { inside: '2001:db9::1', of: '2001:db8::/32', expected: false },
  { inside: '2001:db8:7fff::', of: '2001:db8::/33', expected: true },
  { inside: '2001:db8:8000::', of: '2001:db8::/33', expected: false },
]) {
  test(`${inside} is ${expected ? 'inside' : 'outside'} ${of}`, (t) => {
    t.is(isInside(address(inside), network(of)), expected);
  });
}

for (const text of [
  '10.0.0.0',
  '10.0.0.0/33',
  '::/129',
  '10.0.0/8',
  'example.org/8',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '/8',
  '',
]) {
  test(`"${text}" is not a network`, (t) => {
    const error = t.throws(() => network(text), { instanceOf: CorefileError });
    t.regex(error.message, /^Corefile:1:1: found ".*", expected a network with its mask/);
  });
}

test('inside means that the bits of the mask are equal', (t) => {
  const bitsOf = (octets: Address): string => [...octets].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(octets, octets, fc.nat({ max: 32 }), fc.nat({ max: 32 }), (a, b, bits, shared) => {
      // Addresses that differ by chance alone are nearly never close to each other.
      const near = Uint8Array.from(
        bitsOf(a).slice(0, shared).concat(bitsOf(b).slice(shared)).match(/.{8}/g) ?? [],
        (each) => Number.parseInt(each, 2),
      );
      t.is(isInside(near, { address: a, bits }), bitsOf(near).slice(0, bits) === bitsOf(a).slice(0, bits));
    }),
  );
});
