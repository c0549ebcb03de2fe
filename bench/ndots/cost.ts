/** CPU time of a server for a whole look-up of an outside name, as glibc asks it with a pod's search list. Knows nothing of real resolvers. */

import { Rcode, RRType } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { measuredRightly } from '../answers.ts';
import { inTurns, note, type Bench } from '../bench.ts';
import type { Contender } from '../contenders.ts';
import { median, presentRatio, presentTable, thousands } from '../figures.ts';
import { fivedots, fivedotsAs } from '../fivedots.ts';
import { OUTSIDE, outsideAddress, outsideName } from '../outside.ts';
import type { Microseconds } from '../process-cost.ts';
import { addressRecord, aliasRecord, mappedRecord, questionOf, type BenchQuestion } from '../question.ts';
import { figureOf } from '../rounds.ts';
import { namespaceOf, servicesOf, ZONE } from '../services.ts';
import { withServer } from '../trial.ts';

type Subject = {
  /** What is looked up, and by which questions. */
  readonly name: string;
  readonly way: string;
  readonly contender: Contender;
  readonly questionsOf: (i: Count) => readonly BenchQuestion[];
};

type Found = { readonly cpuPerLookup: Microseconds; readonly lookupsPerSecond: number };

/** One row for each way to the same outcome. */
export async function presentCost(bench: Bench): Promise<string> {
  const subjects = subjectsOf(bench.peers);
  const services = servicesOf(bench.names, 'ClusterIP', 0);
  const found = await inTurns(
    subjects,
    bench.rounds,
    async ({ name, way, contender, questionsOf }, round): Promise<Found> => {
      const questions = Array.from({ length: bench.names }, (_, i) => questionsOf(i)).flat();
      const figure = await withServer(contender, bench, { services, outside: bench.names }, async ({ measure }) =>
        figureOf(await measuredRightly(() => measure(questions, bench.load), contender.name)),
      );
      const each = questions.length / bench.names;
      note(`${name}, ${way}, round ${round + 1}: ${contender.name} ${(figure.cpuPerQuery * each).toFixed(2)} µs`);
      return { cpuPerLookup: figure.cpuPerQuery * each, lookupsPerSecond: figure.answersPerSecond / each };
    },
  );
  const costsOf = (subject: Subject): readonly Microseconds[] =>
    found.get(subject)?.map(({ cpuPerLookup }) => cpuPerLookup) ?? [];
  const rows = subjects.map((subject) => {
    const own = costsOf(subject);
    const first = subjects.find(({ name }) => name === subject.name) ?? subject;
    const rates = found.get(subject)?.map(({ lookupsPerSecond }) => lookupsPerSecond) ?? [];
    const range = `${Math.min(...own).toFixed(2)}–${Math.max(...own).toFixed(2)}`;
    return [
      `${subject.name}, ${subject.way}`,
      subject.contender.name,
      String(subject.questionsOf(0).length),
      `${median(own).toFixed(2)} µs (${range})`,
      thousands(median(rates)),
      presentRatio(own, costsOf(first)),
    ];
  });
  const head = ['look-up', 'server', 'queries', 'CPU/look-up (range)', 'look-ups/s', 'CPU × first'];
  return presentTable([head, ...rows]);
}

function subjectsOf(peers: readonly Contender[]): readonly Subject[] {
  const unbound = peers.filter(({ name }) => name === 'Unbound');
  return [
    { name: 'outside name', way: 'walk', contender: fivedots, questionsOf: walkOf },
    { name: 'outside name', way: 'completed', contender: completing, questionsOf: completedOf },
    ...[fivedots, ...unbound].map((contender) => ({
      name: 'outside name',
      way: 'bare',
      contender,
      questionsOf: addressesOf,
    })),
    // Nothing can be completed: what the server's own walks cost.
    ...[fivedots, completing].map((contender) => ({
      name: 'missing name',
      way: 'walk',
      contender,
      questionsOf: missingWalkOf,
    })),
    ...unbound.map((contender) => ({ name: 'missing name', way: 'bare', contender, questionsOf: missingOf })),
  ];
}

const completing = fivedotsAs('fivedots, autopath', { lines: 'autopath @kubernetes' });

const SEARCH = [`${namespaceOf(0)}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];

function walkOf(i: Count): readonly BenchQuestion[] {
  return [...searchedOf(outsideName(i)), ...addressesOf(i)];
}

function completedOf(i: Count): readonly BenchQuestion[] {
  const [first] = SEARCH;
  const alias = aliasRecord(outsideName(i));
  return recordsOf(i).map(([type, record]) => questionOf(`${outsideName(i)}.${first}`, [alias, record], { type }));
}

function addressesOf(i: Count): readonly BenchQuestion[] {
  return recordsOf(i).map(([type, record]) => questionOf(outsideName(i), [record], { type }));
}

function missingWalkOf(i: Count): readonly BenchQuestion[] {
  return [...searchedOf(missingName(i)), ...missingOf(i)];
}

function missingOf(i: Count): readonly BenchQuestion[] {
  return deniedOf(missingName(i));
}

/** The names of the search list, none of which there is. */
function searchedOf(name: string): readonly BenchQuestion[] {
  return SEARCH.flatMap((suffix) => deniedOf(`${name}.${suffix}`));
}

function deniedOf(name: string): readonly BenchQuestion[] {
  return [RRType.A, RRType.AAAA].map((type) => questionOf(name, [], { type, rcode: Rcode.NXDOMAIN }));
}

function missingName(i: Count): string {
  return `missing-${i}.${OUTSIDE}`;
}

function recordsOf(i: Count): readonly (readonly [type: number, record: Uint8Array])[] {
  return [
    [RRType.A, addressRecord(outsideAddress(i))],
    [RRType.AAAA, mappedRecord(outsideAddress(i))],
  ];
}
