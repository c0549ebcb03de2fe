/** Serials grow, in the sense of RFC 1982, whatever the clock does. */

import test from 'ava';
import fc from 'fast-check';

import { serialAfter } from '../../../../zones/kubernetes/store/serial.ts';

const cases: readonly [string, number, number, number][] = [
  ['the clock is ahead', 1000, 2000.7, 2000],
  ['the clock has not moved', 1000, 1000.9, 1001],
  ['the clock is behind', 1000, 10, 1001],
  ['the largest serial is followed by zero', 0xffffffff, 0xffffffff, 0],
  ['the clock passes 2^32', 0xfffffff0, 2 ** 32 + 5, 5],
  ['after 2^32 the clock is still ahead', 5, 2 ** 32 + 6, 6],
];

for (const [title, last, now, expected] of cases) {
  test(title, (t) => t.is(serialAfter(last, now), expected));
}

test('the next serial is always greater (RFC 1982 section 3.2), and fits in 32 bits', (t) => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.double({ min: 0, max: 2 ** 40, noNaN: true }), (last, now) => {
      const next = serialAfter(last, now);
      const distance = (next - last + 2 ** 32) % 2 ** 32;
      return Number.isInteger(next) && next >= 0 && next < 2 ** 32 && distance > 0 && distance < 2 ** 31;
    }),
  );
  t.pass();
});
