/** fivedots as an operator runs it, with a cluster of the bench and a warm compile cache. Knows nothing of what is measured. */

import type { Count } from '../../zones/units.ts';
import { written, type Contender } from '../contenders.ts';
import { corefileOf, imageVariables, startWords, withCompileCache } from '../fivedots.ts';
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
  const upstream = await startUpstream();
  try {
    return await withCompileCache((compileCache) => use({ upstreamPort: upstream.port, compileCache, knowsWatchList }));
  } finally {
    await upstream.close();
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
      abilities: new Set(),
      async prepare(setting) {
        const corefile = corefileOf(setting, `http://127.0.0.1:${apiPort}`, pods);
        const words = [...(await startWords()), '-conf', await written(setting.folder, 'Corefile', corefile)];
        return { words, variables: { ...imageVariables(setting.compileCache), ...variables } };
      },
    };
    return await withServer(contender, { ...bench, ...HERE }, NOTHING, async ({ pid, port }) => {
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

/** Server, API server and askers share the cores, and this process asks itself. */
const HERE = { cores: undefined, native: undefined };
/** The objects come from the API server. */
const NOTHING = { services: [], outside: 0 };
