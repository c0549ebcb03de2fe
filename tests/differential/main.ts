/**
 * `npm run differential -- N [--seed S] [--coredns COMMAND [--record]]`: the command line, and what a run says. Knows nothing
 * of servers.
 */

import { parseArgs } from 'node:util';

import { contest } from './coredns/contest.ts';
import { DEPARTURES } from './coredns/departures.ts';
import { record } from './coredns/examples.ts';
import { compare } from './differential.ts';
import { EXPLANATIONS } from './explanations.ts';
import { missingPeers } from './servers.ts';

const SHOWN_MAX = 20;

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' }, coredns: { type: 'string' }, record: { type: 'boolean' } },
  allowPositionals: true,
});
const count = Number(positionals[0] ?? 100_000);
const seed = Number(values.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const missing = values.coredns === undefined ? missingPeers() : [];
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  fail('write: npm run differential -- NUMBER [--seed NUMBER] [--coredns COMMAND [--record]]');
} else if (missing.length > 0) {
  fail(`there is nobody to compare with: install ${missing.join(' and ')}`);
} else if (values.coredns === undefined) {
  report(await compare(count, seed), EXPLANATIONS);
} else {
  const outcome = await contest(values.coredns.split(' '), count, seed);
  report(outcome, DEPARTURES);
  if (values.record === true) await record(outcome.examples);
}

type Told = {
  readonly questions: number;
  readonly first: number;
  readonly reproduced: number;
  readonly explained: ReadonlyMap<string, number>;
  readonly unexplained: readonly string[];
};

function report(told: Told, reasons: readonly { readonly name: string; readonly reason: string }[]): void {
  const { questions, first, reproduced, explained, unexplained } = told;
  const lines: string[] = unexplained.slice(0, SHOWN_MAX);
  if (unexplained.length > SHOWN_MAX) lines.push(`… and ${unexplained.length - SHOWN_MAX} more`);
  for (const { name, reason } of reasons) {
    lines.push(`${String(explained.get(name) ?? 0).padStart(7)}  ${name}: ${reason}`);
  }
  const sum = [...explained.values()].reduce((total, each) => total + each, 0);
  lines.push(
    `${questions} questions, ${first} differences at first, ${reproduced} reproduced, ${sum} explained, ${unexplained.length} unexplained, seed ${seed}`,
  );
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = unexplained.length === 0 ? 0 : 1;
}

function fail(what: string): void {
  process.stderr.write(`${what}\n`);
  process.exitCode = 1;
}
