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

export type CrowdCase = { readonly title: string; readonly name: string; readonly nodeDomain: NodeDomain };

export const CROWD_CASES: readonly CrowdCase[] = [
  { title: 'outside name', name: `both-${CROWD_LABEL}.example.org`, nodeDomain: 'none' },
  { title: 'missing outside name', name: `missing-${CROWD_LABEL}.example.org`, nodeDomain: 'none' },
  { title: 'service.namespace', name: 'ledger.payments', nodeDomain: 'none' },
  { title: 'node domain: outside name', name: `both-${CROWD_LABEL}.example.org`, nodeDomain: 'node' },
  { title: 'node domain: missing outside name', name: `missing-${CROWD_LABEL}.example.org`, nodeDomain: 'node' },
  { title: 'node domain: missing service', name: `nowhere-${CROWD_LABEL}`, nodeDomain: 'node' },
];

/** What a crowd did to a server without the name in its cache, and then to one that had just been asked. */
export type CrowdPlayed = {
  readonly what: CrowdCase;
  readonly completes: boolean;
  readonly pods: Count;
  readonly first: Told;
  readonly second: Told;
  /** The most queries upstream for one name and type by the first crowd. */
  readonly most: Count;
};

/** @param pods how many of them, each with a socket for each step */
export async function playCrowds(
  stage: Stage,
  cases: readonly CrowdCase[],
  pods: Count,
): Promise<readonly CrowdPlayed[]> {
  const found: CrowdPlayed[] = [];
  for (const completes of [false, true]) {
    for (const nodeDomain of new Set(cases.map((one) => one.nodeDomain))) {
      await stage.with({ completes, nodeDomain }, async (scene) => {
        for (const what of cases.filter((one) => one.nodeDomain === nodeDomain)) {
          const first = await crowdOf(scene, what, pods);
          const second = await crowdOf(scene, what, pods);
          found.push({ what, completes, pods, first, second, most: mostOf(first.upstream) });
        }
      });
    }
  }
  return cases.flatMap((what) => found.filter((played) => played.what === what));
}

export function presentCrowds(all: readonly CrowdPlayed[]): string {
  const rows = all.map(({ what, completes, pods, first, second, most }) => [
    what.title,
    completes ? 'with' : 'without',
    String(pods),
    String(first.result.queries),
    first.result.elapsed.toFixed(0),
    String(first.upstream.length),
    String(most),
    String(second.upstream.length),
  ]);
  return presentTable([HEAD, ...rows]);
}

const HEAD = ['name', 'completion', 'pods', 'queries', 'ms', 'upstream', 'per name and type', 'again within the TTL'];

/** What must not be, in words. */
export function crowdFaultsIn(all: readonly CrowdPlayed[]): readonly string[] {
  return all.flatMap(({ what, completes, pods, first, second, most }) => {
    const found: string[] = [];
    const outcomes = new Set([...first.result.outcomes, ...second.result.outcomes]);
    if (outcomes.size !== 1) found.push(`outcomes ${[...outcomes].join(', ')}`);
    if (most > 1) found.push(`the same was asked upstream ${most} times`);
    if (second.upstream.length > 0) found.push(`${second.upstream.length} queries went upstream again within the TTL`);
    const leaked = first.upstream.find(({ name }) => isOfCluster(name));
    if (leaked !== undefined) found.push(`${leaked.name} was asked upstream`);
    return found.map((text) => `${pods} pods, ${what.title}, ${completes ? 'with' : 'without'} completion: ${text}`);
  });
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

function mostOf(upstream: readonly Passed[]): Count {
  const counts = new Map<string, Count>();
  for (const { name, type } of upstream) {
    const key = `${name} ${type}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
