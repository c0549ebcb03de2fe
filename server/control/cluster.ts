/** One cluster: its source, what was reported, and how much of it the data threads have. Knows nothing of plans. */

import type { Kind } from '../../zones/kubernetes/objects.ts';
import { keyOf, objectFrom } from '../../zones/kubernetes/object-text.ts';
import { kindsOf, type ProgrammedSlice, type Source, type SourceOptions } from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { ClusterFeed } from './cluster-feed.ts';
import type { KindStatus } from './cluster-metrics.ts';
import type { ClustersOptions, ClusterWish } from './clusters.ts';
import { ageText, SnapshotKeeper, type SnapshotResult } from './snapshot-keeper.ts';
import type { SnapshotStatus } from './snapshot-metrics.ts';
import type { Stop } from './timers.ts';

/** How often it is said that a cluster is still waited for. */
export const WAITING_INTERVAL: Milliseconds = 1_000;

export class Cluster {
  readonly feed: ClusterFeed;
  /** Resolves when it has been received whole or its time is over. */
  readonly received: Promise<void>;
  readonly #wish: ClusterWish;
  readonly #kinds: readonly Kind[];
  /** Kinds that each data thread has whole, or had before it was replaced. */
  readonly #acknowledged: readonly Set<Kind>[];
  readonly #options: ClustersOptions;
  readonly #began: Milliseconds;
  #keeper: SnapshotKeeper | undefined;
  /** When the snapshot was written that was loaded, since 1970; and have the data threads taken it in? */
  #loaded: Milliseconds | undefined;
  #isLoadTaken = false;
  #isOverdue = false;
  #source: Source | undefined;
  #isClosed = false;
  #isReceived = false;
  #settle: () => void = () => {};
  #stopWaiting: Stop = () => {};

  constructor(key: string, wish: ClusterWish, options: ClustersOptions) {
    this.feed = new ClusterFeed({
      threads: options.threads,
      wallClock: () => options.timers.wall() / 1000,
      send: (part, thread) => options.send({ type: 'cluster', cluster: key, part }, thread),
    });
    this.#acknowledged = Array.from({ length: options.threads }, () => new Set());
    this.#wish = wish;
    this.#kinds = kindsOf(wish.source);
    this.#options = options;
    this.#began = options.timers.now();
    this.received = new Promise((resolve) => (this.#settle = resolve));
  }

  /**
   * Begins to read it: what a snapshot has comes first, unless the source is faster.
   * @throws Error if the source cannot exist: no such folder, not in a cluster, an unreadable kubeconfig
   */
  async open(): Promise<void> {
    const { open, metrics, log, timers } = this.#options;
    this.#keeper = this.#keeperOf(this.#wish.snapshot);
    void this.#keeper?.load((listings, written) => {
      this.#loaded = written;
      this.feed.load(listings);
      this.feed.whenTaken(() => (this.#isLoadTaken = true));
    });
    const source = await open(this.#wish.source, {
      change: (changes) => {
        if (this.#isClosed) return;
        this.feed.apply(changes);
        if (this.#kinds.every((kind) => this.feed.memory.isWhole(kind))) this.#receive();
      },
      known: (kind) => (this.feed.memory.isLoaded(kind) ? NOTHING : this.feed.memory.texts(kind)),
      report: (level, text) => {
        if (!this.#isClosed) log(level, SOURCE, text);
      },
      call: (call) => metrics.apiCalled(call),
      happened: (happening) => metrics.happened(placeOf(this.#wish.source), happening),
      programmed: (slice) => this.feed.whenTaken(() => this.#measure(slice)),
    });
    this.#source = source;
    if (this.#isClosed) source.close();
    else if (!this.#isReceived) this.#stopWaiting = timers.every(WAITING_INTERVAL, () => this.#wait());
  }

  /** Can the data threads answer from it at all? A snapshot is enough for that when the API server has not come in time. */
  get isUsable(): boolean {
    return this.#isSynced || (this.#isOverdue && this.#isFromSnapshot);
  }

  /** Has every data thread been given all that there is? Once it has, it always has. */
  get #isSynced(): boolean {
    return this.#kinds.every((kind) => this.#isAcknowledged(kind));
  }

  #isAcknowledged(kind: Kind): boolean {
    return this.#acknowledged.every((kinds) => kinds.has(kind));
  }

  get #isFromSnapshot(): boolean {
    return this.#isLoadTaken && !this.#isSynced;
  }

  /** It is in use: from now on, what is known is kept in that file, or in none. */
  keepIn(file: string | undefined): void {
    if (this.#keeper?.file !== file) {
      this.#keeper?.close();
      this.#keeper = this.#keeperOf(file);
    }
    this.#keeper?.begin();
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await this.#keeper?.flush();
  }

  /** Undefined if it is not kept, nor answered from what was kept before a reload. */
  snapshotStatus(): SnapshotStatus | undefined {
    const isUsed = this.#isFromSnapshot;
    if (this.#keeper === undefined && !isUsed) return undefined;
    return { cluster: placeOf(this.#wish.source), writtenAt: isUsed ? this.#loaded : this.#keeper?.writtenAt, isUsed };
  }

  /** A data thread has taken in a part of its state, and has these kinds whole. */
  taken(thread: Count, whole: readonly Kind[]): void {
    this.feed.taken(thread);
    if (this.#isSynced) return;
    for (const kind of whole) this.#acknowledged[thread]?.add(kind);
    if (!this.#isSynced) return;
    const counts = this.#kinds.map((kind) => counted(this.feed.memory.texts(kind).size, kind)).join(', ');
    this.#options.log('info', SOURCE, `synced: ${counts}`);
  }

  statuses(): KindStatus[] {
    const cluster = placeOf(this.#wish.source);
    const freshness = this.#source?.freshness?.() ?? [];
    return this.#kinds.map((kind) => ({
      labels: { cluster, kind },
      synced: this.#isAcknowledged(kind),
      objects: this.feed.memory.texts(kind).size,
      freshness: freshness.find((one) => one.kind === kind),
    }));
  }

  /** What the data threads cannot answer from yet, and why: lines for people. */
  missing(): readonly string[] {
    const missing = this.statuses().filter(({ synced }) => !synced);
    if (missing.length === 0) return [];
    const kinds = missing.map(({ labels }) => labels.kind).join(', ');
    const troubles = missing.flatMap(({ freshness }) => freshness?.trouble ?? []);
    return [`${placeOf(this.#wish.source)}: ${kinds} still to come`, ...new Set(troubles)];
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    this.#settle();
    this.#keeper?.close();
    this.#source?.close();
  }

  #keeperOf(file: string | undefined): SnapshotKeeper | undefined {
    if (file === undefined) return undefined;
    const { timers, log, metrics } = this.#options;
    const { source } = this.#wish;
    const wrote = (result: SnapshotResult): void => metrics.snapshotWritten(placeOf(source), result);
    return new SnapshotKeeper({ file, source, memory: this.feed.memory, timers, log, wrote });
  }

  /** CoreDNS's words, which people search for. It waits before it opens its sockets; here only names wait that are not known yet. */
  #wait(): void {
    const { log, timers } = this.#options;
    const missing = this.#kinds.filter((kind) => !this.feed.memory.isWhole(kind)).join(', ');
    const age = this.#loaded === undefined ? '' : ageText(timers.wall() - this.#loaded);
    if (timers.now() - this.#began < this.#wish.startupTimeout) {
      log(
        'info',
        SOURCE,
        `waiting for Kubernetes API: ${missing} to come; ${age === '' ? 'names that may be among them get SERVFAIL' : 'the snapshot is used'} until then`,
      );
      return;
    }
    const meanwhile =
      age === ''
        ? '/ready says no until then'
        : `until then answers are those of a snapshot written ${age} ago, and /ready says yes`;
    log(
      'warning',
      SOURCE,
      `starting server with unsynced Kubernetes API: ${missing} still to come; it keeps trying, ${meanwhile}`,
    );
    this.#isOverdue = true;
    this.#stopWaiting();
    this.#settle();
  }

  /** CoreDNS measures a slice whose Service it knows, when its own tables have it. */
  #measure({ namespace, service, triggered }: ProgrammedSlice): void {
    const text = this.feed.memory.texts('Service').get(keyOf({ namespace, name: service }));
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
const NOTHING: ReadonlyMap<string, string> = new Map();

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
