/** When the Corefile is read again, and what is said of it. Knows nothing of how a configuration is put into use. */

import type { Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { ReloadOptions } from '../plugins/reload.ts';
import type { Configuration, ReadConfiguration } from './configuration.ts';
import type { Metrics } from './metrics.ts';
import type { Stop, Timers } from './timers.ts';

export type ReloaderOptions = {
  readonly read: ReadConfiguration;
  /**
   * Puts it into use.
   * @throws Error that says why it cannot be used; then the one before stays
   */
  readonly use: (configuration: Configuration) => Promise<void>;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'reloadFailed' | 'reloaded'>;
  /** A whole number from 0 to below the limit. */
  readonly random: (below: number) => number;
};

export class Reloader {
  readonly #options: ReloaderOptions;
  #hash: string;
  /** What failed last: it is not tried, nor complained of, a second time until it changes. */
  #failed = '';
  #stopTimer: Stop = () => {};
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** @param configuration the one in use */
  constructor(options: ReloaderOptions, configuration: Configuration) {
    this.#options = options;
    this.#hash = configuration.hash;
  }

  /** Looks at the Corefile at intervals from now on, or no longer. */
  schedule(plan: ReloadOptions | undefined): void {
    this.#stopTimer();
    this.#stopTimer = () => {};
    if (plan === undefined || this.#isClosed) return;
    this.#announce();
    this.#stopTimer = this.#options.timers.every(this.#period(plan), () => void this.#queue(() => this.#look()));
  }

  /** Reads the Corefile and puts it into use, whether it changed or not: somebody asked for it. */
  reload(): Promise<void> {
    return this.#queue(() => this.#reload());
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  /** One at a time. */
  #queue(work: () => Promise<void>): Promise<void> {
    this.#running = this.#running.then(() => (this.#isClosed ? undefined : work()));
    return this.#running;
  }

  async #reload(): Promise<void> {
    this.#options.log('info', '', 'Reloading');
    let hash: string | undefined;
    try {
      const configuration = this.#options.read();
      ({ hash } = configuration);
      await this.#use(configuration);
    } catch (error) {
      this.#failed = hash ?? messageOf(error);
      this.#fail(`Reload failed: ${messageOf(error)}`);
    }
  }

  async #look(): Promise<void> {
    let configuration: Configuration;
    try {
      configuration = this.#options.read();
    } catch (error) {
      this.#failOnce(messageOf(error), messageOf(error));
      return;
    }
    if (configuration.hash === this.#hash) {
      this.#failed = '';
      return;
    }
    if (configuration.hash === this.#failed) return;
    this.#options.log('info', '', 'Reloading');
    try {
      await this.#use(configuration);
    } catch (error) {
      this.#failOnce(configuration.hash, messageOf(error));
    }
  }

  async #use(configuration: Configuration): Promise<void> {
    const { use, log, metrics } = this.#options;
    if (configuration.isEmpty && configuration.hash !== this.#hash) throw new Error(EMPTIED);
    for (const warning of configuration.warnings) log('warning', '', warning);
    const before = this.#hash;
    this.#hash = configuration.hash;
    try {
      await use(configuration);
    } catch (error) {
      this.#hash = before;
      throw error;
    }
    this.#failed = '';
    metrics.reloaded(this.#hash);
    log('info', '', 'Reloading complete');
  }

  #failOnce(what: string, why: string): void {
    if (what === this.#failed) return;
    this.#failed = what;
    this.#fail(`Corefile changed but reload failed: ${why}`);
  }

  #fail(text: string): void {
    if (this.#isClosed) return;
    this.#options.metrics.reloadFailed();
    this.#options.log('error', SOURCE, `${text}. The configuration before it stays in use.`);
  }

  #announce(): void {
    this.#options.metrics.reloaded(this.#hash);
    this.#options.log('info', SOURCE, `Running configuration SHA512 = ${this.#hash}`);
  }

  /** Half of the jitter more or less, drawn anew for each configuration, so that replicas do not reload together. */
  #period({ interval, jitter }: ReloadOptions): Milliseconds {
    return interval - jitter / 2 + this.#options.random(jitter + 1);
  }
}

const SOURCE = 'plugin/reload';

/** Editors and copies empty a file before they write it; at a start an empty Corefile is what it is in CoreDNS. */
const EMPTIED = 'the Corefile has no server block (any more): perhaps it is being written';

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
