/**
 * From server blocks to a plan: who listens where, which block answers for which zone, which plugins in which order. Opens
 * nothing and reads no file.
 */

import { present, type Name } from '../../zones/name.ts';
import type { BlockHead, BlockKey, Directive, ServerBlock } from '../corefile/block.ts';
import { show } from '../corefile/fault.ts';
import { CorefileError } from '../errors.ts';
import type { BlockPlan, ListenerPlan, Plan, Route } from '../plan.ts';
import { PLUGIN_ORDER, pluginOf, type AnyPlugin } from '../plugins/order.ts';

export type PlannerOptions = {
  /** For keys without a port: `-dns.port`. */
  readonly defaultPort: number;
  /** What may stand in a block, by word. */
  readonly plugins: ReadonlyMap<string, AnyPlugin>;
};

/**
 * Checks every directive and puts the blocks together.
 * @throws CorefileError at the first thing that is wrong
 */
export function planOf(blocks: readonly ServerBlock[], options: PlannerOptions): Plan {
  for (const block of blocks) checkTransports(block);
  const plans = blocks.map((block) => blockPlan(block, options.plugins));
  for (const { name, checkTogether } of options.plugins.values()) {
    checkTogether?.(
      plans.flatMap(({ plugins }) => plugins.filter((one) => one.name === name)).map((one) => one.options),
    );
  }
  return { listeners: listenersOf(plans, options.defaultPort), blocks: plans };
}

/** What is served where, as CoreDNS prints it at its start: `.:53`, `example.org.:1053 on 127.0.0.1`. */
export function bannerOf(plan: Plan): readonly string[] {
  return plan.listeners.flatMap(({ host, port, routes }) =>
    routes
      .map(({ zone }) => present(zone))
      .toSorted()
      .map((zone) => `${zone}:${port}${host === '' ? '' : ` on ${host}`}`),
  );
}

/** A transport that is not served must not be opened as clear text, which is what CoreDNS does with tls:// when `tls` is missing. */
function checkTransports({ keys }: BlockHead): void {
  for (const { transport, zone, position } of keys) {
    if (transport === 'dns') continue;
    throw new CorefileError(
      position,
      `found "${transport}://${present(zone)}", which is not supported yet; only dns:// is`,
    );
  }
}

function blockPlan(block: ServerBlock, plugins: PlannerOptions['plugins']): BlockPlan {
  const head: BlockHead = { keys: block.keys, position: block.position };
  const byWord = new Map<string, [Directive, ...Directive[]]>();
  for (const directive of block.directives) {
    const { name } = pluginOf(directive.name, plugins);
    const same = byWord.get(name);
    if (same === undefined) byWord.set(name, [directive]);
    else same.push(directive);
  }
  const inOrder = [...byWord].toSorted(([a], [b]) => PLUGIN_ORDER.indexOf(a) - PLUGIN_ORDER.indexOf(b));
  return {
    ...head,
    plugins: inOrder.map(([name, directives]) => ({ name, options: plugins.get(name)?.parse(directives, head) })),
  };
}

function listenersOf(blocks: readonly BlockPlan[], defaultPort: number): readonly ListenerPlan[] {
  const listeners = new Map<string, ListenerPlan & { readonly routes: Route[] }>();
  const served = new ServedZones();
  blocks.forEach((block, index) => {
    const hosts = hostsOf(block);
    for (const key of block.keys) {
      const port = key.port ?? defaultPort;
      for (const host of hosts) {
        served.add(key, host, port);
        const server = `dns://${host.includes(':') ? `[${host}]` : host}:${port}`;
        const listener = listeners.get(server) ?? { server, host, port, routes: [] };
        listener.routes.push({ zone: key.zone, block: index });
        listeners.set(server, listener);
      }
    }
  });
  return [...listeners.values()];
}

/** What `bind` says; the wildcard without it. */
function hostsOf(block: BlockPlan): readonly string[] {
  const options = block.plugins.find(({ name }) => name === 'bind')?.options;
  return isBindOptions(options) ? options.hosts : [''];
}

function isBindOptions(options: unknown): options is { hosts: readonly string[] } {
  return typeof options === 'object' && options !== null && 'hosts' in options && Array.isArray(options.hosts);
}

/** Who serves which zone on which port, to find two that cannot both be asked (CoreDNS core/dnsserver zoneOverlap). */
class ServedZones {
  readonly #hosts = new Map<string, Map<string, BlockKey>>();

  /** @throws CorefileError if the zone is taken there, or taken on the wildcard and on a single address */
  add(key: BlockKey, host: string, port: number): void {
    const label = labelOf(key.zone, host, port);
    const place = `${key.zone}:${port}`;
    const hosts = this.#hosts.get(place) ?? new Map<string, BlockKey>();
    const same = hosts.get(host);
    if (same !== undefined) {
      throw new CorefileError(key.position, `cannot serve ${label}: it is already defined at ${placeOf(same)}`);
    }
    const [other] = host === '' ? hosts : [...hosts].filter(([bound]) => bound === '');
    if (other !== undefined) {
      throw new CorefileError(
        key.position,
        `cannot serve ${label}: it overlaps with ${labelOf(key.zone, other[0], port)} at ${placeOf(other[1])}; bind both to addresses, or neither`,
      );
    }
    hosts.set(host, key);
    this.#hosts.set(place, hosts);
  }
}

function labelOf(zone: Name, host: string, port: number): string {
  return show(`dns://${present(zone)}:${port}${host === '' ? '' : ` on ${host}`}`);
}

function placeOf({ position }: BlockKey): string {
  return `${position.file}:${position.line}:${position.column}`;
}
