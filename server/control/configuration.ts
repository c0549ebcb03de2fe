/** From a Corefile to a checked plan. Knows nothing of what becomes of the plan. */

import type { Environment } from '../corefile/environment.ts';
import { loadCorefile } from '../corefile/load.ts';
import type { Plugin } from '../pipeline.ts';
import type { Plan } from '../plan.ts';
import { planOf } from './planner.ts';

/** A Corefile that can be used. */
export type Configuration = {
  readonly plan: Plan;
  /** SHA-512 of its words, in hexadecimal: comments, blanks and line ends do not count. */
  readonly hash: string;
  /** Has the file no server block? Then the plan is CoreDNS's default, `whoami`. */
  readonly isEmpty: boolean;
  /** What is allowed but probably not meant. */
  readonly warnings: readonly string[];
};

/**
 * Reads the Corefile, as it is now.
 * @throws CorefileError
 */
export type ReadConfiguration = () => Configuration;

export type CorefileChoice = {
  /** Opened anew each time, so that a ConfigMap's swapped links are followed; `stdin` is what `standardInput` gives. */
  readonly path: string;
  /** Called once: what was read cannot be read again. */
  readonly standardInput: () => string;
  readonly environment: Environment;
  readonly defaultPort: number;
  readonly plugins: ReadonlyMap<string, Plugin<unknown>>;
};

/** Reads one Corefile, again and again. */
export function configurationReader(choice: CorefileChoice): ReadConfiguration {
  const { path, environment, defaultPort, plugins } = choice;
  let input: string | undefined;
  const readStandardInput = (): string => (input ??= choice.standardInput());
  return () => {
    const { blocks, warnings, digest, isEmpty } = loadCorefile(path, { environment, readStandardInput });
    return { plan: planOf(blocks, { defaultPort, plugins }), hash: digest, isEmpty, warnings };
  };
}
