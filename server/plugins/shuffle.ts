/** A fair new order. Fast rather than unpredictable: nothing may depend on an attacker not guessing it. */

import { randomInt } from 'node:crypto';

import type { Chance } from '../pipeline.ts';

/** xorshift32 (Marsaglia 2003), seeded once: asking node:crypto each time costs more than the reply. */
export function seededChance(seed: number = randomInt(1, 2 ** 32)): Chance {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

/** A copy in an order of which each is equally likely: Fisher and Yates' shuffle. */
export function shuffled<Item>(items: readonly Item[], chance: Chance): Item[] {
  const copy = items.slice();
  for (let last = copy.length - 1; last > 0; last--) {
    const other = chance(last + 1);
    const item = copy[last] as Item; // both are below the length
    copy[last] = copy[other] as Item;
    copy[other] = item;
  }
  return copy;
}
