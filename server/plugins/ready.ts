/** `ready`: what the Corefile says of the readiness probe. The control thread listens and answers; this only reads. */

import {
  argumentsOf,
  choiceFrom,
  listenAddress,
  onlyArgument,
  onlyDirective,
  optionsOf,
  unknownOption,
} from '../corefile/values.ts';
import type { Plugin } from '../pipeline.ts';

export type ReadyOptions = {
  /** Where `/ready` is served; an empty host is every address of the machine. */
  readonly address: { readonly host: string; readonly port: number };
  /** `until-ready`: what was ready once is not asked again. */
  readonly monitor: Monitor;
};

export type Monitor = (typeof MONITORS)[number];

const MONITORS = ['until-ready', 'continuously'] as const;

export const ready: Plugin<ReadyOptions> = {
  name: 'ready',
  parse(directives) {
    const directive = onlyDirective(directives);
    const [address] = argumentsOf(directive, 0, 1, 'ready [ADDR]');
    let monitor: Monitor = 'until-ready';
    for (const line of optionsOf(directive)) {
      if (line.name.text !== 'monitor') unknownOption(line, 'ready', ['monitor']);
      monitor = choiceFrom(onlyArgument(line, `monitor ${MONITORS.join('|')}`), MONITORS);
    }
    return { address: address === undefined ? { host: '', port: 8181 } : listenAddress(address), monitor };
  },
};
