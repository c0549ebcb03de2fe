/**
 * Keeps what is known of a cluster in a file, for a start while its API server is away: reads it once, and writes it after
 * changes. Knows nothing of what the file looks like, nor of what is done with the objects.
 */

import type { ClusterMemory } from '../../zones/kubernetes/cluster-memory.ts';
import type { Listing } from '../../zones/kubernetes/listing.ts';
import { contentOf, encodeSnapshot } from '../../zones/kubernetes/snapshot/snapshot-format.ts';
import { readSnapshot, writeSnapshot } from '../../zones/kubernetes/snapshot/snapshot-file.ts';
import { kindsOf, type SourceOptions } from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Log } from '../log.ts';
import type { Stop, Timers } from './timers.ts';

/** A file that is as large as the cluster is not written for every change. */
export const SNAPSHOT_INTERVAL: Milliseconds = 10_000;

export type SnapshotResult = 'written' | 'failed';

export type SnapshotKeeperOptions = {
  readonly file: string;
  readonly source: SourceOptions;
  readonly memory: ClusterMemory;
  readonly timers: Timers;
  readonly log: Log;
  /** Told of each attempt to write. */
  readonly wrote: (result: SnapshotResult) => void;
};

export class SnapshotKeeper {
  readonly file: string;
  readonly #options: SnapshotKeeperOptions;
  #stop: Stop | undefined;
  readonly #closed = new AbortController();
  /** `memory.changes` when it was as the file is. */
  #kept: Count | undefined;
  #writtenAt: Milliseconds | undefined;
  #writing: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: SnapshotKeeperOptions) {
    this.file = options.file;
    this.#options = options;
  }

  /** From now on the file is this cluster's: it is written when something has changed. */
  begin(): void {
    this.#stop ??= this.#options.timers.every(SNAPSHOT_INTERVAL, () => void this.save());
  }

  /** When what the file holds was written, since 1970; undefined if that is not known. */
  get writtenAt(): Milliseconds | undefined {
    return this.#writtenAt;
  }

  /** The objects of the file and when it was written, if it can be used, given to `use` in one call; what comes of it is said in the log. */
  async load(use: (listings: readonly Listing[], written: Milliseconds) => void): Promise<void> {
    const { source, memory, timers, log } = this.#options;
    const reading = await readSnapshot(this.file, source);
    if (this.#closed.signal.aborted) return;
    if (reading.kind !== 'read') {
      const what = reading.kind === 'missing' ? 'There is no snapshot yet' : 'The snapshot is not used';
      const why = reading.kind === 'missing' ? '' : `: it ${reading.why}`;
      const level = reading.kind === 'missing' ? 'info' : 'warning';
      log(level, SOURCE, `${what} (${this.file})${why}. ${WITHOUT}`);
      return;
    }
    const { listings, written } = reading.snapshot;
    const read = kindsOf(source).filter((kind) => memory.isWhole(kind));
    if (read.length === listings.length) {
      log('info', SOURCE, `The snapshot is not needed (${this.file}): the API server was faster.`);
      return;
    }
    this.#writtenAt = written;
    use(listings, written);
    if (read.length === 0) this.#kept = memory.changes;
    const count = listings.reduce((sum, { size }) => sum + size, 0);
    const when = `${new Date(written).toISOString()}, ${ageText(timers.wall() - written)} ago`;
    log('info', SOURCE, `The snapshot is used (${this.file}, ${count} objects, written ${when}). ${WITH}`);
  }

  /** Writes what is known, if all of it is known and the file has something else. Failures are said once and tried again. */
  save(): Promise<void> {
    return (this.#writing ??= this.#save().finally(() => (this.#writing = undefined)));
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    await this.#writing;
    await this.save();
  }

  /** Nothing is read or written any more. */
  close(): void {
    this.#stop?.();
    this.#closed.abort();
  }

  async #save(): Promise<void> {
    const { source, memory, timers, log, wrote } = this.#options;
    const { changes } = memory;
    const content = changes === this.#kept ? undefined : contentOf(memory, kindsOf(source));
    if (content === undefined || this.#closed.signal.aborted) return;
    const now = timers.wall();
    try {
      await writeSnapshot(this.file, encodeSnapshot(source, content, now), this.#closed.signal);
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      wrote('failed');
      if (!this.#isFailing)
        log('warning', SOURCE, `The snapshot cannot be written (${this.file}): ${String(error)}. ${RETRY}`);
      this.#isFailing = true;
      return;
    }
    wrote('written');
    if (this.#isFailing) log('info', SOURCE, `The snapshot is written again (${this.file}).`);
    this.#isFailing = false;
    this.#kept = changes;
    this.#writtenAt = now;
  }
}

/** In the largest unit that fits. */
export function ageText(age: Milliseconds): string {
  const seconds = Math.max(0, Math.round(age / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

const SOURCE = 'plugin/kubernetes';
const WITHOUT = 'Names of the cluster get SERVFAIL until the API server has been read.';
const WITH = 'Names of the cluster are answered from it, as stale ones, until the API server has been read.';
const RETRY = `Answers do not depend on it, but the next start may. Make its folder one that can be written; it is tried again every ${SNAPSHOT_INTERVAL / 1000} s.`;
