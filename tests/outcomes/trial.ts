/** A scenario played: every resolver looks the name up with search completion and without, and what comes of it is compared. */

import { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Count } from '../../zones/units.ts';
import { listed } from '../support/example-cluster.ts';
import { play, type LookUp, type Resolver } from '../support/resolvers/resolver.ts';
import { RESOLVERS } from '../support/resolvers/known-resolvers.ts';
import { presentOutcome, presentQuestion } from '../support/resolvers/trace.ts';
import { isExcluded } from './exclusions.ts';
import { Outside } from './outside.ts';
import { corefileOf, searchOf, type Scenario } from './scenario.ts';
import { subjectFor, type Subject } from './subject.ts';

/** When a name was looked up: with nothing cached, a while later, and after something happened in the cluster or outside. */
export type Occasion = 'cold' | 'warm' | 'changed';

export type Difference = {
  readonly resolver: string;
  readonly occasion: Occasion;
  readonly kind: 'outcome' | 'queries';
  /** What each said and was asked. */
  readonly details: string;
};

export type Trial = {
  readonly differences: readonly Difference[];
  /** Look-ups that were compared, and questions that were completed. */
  readonly lookUps: Count;
  readonly completions: Count;
  /** Differences that are known. */
  readonly excluded: Count;
};

/** How the server with completion is made; tests make one that is wrong. */
export type Make = (plain: Subject) => Subject;

export async function playScenario(
  scenario: Scenario,
  {
    resolvers = RESOLVERS,
    make = (subject) => subject,
  }: { resolvers?: readonly Resolver[]; make?: Make | undefined } = {},
): Promise<Trial> {
  const differences: Difference[] = [];
  let lookUps: Count = 0;
  let completions: Count = 0;
  let excluded: Count = 0;
  for (const resolver of resolvers) {
    const plain = sideOf(scenario, false);
    const completed = sideOf(scenario, true, make);
    for (const occasion of ['cold', 'warm', 'changed'] as const) {
      if (occasion === 'changed' && !changes(scenario)) break;
      const [without, withIt] = [
        await lookUp(plain, scenario, resolver, occasion),
        await lookUp(completed, scenario, resolver, occasion),
      ];
      lookUps++;
      const kind = differenceOf(without, withIt);
      if (kind === undefined) continue;
      if (isExcluded(scenario, without, withIt)) {
        excluded++;
        break;
      }
      const details = `${presentLookUp('without', without)}\n${presentLookUp('with', withIt)}`;
      differences.push({ resolver: resolver.name, occasion, kind, details });
      break;
    }
    completions += completed.subject.total('coredns_autopath_success_total');
  }
  return { differences, lookUps, completions, excluded };
}

/** When the clusters were made, in seconds since 1970. */
const CLUSTER_TIME = 1_700_000_000;

type Side = { readonly subject: Subject; readonly store: ClusterStore; readonly outside: Outside };

function changes({ event, outsideLater }: Scenario): boolean {
  return event.length > 0 || outsideLater !== undefined;
}

function sideOf(scenario: Scenario, isCompleted: boolean, make: Make = (subject) => subject): Side {
  const store = new ClusterStore(() => CLUSTER_TIME);
  store.apply(listed(scenario.objects));
  const outside = new Outside(scenario.outside);
  const subject = subjectFor({
    corefile: corefileOf(scenario, isCompleted),
    store,
    outside,
    nodeDomains: scenario.nodeDomains,
  });
  return { subject: make(subject), store, outside };
}

async function lookUp(
  { subject, store, outside }: Side,
  scenario: Scenario,
  resolver: Resolver,
  occasion: Occasion,
): Promise<LookUp> {
  if (occasion !== 'cold') await subject.pause(scenario.pause);
  if (occasion === 'changed') {
    store.apply(scenario.event);
    outside.change(scenario.outsideLater ?? scenario.outside);
  }
  const conf = {
    search: searchOf(scenario),
    ndots: scenario.ndots,
    servers: 1,
    options: new Set(scenario.words),
  };
  return play(resolver.lookUp(conf, scenario.name, scenario.types), subject.ask);
}

function differenceOf(without: LookUp, withIt: LookUp): Difference['kind'] | undefined {
  if (presentOutcome(without.outcome) !== presentOutcome(withIt.outcome)) return 'outcome';
  return withIt.asked.length > without.asked.length ? 'queries' : undefined;
}

function presentLookUp(title: string, { outcome, asked }: LookUp): string {
  return [`${title}: ${presentOutcome(outcome)}`, ...asked.map((question) => `  ${presentQuestion(question)}`)].join(
    '\n',
  );
}
