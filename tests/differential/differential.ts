/**
 * Asks fivedots and other authorities that have the same zones the same questions, and compares what they say. Knows how a
 * difference is made sure of and counted, not why it may be.
 */

import { addressFrom, reverseNameOf } from '../../zones/ip.ts';
import { present } from '../../zones/name.ts';
import { clusterFrom, ZONES } from './cluster.ts';
import { EXPLANATIONS, explanationOf, type Agreed, type Explanation, type World } from './explanations.ts';
import { Pipeline } from './pipeline.ts';
import { Questioner, type Question } from './questions.ts';
import { Random } from '../support/random.ts';
import { areSame, seenIn, textOf, type Seen } from './seen.ts';
import { startServers, type Corruption, type Servers } from './servers.ts';

export type Outcome = {
  readonly questions: number;
  /** Questions with a difference to some peer. */
  readonly first: number;
  /** Those where there still was one when all were asked again. */
  readonly reproduced: number;
  /** How many each explanation explains, by its name. */
  readonly explained: ReadonlyMap<string, number>;
  /** The others, each in lines that say who said what. */
  readonly unexplained: readonly string[];
};

/** Questions on their way at once to each server. */
const AT_ONCE = 64;

/** How it is tried that the comparison would notice. */
export type Trial = {
  readonly corrupted: Corruption;
  /** Asked before all others, when the servers run. */
  readonly questions: () => readonly Question[];
};

/** @param count of questions that the seed chooses */
export async function compare(count: number, seed: number, trial?: Trial): Promise<Outcome> {
  const random = new Random(seed);
  const cluster = clusterFrom(random);
  const servers = await startServers(cluster, trial?.corrupted);
  const world = worldOf(servers, { cluster, zones: ZONES });
  const questioner = new Questioner(random, cluster, ZONES, ownersOf(servers));
  const contest = new Contest(servers, world);
  let left = count;
  const ask = async (): Promise<void> => {
    while (left-- > 0) await contest.settle(questioner.next());
  };
  try {
    for (const question of trial?.questions() ?? []) await contest.settle(question);
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
  } finally {
    contest.close();
    await servers.close();
  }
  return { ...contest.outcome, questions: count };
}

/** Questions and what became of them. */
class Contest {
  readonly #world: World;
  readonly #fivedots: Pipeline;
  readonly #peers: readonly Peer[];
  readonly #explained = new Map(EXPLANATIONS.map(({ name }) => [name, 0]));
  readonly #unexplained: string[] = [];
  #first = 0;
  #reproduced = 0;

  constructor({ fivedots, peers }: Servers, world: World) {
    this.#world = world;
    this.#fivedots = new Pipeline(fivedots);
    this.#peers = Array.from(peers, ([name, address]) => ({ name, pipeline: new Pipeline(address) }));
  }

  get outcome(): Omit<Outcome, 'questions'> {
    return {
      first: this.#first,
      reproduced: this.#reproduced,
      explained: this.#explained,
      unexplained: this.#unexplained,
    };
  }

  /** A question counts once, with whomever there is a difference; where one peer's is not explained, the question is not. */
  async settle(question: Question): Promise<void> {
    if ((await this.#differences(question)).length === 0) return;
    this.#first++;
    const differences = await this.#differences(question);
    if (differences.length === 0) return;
    this.#reproduced++;
    let explanation: Explanation | undefined;
    for (const { peer, ours, theirs } of differences) {
      explanation = await this.#explanationOf(question, peer, ours, theirs);
      if (explanation !== undefined) continue;
      const lines = [`${question.name} ${question.type}`, `  fivedots  ${textOf(ours)}`];
      this.#unexplained.push([...lines, `  ${peer.name.padEnd(9)} ${textOf(theirs)}`].join('\n'));
      return;
    }
    if (explanation === undefined) return;
    this.#explained.set(explanation.name, (this.#explained.get(explanation.name) ?? 0) + 1);
  }

  close(): void {
    for (const pipeline of [this.#fivedots, ...this.#peers.map((peer) => peer.pipeline)]) pipeline.close();
  }

  async #differences(question: Question): Promise<readonly (Agreed & { readonly peer: Peer })[]> {
    const [ours, ...all] = await Promise.all([
      ask(this.#fivedots, question),
      ...this.#peers.map(({ pipeline }) => ask(pipeline, question)),
    ]);
    return this.#peers.flatMap((peer, i) => {
      const theirs = all[i];
      return theirs === undefined || areSame(ours, theirs) ? [] : [{ peer, ours, theirs }];
    });
  }

  async #explanationOf(question: Question, peer: Peer, ours: Seen, theirs: Seen): Promise<Explanation | undefined> {
    const agreedOn = async (other: Question): Promise<Agreed | undefined> => {
      const [ours, theirs] = await Promise.all([ask(this.#fivedots, other), ask(peer.pipeline, other)]);
      const isAgreed = areSame(ours, theirs) || (await this.#explanationOf(other, peer, ours, theirs)) !== undefined;
      return isAgreed ? { ours, theirs } : undefined;
    };
    return explanationOf({ question, ours, theirs, agreedOn, world: this.#world });
  }
}

async function ask(pipeline: Pipeline, { name, type }: Question): Promise<Seen> {
  return seenIn(await pipeline.ask(name, type));
}

type Peer = { readonly name: string; readonly pipeline: Pipeline };

function ownersOf({ records }: Servers): ReadonlyMap<string, readonly string[]> {
  const owners = Map.groupBy(records, ({ name }) => name);
  return new Map([...owners].map(([name, own]) => [name, [...new Set(own.map(({ type }) => type))]]));
}

function worldOf({ records }: Servers, { cluster, zones }: Pick<World, 'cluster' | 'zones'>): World {
  const existing = new Set<string>();
  const aliases = new Map<string, string>();
  for (const record of records) {
    for (let name = record.name; !existing.has(name); name = name.slice(name.indexOf('.') + 1)) {
      existing.add(name);
      if (zones.includes(name)) break;
    }
    if (record.type === 'CNAME') aliases.set(record.name, record.data.toLowerCase());
  }
  const hidden = new Set<string>();
  for (const address of cluster.hidden) {
    for (let name = parent(reverseName(address)); name !== ''; name = parent(name)) hidden.add(name);
  }
  return { cluster, zones, existing, hidden, aliases };
}

function parent(name: string): string {
  return name.split('.').slice(1).join('.');
}

/** Without the final dot. */
function reverseName(text: string): string {
  return present(reverseNameOf(addressFrom(text) ?? new Uint8Array(4))).slice(0, -1);
}
