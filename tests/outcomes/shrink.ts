/** Makes a scenario small that shows a difference: what can be left out is left out. */

import { BOTH_TYPES } from '../support/resolvers/resolver.ts';
import type { Scenario } from './scenario.ts';

/** The smallest that still `shows` it, one part left out after the other. */
export async function shrink(scenario: Scenario, shows: (smaller: Scenario) => Promise<boolean>): Promise<Scenario> {
  for (;;) {
    let smaller: Scenario | undefined;
    for (const candidate of smallerOnes(scenario)) {
      if (!(await shows(candidate))) continue;
      smaller = candidate;
      break;
    }
    if (smaller === undefined) return scenario;
    scenario = smaller;
  }
}

/** Lists of the scenario that may be shorter. */
const LISTS = ['objects', 'outside', 'nodeDomains', 'autopath', 'kubernetes', 'block', 'words', 'event'] as const;

function* smallerOnes(scenario: Scenario): Generator<Scenario> {
  for (const key of LISTS) {
    const whole: readonly unknown[] = scenario[key];
    if (whole.length > 1) yield { ...scenario, [key]: [] };
    for (const left of whole.keys()) yield { ...scenario, [key]: whole.filter((_, i) => i !== left) };
  }
  if (scenario.outsideLater !== undefined) yield { ...scenario, outsideLater: undefined };
  if (scenario.otherBlock !== undefined) yield { ...scenario, otherBlock: undefined };
  if (scenario.types.length === 1) yield { ...scenario, types: BOTH_TYPES };
  if (scenario.ndots !== 5) yield { ...scenario, ndots: 5 };
  if (scenario.pause !== 0) yield { ...scenario, pause: 0 };
  for (const [i, each] of scenario.outside.entries()) {
    const simpler = [
      { ...each, isSlow: false },
      { ...each, alias: undefined },
      { ...each, ttl: 30 },
      { ...each, a: 1 },
      { ...each, aaaa: 0 },
    ];
    for (const other of simpler) {
      if (JSON.stringify(other) !== JSON.stringify(each))
        yield { ...scenario, outside: scenario.outside.with(i, other) };
    }
  }
}
