/** `health`: what the Corefile says of the liveness probe. The control thread listens and answers; this only reads. */

import type { Milliseconds } from '../../zones/units.ts';
import type { Directive } from '../corefile/block.ts';
import {
  argumentsOf,
  durationFrom,
  listenAddress,
  onlyArgument,
  optionsOf,
  unknownOption,
} from '../corefile/values.ts';
import type { Plugin } from '../pipeline.ts';
import { TIMER_MAX } from '../timer.ts';

export type HealthOptions = {
  /** Where `/health` is served; an empty host is every address of the machine. */
  readonly address: { readonly host: string; readonly port: number };
  /** How long queries are still answered after SIGTERM, while the rest of the cluster learns that this server goes. */
  readonly lameduck: Milliseconds;
};

/** Of several, the last holds (CoreDNS plugin/health). */
export const health: Plugin<HealthOptions> = {
  name: 'health',
  parse([first, ...more]) {
    const options = read(first);
    return more.map(read).at(-1) ?? options;
  },
};

const DEFAULT_ADDRESS = { host: '', port: 8080 };

function read(directive: Directive): HealthOptions {
  const [address] = argumentsOf(directive, 0, 1, 'health [ADDR]');
  let lameduck: Milliseconds = 0;
  for (const line of optionsOf(directive)) {
    if (line.name.text !== 'lameduck') unknownOption(line, 'health', ['lameduck']);
    lameduck = durationFrom(onlyArgument(line, 'lameduck DURATION'), 0, TIMER_MAX);
  }
  return { address: address === undefined ? DEFAULT_ADDRESS : listenAddress(address), lameduck };
}
