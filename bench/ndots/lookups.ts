/** Every client looks up every name, without and with search completion. Knows nothing of how that is shown. */

import type { Count } from '../../zones/units.ts';
import type { Client } from './clients.ts';
import { Stage, type Lookup, type Scene } from './stage.ts';
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

/**
 * @param capture the path of that program
 * @param labels of the names outside
 */
export async function openStages(capture: string, labels: readonly string[]): Promise<Stages> {
  const before = await Stage.open(capture, labels);
  try {
    return { before, after: await Stage.open(capture, labels) };
  } catch (error) {
    await before.close();
    throw error;
  }
}

export async function closeStages({ before, after }: Stages): Promise<void> {
  await before.close();
  await after.close();
}

type Scenes = { readonly before: Scene; readonly after: Scene };

export type Play = {
  readonly cases: readonly Case[];
  readonly clients: readonly Client[];
  /** Look-ups after the first one. */
  readonly warm: Count;
  /** Is told what comes next. */
  readonly tell?: (title: string) => void;
};

export async function playAll(
  stages: Stages,
  { cases, clients, warm, tell = () => {} }: Play,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const nodeDomain of Object.keys(NODE_DOMAINS) as NodeDomain[]) {
    const own = cases.filter((one) => one.nodeDomain === nodeDomain);
    if (own.length === 0) continue;
    await stages.before.with({ completes: false, nodeDomain }, (before) =>
      stages.after.with({ completes: true, nodeDomain }, async (after) => {
        const scenes = { before, after };
        await warmUp(scenes, clients);
        for (const what of own) {
          tell(what.title);
          const isSlow = what.isSlow === true;
          pairs.push(
            ...(await (isSlow ? playTogether(scenes, what, clients) : playInTurns(scenes, what, clients, warm))),
          );
        }
      }),
    );
  }
  return pairs;
}

/** The first queries of a process find its code not compiled yet. */
async function warmUp({ before, after }: Scenes, [client]: readonly Client[]): Promise<void> {
  if (client === undefined) return;
  for (let i = 0; i < WARM_UP; i++) {
    for (const scene of [before, after]) {
      for (const name of [`nowhere-${i}.example.org`, 'ledger.payments']) await scene.lookUp(client, name);
    }
  }
}

const WARM_UP: Count = 10;

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
  scenes: Scenes,
  what: Case,
  clients: readonly Client[],
  warm: Count,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const [turn, client] of clients.entries()) {
    const name = what.name(client.name);
    const first = await lookUpInTurn(scenes, client, name, turn);
    const later: (typeof first)[] = [];
    for (let i = 0; i < warm; i++) later.push(await lookUpInTurn(scenes, client, name, turn + 1 + i));
    pairs.push({
      what,
      client: client.name,
      before: { cold: first.before, warm: later.map((one) => one.before) },
      after: { cold: first.after, warm: later.map((one) => one.after) },
    });
  }
  return pairs;
}

/** Now the one is first, now the other: the second finds the client's program in memory. */
async function lookUpInTurn(
  scenes: Scenes,
  client: Client,
  name: string,
  turn: Count,
): Promise<{ readonly before: Lookup; readonly after: Lookup }> {
  if (turn % 2 === 1) {
    const after = await scenes.after.lookUp(client, name);
    return { before: await scenes.before.lookUp(client, name), after };
  }
  const before = await scenes.before.lookUp(client, name);
  return { before, after: await scenes.after.lookUp(client, name) };
}
