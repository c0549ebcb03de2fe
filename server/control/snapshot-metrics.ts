/** What /metrics says of snapshots. Knows nothing of how they are kept. */

import { Counter, Gauge, type Registry } from 'prom-client';

import type { Milliseconds } from '../../zones/units.ts';
import type { SnapshotResult } from './snapshot-keeper.ts';

/** A cluster that has a snapshot, at the moment of asking. */
export type SnapshotStatus = {
  readonly cluster: string;
  /** Since 1970; undefined if there is none that is known. */
  readonly writtenAt: Milliseconds | undefined;
  /** Is the cluster answered from it? */
  readonly isUsed: boolean;
};

/** Counts an attempt to write a cluster's snapshot. */
export type CountSnapshot = (cluster: string, result: SnapshotResult) => void;

/** Two snapshots may be of one cluster, read in two ways: of what is shown the worse is, one that is used and the older one. */
export function openSnapshotMetrics(registry: Registry, statuses: () => Iterable<SnapshotStatus>): CountSnapshot {
  gauge(
    'fivedots_cluster_from_snapshot',
    'Whether a cluster is answered from its snapshot, because its API server has not been read yet.',
    ({ isUsed }) => Number(isUsed),
    Math.max,
  );
  gauge(
    'fivedots_snapshot_written_timestamp_seconds',
    'When a snapshot was written, since 1970.',
    ({ writtenAt }) => (writtenAt === undefined ? undefined : writtenAt / 1000),
    Math.min,
  );
  const writes = new Counter({
    name: 'fivedots_snapshot_writes_total',
    help: 'Attempts to write a snapshot.',
    labelNames: ['cluster', 'result'],
    collect: () => {
      for (const { cluster } of statuses()) for (const result of RESULTS) writes.inc({ cluster, result }, 0);
    },
    registers: [registry],
  });
  return (cluster, result) => writes.inc({ cluster, result });

  function gauge(
    name: string,
    help: string,
    read: (status: SnapshotStatus) => number | undefined,
    worse: (one: number, other: number) => number,
  ): void {
    const collect = (): void => {
      const worst = new Map<string, number>();
      for (const status of statuses()) {
        const { cluster } = status;
        const value = read(status);
        if (value !== undefined) worst.set(cluster, worse(value, worst.get(cluster) ?? value));
      }
      made.reset();
      for (const [cluster, value] of worst) made.set({ cluster }, value);
    };
    const made = new Gauge({ name, help, labelNames: ['cluster'], collect, registers: [registry] });
  }
}

const RESULTS: readonly SnapshotResult[] = ['written', 'failed'];
