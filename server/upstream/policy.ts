/** In which order the upstreams of a `forward` are tried. Knows nothing of what they are. */

import { randomBelow } from './randomness.ts';

export const POLICIES = ['random', 'round_robin', 'sequential'] as const;
export type Policy = (typeof POLICIES)[number];

/** Gives the order for one query. */
export type Order = <Item>(items: readonly Item[]) => readonly Item[];

/** `round_robin` remembers where it stood, so make one per `forward`. */
export function orderFrom(policy: Policy, below: (count: number) => number = randomBelow): Order {
  switch (policy) {
    case 'sequential':
      return (items) => items;
    case 'random':
      return (items) => shuffled(items, below);
    case 'round_robin': {
      let turn = 0;
      return (items) => {
        if (items.length === 0) return items;
        const start = turn++ % items.length;
        return [...items.slice(start), ...items.slice(0, start)];
      };
    }
  }
}

/** Fisher and Yates. */
function shuffled<Item>(items: readonly Item[], below: (count: number) => number): readonly Item[] {
  if (items.length < 2) return items;
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const chosen = below(last + 1);
    const item = order[last] as Item;
    order[last] = order[chosen] as Item;
    order[chosen] = item;
  }
  return order;
}
