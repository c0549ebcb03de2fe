/**
 * What a plugin is, and how a block's plugins become one function. A query goes down a chain of layers as a value and a
 * reply comes back as a value; no plugin ever sees a socket.
 */

import type { ClusterStore } from '../zones/kubernetes/store/store.ts';
import type { RRset } from '../zones/rr.ts';
import type { Milliseconds } from '../zones/units.ts';
import type { BlockHead, Directive } from './corefile/block.ts';
import type { Counters } from './counters.ts';
import type { Log } from './log.ts';
import type { Query, Reply } from './query.ts';

/** A reply now, or the promise of one where something must be waited for. It never rejects: faults are SERVFAIL replies. */
export type Handler = (query: Query) => Reply | Promise<Reply>;

/** Answers a request for a whole zone, AXFR or IXFR. */
export type TransferHandler = (query: Query) => Transfer;

/**
 * A reply as any other; or, over TCP only, the header of as many messages as the `rrsets` take, which are made one by one while the client
 * reads (RFC 5936 section 2.2). undefined among them is a turn for others.
 */
export type Transfer = { readonly reply: Reply; readonly rrsets: Iterable<RRset | undefined> | undefined };

/** One turn of the onion: a handler made from the next one. */
export type Layer = (next: Handler) => Handler;

/** Told of each reply after it was encoded; cannot change it. */
export type Observer = (exchange: Exchange) => void;

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
  /** Asks the whole server again, for a name that a reply points to (an ExternalName outside the zone). */
  readonly resolve: Handler;
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
