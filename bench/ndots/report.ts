/** Look-ups without and with search completion, side by side: what they cost, and whether anything but the cost is another. */

import type { Milliseconds } from '../../zones/units.ts';
import { median, presentTable } from '../figures.ts';
import type { Pair, Played } from './lookups.ts';
import type { Lookup } from './stage.ts';
import { CASES, ZONE } from './world.ts';

/** Tables with a row for each case and a column for each client. */
export function presentLookups(pairs: readonly Pair[], clients: readonly string[]): string {
  return [
    tableOf('queries to fivedots', pairs, clients, (played) => countsOf(played, ({ queries }) => queries.length)),
    tableOf('queries upstream, first look-up and later ones', pairs, clients, ({ cold, warm }) =>
      warm.length === 0
        ? String(cold.upstream.length)
        : `${cold.upstream.length}+${countsOf({ cold: warm[0] ?? cold, warm }, ({ upstream }) => upstream.length)}`,
    ),
    tableOf('ms from the first query to the last reply, first look-up', pairs, clients, ({ cold }) =>
      presentTime([cold]),
    ),
    tableOf('the same, median of later ones', pairs, clients, ({ cold, warm }) =>
      presentTime(warm.length === 0 ? [cold] : warm),
    ),
    presentPace(pairs),
  ].join('\n\n');
}

/** How long look-ups with completion take against the same without: those that it made shorter, and all others. */
function presentPace(pairs: readonly Pair[]): string {
  const told = pairs.filter(({ what }) => what.isSlow !== true);
  const isShorter = ({ before, after }: Pair): boolean => after.cold.queries.length < before.cold.queries.length;
  const paceOf = (some: readonly Pair[], lookups: (played: Played) => readonly Lookup[]): string =>
    median(some.map(({ before, after }) => timeOf(lookups(after)) / timeOf(lookups(before)))).toFixed(2);
  const rows = [
    { title: 'fewer queries', some: told.filter(isShorter) },
    { title: 'as many queries', some: told.filter((pair) => !isShorter(pair)) },
  ].map(({ title, some }) => [
    title,
    String(some.length),
    paceOf(some, ({ cold }) => [cold]),
    paceOf(some, ({ warm }) => warm),
  ]);
  return presentTable([['time with completion / without, median', 'pairs', 'first look-up', 'later ones'], ...rows]);
}

/** The questions of each first look-up, in their order. */
export function presentQuestions(pairs: readonly Pair[]): string {
  const line = ({ cold }: Played): string =>
    [...Map.groupBy(cold.queries, ({ name }) => name)]
      .map(([name, queries]) => `${queries.map(({ type }) => TYPES.get(type) ?? `TYPE${type}`).join(' ')} ${name}`)
      .join(', ');
  return pairs
    .map(({ what, client, before, after }) =>
      [`${client}, ${what.title}`, `  without  ${line(before)}`, `  with     ${line(after)}`].join('\n'),
    )
    .join('\n');
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'A'],
  [15, 'MX'],
  [28, 'AAAA'],
]);

/** What must not be: other outcomes, more queries, questions about the cluster that left it, questions upstream again that were just answered. */
export function faultsIn(pairs: readonly Pair[]): readonly string[] {
  return pairs.flatMap((pair) => {
    const { what, before, after } = pair;
    const found: string[] = [];
    const [old, own] = [outcomesOf(before), outcomesOf(after)];
    if (old !== own) found.push(`outcome "${abridged(old)}" has become "${abridged(own)}"`);
    // Where nobody answers, clients and their timers decide how often they ask.
    const isSlow = what.isSlow === true;
    const [oldMost, ownMost] = [before, after].map((played) =>
      Math.max(...all(played).map((one) => one.queries.length)),
    );
    if (!isSlow && (ownMost ?? 0) > (oldMost ?? 0)) found.push(`${oldMost} queries have become ${ownMost}`);
    for (const played of [before, after]) {
      const leaked = all(played).flatMap(({ upstream }) => upstream.filter(({ name }) => isOfCluster(name)));
      if (leaked[0] !== undefined) found.push(`${leaked[0].name} was asked upstream`);
      const again = played.warm.flatMap(({ upstream }) => upstream)[0];
      if (again !== undefined) found.push(`${again.name} was asked upstream again`);
    }
    return found.map((text) => `${pair.client}, ${what.title}: ${text}`);
  });
}

/** Does a name of the cluster's zone stand there? */
export function isOfCluster(name: string): boolean {
  return name === ZONE || name.endsWith(`.${ZONE}`);
}

function tableOf(
  title: string,
  pairs: readonly Pair[],
  clients: readonly string[],
  show: (played: Played) => string,
): string {
  const rows = CASES.flatMap((what) => {
    const own = pairs.filter((pair) => pair.what === what);
    if (own.length === 0) return [];
    const cells = clients.map((client) => {
      const pair = own.find((one) => one.client === client);
      if (pair === undefined) return '';
      const [before, after] = [show(pair.before), show(pair.after)];
      return before === after ? before : `${before} → ${after}`;
    });
    return [[what.title, '', ...cells]];
  });
  return presentTable([[title, '', ...clients], ...rows]);
}

/** One number where all look-ups agree, otherwise the range. */
function countsOf(played: Played, count: (lookup: Lookup) => number): string {
  const counts = all(played).map(count);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? String(least) : `${least}–${most}`;
}

function presentTime(lookups: readonly Lookup[]): string {
  const time = timeOf(lookups);
  return time < 100 ? time.toFixed(1) : time.toFixed(0);
}

function abridged(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

const SHOWN_MAX = 120;

function timeOf(lookups: readonly Lookup[]): Milliseconds {
  return median(lookups.map(({ elapsed }) => elapsed));
}

function outcomesOf(played: Played): string {
  return [...new Set(all(played).map(({ outcome }) => outcome))].toSorted().join('" or "');
}

function all({ cold, warm }: Played): readonly Lookup[] {
  return [cold, ...warm];
}
