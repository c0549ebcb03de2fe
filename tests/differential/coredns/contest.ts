/**
 * Asks fivedots and CoreDNS the same about the same clusters, before and after things happen in them. Knows how a
 * difference is made sure of and counted, not why it may be.
 */

import type { RawObject } from '../../support/raw-objects.ts';
import { until } from '../../support/programs.ts';
import { Questioner, type Owners, type Question } from '../questions.ts';
import { Random } from '../../support/random.ts';
import { Datagrams } from './datagrams.ts';
import { DEPARTURES, departureOf } from './departures.ts';
import { primaryOf, type Ask, type Difference, type Replies } from './difference.ts';
import { addressOdditiesIn, namesOf } from './names.ts';
import { hostileClusterFrom, leaverOf, markersOf, stepsFrom } from './objects.ts';
import { startPair, type Command, type Pair } from './pair.ts';
import { isSameReply, replyIn, textOf } from './reply.ts';
import { forwardZonesOf, SETTINGS, type Setting } from './settings.ts';

export type Outcome = {
  readonly questions: number;
  /** Questions with a difference. */
  readonly first: number;
  /** Those where there still was one when both were asked again. */
  readonly reproduced: number;
  /** How many each departure explains, by its name. */
  readonly explained: ReadonlyMap<string, number>;
  /** The others, each in lines that say who said what. */
  readonly unexplained: readonly string[];
  /** Of each departure that was met the case that took the fewest questions to explain. */
  readonly examples: readonly Example[];
};

/** A difference with all that was asked to explain it. */
export type Example = Replies & {
  readonly departure: string;
  /** Its name. */
  readonly setting: string;
  readonly question: Question;
  /** Those of the question's name. */
  readonly isMisspelt: boolean;
  readonly isOwnerless: boolean;
  readonly asked: readonly (Replies & { readonly question: Question })[];
};

/** Questions on their way at once to each server. */
const AT_ONCE = 32;
/** A cluster is asked about when it is new, and after each of these many times that something happens in it. */
const ROUNDS = 3;
const STEPS = 60;
const ODD_ONCE_IN = 4;

/** @param count of questions that the seed chooses, the same for all settings; there may be a few more */
export async function contest(command: Command, count: number, seed: number): Promise<Outcome> {
  const random = new Random(seed);
  const tally = new Tally();
  for (const setting of SETTINGS) {
    await inSetting(command, setting, Math.ceil(count / SETTINGS.length), random, tally);
  }
  return tally.outcome;
}

async function inSetting(
  command: Command,
  setting: Setting,
  count: number,
  random: Random,
  tally: Tally,
): Promise<void> {
  const cluster = hostileClusterFrom(random);
  const pair = await startPair(command, setting, cluster.objects);
  const asker = new Asker(pair);
  try {
    let { objects } = cluster;
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) {
        objects = changed(objects, pair, random);
        await bothHaveSeen(round, pair, setting, asker);
      }
      const names = namesOf(objects, forwardZonesOf(setting));
      const world: World = { setting, names, oddities: addressOdditiesIn(objects), ask: asker.ask };
      const about = (some: Owners): Questioner => new Questioner(random, cluster, setting.zones, some);
      const [anything, oddThings] = [about(names), about(namesOf(cluster.odd, forwardZonesOf(setting)))];
      let left = Math.ceil(count / ROUNDS);
      const ask = async (): Promise<void> => {
        while (left-- > 0) await tally.settle((random.once(ODD_ONCE_IN) ? oddThings : anything).next(), world);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, ask));
    }
  } finally {
    asker.close();
    await pair.close();
  }
}

/** Something happens in the cluster; what is there then. */
function changed(before: readonly RawObject[], { api }: Pair, random: Random): readonly RawObject[] {
  const { steps, objects } = stepsFrom(before, STEPS, random);
  for (const step of steps) {
    if ('put' in step) api.put(step.put);
    else api.remove(step.remove.kind, step.remove.metadata.namespace ?? '', step.remove.metadata.name);
  }
  return objects;
}

/** Waits until both show the round's markers, as far as the setting lets them. */
async function bothHaveSeen(round: number, { api }: Pair, setting: Setting, asker: Asker): Promise<void> {
  const markers = markersOf(round);
  for (const { object } of markers) api.put(object);
  const leaver = leaverOf(round);
  const about = { name: `${leaver.name}.${primaryOf(setting)}`, type: 'A' };
  if (!setting.options.includes('noendpoints')) {
    api.put(leaver.before);
    await until('both know of two endpoints', async () => {
      const { ours, theirs } = await asker.ask(about);
      return ours.answer.length === 2 && theirs.answer.length === 2;
    });
    // We keep an endpoint that leaves for a moment: another slice may be about to have it.
    api.put(leaver.after);
    await until('both know that one has left', async () => {
      const { ours, theirs } = await asker.ask(about);
      return ours.answer.length === 1 && theirs.answer.length === 1;
    });
  }
  for (const zone of forwardZonesOf(setting)) {
    for (const { name } of markers) {
      const isOfImport = name.startsWith('import.');
      // One that says nothing by itself.
      if (name === '' || isOfImport !== setting.clustersets.includes(zone)) continue;
      if (name.endsWith('.pod') && !setting.options.includes('pods verified')) continue;
      if (name.startsWith('slice.') && setting.options.includes('noendpoints')) continue;
      await until(`both know ${name}.${zone} (${setting.name})`, async () => {
        const { ours, theirs } = await asker.ask({ name: `${name}.${zone}`, type: 'A' });
        return [ours, theirs].every(({ rcode, flags }) => rcode === 'NOERROR' && flags === 'aa');
      });
    }
  }
}

class Asker {
  readonly #ours: Datagrams;
  readonly #theirs: Datagrams;
  readonly #upstream: Datagrams;

  constructor({ fivedots, coredns, upstream }: Pair) {
    this.#ours = new Datagrams(fivedots);
    this.#theirs = new Datagrams(coredns);
    this.#upstream = new Datagrams(upstream);
  }

  readonly ask: Ask = async (question): Promise<Replies> => {
    const servers = [this.#ours, this.#theirs, this.#upstream] as const;
    const [ours, theirs, upstream] = await Promise.all(servers.map((server) => server.ask(question)));
    return { ours: replyIn(ours), theirs: replyIn(theirs), upstream: replyIn(upstream) };
  };

  close(): void {
    this.#ours.close();
    this.#theirs.close();
    this.#upstream.close();
  }
}

/** Where a question is asked. */
type World = Omit<Difference, 'question' | keyof Replies>;

/** Questions and what became of them. */
class Tally {
  readonly #explained = new Map(DEPARTURES.map(({ name }) => [name, 0]));
  readonly #unexplained: string[] = [];
  readonly #examples = new Map<string, Example>();
  #questions = 0;
  #first = 0;
  #reproduced = 0;

  get outcome(): Outcome {
    return {
      questions: this.#questions,
      first: this.#first,
      reproduced: this.#reproduced,
      explained: this.#explained,
      unexplained: this.#unexplained,
      examples: [...this.#examples.values()],
    };
  }

  async settle(question: Question, world: World): Promise<void> {
    this.#questions++;
    const before = await world.ask(question);
    if (isSameReply(before.ours, before.theirs)) return;
    this.#first++;
    const replies = await world.ask(question);
    if (isSameReply(replies.ours, replies.theirs)) return;
    this.#reproduced++;
    const asked: (Replies & { readonly question: Question })[] = [];
    const ask: Ask = async (other) => {
      const said = await world.ask(other);
      asked.push({ question: other, ...said });
      return said;
    };
    const departure = await departureOf({ ...world, ...replies, question, ask });
    if (departure !== undefined) {
      const { name } = departure;
      this.#explained.set(name, (this.#explained.get(name) ?? 0) + 1);
      const { misspelt, ownerless } = world.oddities;
      const isMisspelt = misspelt.has(question.name.toLowerCase());
      const isOwnerless = ownerless.has(question.name.toLowerCase());
      const example: Example = {
        departure: name,
        setting: world.setting.name,
        question,
        isMisspelt,
        isOwnerless,
        ...replies,
        asked,
      };
      if (asked.length < (this.#examples.get(name)?.asked.length ?? Infinity)) this.#examples.set(name, example);
      return;
    }
    const { ours, theirs } = replies;
    const lines = [`${question.name} ${question.type} (${world.setting.name})`, `  fivedots ${textOf(ours)}`];
    this.#unexplained.push([...lines, `  CoreDNS  ${textOf(theirs)}`].join('\n'));
  }
}
