/** Does any address begin with these digits? Compared with looking at each of them. */

import test from 'ava';
import fc from 'fast-check';

import { AddressOrder, PENDING_MAX } from '../../../../zones/kubernetes/store/address-order.ts';
import { addressKey, addressOfKey, type ReverseDigits } from '../../../../zones/ip.ts';

/** Few values, so that addresses share beginnings and questions meet them. */
const anyKey = fc
  .oneof(
    fc.array(fc.constantFrom(0, 9, 10, 255), { minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0x00, 0x0f, 0xf0, 0xfd), { minLength: 16, maxLength: 16 }),
  )
  .map((octets) => addressKey(Uint8Array.from(octets)));

function digitsOf(key: string): ReverseDigits {
  if (key.length === 4) return { family: 4, digits: key };
  const nibbles = [...addressOfKey(key)].flatMap((octet) => [octet >> 4, octet & 15]);
  return { family: 6, digits: String.fromCharCode(...nibbles) };
}

const anyQuestion = fc.tuple(anyKey, fc.nat({ max: 32 })).map(([key, length]): ReverseDigits => {
  const { family, digits } = digitsOf(key);
  return { family, digits: digits.slice(0, length) };
});

function hasNaively(keys: Iterable<string>, { family, digits }: ReverseDigits): boolean {
  return [...keys].map(digitsOf).some((each) => each.family === family && each.digits.startsWith(digits));
}

test('it says what looking at every address says, while addresses come and go', (t) => {
  const step = fc.oneof(fc.record({ toggle: anyKey }), fc.record({ ask: anyQuestion }));
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 20 }), fc.array(step, { maxLength: 60 }), (initial, steps) => {
      const keys = new Set(initial);
      const order = new AddressOrder(
        () => [...keys, ...keys],
        (key) => keys.has(key),
      );
      for (const each of steps) {
        if ('ask' in each) {
          t.is(order.hasBeginning(each.ask), hasNaively(keys, each.ask));
        } else {
          if (!keys.delete(each.toggle)) keys.add(each.toggle);
          order.touch(each.toggle);
        }
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('nothing is read before the first question, and only once while changes are few', (t) => {
  let readings = 0;
  const keys = new Set<string>();
  const order = new AddressOrder(
    () => {
      readings++;
      return keys;
    },
    (key) => keys.has(key),
  );
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const key = addressKey(Uint8Array.of(10, keys.size >> 16, keys.size >> 8, keys.size));
      keys.add(key);
      order.touch(key);
    }
  };
  const ten: ReverseDigits = { family: 4, digits: '\x0a' };
  add(10 * PENDING_MAX);
  t.is(readings, 0);
  t.true(order.hasBeginning(ten));
  add(PENDING_MAX);
  t.true(order.hasBeginning(ten));
  t.is(readings, 1);
  add(PENDING_MAX + 1);
  t.true(order.hasBeginning(ten));
  t.is(readings, 2, 'after many changes it is sorted anew');
});
