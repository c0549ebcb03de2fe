/** First sync and forced relist of a whole cluster, and what queries feel of it. Knows nothing of how a server is started. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { presentTable, thousands } from '../figures.ts';
import { cpuTimeOf, type Microseconds } from '../process-cost.ts';
import { addressQuestion } from '../question.ts';
import { ZONE } from '../services.ts';
import { sharedNow } from './calls.ts';
import { namespaceAt, serviceAt, type Shape } from './cluster.ts';
import { delaysBetween, probeVariables, type Delay } from './delays.ts';
import { startLoad, type Latencies } from './load-process.ts';
import { milliseconds } from './spread.ts';
import { presentSize, withSubject, type Bench } from './subject.ts';

export type SyncSettings = {
  readonly shape: Shape;
  readonly idle: Milliseconds;
  /** Queries a second. */
  readonly queryRate: number;
};

/** One part of the run. */
type Part = {
  readonly name: string;
  readonly wall: Milliseconds;
  readonly cpuTime: Microseconds;
  readonly latencies: Latencies;
  readonly delays: readonly Delay[];
};

export async function presentSync(bench: Bench, { shape, idle, queryRate }: SyncSettings): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  const file = join(folder, 'delays');
  const options = { pods: 'verified', variables: probeVariables(file) } as const;
  try {
    return await withSubject(bench, shape, options, async (subject) => {
      const { api, marker } = subject;
      const load = startLoad();
      try {
        await load.call('start', subject.port, questionsOf(shape), queryRate);
        const partOf = async (name: string, run: () => Promise<[Milliseconds, Milliseconds]>): Promise<Part> => {
          await load.call('begin');
          const cpuBefore = cpuTimeOf(subject.pid);
          const [from, to] = await run();
          const cpuTime = cpuTimeOf(subject.pid) - cpuBefore;
          const latencies = await load.call('take');
          return { name, wall: to - from, cpuTime, latencies, delays: await delaysBetween(file, from, to) };
        };
        const parts = [
          await partOf('first sync', async () => [await api.call('open'), await marker.untilAll(0, 'verified')]),
          await partOf('idle', async () => {
            const from = sharedNow();
            await pause(idle);
            return [from, sharedNow()];
          }),
          await partOf('relist', async () => [await api.call('expire', 1), await marker.untilAll(1, 'verified')]),
        ];
        const size = await presentSize(api, shape);
        return `${size}; pods verified, ${thousands(queryRate)} queries/s meanwhile\n${presentTable([HEAD, ...parts.map(rowOf)])}\n${READING}`;
      } finally {
        await load.close();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Different names asked in turn. */
const NAMES: Count = 100;
const LONG: Milliseconds = 25;
const HEAD = [
  'sync',
  'server',
  'wall',
  'CPU',
  'p50',
  'p99',
  'p99.9',
  'max',
  'lost',
  'asker late',
  'late',
  'busy',
  `late > ${LONG} ms`,
];
const READING = `latencies are of all queries, from when each was due, which includes what the asker itself was late with it
late: the most by which a timer of the data thread was; busy: the longest that it ran without looking at one, without waiting for a core
a relist is counted from the first request; the other kinds' may come up to two seconds later`;

/** Before the first sync they get SERVFAIL, some have no address: what is answered does not matter. */
function questionsOf(shape: Shape): readonly Uint8Array[] {
  return Array.from({ length: Math.min(NAMES, shape.services) }, (_, i) => {
    const name = `${serviceAt(i)}.${namespaceAt(i, shape)}.svc.${ZONE}`;
    return addressQuestion(name, []).query;
  });
}

function rowOf({ name, wall, cpuTime, latencies, delays }: Part): readonly string[] {
  const { p50, p99, p999, max, lost, latest } = latencies;
  const late = Math.max(0, ...delays.map((delay) => delay.late));
  const busy = Math.max(0, ...delays.map((delay) => delay.busy));
  return [
    name,
    'fivedots',
    `${(wall / 1000).toFixed(2)} s`,
    `${(cpuTime / 1e6).toFixed(2)} s`,
    ...[p50, p99, p999, max].map(milliseconds),
    String(lost),
    milliseconds(latest),
    milliseconds(late),
    milliseconds(busy),
    String(delays.filter((delay) => delay.late > LONG).length),
  ];
}
