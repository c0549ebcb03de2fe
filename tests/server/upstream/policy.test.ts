import test from 'ava';

import { orderFrom } from '../../../server/upstream/policy.ts';

test('sequential: always the order written', (t) => {
  const order = orderFrom('sequential');
  t.deepEqual(order(['a', 'b', 'c']), ['a', 'b', 'c']);
  t.deepEqual(order(['a', 'b', 'c']), ['a', 'b', 'c']);
});

test('round_robin: begins one further each time, and goes round', (t) => {
  const order = orderFrom('round_robin');
  t.deepEqual(
    [1, 2, 3, 4].map(() => order(['a', 'b', 'c']).join('')),
    ['abc', 'bca', 'cab', 'abc'],
  );
});

test('random: each order can come, and nothing is lost', (t) => {
  const seen = new Set<string>();
  for (const first of [0, 1, 2]) {
    for (const second of [0, 1]) {
      const draws = [first, second];
      seen.add(orderFrom('random', () => draws.shift() ?? 0)(['a', 'b', 'c']).join(''));
    }
  }
  t.deepEqual([...seen].toSorted(), ['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
});

for (const policy of ['random', 'round_robin', 'sequential'] as const) {
  test(`${policy}: one is one, none is none`, (t) => {
    const order = orderFrom(policy);
    t.deepEqual(order(['a']), ['a']);
    t.deepEqual(order([]), []);
  });
}
