/** A fair new order. Fast rather than unpredictable: nothing may depend on an attacker not guessing it. */

import { randomInt } from 'node:crypto';

/** A copy in an order of which each is equally likely. */
export type Shuffle = <Item>(items: readonly Item[]) => Item[];

/** Fisher and Yates' shuffle over xorshift32 (Marsaglia 2003), seeded once: asking node:crypto each time costs more than the reply. */
export function seededShuffle(seed: number = randomInt(1, 2 ** 32)): Shuffle {
  let state = seed;
  return (items) => {
    const shuffled = items.slice();
    for (let last = shuffled.length - 1; last > 0; last--) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      const other = Math.floor(((state >>> 0) / 2 ** 32) * (last + 1));
      const item = shuffled[last] as (typeof shuffled)[number]; // both are below the length
      shuffled[last] = shuffled[other] as typeof item;
      shuffled[other] = item;
    }
    return shuffled;
  };
}
