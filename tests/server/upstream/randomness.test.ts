import test from 'ava';
import fc from 'fast-check';

import { randomBelow, randomizeCase, randomPort, randomUint16 } from '../../../server/upstream/randomness.ts';
import { lowerCase, type Spelling } from '../../../zones/name.ts';

/** How many of `count` values fall in each sixteenth of the range. */
function sixteenths(count: number, least: number, most: number, draw: () => number): readonly number[] {
  const found = Array.from({ length: 16 }, () => 0);
  for (let i = 0; i < count; i++) {
    const at = Math.floor((16 * (draw() - least)) / (most - least + 1));
    found[at] = (found[at] ?? -Infinity) + 1;
  }
  return found;
}

for (const { name, least, most, draw } of [
  { name: 'ids', least: 0, most: 0xffff, draw: randomUint16 },
  { name: 'ports', least: 1024, most: 0xffff, draw: () => randomPort(53) },
  { name: 'numbers below 48', least: 0, most: 47, draw: () => randomBelow(48) },
]) {
  test(`${name} are spread evenly over ${least} to ${most}`, (t) => {
    // 4096 expected in each, a standard deviation of 62: 600 away is nearly ten of them.
    for (const found of sixteenths(65_536, least, most, draw)) t.true(Math.abs(found - 4_096) < 600, String(found));
  });
}

// To a server on this machine that has gone, a query from its own port would come back as its own reply.
test('the port that is asked is never the port that asks', (t) => {
  // Left out by chance alone once in three million runs.
  for (let i = 0; i < 1_000_000; i++) if (randomPort(5_353) === 5_353) t.fail();
  t.pass();
});

test('random case changes nothing but the case of letters', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }), { maxLength: 3 }), (labels) => {
      const name = (labels.map((label) => String.fromCharCode(label.length) + latin1(label)).join('') +
        '\0') as Spelling;
      t.is(lowerCase(randomCase(name)), lowerCase(name));
    }),
  );
});

test('each letter is upper case about half the time', (t) => {
  let upper = 0;
  for (let i = 0; i < 1_000; i++) upper += randomCase('\x0aabcdefgxyz\0').replace(/[^A-Z]/g, '').length;
  t.true(Math.abs(upper - 5_000) < 500, String(upper));
});

/** The name with its letters in random case. */
function randomCase(name: string): Spelling {
  const octets = Buffer.from(`..${name}..`, 'latin1');
  randomizeCase(octets, 2, octets.length - 2);
  return octets.toString('latin1', 2, octets.length - 2) as Spelling;
}

function latin1(text: string): string {
  return Array.from({ length: text.length }, (_, i) => String.fromCharCode(text.charCodeAt(i) & 0xff)).join('');
}
