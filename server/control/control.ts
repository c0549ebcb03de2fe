/**
 * The control thread as one object: the configuration in use and everything that serves it. Knows nothing of the process: no
 * arguments, signals or exit codes.
 */

import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Plugin } from '../pipeline.ts';
import { VERSION } from '../version.ts';
import type { HttpAddress } from './admin-http.ts';
import { demoLines, startLines, type Surroundings } from './banner.ts';
import { Clusters, type OpenSource } from './clusters.ts';
import type { Configuration, ReadConfiguration } from './configuration.ts';
import type { StartWorker } from './data-thread.ts';
import { Endpoints, type EndpointWish } from './endpoints.ts';
import { checkHealth, healthPage } from './health.ts';
import type { Logger } from './logger.ts';
import { openMetrics, type Metrics } from './metrics.ts';
import { isOwnHost } from './own-host.ts';
import { ownPlanOf, type OwnPlan } from './own-plan.ts';
import { Readiness } from './ready.ts';
import { Reloader } from './reload.ts';
import { SeriesBook } from './series.ts';
import { Supervisor } from './supervisor.ts';
import { pause, type Stop, type Timers } from './timers.ts';

export type ControlOptions = {
  readonly read: ReadConfiguration;
  /** What may stand in the Corefile, by word. */
  readonly plugins: ReadonlyMap<string, Plugin<unknown>>;
  readonly start: StartWorker;
  readonly open: OpenSource;
  readonly logger: Logger;
  readonly timers: Timers;
  /** A whole number from 0 to below the limit. */
  readonly random: (below: number) => number;
  readonly surroundings: Surroundings;
  /** No banner. */
  readonly quiet: boolean;
  /** Is it the demo that comes with the program? */
  readonly isDemo: boolean;
};

export type Control = {
  /** `host:port` of the DNS sockets. */
  readonly listening: readonly string[];
  /** Where a path is served over HTTP; undefined if it is not. */
  readonly boundTo: (path: string) => HttpAddress | undefined;
  /** Reads the Corefile again; a bad one changes nothing. */
  readonly reload: () => Promise<void>;
  /** Ends it all. With lameduck it first says that it is not ready, and answers for as long as `health` says. */
  readonly stop: (how: { readonly lameduck: boolean }) => Promise<void>;
};

/** For queries that were accepted; as in CoreDNS, and a little more for the message that it is done. */
const DRAIN_LIMIT: Milliseconds = 5_500;

/** For the snapshots of clusters; a disk that takes longer is not waited for. */
const FLUSH_LIMIT: Milliseconds = 2_000;

/**
 * Reads the configuration and serves it.
 * @throws CorefileError, or Error that says what cannot be had: a port, a cluster's credentials
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const configuration = options.read();
  for (const warning of configuration.warnings) options.logger.log('warning', '', warning);
  const running = new Running(options, configuration);
  try {
    await running.begin(configuration);
  } catch (error) {
    await running.close();
    throw error;
  }
  return {
    get listening() {
      return running.listening;
    },
    boundTo: (path) => running.boundTo(path),
    reload: () => running.reload(),
    stop: ({ lameduck }) => running.stop(lameduck),
  };
}

class Running {
  readonly #options: ControlOptions;
  readonly #series = new SeriesBook();
  readonly #endpoints = new Endpoints();
  readonly #clusters: Clusters;
  readonly #supervisor: Supervisor;
  /** Data threads, from the start to the end. */
  readonly #threads: Count;
  readonly #readiness: Readiness;
  readonly #metrics: Metrics;
  readonly #reloader: Reloader;
  #own: OwnPlan | undefined;
  #wishes: readonly EndpointWish[] = [];
  #stopChecks: readonly Stop[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: ControlOptions, configuration: Configuration) {
    const { timers, logger } = options;
    const { log } = logger;
    this.#options = options;
    this.#threads = ownPlanOf(configuration.plan, options.plugins).threads;
    this.#metrics = openMetrics({
      series: this.#series,
      now: timers.now,
      droppedLines: () => logger.dropped() + this.#supervisor.droppedLines,
      droppedConnections: () => this.#endpoints.droppedConnections,
      answeringThreads: () => this.#supervisor.answering,
      kinds: () => this.#clusters.kinds(),
      snapshots: () => this.#clusters.snapshots(),
      plugins: () => this.#own?.enabled ?? [],
      version: VERSION,
      revision: options.surroundings.revision,
      runtime: options.surroundings.runtime,
    });
    this.#clusters = new Clusters({
      open: options.open,
      threads: this.#threads,
      send: (message, thread) => this.#supervisor.send(message, thread),
      metrics: this.#metrics,
      timers,
      log,
    });
    this.#supervisor = new Supervisor({
      threads: this.#threads,
      start: options.start,
      timers,
      log,
      series: this.#series,
      state: (thread) => this.#clusters.state(thread),
      taken: (thread, cluster, whole) => this.#clusters.taken(thread, cluster, whole),
      restarted: () => this.#metrics.dataThreadRestarted(),
    });
    this.#readiness = new Readiness({
      isAnswering: () => this.#supervisor.isWhole,
      isUsable: (cluster) => this.#clusters.isUsable(cluster),
      missing: (cluster) => this.#clusters.missing(cluster),
      log,
    });
    this.#reloader = new Reloader(
      {
        read: options.read,
        use: (next) => this.#use(next),
        timers,
        log,
        metrics: this.#metrics,
        random: options.random,
      },
      configuration,
    );
  }

  async begin(configuration: Configuration): Promise<void> {
    await this.#use(configuration);
    const { plan } = configuration;
    const { logger, quiet, isDemo, surroundings } = this.#options;
    if (quiet) return;
    const lines = [...startLines(plan, surroundings), ...(isDemo ? demoLines(plan, this.#own?.clusterZones[0]) : [])];
    for (const line of lines) logger.print(line);
  }

  get listening(): readonly string[] {
    return this.#supervisor.listening;
  }

  boundTo(path: string): HttpAddress | undefined {
    const wish = this.#wishes.find((one) => one.path === path);
    return wish === undefined ? undefined : this.#endpoints.boundTo(wish.address);
  }

  reload(): Promise<void> {
    return this.#reloader.reload();
  }

  /** Once it has begun it is only waited for. */
  stop(lameduck: boolean): Promise<void> {
    return (this.#stopping ??= this.#stop(lameduck));
  }

  async close(): Promise<void> {
    this.#reloader.close();
    for (const stop of this.#stopChecks) stop();
    this.#clusters.close();
    await this.#supervisor.close();
    await this.#endpoints.close();
  }

  /** What can fail is tried before anything that is in use is touched. */
  async #use({ plan }: Configuration): Promise<void> {
    const own = ownPlanOf(plan, this.#options.plugins);
    const { log } = this.#options.logger;
    for (const { plugin, text } of own.warnings) log('warning', `plugin/${plugin}`, text);
    if (own.threads !== this.#threads) {
      const text = `${own.threads} data threads are asked for; that takes a restart, until then there are ${this.#threads}`;
      log('warning', 'plugin/multisocket', text);
    }
    const wishes = this.#wishesOf(own);
    const endpoints = await this.#endpoints.prepare(wishes);
    let commitClusters: () => void;
    try {
      const clusters = await this.#clusters.prepare(own.clusters);
      // A reload waits for a new cluster, so that names that were answered stay answered; a start does not.
      if (this.#own !== undefined) await clusters.received;
      const outcome = await this.#supervisor.apply(plan);
      if (outcome.kind === 'refused') {
        clusters.abandon();
        throw new Error(outcome.message);
      }
      commitClusters = clusters.commit;
    } catch (error) {
      await endpoints.abandon();
      throw error;
    }
    commitClusters();
    this.#clusters.advance();
    this.#own = own;
    this.#wishes = wishes;
    await endpoints.commit();
    for (const stop of this.#stopChecks) stop();
    const { timers, logger } = this.#options;
    this.#stopChecks = own.health.map((address) => {
      return checkHealth(this.#endpoints.boundTo(address) ?? address, timers, this.#metrics, logger.log);
    });
    this.#reloader.schedule(own.reload);
  }

  #wishesOf(own: OwnPlan): readonly EndpointWish[] {
    const metrics = async (): Promise<{ status: number; contentType: string; body: string }> => {
      return { status: 200, contentType: this.#metrics.contentType, body: await this.#metrics.render() };
    };
    return [
      ...own.health.map((address) => ({
        address,
        path: '/health',
        source: { page: () => healthPage(this.#supervisor.isAnswering), isOwnHost: undefined },
      })),
      ...own.ready.map(({ address, clusters, monitor }) => ({
        address,
        path: '/ready',
        source: { page: () => this.#readiness.page(clusters, monitor), isOwnHost: undefined },
      })),
      ...own.metrics.map((address) => ({
        address,
        path: '/metrics',
        source: { page: metrics, isOwnHost: (host: string) => isOwnHost(host, own.clusterZones) },
      })),
    ];
  }

  /** Watching and answering go on until the end of the lameduck time: changes still come to those who still ask. */
  async #stop(lameduck: boolean): Promise<void> {
    const { timers, logger } = this.#options;
    this.#readiness.leave();
    this.#reloader.close();
    const span = lameduck ? (this.#own?.lameduck ?? 0) : 0;
    if (span > 0) {
      logger.log('info', 'plugin/health', `Going into lameduck mode for ${span / 1000}s`);
      await pause(timers, span);
    }
    const isDrained = await this.#supervisor.drain(DRAIN_LIMIT);
    if (!isDrained)
      logger.log('warning', '', 'Some queries were not answered before the end: an upstream was slower than the stop.');
    await pause(timers, FLUSH_LIMIT, this.#clusters.flush());
    await this.close();
  }
}
