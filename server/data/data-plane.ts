/** Everything that a query touches: listeners, blocks, cluster state. Knows nothing of threads, so a test can run one in place. */

import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { ClusterPart, UdpMode } from '../messages.ts';
import type { Plugin } from '../pipeline.ts';
import type { ListenerPlan, Plan } from '../plan.ts';
import { ProbeTable, probeMemory } from '../upstream/probe-table.ts';
import { openBatching } from './batch/batching.ts';
import { routesOf, type ContextOf, type Routes } from './block.ts';
import { ClusterReceiver } from './cluster-receiver.ts';
import { ExpressLane } from './express/express-lane.ts';
import { KeptStates } from './kept.ts';
import { Listener } from './listener.ts';
import { Server } from './serve.ts';
import type { UdpOptions } from './udp.ts';

export type DataPlaneOptions = {
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  /** Seconds since 1970, for SOA serials only. */
  readonly wallClock: () => Seconds;
  readonly log: Log;
  readonly counters: Counters;
  readonly plugins: ReadonlyMap<string, Plugin<unknown>>;
  /** As in `DataThreadSettings`; absent for those of the command line. */
  readonly express?: boolean | undefined;
  readonly udp?: UdpMode | undefined;
  /** Do other data threads listen on the same addresses and ports? */
  readonly reusePort?: boolean | undefined;
  /** Does this one take what comes to addresses that have no socket of their own, and say how datagrams are read? True if absent. */
  readonly wildcard?: boolean | undefined;
  /** Absent for a thread that is the only one. */
  readonly probes?: ProbeTable | undefined;
  /** As in `ReceiverOptions`. */
  readonly atOnceMax?: Count | undefined;
  /** A part of a cluster's state has been taken in; of these kinds everything is known now. */
  readonly taken: (cluster: string, whole: readonly Kind[]) => void;
};

export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #server: Server;
  readonly #probes: ProbeTable;
  readonly #kept = new KeptStates();
  readonly #clusters = new Map<string, { readonly store: ClusterStore; readonly receiver: ClusterReceiver }>();
  #udp: Promise<UdpOptions> | undefined;
  #listeners = new Map<string, Listener>();
  #routes: ReadonlyMap<string, Routes> = new Map();

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#probes = options.probes ?? new ProbeTable(probeMemory(1), 0);
    this.#server = new Server(options.clock, options.log, options.counters);
  }

  /**
   * Puts a plan in use: first everything new is made and opened, then the queries move over, then what is not needed any more is closed.
   * Returns the addresses that are listened on. What was told of clusters before is in use by then.
   * @param isFirst must nobody else have the ports that are new, no other data thread either?
   * @throws Error if something of it cannot be made or opened; then nothing has changed
   */
  async use(plan: Plan, isFirst = true): Promise<readonly string[]> {
    await this.settled();
    const states = this.#kept.begin();
    const starts: (() => void)[] = [];
    const listeners = new Map<string, Listener>();
    let routes: ReadonlyMap<string, Routes>;
    try {
      routes = this.#makeRoutes(plan, states.keep, starts);
      for (const listener of plan.listeners) {
        const { server } = listener;
        const open = this.#listeners.get(server) ?? (await this.#open(listener, routes, isFirst));
        listeners.set(server, open);
      }
    } catch (error) {
      states.abandon();
      await closeMissing(listeners, this.#listeners);
      throw error;
    }
    const before = this.#listeners;
    this.#listeners = listeners;
    this.#routes = routes;
    for (const [server, listener] of listeners) listener.use(this.#routesFor(server));
    states.commit();
    for (const { store } of this.#clusters.values()) store.advance(); // other options may give other answers
    for (const start of starts) start();
    await closeMissing(before, listeners);
    return [...listeners.values()].map((listener) => listener.address);
  }

  /** Takes a part of a cluster's state in. */
  take(cluster: string, part: ClusterPart): void {
    this.#cluster(cluster).receiver.take(part);
  }

  /** Resolves when everything that was told of clusters is in use. */
  async settled(): Promise<void> {
    await Promise.all(Array.from(this.#clusters.values(), ({ receiver }) => receiver.settled()));
  }

  forget(cluster: string): void {
    this.#clusters.get(cluster)?.receiver.close();
    this.#clusters.delete(cluster);
  }

  /** Answers what was accepted, then closes everything. */
  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    this.#listeners.clear();
    this.#kept.close();
  }

  #makeRoutes(
    plan: Plan,
    keep: ReturnType<KeptStates['begin']>['keep'],
    starts: (() => void)[],
  ): ReadonlyMap<string, Routes> {
    const { wildcard = true, clock, log, counters, plugins, express = true } = this.#options;
    const { tell } = this.#server;
    const contextOf: ContextOf = (block, listener, place) => ({
      block,
      server: listener.server,
      ...place,
      isFirst: place.isFirst && wildcard, // of several threads one speaks for all
      clock,
      log,
      counters,
      probes: this.#probes,
      resolve: (query) => this.#server.resolve(query, this.#routesFor(listener.server)),
      cluster: (key) => this.#cluster(key).store,
      keep,
      shared: new Map(),
      onStart: (start) => void starts.push(start),
    });
    return routesOf(plan, plugins, contextOf, (zones, server) =>
      express ? new ExpressLane({ zones, server, counters, clock, tell }) : undefined,
    );
  }

  async #open(plan: ListenerPlan, routes: ReadonlyMap<string, Routes>, isFirst: boolean): Promise<Listener> {
    this.#udp ??= this.#udpOptions();
    const udp = await this.#udp;
    const open = (port: number, sockets: UdpOptions): Promise<Listener> =>
      Listener.open({ ...plan, port }, routes.get(plan.server) ?? NO_ROUTES, this.#server.serve, {
        ...this.#options,
        udp: sockets,
      });
    if (udp.reusePort !== true || !isFirst) return open(plan.port, udp);
    // A port that is open to sharing would be shared with any program of the same user: so first without.
    const probe = await open(plan.port, { ...udp, reusePort: false });
    const { port } = probe;
    await probe.close();
    return open(port, udp);
  }

  async #udpOptions(): Promise<UdpOptions> {
    const { counters, clock, log, udp: mode = 'batched', reusePort = false, wildcard = true } = this.#options;
    const batching = await openBatching({ mode, counters, clock, log: wildcard ? log : () => {} });
    return { batching, reusePort, wildcard };
  }

  #routesFor(server: string): Routes {
    return this.#routes.get(server) ?? NO_ROUTES;
  }

  #cluster(key: string): { readonly store: ClusterStore; readonly receiver: ClusterReceiver } {
    const known = this.#clusters.get(key);
    if (known !== undefined) return known;
    const { wallClock, clock, taken, atOnceMax } = this.#options;
    const store = new ClusterStore(wallClock);
    const synced = (): readonly Kind[] => KINDS.filter((kind) => store.isSynced(kind));
    const receiver = new ClusterReceiver({ store, clock, atOnceMax, taken: () => taken(key, synced()) });
    this.#clusters.set(key, { store, receiver });
    return { store, receiver };
  }
}

/** Closes those of the first that the second does not have. */
async function closeMissing(
  listeners: ReadonlyMap<string, Listener>,
  wanted: ReadonlyMap<string, Listener>,
): Promise<void> {
  const missing = [...listeners].filter(([server]) => !wanted.has(server));
  await Promise.all(missing.map(([, listener]) => listener.close()));
}

const NO_ROUTES: Routes = { zones: new Map(), unrouted: [] };
