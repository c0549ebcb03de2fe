/** Each fault of the table against the whole server: the right answer comes back, no query is lost, and a figure tells of it. */

import test from 'ava';

import { Asker } from './asker.ts';
import { CASES } from './cases.ts';
import { play } from './trial.ts';

let asker: Asker;
test.before(() => void (asker = new Asker()));
test.after.always(() => asker.close());

test('each number from 1 to 44 is there once', (t) => {
  t.deepEqual(
    CASES.map(({ number }) => number),
    Array.from({ length: 44 }, (_, i) => i + 1),
  );
});

// One after the other: each has threads that never rest.
for (const one of CASES) {
  test.serial(`${one.number}: ${one.title}`, async (t) => {
    const { faults, queries } = await play(one, asker);
    t.deepEqual(faults, []);
    t.true(queries > 0);
  });
}
