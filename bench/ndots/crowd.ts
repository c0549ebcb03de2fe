/** Many pods that look the same name up at the same moment: what of that goes upstream. Knows nothing of how a resolver walks. */

import { fileURLToPath } from 'node:url';

import { DNS_ADDRESSES } from '../../tests/support/namespace.ts';
import { run } from '../../tests/support/programs.ts';
import type { Count } from '../../zones/units.ts';
import { presentTable } from '../figures.ts';
import type { Passed } from './capture.ts';
import type { Crowd, CrowdResult } from './crowd-main.ts';
import { isOfCluster } from './report.ts';
import { isUpstreamQuery, type Scene, type Stage } from './stage.ts';
import { searchOf, type NodeDomain } from './world.ts';

/** The label of names outside that only crowds ask for. */
export const CROWD_LABEL = 'crowd';

export type CrowdReport = { readonly table: string; readonly faults: readonly string[] };

type CrowdCase = { readonly title: string; readonly name: string; readonly nodeDomain: NodeDomain };

const CASES: readonly CrowdCase[] = [
  { title: 'outside name', name: `both-${CROWD_LABEL}.example.org`, nodeDomain: 'none' },
  { title: 'missing outside name', name: `missing-${CROWD_LABEL}.example.org`, nodeDomain: 'none' },
  { title: 'service.namespace', name: 'ledger.payments', nodeDomain: 'none' },
  { title: 'node domain: outside name', name: `both-${CROWD_LABEL}.example.org`, nodeDomain: 'node' },
  { title: 'node domain: missing outside name', name: `missing-${CROWD_LABEL}.example.org`, nodeDomain: 'node' },
  { title: 'node domain: missing service', name: `nowhere-${CROWD_LABEL}`, nodeDomain: 'node' },
];

const HEAD = [
  'pods at once',
  '',
  'completion',
  'queries',
  'ms',
  'upstream',
  'most per name and type',
  'within the TTL',
];

/** @param pods how many of them, each with a socket for each step */
export async function presentCrowd(stage: Stage, pods: Count): Promise<CrowdReport> {
  const rows: string[][] = [];
  const faults: string[] = [];
  for (const completes of [false, true]) {
    for (const nodeDomain of new Set(CASES.map((one) => one.nodeDomain))) {
      await stage.with({ completes, nodeDomain }, async (scene) => {
        for (const one of CASES.filter((other) => other.nodeDomain === nodeDomain)) {
          const at = `${one.title}, ${completes ? 'with' : 'without'} completion`;
          const first = await crowdOf(scene, one, pods);
          const second = await crowdOf(scene, one, pods);
          const most = mostOf(first.upstream);
          for (const fault of faultsOf(first, second, most)) faults.push(`${pods} pods, ${at}: ${fault}`);
          rows.push([
            one.title,
            '',
            completes ? 'yes' : 'no',
            String(first.result.queries),
            first.result.elapsed.toFixed(0),
            String(first.upstream.length),
            String(most),
            String(second.upstream.length),
          ]);
        }
      });
    }
  }
  const ordered = CASES.flatMap(({ title }) => rows.filter(([first]) => first === title));
  return { table: `${pods} pods look the same name up at once\n${presentTable([HEAD, ...ordered])}`, faults };
}

type Told = { readonly result: CrowdResult; readonly upstream: readonly Passed[] };

const MAIN = fileURLToPath(new URL('crowd-main.ts', import.meta.url));

async function crowdOf(scene: Scene, { name, nodeDomain }: CrowdCase, pods: Count): Promise<Told> {
  const crowd: Crowd = { server: DNS_ADDRESSES.v4, name, search: searchOf(nodeDomain), pods };
  await scene.passed();
  const { code, stdout, stderr } = await run([...scene.pod, process.execPath, MAIN, JSON.stringify(crowd)]);
  if (code !== 0) throw new Error(`the crowd ended with code ${code}\n${stderr}`);
  const passed = await scene.passed();
  return { result: JSON.parse(stdout) as CrowdResult, upstream: passed.filter(isUpstreamQuery) }; // of crowd-main.ts
}

function faultsOf(first: Told, second: Told, most: Count): readonly string[] {
  const found: string[] = [];
  const outcomes = new Set([...first.result.outcomes, ...second.result.outcomes]);
  if (outcomes.size !== 1) found.push(`outcomes ${[...outcomes].join(', ')}`);
  if (most > 1) found.push(`the same was asked upstream ${most} times`);
  if (second.upstream.length > 0) found.push(`${second.upstream.length} queries went upstream again within the TTL`);
  const leaked = first.upstream.find(({ name }) => isOfCluster(name));
  if (leaked !== undefined) found.push(`${leaked.name} was asked upstream`);
  return found;
}

/** The most queries for one name and type. */
function mostOf(upstream: readonly Passed[]): Count {
  const counts = new Map<string, Count>();
  for (const { name, type } of upstream) {
    const key = `${name} ${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
