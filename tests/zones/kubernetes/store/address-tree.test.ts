/** Does any address begin with these digits? Compared with looking at each of them. */

import test from 'ava';
import fc from 'fast-check';

import { AddressTree, LEAF_MAX, LOOKS_MAX } from '../../../../zones/kubernetes/store/address-tree.ts';
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

const isAny = (): boolean => true;

function hasNaively(keys: Iterable<string>, { family, digits }: ReverseDigits): boolean {
  return [...keys].map(digitsOf).some((each) => each.family === family && each.digits.startsWith(digits));
}

test('it says what looking at every address says, while addresses come and go', (t) => {
  const step = fc.oneof(fc.record({ toggle: anyKey }), fc.record({ ask: anyQuestion }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const keys = new Set<string>();
      const tree = new AddressTree();
      for (const each of steps) {
        if ('ask' in each) {
          t.is(tree.hasBeginning(each.ask, isAny), hasNaively(keys, each.ask));
        } else if (keys.delete(each.toggle)) tree.delete(each.toggle);
        else {
          keys.add(each.toggle);
          tree.add(each.toggle);
        }
      }
    }),
    { numRuns: 500 },
  );
  t.pass();
});

for (const { family, prefix } of [
  { family: 4, prefix: [10] },
  { family: 4, prefix: [10, 244] },
  { family: 6, prefix: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
  { family: 6, prefix: [0xfd, 0, 0, 0, 0, 0, 0] },
] as const) {
  test(`leaves that are full become branches, in IPv${family} behind ${prefix.length} octets`, (t) => {
    const tree = new AddressTree();
    const fill = Array.from({ length: (family === 4 ? 4 : 16) - prefix.length - 2 }, () => 7);
    // Neighbours fill one /24 and then begin the next, so that leaves are divided at every depth.
    const keys = Array.from({ length: 3 * LEAF_MAX }, (_, i) =>
      addressKey(Uint8Array.from([...prefix, ...fill, i >> 8, i & 255])),
    );
    for (const key of [...keys, ...keys]) tree.add(key);
    t.deepEqual([...tree.keys()], keys);
    const held = new Set(keys);
    for (const [i, key] of keys.entries()) {
      const { digits } = digitsOf(key);
      for (const length of [0, 1, 2, digits.length - 3, digits.length - 2, digits.length - 1, digits.length]) {
        const asked = { family, digits: digits.slice(0, length) };
        if (i % 50 === 0) t.is(tree.hasBeginning(asked, isAny), hasNaively(held, asked), `${i} ${length}`);
      }
      t.true(tree.hasBeginning({ family, digits }, isAny));
      tree.delete(key);
      held.delete(key);
      t.false(tree.hasBeginning({ family, digits }, isAny));
    }
    t.false(tree.hasBeginning({ family, digits: '' }, isAny));
  });
}

test('all keys come in ascending order, IPv4 first, each once', (t) => {
  fc.assert(
    fc.property(fc.array(anyKey), (keys) => {
      const tree = new AddressTree();
      for (const key of keys) tree.add(key);
      const expected = [...new Set(keys)].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
      t.deepEqual([...tree.keys()], expected);
    }),
  );
});

test('what is hidden counts as none, as long as it is not too much', (t) => {
  const tree = new AddressTree();
  const keys = Array.from({ length: 2 * LEAF_MAX }, (_, i) => addressKey(Uint8Array.of(10, 0, i >> 8, i)));
  for (const key of keys) tree.add(key);
  const under = (...octets: number[]): ReverseDigits => ({ family: 4, digits: String.fromCharCode(...octets) });
  tree.add(addressKey(Uint8Array.of(10, 1, 0, 1)));
  t.false(tree.hasBeginning(under(10, 1), () => false));
  t.true(tree.hasBeginning(under(10, 1), (key) => key.charCodeAt(1) === 1));
  let looks = 0;
  t.true(tree.hasBeginning(under(10, 0), () => looks++ < 0));
  t.is(looks, LOOKS_MAX);
});
