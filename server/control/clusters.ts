/**
 * The clusters that the plan asks for: their sources, opened once and kept over reloads, and what they reported. Knows nothing
 * of how a source works.
 */

import type { Kind } from '../../zones/kubernetes/objects.ts';
import { keyOf, objectFrom } from '../../zones/kubernetes/object-text.ts';
import {
  kindsOf,
  type ProgrammedSlice,
  type Source,
  type SourceEvents,
  type SourceOptions,
} from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { ToData } from '../messages.ts';
import type { KindStatus } from './cluster-metrics.ts';
import { ClusterSender } from './cluster-sender.ts';
import type { Metrics } from './metrics.ts';
import type { Stop, Timers } from './timers.ts';

/** A cluster as the Corefile wants it. */
export type ClusterWish = {
  readonly source: SourceOptions;
  /** How long to wait for it before other things go on. */
  readonly startupTimeout: Milliseconds;
};

/** Opens a source. */
export type OpenSource = (options: SourceOptions, events: SourceEvents) => Source | Promise<Source>;

export type ClustersOptions = {
  readonly open: OpenSource;
  /** To the data thread. */
  readonly send: (message: ToData) => void;
  readonly metrics: Pick<Metrics, 'apiCalled' | 'programmed' | 'happened'>;
  readonly timers: Timers;
  readonly log: Log;
};

/** New clusters that are not in use yet. */
export type PreparedClusters = {
  /** Resolves when each of the new ones has been received whole or its time is over. */
  readonly received: Promise<void>;
  /** They are in use: closes those that nobody wants any more. */
  readonly commit: () => void;
  /** They are not needed after all. */
  readonly abandon: () => void;
};

/** How often it is said that a cluster is still waited for. */
export const WAITING_INTERVAL: Milliseconds = 1_000;

export class Clusters {
  readonly #options: ClustersOptions;
  #clusters = new Map<string, Cluster>();
  /** Opened for a plan that is not in use yet. */
  #prepared = new Map<string, Cluster>();

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  /**
   * Opens what is wanted and not there. Equal keys are equal sources.
   * @throws Error if a source cannot exist: no such folder, not in a cluster, an unreadable kubeconfig
   */
  async prepare(wanted: ReadonlyMap<string, ClusterWish>): Promise<PreparedClusters> {
    const opened = new Map<string, Cluster>();
    this.#prepared = opened;
    const abandon = (): void => {
      for (const [key, cluster] of opened) this.#close(key, cluster);
      this.#prepared = new Map();
    };
    try {
      for (const [key, wish] of wanted) {
        if (this.#clusters.has(key)) continue;
        const cluster = new Cluster(key, wish, this.#options);
        opened.set(key, cluster);
        await cluster.open();
      }
    } catch (error) {
      abandon();
      throw error;
    }
    const commit = (): void => {
      const before = this.#clusters;
      this.#clusters = new Map(
        [...wanted.keys()].flatMap((key) => {
          const cluster = opened.get(key) ?? before.get(key);
          return cluster === undefined ? [] : [[key, cluster] as const];
        }),
      );
      this.#prepared = new Map();
      for (const [key, cluster] of before) if (this.#clusters.get(key) !== cluster) this.#close(key, cluster);
    };
    return {
      received: Promise.all([...opened.values()].map((cluster) => cluster.received)).then(() => {}),
      commit,
      abandon,
    };
  }

  /** The data thread has taken in a part of a cluster's state, and has these kinds whole. */
  taken(key: string, whole: readonly Kind[]): void {
    (this.#clusters.get(key) ?? this.#prepared.get(key))?.taken(whole);
  }

  /** Can the data thread answer from this cluster? Once it could, it always can. */
  isSynced(key: string): boolean {
    return this.#clusters.get(key)?.isSynced ?? false;
  }

  /** What the data thread cannot answer from yet, and why: lines for people. */
  missing(key: string): readonly string[] {
    return (this.#clusters.get(key) ?? this.#prepared.get(key))?.missing() ?? [];
  }

  /** Each kind of each cluster. */
  kinds(): KindStatus[] {
    return [...this.#clusters.values()].flatMap((cluster) => cluster.statuses());
  }

  /** Everything, for a data thread that has nothing. */
  *state(): Iterable<ToData> {
    for (const [cluster, { sender }] of new Map([...this.#clusters, ...this.#prepared])) {
      for (const part of sender.restart()) yield { type: 'cluster', cluster, part };
    }
  }

  close(): void {
    for (const cluster of [...this.#clusters.values(), ...this.#prepared.values()]) cluster.close();
    this.#clusters.clear();
    this.#prepared.clear();
  }

  #close(key: string, cluster: Cluster): void {
    cluster.close();
    this.#options.send({ type: 'forget-cluster', cluster: key });
  }
}

class Cluster {
  readonly wish: ClusterWish;
  readonly kinds: readonly Kind[];
  readonly sender: ClusterSender;
  readonly acknowledged = new Set<Kind>();
  readonly received: Promise<void>;
  readonly #options: ClustersOptions;
  readonly #began: Milliseconds;
  #source: Source | undefined;
  #isClosed = false;
  #isReceived = false;
  #settle: () => void = () => {};
  #stopWaiting: Stop = () => {};

  constructor(key: string, wish: ClusterWish, options: ClustersOptions) {
    this.sender = new ClusterSender((part) => options.send({ type: 'cluster', cluster: key, part }));
    this.wish = wish;
    this.kinds = kindsOf(wish.source);
    this.#options = options;
    this.#began = options.timers.now();
    this.received = new Promise((resolve) => (this.#settle = resolve));
  }

  async open(): Promise<void> {
    const { open, metrics, log, timers } = this.#options;
    const source = await open(this.wish.source, {
      change: (changes) => {
        if (this.#isClosed) return;
        this.sender.apply(changes);
        if (this.kinds.every((kind) => this.sender.memory.isWhole(kind))) this.#receive();
      },
      known: (kind) => this.sender.memory.texts(kind),
      report: (level, text) => {
        if (!this.#isClosed) log(level, SOURCE, text);
      },
      call: (call) => metrics.apiCalled(call),
      happened: (happening) => metrics.happened(placeOf(this.wish.source), happening),
      programmed: (slice) => this.sender.whenTaken(() => this.#measure(slice)),
    });
    this.#source = source;
    if (this.#isClosed) source.close();
    else if (!this.#isReceived) this.#stopWaiting = timers.every(WAITING_INTERVAL, () => this.#wait());
  }

  get isSynced(): boolean {
    return this.kinds.every((kind) => this.acknowledged.has(kind));
  }

  taken(whole: readonly Kind[]): void {
    this.sender.taken();
    if (this.isSynced) return;
    for (const kind of whole) this.acknowledged.add(kind);
    if (!this.isSynced) return;
    const counts = this.kinds.map((kind) => counted(this.sender.memory.texts(kind).size, kind)).join(', ');
    this.#options.log('info', SOURCE, `synced: ${counts}`);
  }

  statuses(): KindStatus[] {
    const cluster = placeOf(this.wish.source);
    const freshness = this.#source?.freshness?.() ?? [];
    return this.kinds.map((kind) => ({
      labels: { cluster, kind },
      synced: this.acknowledged.has(kind),
      objects: this.sender.memory.texts(kind).size,
      freshness: freshness.find((one) => one.kind === kind),
    }));
  }

  missing(): readonly string[] {
    const missing = this.statuses().filter(({ synced }) => !synced);
    if (missing.length === 0) return [];
    const kinds = missing.map(({ labels }) => labels.kind).join(', ');
    const troubles = missing.flatMap(({ freshness }) => freshness?.trouble ?? []);
    return [`${placeOf(this.wish.source)}: ${kinds} still to come`, ...new Set(troubles)];
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    this.#settle();
    this.#source?.close();
  }

  /** CoreDNS's words, which people search for. It waits before it opens its sockets; here only names wait that are not known yet. */
  #wait(): void {
    const { log, timers } = this.#options;
    const missing = this.kinds.filter((kind) => !this.sender.memory.isWhole(kind)).join(', ');
    if (timers.now() - this.#began < this.wish.startupTimeout) {
      log(
        'info',
        SOURCE,
        `waiting for Kubernetes API: ${missing} to come; names that may be among them get SERVFAIL until then`,
      );
      return;
    }
    const text = `starting server with unsynced Kubernetes API: ${missing} still to come; it keeps trying, /ready says no until then`;
    log('warning', SOURCE, text);
    this.#stopWaiting();
    this.#settle();
  }

  /** CoreDNS measures a slice whose Service it knows, when it can be answered from. */
  #measure({ namespace, service, triggered }: ProgrammedSlice): void {
    const text = this.sender.memory.texts('Service').get(keyOf({ namespace, name: service }));
    const found = text === undefined ? undefined : objectFrom(text);
    if (this.#isClosed || found?.kind !== 'Service') return;
    const isHeadless = found.clusterIPs.includes('None');
    const { metrics, timers } = this.#options;
    metrics.programmed(
      isHeadless ? 'headless_with_selector' : 'cluster_ip',
      Math.max(0, timers.wall() - triggered) / 1000,
    );
  }

  #receive(): void {
    this.#isReceived = true;
    this.#stopWaiting();
    this.#settle();
  }
}

const SOURCE = 'plugin/kubernetes';

function counted(count: Count, kind: Kind): string {
  return `${count} ${kind}${count === 1 ? '' : 's'}`;
}

/** Short, for a label; without what only the server is to know. */
function placeOf({ from }: SourceOptions): string {
  switch (from.kind) {
    case 'in-cluster':
      return 'in-cluster';
    case 'endpoint':
      return URL.parse(from.url)?.origin ?? from.url;
    case 'kubeconfig':
      return from.file;
    case 'manifests':
      return from.folder;
  }
}
