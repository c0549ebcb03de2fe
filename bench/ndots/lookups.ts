/** Every client looks up every name, without and with search completion. Knows nothing of how that is shown. */

import type { Count } from '../../zones/units.ts';
import { note } from '../bench.ts';
import type { Client } from './clients.ts';
import type { Lookup, Scene, Stage } from './stage.ts';
import { NODE_DOMAINS, type Case, type NodeDomain } from './world.ts';

/** The look-ups of one name by one client: the first, and those after it. */
export type Played = { readonly cold: Lookup; readonly warm: readonly Lookup[] };

/** Of one client in one case. */
export type Pair = {
  readonly what: Case;
  readonly client: string;
  readonly before: Played;
  readonly after: Played;
};

/** The same stage twice, for fivedots without search completion and with it: asked in turns, they see the same moods of the machine. */
export type Stages = { readonly before: Stage; readonly after: Stage };

type Scenes = { readonly before: Scene; readonly after: Scene };

/** @param warm look-ups after the first one */
export async function playAll(
  stages: Stages,
  cases: readonly Case[],
  clients: readonly Client[],
  warm: Count,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const nodeDomain of Object.keys(NODE_DOMAINS) as NodeDomain[]) {
    const own = cases.filter((one) => one.nodeDomain === nodeDomain);
    if (own.length === 0) continue;
    await stages.before.with({ completes: false, nodeDomain }, (before) =>
      stages.after.with({ completes: true, nodeDomain }, async (after) => {
        const scenes = { before, after };
        await warmUp(scenes, clients);
        for (const what of own) pairs.push(...(await playCase(scenes, what, clients, warm)));
      }),
    );
  }
  return pairs;
}

/** The first queries of a process find its code not compiled yet. */
async function warmUp({ before, after }: Scenes, [client]: readonly Client[]): Promise<void> {
  if (client === undefined) return;
  for (let i = 0; i < WARM_UP; i++) {
    for (const scene of [before, after]) await scene.lookUp(client, `nowhere-${i}.example.org`);
  }
}

const WARM_UP: Count = 10;

function playCase(scenes: Scenes, what: Case, clients: readonly Client[], warm: Count): Promise<readonly Pair[]> {
  note(what.title);
  return what.isSilent === true ? playTogether(scenes, what, clients) : playInTurns(scenes, what, clients, warm);
}

async function playTogether(scenes: Scenes, what: Case, clients: readonly Client[]): Promise<readonly Pair[]> {
  const names = clients.map((client): [Client, string] => [client, what.name(client.name)]);
  const [before, after] = await Promise.all([scenes.before.lookUpTogether(names), scenes.after.lookUpTogether(names)]);
  return clients.flatMap(({ name: client }, i) => {
    const [old, own] = [before[i], after[i]];
    if (old === undefined || own === undefined) return [];
    return [{ what, client, before: { cold: old, warm: [] }, after: { cold: own, warm: [] } }];
  });
}

async function playInTurns(
  { before, after }: Scenes,
  what: Case,
  clients: readonly Client[],
  warm: Count,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const client of clients) {
    const name = what.name(client.name);
    const cold = { before: await before.lookUp(client, name), after: await after.lookUp(client, name) };
    const later: { readonly before: Lookup[]; readonly after: Lookup[] } = { before: [], after: [] };
    for (let i = 0; i < warm; i++) {
      later.before.push(await before.lookUp(client, name));
      later.after.push(await after.lookUp(client, name));
    }
    pairs.push({
      what,
      client: client.name,
      before: { cold: cold.before, warm: later.before },
      after: { cold: cold.after, warm: later.after },
    });
  }
  return pairs;
}
