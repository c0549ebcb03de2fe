/** `multisocket`: how many data threads share the DNS ports. The control thread starts them; this only reads. */

import { availableParallelism } from 'node:os';

import type { Count } from '../../zones/units.ts';
import { argumentsOf, integerFrom, noBody, onlyDirective } from '../corefile/values.ts';
import type { Plugin } from '../pipeline.ts';

export type MultisocketOptions = {
  /** From 1 to `THREADS_MAX`. */
  readonly threads: Count;
  /** What was asked for, if it was more. */
  readonly wanted: Count | undefined;
};

/** Each has a JavaScript heap, the whole cluster and caches of its own: some 40 MiB and more, so the machine's memory ends before its sockets do. */
export const THREADS_MAX: Count = 16;

/** As in CoreDNS, whose sockets cost next to nothing. */
const WANTED_MAX: Count = 1_024;

/** Without a number one for each CPU that the process may use (CoreDNS: GOMAXPROCS). */
export const multisocket: Plugin<MultisocketOptions> = {
  name: 'multisocket',
  parse(directives) {
    const directive = onlyDirective(directives);
    noBody(directive);
    const [token] = argumentsOf(directive, 0, 1, 'multisocket [NUMBER]');
    if (token === undefined) return { threads: Math.min(availableParallelism(), THREADS_MAX), wanted: undefined };
    const wanted = integerFrom(token, 1, WANTED_MAX);
    return { threads: Math.min(wanted, THREADS_MAX), wanted: wanted > THREADS_MAX ? wanted : undefined };
  },
};
