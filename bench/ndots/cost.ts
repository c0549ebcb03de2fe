/** CPU time of a server for a whole look-up of an outside name, as glibc asks it with a pod's search list. Knows nothing of real resolvers. */

import { Rcode, RRType } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { measuredRightly } from '../answers.ts';
import { inTurns, note, type Bench } from '../bench.ts';
import type { Contender } from '../contenders.ts';
import { median, presentRatio, presentTable, thousands } from '../figures.ts';
import { fivedots, fivedotsAs } from '../fivedots.ts';
import { outsideAddress, outsideName } from '../outside.ts';
import type { Microseconds } from '../process-cost.ts';
import { addressRecord, aliasRecord, mappedRecord, questionOf, type BenchQuestion } from '../question.ts';
import { figureOf } from '../rounds.ts';
import { namespaceOf, servicesOf, ZONE } from '../services.ts';
import { withServer } from '../trial.ts';

type Subject = {
  readonly title: string;
  readonly contender: Contender;
  readonly questionsOf: (i: Count) => readonly BenchQuestion[];
};

type Found = { readonly cpuPerLookup: Microseconds; readonly lookupsPerSecond: number };

/** One row for each way to come to the same addresses. */
export async function presentCost(bench: Bench): Promise<string> {
  const subjects = subjectsOf(bench.peers);
  const services = servicesOf(bench.names, 'ClusterIP', 0);
  const found = await inTurns(
    subjects,
    bench.rounds,
    async ({ title, contender, questionsOf }, round): Promise<Found> => {
      const questions = Array.from({ length: bench.names }, (_, i) => questionsOf(i)).flat();
      const figure = await withServer(contender, bench, { services, outside: bench.names }, async ({ measure }) =>
        figureOf(await measuredRightly(() => measure(questions, bench.load), contender.name)),
      );
      const each = questions.length / bench.names;
      note(`look-ups, round ${round + 1}: ${title} ${(figure.cpuPerQuery * each).toFixed(2)} µs`);
      return { cpuPerLookup: figure.cpuPerQuery * each, lookupsPerSecond: figure.answersPerSecond / each };
    },
  );
  const costs = Array.from(found.values(), (list) => list.map(({ cpuPerLookup }) => cpuPerLookup));
  const [walked = []] = costs;
  const rows = subjects.map((subject, i) => {
    const own = costs[i] ?? [];
    const rates = found.get(subject)?.map(({ lookupsPerSecond }) => lookupsPerSecond) ?? [];
    const range = `${Math.min(...own).toFixed(2)}–${Math.max(...own).toFixed(2)}`;
    return [
      subject.title,
      subject.contender.name,
      String(subject.questionsOf(0).length),
      `${median(own).toFixed(2)} µs (${range})`,
      thousands(median(rates)),
      presentRatio(own, walked),
    ];
  });
  const head = ['look-up of an outside name', 'server', 'queries', 'CPU/look-up (range)', 'look-ups/s', 'CPU × walk'];
  return presentTable([head, ...rows]);
}

function subjectsOf(peers: readonly Contender[]): readonly Subject[] {
  const unbound = peers.find(({ name }) => name === 'Unbound');
  return [
    { title: 'walk of the search list', contender: fivedots, questionsOf: walkOf },
    { title: 'completed', contender: completing, questionsOf: completedOf },
    { title: 'bare name', contender: fivedots, questionsOf: bareOf },
    ...(unbound === undefined ? [] : [{ title: 'bare name', contender: unbound, questionsOf: bareOf }]),
  ];
}

const completing = fivedotsAs('fivedots, autopath', { lines: 'autopath @kubernetes' });

const SEARCH = [`${namespaceOf(0)}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];
const TYPES = [RRType.A, RRType.AAAA];

/** The names of the search list, none of which there is, and then the name itself. */
function walkOf(i: Count): readonly BenchQuestion[] {
  const denied = SEARCH.flatMap((suffix) =>
    TYPES.map((type) => questionOf(`${outsideName(i)}.${suffix}`, [], { type, rcode: Rcode.NXDOMAIN })),
  );
  return [...denied, ...bareOf(i)];
}

function completedOf(i: Count): readonly BenchQuestion[] {
  const [first] = SEARCH;
  const alias = aliasRecord(outsideName(i));
  return addressesOf(i).map(([type, record]) => questionOf(`${outsideName(i)}.${first}`, [alias, record], { type }));
}

function bareOf(i: Count): readonly BenchQuestion[] {
  return addressesOf(i).map(([type, record]) => questionOf(outsideName(i), [record], { type }));
}

function addressesOf(i: Count): readonly (readonly [type: number, record: Uint8Array])[] {
  return [
    [RRType.A, addressRecord(outsideAddress(i))],
    [RRType.AAAA, mappedRecord(outsideAddress(i))],
  ];
}
