/** What /metrics says of clusters: what is known of each kind, and how it is followed. Knows nothing of how that is done. */

import { Counter, Gauge, type Registry } from 'prom-client';

import {
  RECONNECT_REASONS,
  RELIST_REASONS,
  RESYNC_OUTCOMES,
  type Freshness,
  type Happening,
  type Tally,
} from '../../zones/kubernetes/following.ts';
import type { Kind } from '../../zones/kubernetes/objects.ts';
import type { Count } from '../../zones/units.ts';

/** One kind of one cluster, at the moment of asking. */
export type KindStatus = {
  readonly labels: { readonly cluster: string; readonly kind: Kind };
  /** Does the data thread have it? */
  readonly synced: boolean;
  /** How many are known. */
  readonly objects: Count;
  /** Undefined for what does not come from an API server. */
  readonly freshness: Freshness | undefined;
};

/** Counts what happens to a cluster. */
export type CountHappening = (cluster: string, happening: Happening) => void;

/** Two sources may read one cluster: what is counted is added up, and of what is measured the largest is shown. */
export function openClusterMetrics(registry: Registry, statuses: () => Iterable<KindStatus>): CountHappening {
  gauge('fivedots_cluster_synced', 'Whether all objects of a kind have been received.', ({ synced }) => Number(synced));
  gauge('fivedots_cluster_objects', 'Objects that are known.', ({ objects }) => objects);
  gauge(
    'fivedots_cluster_staleness_seconds',
    'Time since a kind was followed by a watch or read by a list, or, before that, since it was first asked for; 0 while it is followed.',
    ({ freshness }) => freshness?.staleness,
  );
  gauge(
    'fivedots_reflector_seconds_since_byte',
    'Time since the API server last said anything of a kind.',
    ({ freshness }) => freshness?.sinceByte,
  );
  gauge(
    'fivedots_reflector_seconds_since_bookmark',
    'Time since the last bookmark; an API server sends one a minute.',
    ({ freshness }) => freshness?.sinceBookmark,
  );
  const tallies: { readonly [T in Tally]: Counter } = {
    events: counter('fivedots_reflector_events_total', 'Changes that watches told.'),
    'dropped-events': counter(
      'fivedots_reflector_dropped_events_total',
      'Changes that were older than what was known, and left aside.',
    ),
    stalls: counter('fivedots_reflector_stalls_total', 'Lists and watches that were left because they went silent.'),
    'protocol-errors': counter(
      'fivedots_reflector_protocol_errors_total',
      'Lists and watches that were left because they could not be read.',
    ),
    gaps: counter(
      'fivedots_reflector_gaps_total',
      'Objects that a list taken aside showed otherwise than the watch had told them. They were put right.',
    ),
  };
  const resyncs = counter(
    'fivedots_reflector_resyncs_total',
    'Lists taken aside to look for gaps, by what became of them.',
    { outcome: RESYNC_OUTCOMES },
  );
  const interruptions = {
    relists: counter(
      'fivedots_reflector_relists_total',
      'Times that a kind had to be listed again, by what had happened.',
      { reason: RELIST_REASONS },
    ),
    reconnects: counter(
      'fivedots_reflector_reconnects_total',
      'Times that a watch had to be opened again, by what had ended the one before.',
      { reason: RECONNECT_REASONS },
    ),
  };
  return (cluster, happening) => {
    const { kind } = happening;
    if (happening.what === 'resyncs') resyncs.inc({ cluster, kind, outcome: happening.outcome });
    else if ('reason' in happening) interruptions[happening.what].inc({ cluster, kind, reason: happening.reason });
    else tallies[happening.what].inc({ cluster, kind }, happening.count);
  };

  function gauge(name: string, help: string, read: (status: KindStatus) => number | undefined): void {
    const collect = (): void => {
      const largest = new Map<string, number>();
      made.reset();
      for (const status of statuses()) {
        const value = read(status);
        const { labels } = status;
        const key = JSON.stringify(labels);
        if (value === undefined || value < (largest.get(key) ?? value)) continue;
        largest.set(key, value);
        made.set(labels, value);
      }
    };
    const made = new Gauge({ name, help, labelNames: LABELS, collect, registers: [registry] });
  }

  /** Every series is there from the first scrape on, so that its first increase is one (`rate` needs a value before it). */
  function counter(name: string, help: string, more: Readonly<Record<string, readonly string[]>> = {}): Counter {
    const values = Object.entries(more).flatMap(([label, all]) => all.map((value) => ({ [label]: value })));
    const collect = (): void => {
      for (const { labels, freshness } of statuses()) {
        if (freshness === undefined) continue;
        for (const value of values.length === 0 ? [{}] : values) made.inc({ ...labels, ...value }, 0);
      }
    };
    const labelNames = [...LABELS, ...Object.keys(more)];
    const made = new Counter({ name, help, labelNames, collect, registers: [registry] });
    return made;
  }
}

const LABELS = ['cluster', 'kind'];
