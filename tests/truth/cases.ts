/** Random cases by seed and number: the same two give the same case, whoever plays it and wherever. Knows no server. */

import fc from 'fast-check';

import type { Count } from '../../zones/units.ts';
import { palettes, searchedPalettes, withTargets, type Palette } from './palettes.ts';
import { ClusterState, historiesFrom, told, type History } from './events.ts';
import { isTroubled, OUTSIDE_NAMES } from './outside.ts';
import { questionsOf, recipesFrom, type AskedQuestion, type Recipe } from './questions.ts';
import { searchedSettingsFor, settingsFor, type Setting } from './settings.ts';
import type { Case } from './case.ts';

/** Steps of a history. */
const MOMENTS: Count = 12;
/** Questions after each step. */
const QUESTIONS: Count = 40;
/** Pairs of a state and a question in each case. */
export const PAIRS_PER_CASE: Count = MOMENTS * QUESTIONS;

/** The case with that number of a run: in every other one there is search completion. */
export function caseOf(seed: number, number: number): Case {
  // Two numbers of 31 bits that mean nothing to each other.
  const mixed = Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b);
  const [drawn] = fc.sample(number % 2 === 0 ? scenarios : searchedScenarios, {
    seed: mixed | 0,
    numRuns: 1,
    unbiased: true,
  });
  if (drawn === undefined) throw new Error('fast-check drew nothing');
  return caseFrom(drawn);
}

/** A case of which the questions are still to be made from what the cluster holds. */
type Scenario = {
  readonly setting: Setting;
  readonly palette: Palette;
  readonly history: History;
  readonly recipes: readonly (readonly Recipe[])[];
  readonly listedAgain: readonly boolean[];
};

const scenarios = scenariosFrom(palettes, settingsFor, OUTSIDE_NAMES);
const searchedScenarios = fc
  .tuple(
    scenariosFrom(
      searchedPalettes,
      searchedSettingsFor,
      OUTSIDE_NAMES.filter((name) => !isTroubled({ labels: name.split('.'), type: 'A' })),
    ),
    fc.nat({ max: 4 }),
  )
  // As long as a kind is not listed there is nothing to complete.
  .map(([scenario, n]) => (n === 0 ? scenario : { ...scenario, history: { ...scenario.history, listedAt: [] } }));

/** @param outsideNames what ExternalNames may point to */
function scenariosFrom(
  from: fc.Arbitrary<Palette>,
  settings: typeof settingsFor,
  outsideNames: readonly string[],
): fc.Arbitrary<Scenario> {
  return from.chain((names) =>
    settings(names.namespaces, [...names.ipv4, ...names.ipv6]).chain((setting) => {
      const zones = setting.options.zones.filter((zone) => !/(?:in-addr|ip6)\.arpa\.$/.test(zone));
      const own = zones.filter((zone) => !setting.options.multicluster.includes(zone));
      return withTargets(names, [...zones, 'cluster.local.'], own, outsideNames).chain((palette) =>
        fc.record({
          palette: fc.constant(palette),
          setting: fc.constant(setting),
          history: historiesFrom(palette, MOMENTS),
          recipes: ofLength(MOMENTS, ofLength(QUESTIONS - 1, recipesFrom())),
          listedAgain: ofLength(
            MOMENTS,
            fc.nat({ max: 5 }).map((n) => n === 0),
          ),
        }),
      );
    }),
  );
}

function ofLength<T>(length: Count, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.array(arbitrary, { minLength: length, maxLength: length });
}

function caseFrom({ setting, palette, history, recipes: drawn, listedAgain }: Scenario): Case {
  const state = new ClusterState();
  const moments = told(history).map((batch, i) => {
    const known = state.objects;
    state.apply(batch.deliveries);
    // What a list says is news too, where it is.
    const touched = batch.deliveries.flatMap((delivery) => (delivery.verb === 'list' ? [] : [delivery.object]));
    const objects = state.objects;
    const gone = known.filter((object) => !objects.includes(object));
    const question = questionsOf({ setting, palette, objects, touched: [...touched, ...gone] });
    return {
      ...batch,
      // Caches with and without an express lane stay alike only if both are asked the same.
      isRaced: batch.isRaced && setting.cache === undefined,
      questions: [serialQuestion(setting), ...(drawn[i] ?? []).map(question)],
      isListedAgain: listedAgain[i] ?? false,
    };
  });
  // What was cached on the one way would not be on the other.
  return { setting, moments, isTransferred: true, isReordered: setting.cache === undefined };
}

/** The question for the serial of the first zone, so that it is known of every state. */
function serialQuestion({ options }: Setting): AskedQuestion {
  const [zone = '.'] = options.zones;
  return {
    question: { labels: zone.split('.').filter((label) => label !== ''), type: 'SOA' },
    manner: { payloadSize: undefined, dnssecOk: false, recursionDesired: true, checkingDisabled: false },
  };
}
