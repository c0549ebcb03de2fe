/** Questions on their way while a cluster changes: each reply must be the one before or the one after. Knows nothing of what changes. */

import { setImmediate } from 'node:timers/promises';

import { isEitherReply } from './agreement.ts';
import type { Expected } from './expectation.ts';
import { linesOfModel, linesOfOctets } from './lines.ts';
import type { AskedQuestion } from './questions.ts';
import type { Exchanged } from './trial.ts';

/** A question whose answer changes. */
export type Racer = { readonly asked: AskedQuestion; readonly either: readonly Expected[] };

export type TornReply = {
  readonly asked: AskedQuestion;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
};

/** Replies that are neither, of those asked for before the change, while it goes on, and after it. */
export async function tornReplies(
  racers: readonly Racer[],
  exchange: (asked: readonly AskedQuestion[]) => Promise<readonly Exchanged[]>,
  change: () => Promise<void>,
): Promise<readonly TornReply[]> {
  const asked = racers.map((racer) => racer.asked);
  const bursts = [exchange(asked)];
  await setImmediate();
  let isChanged = false;
  const changed = change().then(() => (isChanged = true));
  do {
    bursts.push(exchange(asked));
    await setImmediate();
  } while (!isChanged);
  await changed;
  const replies = (await Promise.all(bursts)).flatMap((burst) => [...burst.entries()]);
  return replies.flatMap(([i, { asked: question, replies: said }]): readonly TornReply[] => {
    const either = (racers[i]?.either ?? []).flatMap(({ reply, overUdp }) => [...new Set([reply, ...overUdp])]);
    if (isEitherReply(said, either)) return [];
    const expected = either.flatMap((reply, n) => [n === 0 ? 'either:' : 'or:', ...linesOfModel(reply)]);
    const actual = ['UDP:', ...linesOfOctets(said.udp), 'TCP:', ...linesOfOctets(said.tcp)];
    return [{ asked: question, expected, actual }];
  });
}
