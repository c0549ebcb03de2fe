/** `prometheus`: counts what a block answers. Knows nothing of the text format or of HTTP: the control thread has both. */

import {
  argumentsOf,
  listenAddress,
  noArguments,
  onlyDirective,
  optionsOf,
  unknownOption,
} from '../corefile/values.ts';
import { CorefileError } from '../errors.ts';
import type { Plugin } from '../pipeline.ts';
import { exchangeCounter } from './exchange-series.ts';

export type PrometheusOptions = {
  /** Where `/metrics` is served; an empty host is every address of the machine. */
  readonly address: { readonly host: string; readonly port: number };
};

export const prometheus: Plugin<PrometheusOptions> = {
  name: 'prometheus',
  parse(directives) {
    const directive = onlyDirective(directives);
    const [address] = argumentsOf(directive, 0, 1, 'prometheus [ADDR]');
    for (const line of optionsOf(directive)) {
      const { text, position } = line.name;
      if (text === 'tls') {
        throw new CorefileError(
          position,
          'tls is not supported yet: remove it, or put a proxy with TLS before the metrics',
        );
      }
      if (text !== 'runtime_metrics') unknownOption(line, 'prometheus', ['runtime_metrics']);
      noArguments(line); // those of the runtime are always served
    }
    return { address: address === undefined ? { host: 'localhost', port: 9153 } : listenAddress(address) };
  },
  observesUnrouted: true,
  observer: (_options, { counters, server }) => exchangeCounter(counters, server),
};
