/**
 * Everything that /metrics shows: the data threads' counters, read when somebody asks, and what the control thread knows
 * itself. Knows nothing of HTTP.
 */

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type Metric } from 'prom-client';

import type { ApiCall } from '../../zones/kubernetes/source.ts';
import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { Labels } from '../counters.ts';
import { openClusterMetrics, type CountHappening, type KindStatus } from './cluster-metrics.ts';
import { helpOf } from './metric-help.ts';
import type { Sample, SeriesBook } from './series.ts';
import { openSnapshotMetrics, type CountSnapshot, type SnapshotStatus } from './snapshot-metrics.ts';

/** Where the figures come from that the control thread does not count itself. */
export type MetricSources = {
  readonly series: SeriesBook;
  /** Monotonic. */
  readonly now: () => Milliseconds;
  /** Lines of the log that found no room. */
  readonly droppedLines: () => Count;
  /** HTTP connections that were closed to make room. */
  readonly droppedConnections: () => Count;
  /** Data threads that answer queries just now. */
  readonly answeringThreads: () => Count;
  /** Each kind of object of each cluster of the plan. */
  readonly kinds: () => Iterable<KindStatus>;
  /** Of the clusters of the plan that are kept in a file. */
  readonly snapshots: () => Iterable<SnapshotStatus>;
  /** The plugins that handle queries, for each zone. */
  readonly plugins: () => Iterable<Labels>;
  readonly version: string;
  readonly revision: string;
  /** CoreDNS shows its Go version there. */
  readonly runtime: string;
};

export type Metrics = {
  readonly contentType: string;
  /** The text exposition, at most a tenth of a second old. */
  readonly render: () => Promise<string>;
  readonly reloadFailed: () => void;
  /** The SHA-512 of the Corefile in use. */
  readonly reloaded: (hash: string) => void;
  readonly dataThreadRestarted: () => void;
  readonly healthChecked: (duration: Seconds) => void;
  readonly healthCheckFailed: () => void;
  /** One exchange with an API server. */
  readonly apiCalled: (call: ApiCall) => void;
  /** A change of a Service's endpoints is answered, so long after it happened. */
  readonly programmed: (service: ServiceKind, duration: Seconds) => void;
  /** Something to count while a cluster was followed. */
  readonly happened: CountHappening;
  readonly snapshotWritten: CountSnapshot;
};

/** CoreDNS knows a third, headless_without_selector, and never tells it apart either. */
type ServiceKind = 'cluster_ip' | 'headless_with_selector';

/** CoreDNS plugin.SlimTimeBuckets. */
const SLIM_TIME_BUCKETS: readonly Seconds[] = [0.00025, 0.0025, 0.025, 0.25, 2.5];

/** client_golang's prometheus.DefBuckets. */
const DEFAULT_BUCKETS: readonly Seconds[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** CoreDNS plugin/kubernetes: a millisecond doubled nineteen times. */
const PROGRAMMING_BUCKETS: readonly Seconds[] = Array.from({ length: 20 }, (_, k) => 0.001 * 2 ** k);

/** How exactly the control thread's event loop is timed: each look wakes an idle processor. */
const EVENT_LOOP_PRECISION: Milliseconds = 100;

/** Who asks more often gets the same text again: nobody can keep the control thread busy by asking. */
const RENDER_INTERVAL: Milliseconds = 100;

export function openMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  // The names that tools built for CoreDNS look for come with these: process_cpu_seconds_total, process_resident_memory_bytes.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION });

  const build = { version: sources.version, revision: sources.revision, goversion: sources.runtime };
  const info = new Gauge({
    name: 'coredns_build_info',
    help: 'Which program this is.',
    labelNames: Object.keys(build),
    registers: [registry],
  });
  info.set(build, 1);
  addReadings(registry, sources);
  const happened = openClusterMetrics(registry, sources.kinds);
  const snapshotWritten = openSnapshotMetrics(registry, sources.snapshots);
  const own = ownMetrics([registry]);

  let snapshot: Snapshot = new Map();
  const render = async (): Promise<string> => {
    snapshot = Map.groupBy(sources.series.samples(), (sample) => sample.metric);
    for (const [metric, [first]] of snapshot) {
      if (first !== undefined) addFamily(registry, metric, first.type, () => snapshot);
    }
    // prom-client writes a number that is none as `Nan`; the format's word is NaN. Only values stand at the end of a line.
    return (await registry.metrics()).replace(/ Nan$/gm, ' NaN');
  };
  let rendered: { readonly at: Milliseconds; readonly text: Promise<string> } | undefined;
  return {
    contentType: registry.contentType,
    render() {
      const at = sources.now();
      if (rendered === undefined || at - rendered.at >= RENDER_INTERVAL) rendered = { at, text: render() };
      return rendered.text;
    },
    ...own,
    happened,
    snapshotWritten,
  };
}

/** What the control thread counts itself. */
function ownMetrics(registers: Registry[]): Omit<Metrics, 'contentType' | 'render' | 'happened' | 'snapshotWritten'> {
  const counter = (name: string, help: string, labelNames: string[] = []): Counter =>
    new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: readonly Seconds[], labelNames: string[] = []): Histogram =>
    new Histogram({ name, help, labelNames, buckets: [...buckets], registers });

  const reloadFailed = counter('coredns_reload_failed_total', 'Corefiles that could not be used.');
  const reloadInfo = new Gauge({
    name: 'coredns_reload_version_info',
    help: 'Hash of the Corefile in use.',
    labelNames: ['hash', 'value'],
    registers,
  });
  const restarts = counter(
    'fivedots_data_thread_restarts_total',
    'Data threads that fell silent or ended and were replaced.',
  );
  const checks = histogram(
    'coredns_health_request_duration_seconds',
    "Time of the server's own request to /health.",
    SLIM_TIME_BUCKETS,
  );
  const failedChecks = counter(
    'coredns_health_request_failures_total',
    "Failures of the server's own request to /health.",
  );
  const calls = counter('coredns_kubernetes_rest_client_requests_total', 'Requests to the API server.', [
    'code',
    'method',
    'host',
  ]);
  const callTimes = histogram(
    'coredns_kubernetes_rest_client_request_duration_seconds',
    'Time until the API server begins its reply.',
    DEFAULT_BUCKETS,
    ['verb', 'host'],
  );
  const callDelays = histogram(
    'coredns_kubernetes_rest_client_rate_limiter_duration_seconds',
    'Time that apiserver_qps, apiserver_burst and apiserver_max_inflight held a request back.',
    DEFAULT_BUCKETS,
    ['verb', 'host'],
  );
  const programming = histogram(
    'coredns_kubernetes_dns_programming_duration_seconds',
    "Time from a change of a Service's endpoints until it is answered.",
    PROGRAMMING_BUCKETS,
    ['service_kind'],
  );
  return {
    reloadFailed: () => reloadFailed.inc(),
    reloaded(hash) {
      reloadInfo.reset();
      reloadInfo.set({ hash: 'sha512', value: hash }, 1);
    },
    dataThreadRestarted: () => restarts.inc(),
    healthChecked: (duration) => checks.observe(duration),
    healthCheckFailed: () => failedChecks.inc(),
    apiCalled({ method, host, code, duration, waited }) {
      calls.inc({ code, method, host });
      callTimes.observe({ verb: method, host }, duration);
      callDelays.observe({ verb: method, host }, waited);
    },
    programmed: (service, duration) => programming.observe({ service_kind: service }, duration),
  };
}

/** Metrics whose values are looked up when somebody asks. */
function addReadings(registry: Registry, sources: MetricSources): void {
  const counter = (name: string, help: string, read: () => Count): void => {
    const collect = (): void => {
      made.reset();
      made.inc(read());
    };
    const made = new Counter({ name, help, collect, registers: [registry] });
  };
  const gauge = (name: string, help: string, labelNames: string[], set: (gauge: Gauge) => void): void => {
    const collect = (): void => {
      made.reset();
      set(made);
    };
    const made = new Gauge({ name, help, labelNames, collect, registers: [registry] });
  };
  counter(
    'fivedots_series_overflow_total',
    'Events that were counted nowhere else because the series were used up.',
    () => sources.series.overflow,
  );
  counter('fivedots_log_lines_dropped_total', 'Lines of the log that found no room.', sources.droppedLines);
  counter(
    'fivedots_http_connections_dropped_total',
    'Connections to the health, ready and metrics ports that were closed to make room for new ones.',
    sources.droppedConnections,
  );
  gauge('fivedots_data_threads', 'Data threads that answer queries.', [], (threads) => {
    threads.set(sources.answeringThreads());
  });
  gauge('coredns_plugin_enabled', 'Plugins that handle queries.', ['server', 'zone', 'view', 'name'], (plugins) => {
    for (const labels of sources.plugins()) plugins.set(labels, 1);
  });
}

type Snapshot = Map<string, Sample[]>;

/** Registers a metric of the data threads the first time it is seen; its values come from the snapshot of the scrape. */
function addFamily(registry: Registry, metric: string, type: Sample['type'], snapshot: () => Snapshot): void {
  if (registry.getSingleMetric(metric) !== undefined) return;
  const family = {
    name: metric,
    get: () => {
      const samples = (snapshot().get(metric) ?? []).filter((sample) => sample.type === type);
      return Promise.resolve({ name: metric, help: helpOf(metric), type, values: samples.flatMap(linesOf) });
    },
  };
  // prom-client's registry asks a metric for `name` and `get()` only, but its type wants the classes that count themselves.
  registry.registerMetric(family as unknown as Metric);
}

type MetricLine = { readonly metricName: string; readonly labels: Labels; readonly value: number };

/** The lines of one series; a histogram's buckets become cumulative, as the text format wants them. */
function linesOf(sample: Sample): MetricLine[] {
  const { metric, labels, values, bounds } = sample;
  if (sample.type !== 'histogram') return [{ metricName: metric, labels, value: values[0] ?? 0 }];
  let count = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, i) => {
    count += values[i] ?? 0;
    return { metricName: `${metric}_bucket`, labels: { ...labels, le }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${metric}_sum`, labels, value: values[bounds.length + 1] ?? 0 },
    { metricName: `${metric}_count`, labels, value: count },
  ];
}
