/** Plays one case and judges it: every reply, the order of the answers, and the figures. Knows no case by name. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Asker, AskerReport } from './asker.ts';
import { CHANGES, STEADY, type Ask, type FaultCase } from './fault-case.ts';
import { figureText, type Figure } from './figures.ts';
import { fullName, Stage } from './stage.ts';

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

export async function play(one: FaultCase, asker: Asker): Promise<Outcome> {
  const { api = {}, isRelayed = false, directives = '' } = one;
  const stage = await Stage.open({ api, isRelayed, directives });
  const asks = asksOf(one);
  let report: AskerReport | undefined;
  try {
    await one.prepare?.(stage);
    await stage.start();
    if (one.start !== 'cold') await stage.synced();
    const before = await figuresOf(one, stage);
    await asker.begin(
      stage.server,
      asks.map(({ name, type = 'A' }) => ({ name: fullName(name), type })),
    );
    const faults: string[] = [];
    const clock = stage.time.now();
    const wall = performance.now();
    try {
      await one.play(stage);
      for (const { name, type, answers } of asks) await stage.answers(name, answers.at(-1) ?? '', type);
    } catch (error) {
      faults.push(error instanceof Error ? error.message : String(error));
    }
    const healing = { clock: stage.time.now() - clock, wall: performance.now() - wall };
    if (faults.length === 0) faults.push(...(await after(one, stage, before)));
    report = await asker.end();
    faults.push(...report.turns.flatMap((turns, i) => (asks[i] === undefined ? [] : misfits(asks[i], turns))));
    const { queries, lost, largestDelay } = report;
    if (lost > 0) faults.push(`${lost} queries had no reply`);
    return { faults: faults.map((fault) => explained(fault, stage)), queries, lost, largestDelay, healing };
  } finally {
    await stage.close();
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
  const figures = [one.tells, ...(one.spares ?? [])];
  const values = await Promise.all(figures.map((figure) => (one.start === 'cold' ? 0 : stage.value(figure))));
  return new Map(figures.map((figure, i) => [figure, values[i] ?? 0]));
}

/** What is wrong when all should be well again. */
async function after(one: FaultCase, stage: Stage, before: ReadonlyMap<Figure, number>): Promise<readonly string[]> {
  try {
    await stage.beat();
    const was = before.get(one.tells) ?? 0;
    await stage.until(
      () => `${figureText(one.tells)} to grow from ${was}`,
      async () => (await stage.value(one.tells)) > was,
    );
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const grown: string[] = [];
  for (const figure of one.spares ?? []) {
    const [was, is] = [before.get(figure) ?? 0, await stage.value(figure)];
    if (is > was) grown.push(`${figureText(figure)} grew from ${was} to ${is}`);
  }
  return grown;
}

/** Each answer must be one of the right ones, and none may come back once a later one was given. */
function misfits({ name, type = 'A', answers }: Ask, turns: AskerReport['turns'][number]): readonly string[] {
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
