/** Addresses in labels. */

import test from 'ava';
import fc from 'fast-check';

import { podAddressFrom } from '../../../zones/kubernetes/pod-names.ts';
import { addressFrom, presentAddress } from '../../../zones/ip.ts';

const taken: readonly [string, string][] = [
  ['10-244-1-5', '10.244.1.5'],
  ['fd00-244--7', 'fd00:244::7'],
  ['--1', '::1'],
  ['--', '::'],
  ['2001-db8--', '2001:db8::'],
  ['1-2-3-4-5-6-7-8', '1:2:3:4:5:6:7:8'],
  ['1--2-3', '1::2:3'],
];

for (const [label, text] of taken) {
  test(`address: ${label}`, (t) => {
    const found = podAddressFrom(label);
    t.is(found?.text, text);
    t.deepEqual(found?.address, addressFrom(text));
  });
}

for (const label of [
  '',
  'a',
  '1-2-3',
  '256-1-1-1',
  '01-2-3-4',
  '1.2.3.4',
  'fd00:244::7',
  '--ffff-1.2.3.4',
  '1-2-3-4-5',
  'g--1',
  '1---2',
  '1-2-3-4%a',
  'x-1-2-3',
  'FD00--1',
]) {
  test(`no address: "${label}"`, (t) => t.is(podAddressFrom(label), undefined));
}

test('every address is found under its canonical text with dashes', (t) => {
  const anyAddress = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(anyAddress, (address) => {
      const text = presentAddress(address);
      return podAddressFrom(text.replaceAll(/[.:]/g, '-'))?.text === text;
    }),
  );
  t.pass();
});
