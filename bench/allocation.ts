/** What the data thread allocates for each query of the first workload, and what its collections take. Knows nothing of how a server is started. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Count } from '../zones/units.ts';
import { checked } from './answers.ts';
import type { Bench } from './bench.ts';
import { presentTable, thousands } from './figures.ts';
import { fivedotsAs } from './fivedots.ts';
import type { Goals } from './goals.ts';
import { heapProbeVariables, heapSamplesOf, quietSample } from './heap-samples.ts';
import { withServer } from './trial.ts';
import { milliseconds } from './watch/spread.ts';
import { WORKLOADS } from './workloads.ts';

/** Before it is measured: so many queries that all code is compiled. */
const WARM_UP: Count = 500_000;

export async function presentAllocation(bench: Bench, goals: Goals): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-bench-'));
  const file = join(folder, 'heap');
  const contender = fivedotsAs('fivedots', { variables: heapProbeVariables(file) });
  const workload = WORKLOADS.get('cluster')?.(bench.names);
  if (workload === undefined) throw new Error('no workload cluster');
  try {
    return await withServer(contender, bench, workload, async ({ measure }) => {
      const ask = async (count: Count): Promise<Count> => {
        const measurement = await measure(workload.questions, { warmUp: 0, duration: 0, count });
        return checked(measurement, contender.name).tally.answered;
      };
      await ask(Math.min(WARM_UP, bench.queries));
      const first = await quietSample(file);
      const answered = await ask(bench.queries);
      const last = await quietSample(file);
      const samples = (await heapSamplesOf(file)).slice(first - 1, last);
      const [before, after] = [samples.at(0), samples.at(-1)];
      if (before === undefined || after === undefined) throw new Error('the probe wrote nothing');
      const allocated = (after.allocated - before.allocated) / answered;
      const longest = Math.max(...samples.slice(1).map((sample) => sample.longest));
      goals.set('allocation', allocated);
      goals.set('longest collection', longest);
      return presentTable([
        ['allocation', 'server', 'allocated/query', 'heap growth', 'collections', 'of them full', 'longest pause'],
        [
          `${thousands(answered)} queries`,
          contender.name,
          `${allocated.toFixed(1)} B`,
          `${((after.used - before.used) / 1024 / 1024).toFixed(1)} MiB`,
          thousands(after.collections - before.collections),
          thousands(after.full - before.full),
          milliseconds(longest),
        ],
      ]);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
