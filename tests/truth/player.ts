/** One thread of a run: plays the cases that it is given and tells what came of them. Knows no other thread. */

import { parentPort } from 'node:worker_threads';

import type { Count } from '../../zones/units.ts';
import { caseOf } from './cases.ts';
import { Fivedots } from './subject.ts';
import type { Difference } from './case.ts';
import { play } from './trial.ts';

/** Which case to play, and how much of it. */
export type Order = { readonly seed: number; readonly number: number; readonly pairsMax: Count };

/** What came of it. */
export type Played = {
  readonly number: number;
  readonly pairs: Count;
  /** Replies that came from the express lane. */
  readonly express: Count;
  readonly completions: Count;
  readonly expressCompletions: Count;
  readonly differences: readonly Pick<Difference, 'kind' | 'title'>[];
};

if (parentPort !== null) await take(parentPort);

async function take(port: NonNullable<typeof parentPort>): Promise<void> {
  const subject = await Fivedots.start();
  port.on('message', (order: Order | undefined) => {
    if (order === undefined) {
      port.close();
      void subject.close();
      return;
    }
    const { seed, number, pairsMax } = order;
    const before = subject.expressReplies;
    void play(subject, caseOf(seed, number), pairsMax).then(
      ({ differences, ...counts }) => {
        const express = subject.expressReplies - before;
        const found = differences.map(({ kind, title }) => ({ kind, title }));
        const played: Played = { number, express, ...counts, differences: found };
        port.postMessage(played);
      },
      (error: unknown) => {
        // A fault of the run itself is nobody's difference.
        setImmediate(() => {
          throw new Error(`case ${number} of seed ${seed}`, { cause: error });
        });
      },
    );
  });
  port.postMessage('ready');
}
