/**
 * What a plugin is, and how a block's plugins become one function. A query goes down a chain of layers as a value and a
 * reply comes back as a value; no plugin ever sees a socket.
 */

import type { Answer } from '../zones/answer.ts';
import type { ClusterStore } from '../zones/kubernetes/store/store.ts';
import type { Name, Spelling } from '../zones/name.ts';
import type { RRset } from '../zones/rr.ts';
import type { Bytes, Count, Milliseconds } from '../zones/units.ts';
import type { BlockHead, Directive } from './corefile/block.ts';
import type { Counters } from './counters.ts';
import type { Log } from './log.ts';
import type { Protocol, Query, Reply } from './query.ts';
import type { ProbeTable } from './upstream/probe-table.ts';

/** A reply now, or the promise of one where something must be waited for. It never rejects: faults are SERVFAIL replies. */
export type Handler = (query: Query) => Reply | Promise<Reply>;

/** Answers a request for a whole zone, AXFR or IXFR. */
export type TransferHandler = (query: Query) => Transfer;

/**
 * A reply as any other; or, over TCP only, the header of as many messages as the `rrsets` take, which are made one by one while the client
 * reads (RFC 5936 section 2.2). undefined among them is a turn for others.
 */
export type Transfer = { readonly reply: Reply; readonly rrsets: Iterable<RRset | undefined> | undefined };

/**
 * One turn of the onion: a handler made from the next one. Without `express` every query of the block goes the plain lane; `transparent` says
 * that the express lane may pass it by.
 */
export type Layer = ((next: Handler) => Handler) & { readonly express?: Express };

/** What the express lane has to know of a layer that it passes by. */
export type Express = {
  /** Names that the layer answers itself; absent if there are none but those that it gave a lease for. */
  readonly takes?: (name: Name) => boolean;
  /** Told of each name that was said not to exist without asking the layer. */
  readonly denied?: (name: Name) => void;
  /** Denies at once what its zones do not have. */
  readonly denials?: Denials;
  /** The addresses of each reply go out in a new order, made with this. */
  readonly chance?: Chance;
};

/** Zones whose plugin can tell in one step that there is nothing, without memory for each such name. */
export type Denials = {
  readonly apexes: readonly Name[];
  /** The Corefile word, for the counters. */
  readonly plugin: string;
  /** `nodata` or `nxdomain`; undefined for all else, and where others may know more. The type is no meta type, nor DS. */
  readonly deny: (name: Name, spelling: Spelling, type: number) => Answer | undefined;
};

/** A number from 0 to `below` - 1, each as likely as the others. */
export type Chance = (below: Count) => number;

/**
 * Says that a layer does nothing to a question of class IN for a type of data, with RD and without CD and DO, and to its reply, but what
 * `express` tells. The reply's lease is then enough to say it again to anybody.
 */
export function transparent(layer: (next: Handler) => Handler, express: Express = {}): Layer {
  return Object.assign(layer, { express });
}

/** Told of each reply after it was encoded; cannot change it. */
export type Observer = ((exchange: Exchange) => void) & {
  /** Makes what takes the place of the observer for all exchanges that have this in common. Absent: it is told of each of them. */
  readonly tally?: (common: CommonToExchanges) => Tally;
};

/** What may be known of an exchange before it takes place. */
export type CommonToExchanges = {
  readonly zone: string;
  readonly type: number;
  readonly plugin: string;
  readonly rcode: number;
  readonly protocol: Protocol;
  readonly family: 4 | 6;
};

/** Counts one exchange of a query without DO. */
export type Tally = (querySize: Bytes, size: Bytes, duration: Milliseconds) => void;

/** One query with its reply, as it went out. */
export type Exchange = {
  readonly query: Query;
  readonly reply: Reply;
  /** Octets of the reply on the wire. */
  readonly size: number;
  readonly truncated: boolean;
  readonly duration: Milliseconds;
  /** The longest of the block's zones that holds the question's name, in presentation format. */
  readonly zone: string;
};

/** One word of the Corefile. `Options` is plain data: it crosses threads by structuredClone. */
export type Plugin<Options> = {
  readonly name: string;
  /**
   * Reads all directives of that word in a block, in file order. Runs in the control thread.
   * @throws CorefileError at the token that is wrong
   */
  readonly parse: (directives: Directives, block: BlockHead) => Options;
  /**
   * Looks at what `parse` gave for all blocks that have the word, in file order. Runs in the control thread.
   * @throws CorefileError at what cannot stand beside another
   */
  readonly checkTogether?: (options: readonly Options[]) => void;
  /** Makes the layer. Runs in the data thread. */
  readonly layer?: (options: Options, context: PluginContext) => Layer;
  /**
   * Makes what answers the block's zone transfers, which are refused without it. They meet no layer: what these do to a reply
   * must not be done to a zone. Runs in the data thread.
   */
  readonly transfers?: (options: Options, context: PluginContext) => TransferHandler;
  /** Makes an observer. Runs in the data thread. */
  readonly observer?: (options: Options, context: PluginContext) => Observer;
  /** Is the observer also told of queries that no block took? Their `zone` is `dropped`. */
  readonly observesUnrouted?: true;
};

/** At least one, all of the same word, in file order. */
export type Directives = readonly [Directive, ...Directive[]];

/** What a plugin may use in the data thread. */
export type PluginContext = {
  readonly block: BlockHead;
  /** Label of the block's listener, such as `dns://:53`. */
  readonly server: string;
  /** Where all of the block's listeners are: IP addresses; empty for all of the machine's. */
  readonly hosts: readonly string[];
  /** Is this the first of them? What concerns the block as a whole is told there, once. */
  readonly isFirst: boolean;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  readonly log: Log;
  readonly counters: Counters;
  /** Where `loop` writes down what it asks. */
  readonly probes: ProbeTable;
  /** Asks the whole server again, for a name that a reply points to (an ExternalName outside the zone). */
  readonly resolve: Handler;
  /** Would a client's question for this name, asked of the same listener, be this block's? */
  readonly isOwn: (name: Name) => boolean;
  /** The state of a cluster by the key that `kubernetes` gave it in its options. */
  readonly cluster: (key: string) => ClusterStore;
  /** State that outlives a reload as long as the new configuration asks for the same key; closed when none does. */
  readonly keep: <State extends Kept>(key: string, make: () => State) => State;
  /** State that this block's plugins share by name (the upstreams that `loop` probes); it dies with the plan. */
  readonly shared: Map<string, unknown>;
  /** Runs once the plan is in use and its sockets are open. */
  readonly onStart: (start: () => void) => void;
};

/** State with an end. */
export type Kept = { close(): void };

/** Applies `change` to a reply, now or when it comes. The only place that knows a reply may be a promise. */
export function after(reply: Reply | Promise<Reply>, change: (reply: Reply) => Reply): Reply | Promise<Reply> {
  return reply instanceof Promise ? reply.then(change) : change(reply);
}

/** The first layer meets the query first; `last` answers what none of them did. */
export function compose(layers: readonly Layer[], last: Handler): Handler {
  return layers.reduceRight((next, layer) => layer(next), last);
}
