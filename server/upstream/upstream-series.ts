/** The series of one upstream, under CoreDNS's metric names. Knows nothing of sockets. */

import { rcodeName } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { TIME_BUCKETS, type Counters, type Histogram } from '../counters.ts';

/** Rcodes below this have a label of their own, or an upstream could make 4096 series of a histogram. */
const RCODE_LABELS: Count = 24;

export type UpstreamSeries = {
  readonly answered: (rcode: number, duration: Milliseconds) => void;
  readonly checkFailed: () => void;
  readonly mismatched: () => void;
  readonly udpAsked: () => void;
  readonly tcpPicked: (isReused: boolean) => void;
};

export function upstreamSeries(counters: Counters, to: string): UpstreamSeries {
  const labels = { proxy_name: 'forward', to };
  const durations = new Map<number, Histogram>();
  const checksFailed = counters.counter('coredns_proxy_healthcheck_failures_total', labels);
  const mismatches = counters.counter('fivedots_forward_mismatched_replies_total', { to });
  const udpMisses = counters.counter('coredns_proxy_conn_cache_misses_total', { ...labels, proto: 'udp' });
  const tcpMisses = counters.counter('coredns_proxy_conn_cache_misses_total', { ...labels, proto: 'tcp' });
  const tcpHits = counters.counter('coredns_proxy_conn_cache_hits_total', { ...labels, proto: 'tcp' });
  return {
    answered: (rcode, duration) => {
      const label = Math.min(rcode, RCODE_LABELS);
      let histogram = durations.get(label);
      if (histogram === undefined) {
        const name = label < RCODE_LABELS ? rcodeName(label) : 'other';
        histogram = counters.histogram('coredns_proxy_request_duration_seconds', TIME_BUCKETS, {
          ...labels,
          rcode: name,
        });
        durations.set(label, histogram);
      }
      histogram.observe(duration / 1000);
    },
    checkFailed: () => checksFailed.add(),
    mismatched: () => mismatches.add(),
    udpAsked: () => udpMisses.add(),
    tcpPicked: (isReused) => (isReused ? tcpHits : tcpMisses).add(),
  };
}
