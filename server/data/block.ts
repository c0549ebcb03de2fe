/** A plan's blocks in use: layers composed, observers collected, zones routed. Knows no plugin by name. */

import type { Name } from '../../zones/name.ts';
import { present } from '../../zones/name.ts';
import { Rcode, RRType } from '../../zones/rr.ts';
import {
  compose,
  type Chance,
  type Denials,
  type Handler,
  type Layer,
  type Observer,
  type Plugin,
  type PluginContext,
  type TransferHandler,
} from '../pipeline.ts';
import type { BlockPlan, ListenerPlan, Plan } from '../plan.ts';
import { emptyReply, ExtendedErrorCode, type Reply, servfail } from '../query.ts';
import type { ExpressLane } from './express/express-lane.ts';
import { route } from './route.ts';

/** A server block that answers. */
export type Block = {
  readonly handler: Handler;
  /** undefined if the block gives no zone away. */
  readonly transfers: TransferHandler | undefined;
  readonly observers: readonly Observer[];
  /** The observer that is also told of queries that no block took. */
  readonly unrouted: Observer | undefined;
  /** What the express lane has to know of the layers; undefined where one of them is not transparent to it. */
  readonly express: BlockExpress | undefined;
};

/** Of all layers of a block. */
type BlockExpress = {
  readonly takers: readonly ((name: Name) => boolean)[];
  /** Told of each name that is said not to exist without asking the layers. */
  readonly witnesses: readonly ((name: Name) => void)[];
  readonly denials: Denials | undefined;
  readonly chance: Chance | undefined;
};

/** A zone of a listener and the block behind it; `zone` is its presentation. */
export type RoutedZone = { readonly zone: string; readonly block: Block };

/** What a listener needs to know of a plan. */
export type Routes = {
  readonly zones: ReadonlyMap<Name, RoutedZone>;
  /** Told of queries that no zone here holds: one observer, or none. */
  readonly unrouted: readonly Observer[];
  /** Absent where every query goes the plain lane. */
  readonly express?: ExpressLane | undefined;
};

/** For a name that no zone here holds, or whose block has no plugin that answers. */
export const NOT_OURS: Reply = {
  ...emptyReply(Rcode.REFUSED),
  extendedError: { code: ExtendedErrorCode.NOT_AUTHORITATIVE, text: 'no zone of this server holds the name' },
};

const NO_PLUGIN: Reply = servfail(
  '',
  'no plugin of the block answers this name; add `forward` or drop a `fallthrough`',
  { code: ExtendedErrorCode.OTHER, text: 'no plugin answers the name' },
);

/** What of a plugin's context depends on the block that it stands in. */
export type ContextOf = (block: BlockPlan, listener: ListenerPlan, place: Place) => PluginContext;

/** Where a block listens, as its plugins are told that are made for one of its listeners. */
type Place = Pick<PluginContext, 'hosts' | 'isFirst' | 'isOwn'>;

/** A plan whose plugins have been made: the routes of each listener, by `ListenerPlan.server`. `express` makes their express lanes. */
export function routesOf(
  plan: Plan,
  plugins: ReadonlyMap<string, Plugin<unknown>>,
  contextOf: ContextOf,
  express: (zones: ReadonlyMap<Name, RoutedZone>, server: string) => ExpressLane | undefined = () => undefined,
): ReadonlyMap<string, Routes> {
  const routes = new Map<string, Routes>();
  for (const listener of plan.listeners) {
    // A block bound to several addresses is made for each: its series carry the listener's label. What must be one is kept by key.
    const made = new Map<number, Block>();
    const zones = new Map<Name, RoutedZone>();
    for (const { zone, block: index } of listener.routes) {
      const blockPlan = plan.blocks[index];
      if (blockPlan === undefined) continue;
      const block =
        made.get(index) ??
        makeBlock(blockPlan, plugins, contextOf(blockPlan, listener, placeOf(plan, index, listener)));
      made.set(index, block);
      zones.set(zone, { zone: present(zone), block });
    }
    const unrouted = [...zones.values()].flatMap(({ block }) => block.unrouted ?? []).slice(0, 1);
    routes.set(listener.server, { zones, unrouted, express: express(zones, listener.server) });
  }
  return routes;
}

function placeOf({ listeners }: Plan, block: number, listener: ListenerPlan): Place {
  const own = listeners.filter(({ routes }) => routes.some((each) => each.block === block));
  const zones = new Map(listener.routes.map((each) => [each.zone, each.block]));
  return {
    hosts: [...new Set(own.map(({ host }) => host))],
    isFirst: own[0] === listener,
    isOwn: (name) => route(zones, name, RRType.A) === block,
  };
}

function makeBlock(plan: BlockPlan, plugins: ReadonlyMap<string, Plugin<unknown>>, context: PluginContext): Block {
  const layers: Layer[] = [];
  const observers: Observer[] = [];
  let transfers: TransferHandler | undefined;
  let unrouted: Observer | undefined;
  for (const { name, options } of plan.plugins) {
    const plugin = plugins.get(name);
    if (plugin?.layer !== undefined) layers.push(plugin.layer(options, context));
    if (plugin?.transfers !== undefined) transfers = plugin.transfers(options, context);
    if (plugin?.observer === undefined) continue;
    const observer = plugin.observer(options, context);
    observers.push(observer);
    if (plugin.observesUnrouted === true) unrouted = observer;
  }
  const last: Handler = layers.length === 0 ? () => NOT_OURS : () => NO_PLUGIN;
  return { handler: compose(layers, last), transfers, observers, unrouted, express: expressOf(layers) };
}

function expressOf(layers: readonly Layer[]): BlockExpress | undefined {
  const all = layers.flatMap(({ express }) => express ?? []);
  if (all.length < layers.length) return undefined;
  return {
    takers: all.flatMap(({ takes }) => takes ?? []),
    witnesses: all.flatMap(({ denied }) => denied ?? []),
    denials: all.find(({ denials }) => denials !== undefined)?.denials,
    chance: all.find(({ chance }) => chance !== undefined)?.chance,
  };
}
