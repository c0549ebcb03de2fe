/** Resident memory over the life of a server: empty, synced, idle, through churn, idle again. Knows nothing of how a server is started. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { presentTable, thousands } from '../figures.ts';
import { peakMemoryOf, residentMemoryOf } from '../process-cost.ts';
import type { Shape } from './cluster.ts';
import { presentSize, withSubject, type Bench } from './subject.ts';

export type ResidentSettings = { readonly shape: Shape; readonly idle: Milliseconds; readonly events: Count };

export async function presentResident(bench: Bench, { shape, idle, events }: ResidentSettings): Promise<string> {
  const rows = [['memory', 'server', 'VmRSS', 'VmHWM', 'events/s']];
  const note = (moment: string, pid: number, rate?: number): void => {
    const sizes = [residentMemoryOf(pid), peakMemoryOf(pid)].map((bytes) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`);
    rows.push([moment, 'fivedots', ...sizes, rate === undefined ? '' : thousands(rate)]);
  };
  await withSubject(bench, { ...shape, ...EMPTY }, PODS, async ({ pid, api, marker }) => {
    await api.call('open');
    await marker.untilAll(0, PODS.pods);
    await pause(Math.min(idle, EMPTY_IDLE));
    note('empty cluster', pid);
  });
  return withSubject(bench, { ...shape, pods: 0 }, PODS, async ({ pid, api, marker }) => {
    await api.call('open');
    await marker.untilAll(0, PODS.pods);
    note('synced', pid);
    await pause(idle);
    note(`idle for ${idle / 1000} s`, pid);
    const before = await api.call('requests');
    for (let quarter = 1; quarter <= QUARTERS; quarter++) {
      const { written, elapsed } = await api.call('churn', 'mixed', Infinity, events / QUARTERS);
      await api.call('mark', quarter);
      await marker.untilService(quarter);
      note(`churn, ${thousands((quarter * events) / QUARTERS)} events`, pid, (1000 * written) / elapsed);
    }
    await pause(idle);
    note(`idle for ${idle / 1000} s`, pid);
    const relists = (await api.call('requests')).watchlist - before.watchlist;
    const told = relists === 0 ? 'no list was read again' : `${relists} lists were read again`;
    return `${await presentSize(api, { ...shape, pods: 0 })}; churn as fast as it is read, ${told}\n${presentTable(rows)}`;
  });
}

const PODS = { pods: 'insecure' } as const;
const EMPTY = { services: 0, endpoints: 0, pods: 0, namespaces: 1, giant: 0 };
const EMPTY_IDLE: Milliseconds = 5_000;
const QUARTERS: Count = 4;
