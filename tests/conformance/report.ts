/** Verdicts as tables: of one server line by line, of several side by side in Markdown. Knows no server. */

import type { Check } from './check.ts';
import type { Verdict } from './suite.ts';

/** A server and what came of each check, in the checks' order. */
export type Column = { readonly server: string; readonly verdicts: readonly Verdict[] };

/** `id | verdict | what was seen`, and a line that counts. */
export function presentLines(checks: readonly Check[], { server, verdicts }: Column): string {
  const lines = checks.map(({ id, title }, i) => {
    const verdict = verdicts[i];
    return `${id} | ${(verdict?.verdict ?? '').padEnd(4)} | ${verdict === undefined ? '' : remark(verdict) || title}`;
  });
  return [...lines, `${server}: ${count(verdicts)}`].join('\n');
}

/** One row for each check, one column for each server; below it what was seen where a check failed. */
export function presentTable(checks: readonly Check[], columns: readonly Column[]): string {
  const head = ['', 'what', WRITTEN, ...columns.map(({ server }) => server)];
  const rows = checks.map(({ id, title, source }, i) => [
    id,
    title,
    source,
    ...columns.map(({ verdicts }) => verdicts[i]?.verdict ?? ''),
  ]);
  const totals = [
    '',
    '',
    'pass / FAIL / n/a',
    ...columns.map(({ verdicts }) => VERDICTS.map((verdict) => numberOf(verdicts, verdict)).join(' / ')),
  ];
  const table = [head, head.map(() => '---'), ...rows, totals]
    .map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`)
    .join('\n');
  const seen = checks.flatMap(({ id }, i) =>
    columns.flatMap(({ server, verdicts }) => {
      const verdict = verdicts[i];
      return verdict?.verdict === 'FAIL' ? [`- ${id}, ${server}: ${escapeCell(lasting(verdict.seen))}`] : [];
    }),
  );
  return `${table}\n\nWhat was seen where a check failed:\n\n${seen.join('\n')}\n`;
}

/** The verdicts in such a table, by the head of their column and the id of their row. */
export function columnsOf(markdown: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const rows = markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
  const checks = rows.filter(([, id]) => /^C\d+[a-z]?$/.test(id ?? ''));
  const heads = rows.find((cells) => cells.includes(WRITTEN))?.slice(COLUMNS_BEFORE, -1) ?? [];
  return new Map(
    heads.map((head, i) => [head, new Map(checks.map((cells) => [cells[1] ?? '', cells[COLUMNS_BEFORE + i] ?? '']))]),
  );
}

/** Head of the column with the sources. */
const WRITTEN = 'where it is written';
/** What stands in front of the verdicts: nothing, for a row begins with a bar, then the id, the title and the source. */
const COLUMNS_BEFORE = 4;
const VERDICTS = ['pass', 'FAIL', 'n/a'] as const;

function remark(verdict: Verdict): string {
  if (verdict.verdict === 'FAIL') return verdict.seen;
  return verdict.verdict === 'n/a' ? `does not offer ${verdict.lacks.join(', ')}` : '';
}

function count(verdicts: readonly Verdict[]): string {
  return VERDICTS.map((verdict) => `${numberOf(verdicts, verdict)} ${verdict}`).join(', ');
}

function numberOf(verdicts: readonly Verdict[], wanted: Verdict['verdict']): number {
  return verdicts.filter(({ verdict }) => verdict === wanted).length;
}

/** What is the same the next time: without names and ports that were made up for the occasion. */
function lasting(seen: string): string {
  return seen.replace(/\bx[0-9a-f]{12}\b/g, 'x…').replace(/(?<=127\.0\.0\.1:)\d+/g, '…');
}

function escapeCell(text: string): string {
  return text.replace(/[|<*_]/g, '\\$&').replaceAll('\n', ' ');
}
