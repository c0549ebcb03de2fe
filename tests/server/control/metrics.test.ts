/** The text that Prometheus scrapes, read back by a strict reader of our own. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';
import fc from 'fast-check';

import { helpOf } from '../../../server/control/metric-help.ts';
import { openMetrics, type Metrics, type MetricSources } from '../../../server/control/metrics.ts';
import { SeriesBook } from '../../../server/control/series.ts';
import { COUNTER_SLOTS, Counters, type Labels } from '../../../server/counters.ts';
import { readExposition, type ExposedFamily } from '../../support/exposition.ts';
import { FakeTimers } from '../../support/fake-timers.ts';

function opened(sources: Partial<MetricSources> = {}): {
  metrics: Metrics;
  counters: Counters;
  timers: FakeTimers;
} {
  const timers = new FakeTimers();
  const series = new SeriesBook();
  const memory = new SharedArrayBuffer(8 * COUNTER_SLOTS);
  const counters = new Counters(memory, series.attach(memory).announce);
  const metrics = openMetrics({
    series,
    now: () => timers.now(),
    droppedLines: () => 0,
    droppedConnections: () => 0,
    answeringThreads: () => 1,
    kinds: () => [],
    snapshots: () => [],
    plugins: () => [],
    version: '1.2.3',
    revision: 'abc',
    runtime: 'v26.9.0',
    ...sources,
  });
  return { metrics, counters, timers };
}

async function scrape(metrics: Metrics): Promise<Map<string, ExposedFamily>> {
  return readExposition(await metrics.render());
}

function valueOf(families: Map<string, ExposedFamily>, name: string, labels: Labels = {}): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return samples.find((one) => one.name === name && Object.entries(labels).every(([k, v]) => one.labels[k] === v))
    ?.value;
}

test('counters, gauges and histograms of the data thread are shown with help, type and cumulative buckets', async (t) => {
  const { metrics, counters } = opened();
  const labels = { server: 'dns://:53', zone: '.' };
  counters.counter('coredns_dns_requests_total', labels).add(2);
  counters.gauge('coredns_cache_entries', labels).set(9);
  const seconds = counters.histogram('coredns_dns_request_duration_seconds', [0.25, 1], labels);
  for (const value of [0.1, 0.2, 0.5, 3]) seconds.observe(value);
  const families = await scrape(metrics);
  t.is(valueOf(families, 'coredns_dns_requests_total', labels), 2);
  t.is(valueOf(families, 'coredns_cache_entries', labels), 9);
  const buckets = families.get('coredns_dns_request_duration_seconds');
  t.deepEqual(
    buckets?.samples.map(({ name, labels: { le }, value }) => [
      name.slice('coredns_dns_request_duration_seconds'.length),
      le,
      value,
    ]),
    [
      ['_bucket', '0.25', 2],
      ['_bucket', '1', 3],
      ['_bucket', '+Inf', 4],
      ['_sum', undefined, 3.8],
      ['_count', undefined, 4],
    ],
  );
  t.is(families.get('coredns_dns_requests_total')?.type, 'counter');
  t.is(families.get('coredns_cache_entries')?.type, 'gauge');
  t.is(buckets?.type, 'histogram');
  t.is(families.get('coredns_dns_requests_total')?.help, 'Queries received.');
});

test('a scrape shows what was counted since the one before, and series that are new', async (t) => {
  const { metrics, counters, timers } = opened();
  const queries = counters.counter('coredns_dns_requests_total', { zone: 'a.' });
  queries.add();
  t.is(valueOf(await scrape(metrics), 'coredns_dns_requests_total', { zone: 'a.' }), 1);
  queries.add();
  counters.counter('coredns_dns_requests_total', { zone: 'b.' }).add(5);
  await timers.advance(100);
  const families = await scrape(metrics);
  t.is(valueOf(families, 'coredns_dns_requests_total', { zone: 'a.' }), 2);
  t.is(valueOf(families, 'coredns_dns_requests_total', { zone: 'b.' }), 5);
});

test('who scrapes again within a tenth of a second gets the same text', async (t) => {
  const { metrics, timers } = opened();
  const first = metrics.render();
  t.is(metrics.render(), first);
  await timers.advance(99);
  t.is(metrics.render(), first);
  await timers.advance(1);
  t.not(metrics.render(), first);
});

test('hostile label values neither break the text nor change on the way', async (t) => {
  const hostile = [
    'a"b',
    'a\\b',
    'a\nb',
    '"} 1\nfake_total 1',
    '\\n',
    '\\\\"',
    '<script>alert(1)</script>',
    '{{7*7}}',
    '\u202eevil',
    '',
    ' ',
    '\u0000\u007f\u009f',
    '東京🐟',
    'a,b="c"',
    '#',
    '# HELP x y',
    '\r\n',
    '__proto__',
    'x'.repeat(10_000),
  ];
  const { metrics, counters } = opened();
  for (const [i, zone] of hostile.entries()) counters.counter('coredns_dns_requests_total', { zone }).add(i + 1);
  const families = await scrape(metrics);
  for (const [i, zone] of hostile.entries())
    t.is(valueOf(families, 'coredns_dns_requests_total', { zone }), i + 1, zone);
  t.false(families.has('fake_total'));
});

test('any label values come back as they were', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 10 }), async (zones) => {
      const { metrics, counters } = opened();
      for (const zone of zones) counters.counter('coredns_dns_requests_total', { zone }).add();
      const found = (await scrape(metrics))
        .get('coredns_dns_requests_total')
        ?.samples.map(({ labels }) => labels['zone']);
      t.deepEqual(found, zones);
    }),
    { numRuns: 30 },
  );
});

test('the names that dashboards for CoreDNS use are there', async (t) => {
  const { metrics } = opened({
    plugins: () => [{ server: 'dns://:53', zone: '.', view: '', name: 'cache' }],
    droppedLines: () => 3,
    droppedConnections: () => 2,
  });
  metrics.reloadFailed();
  metrics.reloaded('aa');
  metrics.reloaded('bb');
  metrics.dataThreadRestarted();
  metrics.healthChecked(0.001);
  metrics.healthCheckFailed();
  metrics.apiCalled({ method: 'GET', host: '10.96.0.1:443', code: '200', duration: 0.02, waited: 0 });
  metrics.programmed('cluster_ip', 0.5);
  const families = await scrape(metrics);
  const expected: readonly (readonly [string, Labels, number])[] = [
    ['coredns_build_info', { version: '1.2.3', revision: 'abc', goversion: 'v26.9.0' }, 1],
    ['coredns_plugin_enabled', { server: 'dns://:53', zone: '.', view: '', name: 'cache' }, 1],
    ['coredns_reload_failed_total', {}, 1],
    ['coredns_reload_version_info', { hash: 'sha512', value: 'bb' }, 1],
    ['coredns_health_request_duration_seconds_bucket', { le: '0.00025' }, 0],
    ['coredns_health_request_duration_seconds_bucket', { le: '0.0025' }, 1],
    ['coredns_health_request_failures_total', {}, 1],
    ['coredns_kubernetes_rest_client_requests_total', { code: '200', method: 'GET', host: '10.96.0.1:443' }, 1],
    ['coredns_kubernetes_rest_client_request_duration_seconds_count', { verb: 'GET', host: '10.96.0.1:443' }, 1],
    ['coredns_kubernetes_dns_programming_duration_seconds_count', { service_kind: 'cluster_ip' }, 1],
    ['fivedots_data_thread_restarts_total', {}, 1],
    ['fivedots_log_lines_dropped_total', {}, 3],
    ['fivedots_http_connections_dropped_total', {}, 2],
    ['fivedots_series_overflow_total', {}, 0],
  ];
  for (const [name, labels, value] of expected) t.is(valueOf(families, name, labels), value, name);
  t.is(families.get('coredns_reload_version_info')?.samples.length, 1);
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds']) {
    t.true((valueOf(families, name) ?? 0) > 0, name);
  }
});

test('snapshots: what is used and since when, and each result from the first scrape on', async (t) => {
  const { metrics, timers } = opened({
    snapshots: () => [
      { cluster: 'a', writtenAt: 1_500, isUsed: true },
      { cluster: 'b', writtenAt: undefined, isUsed: false },
    ],
  });
  const valuesOf = async (name: string): Promise<unknown> =>
    (await scrape(metrics)).get(name)?.samples.map(({ labels, value }) => [...Object.values(labels), value]);
  t.deepEqual(await valuesOf('fivedots_cluster_from_snapshot'), [
    ['a', 1],
    ['b', 0],
  ]);
  t.deepEqual(await valuesOf('fivedots_snapshot_written_timestamp_seconds'), [['a', 1.5]]);
  metrics.snapshotWritten('b', 'failed');
  await timers.advance(100);
  t.deepEqual(await valuesOf('fivedots_snapshot_writes_total'), [
    ['a', 'written', 0],
    ['a', 'failed', 0],
    ['b', 'written', 0],
    ['b', 'failed', 1],
  ]);
});

test('of two snapshots of one cluster the one that is used and the older one are shown, in any order', async (t) => {
  const both = [
    { cluster: 'a', writtenAt: 9_000, isUsed: false },
    { cluster: 'a', writtenAt: 1_500, isUsed: true },
    { cluster: 'a', writtenAt: undefined, isUsed: false },
  ];
  for (const snapshots of [both, both.toReversed()]) {
    const families = await scrape(opened({ snapshots: () => snapshots }).metrics);
    t.is(valueOf(families, 'fivedots_cluster_from_snapshot'), 1);
    t.is(valueOf(families, 'fivedots_snapshot_written_timestamp_seconds'), 1.5);
  }
});

test('every metric that the data thread counts has a help text', (t) => {
  for (const folder of ['server/data', 'server/plugins']) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )) {
      const source = readFileSync(join(folder, file), 'utf8');
      const names = source.matchAll(/'((?:coredns|fivedots)_[a-z0-9_]+)'/g);
      for (const [, name = ''] of names) t.not(helpOf(name), helpOf('unknown'), `${name} in ${file}`);
    }
  }
});
