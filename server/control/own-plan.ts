/** What a plan asks of the control thread itself: ports for probes and scrapes, clusters, reloading. Knows not how it is done. */

import { present, type Name } from '../../zones/name.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Labels } from '../counters.ts';
import type { Plugin } from '../pipeline.ts';
import type { BlockPlan, Plan } from '../plan.ts';
import { health } from '../plugins/health.ts';
import { kubernetes } from '../plugins/kubernetes.ts';
import type { KubernetesOptions } from '../plugins/kubernetes-options.ts';
import { multisocket, THREADS_MAX, type MultisocketOptions } from '../plugins/multisocket.ts';
import { prometheus } from '../plugins/prometheus.ts';
import { ready, type Monitor } from '../plugins/ready.ts';
import { reload, type ReloadOptions } from '../plugins/reload.ts';
import type { HttpAddress } from './admin-http.ts';
import type { ClusterWish } from './clusters.ts';

export type OwnPlan = {
  /** Data threads: the most that a block asks for. */
  readonly threads: Count;
  readonly health: readonly HttpAddress[];
  /** The longest of all blocks. */
  readonly lameduck: Milliseconds;
  readonly ready: readonly ReadyPlan[];
  readonly metrics: readonly HttpAddress[];
  readonly reload: ReloadOptions | undefined;
  readonly clusters: ReadonlyMap<string, ClusterWish>;
  /** Zones that clusters are the authority for. */
  readonly clusterZones: readonly Name[];
  /** What is written but has no effect, or not that one. */
  readonly warnings: readonly Warning[];
  /** Labels of coredns_plugin_enabled. */
  readonly enabled: readonly Labels[];
};

type Warning = { readonly plugin: string; readonly text: string };

/** A readiness port and the clusters that it waits for: those of the blocks that have `ready` at that address. */
type ReadyPlan = {
  readonly address: HttpAddress;
  readonly monitor: Monitor;
  readonly clusters: readonly string[];
};

/** @param plugins all plugins by name: those with a layer or an observer handle queries */
export function ownPlanOf(plan: Plan, plugins: ReadonlyMap<string, Plugin<unknown>>): OwnPlan {
  const healths = plan.blocks.flatMap((block) => optionsOf(block, health));
  const clusters = plan.blocks.flatMap((block) => optionsOf(block, kubernetes));
  const sockets = plan.blocks.map((block) => optionsOf(block, multisocket)[0]);
  return {
    threads: threadsFrom(sockets),
    health: healths.map(({ address }) => address),
    lameduck: Math.max(0, ...healths.map(({ lameduck }) => lameduck)),
    ready: plan.blocks.flatMap((block) =>
      optionsOf(block, ready).map(({ address, monitor }) => ({
        address,
        monitor,
        clusters: optionsOf(block, kubernetes).map(({ cluster }) => cluster),
      })),
    ),
    metrics: plan.blocks.flatMap((block) => optionsOf(block, prometheus)).map(({ address }) => address),
    reload: plan.blocks.flatMap((block) => optionsOf(block, reload))[0],
    clusters: wishesFrom(clusters),
    clusterZones: clusters.flatMap(({ zones }) => zones),
    warnings: [
      ...clusters.flatMap(({ warnings }) => warnings).map((text) => ({ plugin: kubernetes.name, text })),
      ...warningsOf(sockets).map((text) => ({ plugin: multisocket.name, text })),
    ],
    enabled: plan.blocks.flatMap((block, index) => enabledIn(plan, block, index, plugins)),
  };
}

/** A data thread has the sockets of all blocks. */
function threadsFrom(sockets: readonly (MultisocketOptions | undefined)[]): Count {
  return Math.max(1, ...sockets.map((options) => options?.threads ?? 1));
}

function warningsOf(sockets: readonly (MultisocketOptions | undefined)[]): string[] {
  const threads = threadsFrom(sockets);
  const wanted = sockets.find((options) => options?.wanted !== undefined)?.wanted;
  const isMixed = new Set(sockets.flatMap((options) => options?.threads ?? [])).size > 1;
  return [
    ...(wanted === undefined ? [] : [`${wanted} data threads are asked for; ${THREADS_MAX} is the most there can be`]),
    ...(isMixed ? [`the blocks ask for different numbers; ${threads} data threads serve all of them`] : []),
  ];
}

/** Of blocks that share a cluster the last one says how long to wait, and any of them where it is kept. */
function wishesFrom(blocks: readonly KubernetesOptions[]): ReadonlyMap<string, ClusterWish> {
  const wishes = new Map<string, ClusterWish>();
  for (const { cluster, source, startupTimeout, snapshot } of blocks) {
    wishes.set(cluster, { source, startupTimeout, snapshot: snapshot?.file ?? wishes.get(cluster)?.snapshot });
  }
  return wishes;
}

/** CoreDNS plugin/metrics: in blocks with `prometheus`, for the first key, each plugin that handles queries. */
function enabledIn(
  plan: Plan,
  block: BlockPlan,
  index: number,
  plugins: ReadonlyMap<string, Plugin<unknown>>,
): readonly Labels[] {
  if (optionsOf(block, prometheus).length === 0) return [];
  const { zone } = block.keys[0];
  const servers = plan.listeners.filter(({ routes }) =>
    routes.some((route) => route.block === index && route.zone === zone),
  );
  const names = block.plugins
    .map(({ name }) => name)
    .filter((name) => {
      const plugin = plugins.get(name);
      return plugin?.layer !== undefined || plugin?.observer !== undefined;
    });
  return servers.flatMap(({ server }) => names.map((name) => ({ server, zone: present(zone), view: '', name })));
}

/** The options of a plugin in a block: none or one. */
function optionsOf<Options>(block: BlockPlan, plugin: Plugin<Options>): Options[] {
  // What stands under a plugin's name in a plan is what its own `parse` returned.
  return block.plugins.filter(({ name }) => name === plugin.name).map(({ options }) => options as Options);
}
