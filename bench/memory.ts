/** Resident memory of a server: with an empty cluster, with a full one, and after load. Knows no server by name. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import { checked } from './answers.ts';
import type { Contender } from './contenders.ts';
import type { Load } from './generator.ts';
import { residentMemoryOf } from './process-cost.ts';
import { addressQuestion } from './question.ts';
import { servicesOf, ZONE } from './services.ts';
import { withServer, type Cores } from './trial.ts';
import { questionsOf } from './workloads.ts';

export type Memory = { readonly idle: Bytes; readonly full: Bytes; readonly loaded: Bytes };

/** Endpoints of each service. */
export const MEMORY_ENDPOINTS: Count = 10;
/** For what a start leaves behind to be given back. */
const SETTLE: Milliseconds = 2_000;

export async function memoryOf(
  contender: Contender,
  names: Count,
  load: Load,
  upstreamPort: number,
  cores: Cores,
): Promise<Memory> {
  const idle = await withServer(contender, [], upstreamPort, cores, async ({ pid, measure }) => {
    await measure([addressQuestion(`nobody.default.svc.${ZONE}`, [])], undefined);
    return settled(pid);
  });
  const services = servicesOf(names, 'ClusterIP', MEMORY_ENDPOINTS);
  return withServer(contender, services, upstreamPort, cores, async ({ pid, measure }) => {
    const questions = questionsOf(services);
    await measure(questions, undefined);
    const full = await settled(pid);
    checked(await measure(questions, load), contender.name);
    return { idle, full, loaded: await settled(pid) };
  });
}

async function settled(pid: number): Promise<Bytes> {
  await pause(SETTLE);
  return residentMemoryOf(pid);
}
