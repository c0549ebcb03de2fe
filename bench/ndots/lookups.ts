/** Every client looks up every name, without and with search completion. Knows nothing of how that is shown. */

import type { Count } from '../../zones/units.ts';
import { note } from '../bench.ts';
import type { Client } from './clients.ts';
import type { Lookup, Scene, Stage } from './stage.ts';
import { CASES, NODE_DOMAINS, type Case, type NodeDomain } from './world.ts';

/** The look-ups of one name by one client: the first, and those after it. */
export type Played = { readonly cold: Lookup; readonly warm: readonly Lookup[] };

/** Of one client in one case. */
export type Pair = {
  readonly what: Case;
  readonly client: string;
  readonly before: Played;
  readonly after: Played;
};

/** @param warm look-ups after the first one */
export async function playAll(stage: Stage, clients: readonly Client[], warm: Count): Promise<readonly Pair[]> {
  const before = await playWith(stage, clients, warm, false);
  const after = await playWith(stage, clients, warm, true);
  return CASES.flatMap((what) =>
    clients.flatMap(({ name }) => {
      const [old, own] = [before.get(what)?.get(name), after.get(what)?.get(name)];
      return old === undefined || own === undefined ? [] : [{ what, client: name, before: old, after: own }];
    }),
  );
}

type Found = ReadonlyMap<Case, ReadonlyMap<string, Played>>;

async function playWith(stage: Stage, clients: readonly Client[], warm: Count, completes: boolean): Promise<Found> {
  const found = new Map<Case, ReadonlyMap<string, Played>>();
  for (const nodeDomain of Object.keys(NODE_DOMAINS) as NodeDomain[]) {
    await stage.with({ completes, nodeDomain }, async (scene) => {
      for (const what of CASES.filter((one) => one.nodeDomain === nodeDomain)) {
        note(`${completes ? 'with' : 'without'} completion: ${what.title}`);
        found.set(what, await playCase(scene, what, clients, warm));
      }
    });
  }
  return found;
}

async function playCase(
  scene: Scene,
  what: Case,
  clients: readonly Client[],
  warm: Count,
): Promise<ReadonlyMap<string, Played>> {
  if (what.isSilent === true) {
    const lookups = await scene.lookUpTogether(clients.map((client) => [client, what.name(client.name)]));
    return new Map(clients.flatMap(({ name }, i) => (lookups[i] ? [[name, { cold: lookups[i], warm: [] }]] : [])));
  }
  const found = new Map<string, Played>();
  for (const client of clients) {
    const name = what.name(client.name);
    const cold = await scene.lookUp(client, name);
    const later: Lookup[] = [];
    for (let i = 0; i < warm; i++) later.push(await scene.lookUp(client, name));
    found.set(client.name, { cold, warm: later });
  }
  return found;
}
