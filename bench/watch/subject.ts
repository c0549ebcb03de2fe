/** fivedots as an operator runs it, with a cluster of the bench and a warm compile cache. Knows nothing of what is measured. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { Count } from '../../zones/units.ts';
import { corefileOf, startWords, written, type Contender } from '../contenders.ts';
import { withServer } from '../trial.ts';
import { startUpstream } from '../upstream.ts';
import { startApi, type ApiProcess } from './api-process.ts';
import type { Shape } from './cluster.ts';
import { Marker } from './marker.ts';

/** What stays the same for all measurements. */
export type Bench = {
  readonly upstreamPort: number;
  /** The folder of NODE_COMPILE_CACHE. */
  readonly compileCache: string;
  /** Does the API server know WatchList? */
  readonly knowsWatchList: boolean;
};

/** A server that runs, with its cluster; the API server answers nothing yet. */
export type Subject = {
  readonly pid: number;
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  readonly api: ApiProcess;
  readonly marker: Marker;
};

export type SubjectOptions = {
  readonly pods: 'insecure' | 'verified';
  /** Of its environment, beside the compile cache's. */
  readonly variables?: Readonly<Record<string, string>>;
};

export async function withBench<T>(knowsWatchList: boolean, use: (bench: Bench) => Promise<T>): Promise<T> {
  const compileCache = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  const upstream = await startUpstream();
  try {
    await warm(compileCache);
    return await use({ upstreamPort: upstream.port, compileCache, knowsWatchList });
  } finally {
    upstream.close();
    await rm(compileCache, { recursive: true, force: true });
  }
}

/** Starts an API server and fivedots, lets `use` have them, and ends them. */
export async function withSubject<T>(
  bench: Bench,
  shape: Shape,
  { pods, variables }: SubjectOptions,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  const api = startApi(shape, bench.knowsWatchList);
  // Closed also where the server has ended, so that nobody waits for its answers.
  let marker: Marker | undefined;
  try {
    const { port: apiPort } = await api.call('describe');
    const contender: Contender = {
      name: 'fivedots',
      answers: new Set(),
      async prepare(setting) {
        const corefile = corefileOf(setting, `http://127.0.0.1:${apiPort}`, pods);
        const words = [...(await startWords()), '-conf', await written(setting.folder, 'Corefile', corefile)];
        return { words, variables: { NODE_COMPILE_CACHE: bench.compileCache, MALLOC_ARENA_MAX: '1', ...variables } };
      },
    };
    return await withServer(contender, [], bench.upstreamPort, undefined, async ({ pid, port }) => {
      marker = await Marker.open(port);
      await marker.untilAnything();
      return use({ pid, port, api, marker });
    });
  } finally {
    marker?.close();
    await api.close();
  }
}

/** `use` has all of them at once. */
export async function withSubjects<T>(
  bench: Bench,
  shapes: readonly Shape[],
  options: SubjectOptions,
  use: (subjects: readonly Subject[]) => Promise<T>,
  started: readonly Subject[] = [],
): Promise<T> {
  const [shape, ...rest] = shapes;
  if (shape === undefined) return use(started);
  return withSubject(bench, shape, options, (subject) =>
    withSubjects(bench, rest, options, use, [...started, subject]),
  );
}

/** Text for a table's head. */
export async function presentSize(api: ApiProcess, { services, pods }: Shape): Promise<string> {
  const { endpoints, slices } = await api.call('describe');
  const counts: readonly (readonly [Count, string])[] = [
    [services, 'services'],
    [endpoints, 'endpoints'],
    [slices, 'slices'],
    [pods, 'pods'],
  ];
  return counts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count.toLocaleString('en-US')} ${what}`)
    .join(', ');
}

/** As the image is built: one run that checks only. */
async function warm(compileCache: string): Promise<void> {
  const [program = '', ...words] = await startWords();
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  await promisify(execFile)(program, [...words, '--check'], { env });
}
