/** What is shown of clusters and of how they are followed. */

import test from 'ava';
import { Registry } from 'prom-client';

import { openClusterMetrics, type CountHappening, type KindStatus } from '../../../server/control/cluster-metrics.ts';
import {
  RECONNECT_REASONS,
  RELIST_REASONS,
  RESYNC_OUTCOMES,
  type Freshness,
  type Happening,
} from '../../../zones/kubernetes/following.ts';
import type { Kind } from '../../../zones/kubernetes/objects.ts';
import { readExposition } from '../../support/exposition.ts';

function opened(): { happened: CountHappening; statuses: KindStatus[]; lines: () => Promise<string[]> } {
  const registry = new Registry();
  const statuses: KindStatus[] = [];
  const happened = openClusterMetrics(registry, () => statuses);
  const lines = async (): Promise<string[]> => {
    const families = [...readExposition(await registry.metrics()).values()];
    return families.flatMap(({ samples }) =>
      samples.map(({ name, labels, value }) => `${name} ${Object.values(labels).join(' ')} ${value}`),
    );
  };
  return { happened, statuses, lines };
}

function status(kind: Kind, freshness?: Partial<Freshness>, more: Partial<KindStatus> = {}): KindStatus {
  const none = { kind, staleness: 1, sinceByte: undefined, sinceBookmark: undefined, trouble: undefined };
  return {
    labels: { cluster: 'in-cluster', kind },
    synced: true,
    objects: 7,
    freshness: freshness === undefined ? undefined : { ...none, ...freshness },
    ...more,
  };
}

test('every series of a kind that is followed is there as 0 before anything happens', async (t) => {
  const { statuses, lines } = opened();
  statuses.push(status('Service', {}));
  const found = new Set(await lines());
  for (const name of ['events', 'dropped_events', 'stalls', 'protocol_errors', 'gaps']) {
    t.true(found.has(`fivedots_reflector_${name}_total in-cluster Service 0`), name);
  }
  for (const outcome of RESYNC_OUTCOMES) {
    t.true(found.has(`fivedots_reflector_resyncs_total in-cluster Service ${outcome} 0`), outcome);
  }
  for (const reason of RELIST_REASONS) {
    t.true(found.has(`fivedots_reflector_relists_total in-cluster Service ${reason} 0`), reason);
  }
  for (const reason of RECONNECT_REASONS) {
    t.true(found.has(`fivedots_reflector_reconnects_total in-cluster Service ${reason} 0`), reason);
  }
});

test('what happens is added up, and stays when the kind is asked for no more', async (t) => {
  const { happened, statuses, lines } = opened();
  statuses.push(status('Service', {}));
  await lines();
  const happenings: readonly Happening[] = [
    { what: 'events', kind: 'Service', count: 3 },
    { what: 'events', kind: 'Service', count: 2 },
    { what: 'dropped-events', kind: 'Service', count: 1 },
    { what: 'stalls', kind: 'Service', count: 1 },
    { what: 'protocol-errors', kind: 'Service', count: 1 },
    { what: 'gaps', kind: 'Service', count: 2 },
    { what: 'resyncs', kind: 'Service', outcome: 'compared' },
    { what: 'relists', kind: 'Service', reason: 'expired' },
    { what: 'reconnects', kind: 'Service', reason: 'ended' },
    { what: 'reconnects', kind: 'Service', reason: 'ended' },
  ];
  for (const happening of happenings) happened('in-cluster', happening);
  statuses.length = 0;
  t.deepEqual(
    (await lines()).filter((line) => !line.endsWith(' 0')),
    [
      'fivedots_reflector_events_total in-cluster Service 5',
      'fivedots_reflector_dropped_events_total in-cluster Service 1',
      'fivedots_reflector_stalls_total in-cluster Service 1',
      'fivedots_reflector_protocol_errors_total in-cluster Service 1',
      'fivedots_reflector_gaps_total in-cluster Service 2',
      'fivedots_reflector_resyncs_total in-cluster Service compared 1',
      'fivedots_reflector_relists_total in-cluster Service expired 1',
      'fivedots_reflector_reconnects_total in-cluster Service ended 2',
    ],
  );
});

test('ages are absent as long as there is nothing that they count from, and all of them for files', async (t) => {
  const { statuses, lines } = opened();
  statuses.push(
    status('Namespace'),
    status('Service', {}),
    status('Pod', { staleness: 0, sinceByte: 2, sinceBookmark: 9.5 }),
  );
  const gauges = (await lines()).filter((line) => !line.includes('_total '));
  t.deepEqual(gauges, [
    'fivedots_cluster_synced in-cluster Namespace 1',
    'fivedots_cluster_synced in-cluster Service 1',
    'fivedots_cluster_synced in-cluster Pod 1',
    'fivedots_cluster_objects in-cluster Namespace 7',
    'fivedots_cluster_objects in-cluster Service 7',
    'fivedots_cluster_objects in-cluster Pod 7',
    'fivedots_cluster_staleness_seconds in-cluster Service 1',
    'fivedots_cluster_staleness_seconds in-cluster Pod 0',
    'fivedots_reflector_seconds_since_byte in-cluster Pod 2',
    'fivedots_reflector_seconds_since_bookmark in-cluster Pod 9.5',
  ]);
  t.false((await lines()).some((line) => line.includes('_total in-cluster Namespace')));
});

test('of two sources that read one cluster the one that is further behind is shown; a kind that goes is shown no more', async (t) => {
  const { statuses, lines } = opened();
  statuses.push(status('Service', { staleness: 40 }), status('Service', { staleness: 0 }));
  t.true((await lines()).includes('fivedots_cluster_staleness_seconds in-cluster Service 40'));
  statuses.shift();
  t.true((await lines()).includes('fivedots_cluster_staleness_seconds in-cluster Service 0'));
  statuses.shift();
  t.false((await lines()).some((line) => line.startsWith('fivedots_cluster')));
});
