/** Everything that a query touches: listeners, blocks, cluster state. Knows nothing of threads, so a test can run one in place. */

import type { ClusterChange, Kind } from '../../zones/kubernetes/objects.ts';
import { KINDS } from '../../zones/kubernetes/objects.ts';
import { ClusterStore } from '../../zones/kubernetes/store/store.ts';
import type { Milliseconds, Seconds } from '../../zones/units.ts';
import type { Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { Plugin } from '../pipeline.ts';
import type { ListenerPlan, Plan } from '../plan.ts';
import { routesOf, type Routes } from './block.ts';
import { KeptStates } from './kept.ts';
import { Listener } from './listener.ts';
import { Server } from './serve.ts';

export type DataPlaneOptions = {
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  /** Seconds since 1970, for SOA serials only. */
  readonly wallClock: () => Seconds;
  readonly log: Log;
  readonly counters: Counters;
  readonly plugins: ReadonlyMap<string, Plugin<unknown>>;
};

export class DataPlane {
  readonly #options: DataPlaneOptions;
  readonly #server: Server;
  readonly #kept = new KeptStates();
  readonly #stores = new Map<string, ClusterStore>();
  #listeners = new Map<string, Listener>();
  #routes: ReadonlyMap<string, Routes> = new Map();

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#server = new Server(options.clock, options.log, options.counters);
  }

  /**
   * Puts a plan in use: first everything new is made and opened, then the queries move over, then what is not needed any more is closed.
   * Returns the addresses that are listened on.
   * @throws Error if something of it cannot be made or opened; then nothing has changed
   */
  async use(plan: Plan): Promise<readonly string[]> {
    const states = this.#kept.begin();
    const starts: (() => void)[] = [];
    const listeners = new Map<string, Listener>();
    let routes: ReadonlyMap<string, Routes>;
    try {
      routes = this.#makeRoutes(plan, states.keep, starts);
      for (const listener of plan.listeners) {
        const { server } = listener;
        const open = this.#listeners.get(server) ?? (await this.#open(listener, routes));
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
    for (const store of this.#stores.values()) store.advance(); // other options may give other answers
    for (const start of starts) start();
    await closeMissing(before, listeners);
    return [...listeners.values()].map((listener) => listener.address);
  }

  /** Applies changes to a cluster's state; returns the kinds that are complete. */
  change(cluster: string, changes: readonly ClusterChange[]): readonly Kind[] {
    const store = this.#store(cluster);
    store.apply(changes);
    return KINDS.filter((kind) => store.isSynced(kind));
  }

  forget(cluster: string): void {
    this.#stores.delete(cluster);
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
    const { clock, log, counters, plugins } = this.#options;
    return routesOf(plan, plugins, (block, listener, place) => ({
      block,
      server: listener.server,
      ...place,
      clock,
      log,
      counters,
      resolve: (query) => this.#server.resolve(query, this.#routesFor(listener.server)),
      cluster: (key) => this.#store(key),
      keep,
      shared: new Map(),
      onStart: (start) => void starts.push(start),
    }));
  }

  #open(listener: ListenerPlan, routes: ReadonlyMap<string, Routes>): Promise<Listener> {
    return Listener.open(
      listener,
      routes.get(listener.server) ?? NO_ROUTES,
      this.#server.serve,
      this.#options.counters,
    );
  }

  #routesFor(server: string): Routes {
    return this.#routes.get(server) ?? NO_ROUTES;
  }

  #store(cluster: string): ClusterStore {
    const store = this.#stores.get(cluster) ?? new ClusterStore(this.#options.wallClock);
    this.#stores.set(cluster, store);
    return store;
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
