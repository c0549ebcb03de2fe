/** Plays one case and judges it: every reply, the order of the answers, and the figures. Knows no case by name. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Asker, Turn } from './asker.ts';
import { CHANGES, STEADY, type Ask, type FaultCase } from './fault-case.ts';
import { figureText, type Figure } from './figures.ts';
import { check, fullName, Stage } from './stage.ts';

/** What came of a case. */
export type Outcome = {
  /** What was wrong, in words; empty if all was well. */
  readonly faults: readonly string[];
  readonly queries: Count;
  /** Queries without a reply. */
  readonly lost: Count;
  readonly largestDelay: Milliseconds;
  /** From the fault until every last answer came: by the clock that the API server is followed by, and by ours. */
  readonly healing: { readonly clock: Milliseconds; readonly wall: Milliseconds };
};

/** Plays it with a server of its own; the asker can be used again. */
export async function play(one: FaultCase, asker: Asker): Promise<Outcome> {
  const { api = {}, isRelayed = false, directives = '' } = one;
  const stage = await Stage.open({ api, isRelayed, directives });
  try {
    await one.prepare?.(stage);
    await stage.start();
    if (one.start !== 'cold') await stage.synced();
    return await playOn(stage, one, asker);
  } finally {
    await stage.close();
  }
}

async function playOn(stage: Stage, one: FaultCase, asker: Asker): Promise<Outcome> {
  const asks = asksOf(one);
  const before = await figuresOf(one, stage);
  const questions = asks.map(({ name, type = 'A' }) => ({ name: fullName(name), type }));
  await asker.begin(stage.server, questions);
  const clock = stage.time.now();
  const wall = performance.now();
  const faults = [...(await textOf(() => heal(stage, one, asks)))];
  const healing = { clock: stage.time.now() - clock, wall: performance.now() - wall };
  if (faults.length === 0) faults.push(...(await textOf(() => lookAfter(stage, one, before))));
  const { turns, queries, lost, largestDelay } = await asker.end();
  for (const [i, ask] of asks.entries()) faults.push(...misfits(ask, turns[i] ?? []));
  if (lost > 0) faults.push(`${lost} queries had no reply`);
  return { faults: faults.map((fault) => explained(fault, stage)), queries, lost, largestDelay, healing };
}

/** Nothing, or what was thrown. */
async function textOf(act: () => Promise<void>): Promise<readonly string[]> {
  try {
    await act();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function heal(stage: Stage, one: FaultCase, asks: readonly Ask[]): Promise<void> {
  await one.play(stage);
  for (const { name, type, answers } of asks) await stage.answers(name, answers.at(-1) ?? '', type);
}

/** All watches live, and the figures are right. @throws Error if not */
async function lookAfter(stage: Stage, one: FaultCase, before: ReadonlyMap<Figure, number>): Promise<void> {
  await stage.beat();
  const was = before.get(one.tells) ?? 0;
  await stage.until(
    () => `${figureText(one.tells)} to grow from ${was}`,
    async () => (await stage.value(one.tells)) > was,
  );
  for (const figure of one.spares ?? []) {
    const [was, is] = [before.get(figure) ?? 0, await stage.value(figure)];
    check(is <= was, `${figureText(figure)} stays ${was}; it is ${is}`);
  }
}

/** Before the first list is there, any name of the cluster may be SERVFAIL, and no other. */
function asksOf({ asks = CHANGES, start }: FaultCase): readonly Ask[] {
  const own = new Set(asks.map(({ name, type = 'A' }) => `${name} ${type}`));
  const all = [...STEADY.filter(({ name, type = 'A' }) => !own.has(`${name} ${type}`)), ...asks];
  if (start !== 'cold') return all;
  return all.map((ask) => (isOutside(ask) ? ask : { ...ask, answers: ['SERVFAIL', ...ask.answers] }));
}

function isOutside({ name }: Ask): boolean {
  return name.endsWith('.') && !name.endsWith('.arpa.');
}

/** The figures before; of a cold start nothing has happened yet. */
async function figuresOf(one: FaultCase, stage: Stage): Promise<ReadonlyMap<Figure, number>> {
  const values = new Map<Figure, number>();
  for (const figure of [one.tells, ...(one.spares ?? [])]) {
    values.set(figure, one.start === 'cold' ? 0 : await stage.value(figure));
  }
  return values;
}

/** Each answer must be one of the right ones, and none may come back once a later one was given. */
function misfits({ name, type = 'A', answers }: Ask, turns: readonly Turn[]): readonly string[] {
  let at = 0;
  for (const { answer, replies } of turns) {
    const next = answers.indexOf(answer, at);
    if (next === -1) {
      const course = turns.map((turn) => turn.answer).join(', ');
      return [`${name} ${type} was ${answer} in ${replies} replies; right were ${answers.join(', ')}; came ${course}`];
    }
    at = next;
  }
  return at === answers.length - 1 ? [] : [`${name} ${type} was never ${answers.at(-1)}`];
}

function explained(fault: string, stage: Stage): string {
  const log = stage.lines.filter((line) => !line.startsWith('debug')).slice(-LINES_SHOWN);
  return log.length === 0 ? fault : `${fault}\n  the log's last lines:\n    ${log.join('\n    ')}`;
}

const LINES_SHOWN: Count = 3;
