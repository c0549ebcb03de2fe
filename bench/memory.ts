/** Resident memory of servers: with an empty cluster, with a full one, and under load. Knows nothing of how a server is started. */

import { setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import { measuredRightly } from './answers.ts';
import { note, type Bench } from './bench.ts';
import type { Contender } from './contenders.ts';
import { presentTable, thousands } from './figures.ts';
import { fivedots } from './fivedots.ts';
import type { Goals } from './goals.ts';
import { processesOf, residentMemoryOfAll } from './process-cost.ts';
import { addressQuestion } from './question.ts';
import { servicesOf, ZONE } from './services.ts';
import { withServer } from './trial.ts';
import { questionsOf } from './workloads.ts';

type Memory = { readonly empty: Bytes; readonly full: Bytes; readonly loaded: Bytes };

/** So many services for each name of the other workloads. */
const FACTOR: Count = 10;
const SERVICES_MAX: Count = 50_000;
/** For what a start leaves behind to be given back. */
const SETTLE: Milliseconds = 2_000;
const SAMPLE_INTERVAL: Milliseconds = 100;

export async function presentMemory(bench: Bench, goals: Goals): Promise<string> {
  const count = Math.min(SERVICES_MAX, FACTOR * bench.names);
  const rows = [['memory', 'server', 'empty cluster', `${thousands(count)} services`, 'most under load']];
  for (const contender of [fivedots, ...bench.peers.filter((peer) => peer.abilities.has('zone'))]) {
    const { empty, full, loaded } = await memoryOf(contender, count, bench);
    const cells = [empty, full, loaded].map((bytes) => `${(bytes / MEBIBYTE).toFixed(1)} MiB`);
    note(`memory: ${contender.name} ${cells.join(', ')}`);
    rows.push(['memory', contender.name, ...cells]);
    if (contender !== fivedots) continue;
    goals.set('memory, idle', full / MEBIBYTE);
    goals.set('memory, under load', loaded / MEBIBYTE);
  }
  return presentTable(rows);
}

const MEBIBYTE: Bytes = 1024 * 1024;

async function memoryOf(contender: Contender, count: Count, bench: Bench): Promise<Memory> {
  const empty = await withServer(contender, bench, NOTHING, async ({ pid, untilAnswered }) => {
    await untilAnswered([addressQuestion(`nobody.default.svc.${ZONE}`, [])]);
    await pause(SETTLE);
    return residentNow(pid);
  });
  const services = servicesOf(count, 'ClusterIP', 1);
  return withServer(contender, bench, { services, outside: 0 }, async ({ pid, untilAnswered, measure }) => {
    const questions = questionsOf(services);
    await untilAnswered(questions);
    await pause(SETTLE);
    const full = residentNow(pid);
    let loaded = full;
    const sampling = setInterval(() => (loaded = Math.max(loaded, residentNow(pid))), SAMPLE_INTERVAL);
    try {
      await measuredRightly(() => measure(questions, bench.load), contender.name);
    } finally {
      clearInterval(sampling);
    }
    return { empty, full, loaded };
  });
}

const NOTHING = { services: [], outside: 0 };

function residentNow(pid: number): Bytes {
  return residentMemoryOfAll(processesOf(pid));
}
