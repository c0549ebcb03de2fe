/**
 * The clusters that the plan asks for: opened once and kept over reloads. Knows nothing of how a source works, nor of what
 * is known of a cluster.
 */

import type { Kind } from '../../zones/kubernetes/objects.ts';
import type { Source, SourceEvents, SourceOptions } from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { ToData } from '../messages.ts';
import { Cluster } from './cluster.ts';
import type { KindStatus } from './cluster-metrics.ts';
import type { Metrics } from './metrics.ts';
import type { SnapshotStatus } from './snapshot-metrics.ts';
import type { Timers } from './timers.ts';

/** A cluster as the Corefile wants it. */
export type ClusterWish = {
  readonly source: SourceOptions;
  /** How long to wait for it before other things go on. */
  readonly startupTimeout: Milliseconds;
  /** The file that keeps what is known of it. */
  readonly snapshot?: string | undefined;
};

/** Opens a source. */
export type OpenSource = (options: SourceOptions, events: SourceEvents) => Source | Promise<Source>;

export type ClustersOptions = {
  readonly open: OpenSource;
  /** Places for data threads. */
  readonly threads: Count;
  /** To the data thread in that place, counted from 0. */
  readonly send: (message: ToData, thread: Count) => void;
  readonly metrics: Pick<Metrics, 'apiCalled' | 'programmed' | 'happened' | 'snapshotWritten'>;
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
      for (const [key, cluster] of this.#clusters) cluster.keepIn(wanted.get(key)?.snapshot);
      for (const [key, cluster] of before) if (this.#clusters.get(key) !== cluster) this.#close(key, cluster);
    };
    return {
      received: Promise.all([...opened.values()].map((cluster) => cluster.received)).then(() => {}),
      commit,
      abandon,
    };
  }

  /** A data thread has taken in a part of a cluster's state, and has these kinds whole. */
  taken(thread: Count, key: string, whole: readonly Kind[]): void {
    (this.#clusters.get(key) ?? this.#prepared.get(key))?.taken(thread, whole);
  }

  /** Another plan is in use: the same objects may give other answers. */
  advance(): void {
    for (const { feed } of this.#clusters.values()) feed.advance();
  }

  /** Is there something to answer from? A snapshot is taken for that when the API server has not come in time. */
  isUsable(key: string): boolean {
    return this.#clusters.get(key)?.isUsable ?? false;
  }

  /** Writes the snapshots that are not as the clusters are. */
  async flush(): Promise<void> {
    await Promise.all(Array.from(this.#clusters.values(), (cluster) => cluster.flush()));
  }

  snapshots(): SnapshotStatus[] {
    return [...this.#clusters.values()].flatMap((cluster) => cluster.snapshotStatus() ?? []);
  }

  /** What the data threads cannot answer from yet, and why: lines for people. */
  missing(key: string): readonly string[] {
    return (this.#clusters.get(key) ?? this.#prepared.get(key))?.missing() ?? [];
  }

  /** Each kind of each cluster. */
  kinds(): KindStatus[] {
    return [...this.#clusters.values()].flatMap((cluster) => cluster.statuses());
  }

  /** Everything, for a data thread that has nothing. */
  *state(thread: Count): Iterable<ToData> {
    for (const [cluster, { feed }] of new Map([...this.#clusters, ...this.#prepared])) {
      for (const part of feed.restart(thread)) yield { type: 'cluster', cluster, part };
    }
  }

  close(): void {
    for (const cluster of [...this.#clusters.values(), ...this.#prepared.values()]) cluster.close();
    this.#clusters.clear();
    this.#prepared.clear();
  }

  #close(key: string, cluster: Cluster): void {
    cluster.close();
    for (let thread = 0; thread < this.#options.threads; thread++) {
      this.#options.send({ type: 'forget-cluster', cluster: key }, thread);
    }
  }
}
