/** Addresses, their text and their reverse names. */

import { BlockList } from 'node:net';

import test from 'ava';
import fc from 'fast-check';

import {
  addressFrom,
  addressKey,
  addressOfKey,
  isReverseName,
  keyOfDigits,
  presentAddress,
  reverseDigitsOf,
  reverseNameOf,
} from '../../zones/ip.ts';
import { nameFrom, parentOf, present, type Name } from '../../zones/name.ts';

const anyAddress = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeros, which the text of IPv6 leaves out.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((octets) => Uint8Array.from(octets)),
);

const texts: readonly [string, string][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8::', '2001:db8::'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['1::2:0:0:3', '1::2:0:0:3'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['::ffff:192.0.2.1', '::ffff:c000:201'],
];

for (const [text, canonical] of texts) {
  test(`text: ${text} is ${canonical}`, (t) => {
    const address = addressFrom(text);
    t.is(address === undefined ? undefined : presentAddress(address), canonical);
  });
}

for (const text of [
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '01.2.3.4',
  '1.2.3.4 ',
  ':',
  '1:2',
  '1::2::3',
  'fe80::1%eth0',
  'g::',
  '12345::',
  '1.2.3.4::',
]) {
  test(`no address: "${text}"`, (t) => t.is(addressFrom(text), undefined));
}

test('what was written is read as the same address', (t) => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const again = addressFrom(presentAddress(address));
      return again !== undefined && Buffer.from(again).equals(Buffer.from(address));
    }),
  );
  t.pass();
});

test('any spelling of an IPv6 address that Node takes is read as the same address', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const address = addressFrom(text);
      if (address === undefined) return false;
      const list = new BlockList();
      list.addAddress(presentAddress(address), 'ipv6');
      return list.check(text, 'ipv6');
    }),
  );
  t.pass();
});

test('any text is an address or none', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(':', '.', '1', 'f', '%') })), (text) => {
      const address = addressFrom(text);
      return address === undefined || address.length === 4 || address.length === 16;
    }),
  );
  t.pass();
});

test('keys are the octets', (t) => {
  fc.assert(
    fc.property(anyAddress, (address) => Buffer.from(addressOfKey(addressKey(address))).equals(Buffer.from(address))),
  );
  t.is(addressKey(Uint8Array.of(192, 0, 2, 255)), '\xc0\0\x02\xff');
});

test('reverse names lead back to their address', (t) => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      const name = reverseNameOf(address);
      const digits = reverseDigitsOf(name);
      return isReverseName(name) && digits !== undefined && keyOfDigits(digits) === addressKey(address);
    }),
  );
  t.is(present(reverseNameOf(Uint8Array.of(192, 0, 2, 1))), '1.2.0.192.in-addr.arpa.');
});

test('every name above a reverse name is the beginning of its address', (t) => {
  fc.assert(
    fc.property(anyAddress, (address) => {
      let name: Name = reverseNameOf(address);
      const whole = reverseDigitsOf(name)?.digits ?? '';
      for (let length = whole.length; length >= 0; length--, name = parentOf(name)) {
        if (reverseDigitsOf(name)?.digits !== whole.slice(0, length)) return false;
      }
      return reverseDigitsOf(name) === undefined;
    }),
  );
  t.pass();
});

for (const text of [
  'arpa',
  'org',
  'in-addr.org',
  '256.in-addr.arpa',
  '00.in-addr.arpa',
  '01.in-addr.arpa',
  '1a.in-addr.arpa',
  '1000.in-addr.arpa',
  'a.1.2.0.192.in-addr.arpa',
  '5.1.2.0.192.in-addr.arpa',
  '\\000.in-addr.arpa',
  '1\\.2.in-addr.arpa',
  'g.ip6.arpa',
  '10.ip6.arpa',
  `${'0.'.repeat(33)}ip6.arpa`,
]) {
  test(`no address has this name or one below it: ${text}`, (t) => t.is(reverseDigitsOf(nameFrom(text)), undefined));
}
