/** The first workload in clusters of growing size: the servers run beside each other and take turns. Knows nothing of how one is started. */

import { Random } from '../tests/support/random.ts';
import type { Count } from '../zones/units.ts';
import { measuredRightly } from './answers.ts';
import { inTurns, note, type Bench } from './bench.ts';
import { median, presentRatio, presentTable, thousands } from './figures.ts';
import { fivedots } from './fivedots.ts';
import type { Goals } from './goals.ts';
import type { BenchQuestion } from './question.ts';
import { figureOf } from './rounds.ts';
import { servicesOf } from './services.ts';
import { withServer, type Started } from './trial.ts';
import { questionsOf } from './workloads.ts';

/** Of the sizes, against the names of the other workloads. */
const FACTORS = [0.1, 1, 10, 100] as const;
const SERVICES_MAX: Count = 100_000;

type Subject = { readonly size: Count; readonly server: Started; readonly questions: readonly BenchQuestion[] };

export async function presentGrowth(bench: Bench, goals: Goals): Promise<string> {
  const sizes = new Set(FACTORS.map((factor) => Math.min(SERVICES_MAX, Math.ceil(factor * bench.names))));
  return withSubjects(bench, [...sizes], async (subjects) => {
    const found = await inTurns(subjects, bench.rounds, async ({ size, server, questions }, round) => {
      const figure = figureOf(await measuredRightly(() => server.measure(questions, bench.load), fivedots.name));
      note(`growth, round ${round + 1}: ${thousands(size)} services ${figure.cpuPerQuery.toFixed(2)} µs`);
      return figure;
    });
    const costsOf = (subject: Subject | undefined): readonly number[] =>
      (subject === undefined ? [] : (found.get(subject) ?? [])).map(({ cpuPerQuery }) => cpuPerQuery);
    const [smallest] = subjects;
    const head = ['growth', 'server', 'CPU/query', 'answers/s', `CPU × ${thousands(smallest?.size ?? 0)}`];
    const rows = subjects.map((subject) => {
      const rate = median((found.get(subject) ?? []).map(({ answersPerSecond }) => answersPerSecond));
      const cost = `${median(costsOf(subject)).toFixed(2)} µs`;
      const ratio = presentRatio(costsOf(subject), costsOf(smallest));
      return [`${thousands(subject.size)} services`, fivedots.name, cost, thousands(rate), ratio];
    });
    goals.set('growth', Number(rows.at(-1)?.at(-1)));
    return presentTable([head, ...rows]);
  });
}

/** `use` has all of them at once. */
async function withSubjects<T>(
  bench: Bench,
  sizes: readonly Count[],
  use: (subjects: readonly Subject[]) => Promise<T>,
  started: readonly Subject[] = [],
): Promise<T> {
  const [size, ...rest] = sizes;
  if (size === undefined) return use(started);
  const services = servicesOf(size, 'ClusterIP', 0);
  const questions = shuffled(questionsOf(services));
  return withServer(fivedots, bench, { services, outside: 0 }, async (server) => {
    await server.untilAnswered(questions);
    return withSubjects(bench, rest, use, [...started, { size, server, questions }]);
  });
}

/** Uniform and in no order that caches of processors could foresee. */
function shuffled(questions: readonly BenchQuestion[]): readonly BenchQuestion[] {
  const random = new Random(1);
  return questions
    .map((question) => ({ question, at: random.below(2 ** 32) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ question }) => question);
}
