/** A difference in words, small, with what makes it come again. */

import { RESOLVERS } from '../support/resolvers/known-resolvers.ts';
import { presentScenario, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { playScenario, type Difference, type Make } from './trial.ts';

/** @param origin where the scenario comes from, such as its seed */
export async function report(scenario: Scenario, difference: Difference, origin: string, make?: Make): Promise<string> {
  const resolvers = RESOLVERS.filter(({ name }) => name === difference.resolver);
  const found = async (smaller: Scenario): Promise<Difference | undefined> => {
    const { differences } = await playScenario(smaller, { resolvers, make });
    return differences.find(({ kind }) => kind === difference.kind);
  };
  const small = await shrink(scenario, async (smaller) => (await found(smaller)) !== undefined);
  const { details, occasion } = (await found(small)) ?? difference;
  return `${titleOf(difference)}, ${origin}, ${occasion}\n${presentScenario(small)}\n${details}\n`;
}

export function titleOf({ resolver, kind }: Difference): string {
  return `${resolver}: ${kind === 'outcome' ? 'another outcome' : 'more queries'} with completion`;
}
