/** From the API server's event to the new answer on the wire, among other changes. Knows nothing of how a server is started. */

import { setTimeout as pause } from 'node:timers/promises';

import { Random } from '../../tests/support/random.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { presentTable, thousands } from '../figures.ts';
import type { Shape } from './cluster.ts';
import { milliseconds, spreadOf } from './spread.ts';
import { presentSize, withSubject, type Bench } from './subject.ts';

export type ProgrammingSettings = { readonly shape: Shape; readonly samples: Count };

export async function presentProgramming(bench: Bench, settings: ProgrammingSettings): Promise<string> {
  const shape = { ...settings.shape, pods: 0 };
  return withSubject(bench, shape, PODS, async ({ api, marker }) => {
    await api.call('open');
    await marker.untilAll(0, PODS.pods);
    const random = new Random(shape.seed);
    const rows = [['event to answer', 'server', 'samples', 'p50', 'p99', 'max', 'events/s']];
    let number: Count = 0;
    for (const rate of RATES) {
      const churn = api.call('churn', 'mixed', rate, Infinity);
      const delays: Milliseconds[] = [];
      // What was compiled and grown for other work is not this churn's.
      for (let i = -settings.samples / 10; i < settings.samples; i++) {
        await pause(PAUSE_MIN + random.below(PAUSE_SPREAD));
        number++;
        const answered = marker.untilService(number);
        const written = await api.call('mark', number);
        const delay = (await answered) - written;
        if (i >= 0) delays.push(delay);
      }
      await api.call('stop');
      const { written, elapsed } = await churn;
      const { p50, p99, max } = spreadOf(delays);
      const figures = [p50, p99, max].map(milliseconds);
      rows.push([
        `${thousands(rate)} changes/s`,
        'fivedots',
        String(delays.length),
        ...figures,
        thousands((1000 * written) / elapsed),
      ]);
    }
    return `${await presentSize(api, shape)}\n${presentTable(rows)}`;
  });
}

const PODS = { pods: 'insecure' } as const;
/** Changes a second. */
const RATES: readonly number[] = [100, 1_000];
const PAUSE_MIN: Milliseconds = 10;
const PAUSE_SPREAD: Milliseconds = 40;
