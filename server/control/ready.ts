/** The readiness page. Knows nothing of HTTP, nor of what makes a cluster one that can be answered from. */

import type { Log } from '../log.ts';
import type { Monitor } from '../plugins/ready.ts';
import { textPage, type Page } from './admin-http.ts';
import { escapeText } from './logger.ts';

export type ReadinessSources = {
  /** Are the sockets open and does a data thread read them? */
  readonly isAnswering: () => boolean;
  /** Can queries be answered from this cluster? */
  readonly isUsable: (cluster: string) => boolean;
  /** What is not there of a cluster that is not usable, and why: lines for people. */
  readonly missing: (cluster: string) => readonly string[];
  readonly log: Log;
};

/** Readiness of one server, from its start to its end. */
export class Readiness {
  readonly #sources: ReadinessSources;
  #wasUsable = false;
  #isLeaving = false;
  #lastSaid = '';

  constructor(sources: ReadinessSources) {
    this.#sources = sources;
  }

  /** The server stops: it still answers, but is not to be given new clients. */
  leave(): void {
    this.#isLeaving = true;
  }

  /**
   * 200, or 503 with the names of what is not ready, sorted and with commas (CoreDNS plugin/ready), and on further lines what
   * is missing of the clusters.
   */
  page(clusters: readonly string[], monitor: Monitor): Page {
    if (this.#isLeaving) return textPage(503, 'shutting down');
    const waiting: string[] = [];
    if (!this.#sources.isAnswering()) waiting.push('dns');
    const isUsable = this.#isUsable(clusters, monitor);
    if (!isUsable) waiting.push('kubernetes');
    const names = waiting.join(',');
    if (names !== this.#lastSaid && names !== '') {
      this.#sources.log('info', 'plugin/ready', `Plugins not ready: "${names}"`);
    }
    this.#lastSaid = names;
    if (names === '') return textPage(200, 'OK');
    const missing = isUsable ? [] : clusters.flatMap((cluster) => this.#sources.missing(cluster)).map(escapeText);
    return textPage(503, [names, ...missing].join('\n'));
  }

  /** With `until-ready` a plugin that was ready once is not asked again (CoreDNS's default). */
  #isUsable(clusters: readonly string[], monitor: Monitor): boolean {
    if (this.#wasUsable && monitor === 'until-ready') return true;
    const isUsable = clusters.every((cluster) => this.#sources.isUsable(cluster));
    if (isUsable && clusters.length > 0) this.#wasUsable = true;
    return isUsable;
  }
}
