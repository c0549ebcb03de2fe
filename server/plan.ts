/** What the control thread tells the data threads to do: a Corefile, parsed and checked, as plain data. */

import type { Name } from '../zones/name.ts';
import type { BlockHead } from './corefile/block.ts';

export type Plan = {
  readonly listeners: readonly ListenerPlan[];
  readonly blocks: readonly BlockPlan[];
};

/** One address and port, UDP and TCP. */
export type ListenerPlan = {
  /** As in metrics and in the banner: `dns://:53`, `dns://127.0.0.1:1053`. */
  readonly server: string;
  /** An IP address; empty for all of the machine's. */
  readonly host: string;
  readonly port: number;
  /** Which block answers for which zone here: an index into `Plan.blocks`. */
  readonly routes: readonly Route[];
};

export type Route = { readonly zone: Name; readonly block: number };

export type BlockPlan = BlockHead & {
  /** In the order a query meets them (plugins/order.ts); `options` is what the plugin's `parse` gave. */
  readonly plugins: readonly { readonly name: string; readonly options: unknown }[];
};
