/** `autopath`: search lists are walked at the server. Knows the Corefile's words for it and where it stands among the plugins. */

import { readFileSync } from 'node:fs';

import type { Name } from '../../zones/name.ts';
import type { Milliseconds } from '../../zones/units.ts';
import type { ClusterNames } from '../completion/cluster-names.ts';
import { Completion } from '../completion/completion.ts';
import { PUBLIC_TLDS } from '../completion/public-tlds.ts';
import { fixedSearchList, podSearchLists } from '../completion/search-list.ts';
import { onlyDirective } from '../corefile/values.ts';
import { transparent, type Plugin, type PluginContext } from '../pipeline.ts';
import { nodeSearchDomains, readSearchDomains } from '../upstream/resolv-conf.ts';
import { autopathFrom, type AutopathOptions } from './autopath-options.ts';
import { sharedClusterNames } from './cluster-names.ts';
import { systemSchedule, type Schedule } from '../timer.ts';

const NAME = 'autopath';

/** CoreDNS plugin/autopath, but the client's namespace is read from the name that it asks for, so no pod need be known. */
export const autopath: Plugin<AutopathOptions> = autopathAt({
  nodeDomains: nodeSearchDomains,
  patience: 200,
  schedule: systemSchedule,
});

/** What of the plugin's surroundings tests replace. */
type AutopathSurroundings = {
  /** What the node searches. */
  readonly nodeDomains: () => readonly Name[];
  /**
   * How long a client waits for the walk made in its place: more than nearly all answers of upstreams take. A walk that takes longer costs
   * nothing more, for the client's own questions find those on their way; but where an upstream stays silent this is what the client loses.
   */
  readonly patience: Milliseconds;
  readonly schedule: Schedule;
};

export function autopathAt({ nodeDomains, patience, schedule }: AutopathSurroundings): Plugin<AutopathOptions> {
  const files = { searchDomains: readSearchDomains, text: (file: string) => readFileSync(file, 'utf8'), nodeDomains };
  return {
    name: NAME,
    parse: (directives, block) => autopathFrom(onlyDirective(directives), block, files),
    layer(options, context) {
      const { counters, server, clock, log, isOwn, resolve } = context;
      const known = sharedClusterNames(context.shared);
      if (options.list === undefined) context.onStart(() => warnOfNoEffect(known, options.usesPods, context));
      const settings = {
        zones: options.zones,
        lists: options.list === undefined ? podSearchLists(options.nodeDomains) : fixedSearchList(options.list),
        nodeDomains: options.nodeDomains,
        refused: new Set(options.except),
        publicNames: {
          tlds: options.tlds === undefined ? PUBLIC_TLDS : new Set(options.tlds),
          suffixes: options.suffixes,
        },
        aliasTtlMax: options.ttl,
        usesPods: options.usesPods,
        patience,
      };
      let completion: Completion | undefined;
      return transparent(
        (next) => {
          const cluster = (): ClusterNames | undefined => known.names;
          completion = new Completion(
            settings,
            { server, counters, schedule, clock, log, cluster, isOwn, resolve },
            next,
          );
          return completion.handle;
        },
        {
          takes: (name) => completion?.mightComplete(name) === true,
          denied: (name) => completion?.denied(name),
        },
      );
    },
  };
}

function warnOfNoEffect(
  { names }: { names: ClusterNames | undefined },
  usesPods: boolean,
  context: PluginContext,
): void {
  const { file, line } = context.block.position;
  const warn = (text: string): void => context.log('warning', `plugin/${NAME}`, `${file}:${line}: ${text}`);
  if (names === undefined) warn('no search list is completed in this block; add kubernetes to it');
  else if (usesPods && !names.knowsPods) warn('pods has no effect; add pods verified to kubernetes');
}
