/** `loop`: stops upstreams that send queries back to this server. Knows the word and its place in the block, nothing of probing. */

import { NAME_MAX, type Name } from '../../zones/name.ts';
import { refuse } from '../corefile/fault.ts';
import { noArguments, noBody, onlyDirective } from '../corefile/values.ts';
import { LoopProbes, PROBE_LABELS_SIZE } from '../upstream/loop-probes.ts';
import { sharedUpstreams } from '../upstream/upstreams.ts';
import { transparent, type Plugin } from '../pipeline.ts';

/** The block's first zone, under which probes are named. */
export type LoopOptions = { readonly zone: Name };

/**
 * Unlike in CoreDNS, which ends the process, the upstream that leads back is left out and the rest goes on: a loop must not take
 * the cluster's own names down.
 */
export const loop: Plugin<LoopOptions> = {
  name: 'loop',
  parse(directives, block) {
    const directive = onlyDirective(directives);
    noArguments(directive);
    noBody(directive);
    const [{ zone }] = block.keys;
    if (zone.length + PROBE_LABELS_SIZE > NAME_MAX) refuse(directive.name, 'a block whose first zone is shorter');
    return { zone };
  },
  layer({ zone }, context) {
    const { clock, log, server, probes: table } = context;
    const probes = context.keep(
      `loop ${server} ${zone}`,
      () => new LoopProbes({ zone, server, probes: table, clock, log }),
    );
    context.onStart(() => probes.watch(sharedUpstreams(context.shared)));
    return transparent((next) => (query) => probes.recognise(query) ?? next(query));
  },
};
