/**
 * The series that count a block's queries and replies, by zone (CoreDNS's metric names and labels). Knows nothing of the
 * Corefile, of HTTP or of the text format.
 */

import { rcodeName, typeName } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { TIME_BUCKETS, type Counter, type Counters, type Histogram, type Labels } from '../counters.ts';
import type { CommonToExchanges, Exchange, Observer, Tally } from '../pipeline.ts';

/** In octets. 8291 is CoreDNS's own spelling of 8191, and dashboards ask for it. */
const SIZE_BUCKETS: readonly number[] = [
  0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000,
];

/** The types that have a label of their own; the rest are `other`, so that a client cannot make up series. */
const TYPE_LABELS: readonly string[] =
  'other A AAAA CNAME DNSKEY DS MX NSEC3 NSEC NS PTR RRSIG SOA SRV TXT HTTPS SVCB IXFR AXFR ANY'.split(' ');

/** Type number to index in TYPE_LABELS. All of them are below 256. */
const TYPE_INDEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, type) =>
  Math.max(0, TYPE_LABELS.indexOf(typeName(type))),
);

/**
 * Rcodes below this have a label of their own: 23, BADCOOKIE, is the last that means something in a reply. The rest are
 * `other`, or one upstream could make 4096 series.
 */
const RCODE_LABELS: Count = 24;

/** Four pairs of protocol and family for each type. */
const REQUEST_SERIES: Count = 4 * TYPE_LABELS.length;

/** Counts each exchange of one listener under the zone that it was asked in. */
export function exchangeCounter(counters: Counters, server: string): Observer {
  const zones = new Map<string, ZoneSeries>();
  const seriesOf = (zone: string): ZoneSeries => {
    const known = zones.get(zone);
    if (known !== undefined) return known;
    const made = new ZoneSeries(counters, { server, zone, view: '' });
    zones.set(zone, made); // as many as the block has zones
    return made;
  };
  const count = (exchange: Exchange): void => seriesOf(exchange.zone).count(exchange);
  return Object.assign(count, { tally: (common: CommonToExchanges) => seriesOf(common.zone).tally(common) });
}

/** Index of a type's label. */
function labelOf(type: number): number {
  return type < TYPE_INDEX.length ? (TYPE_INDEX[type] ?? 0) : 0;
}

function requestIndex(label: number, transport: number, family: 4 | 6): number {
  return 4 * label + 2 * transport + (family === 4 ? 0 : 1);
}

/** A series is asked for when it first counts something, as in CoreDNS: a scrape shows no row for what never happened. */
class ZoneSeries {
  readonly #counters: Counters;
  readonly #labels: Labels;
  readonly #duration: Histogram;
  readonly #requests = Array.from<Counter | undefined>({ length: REQUEST_SERIES });
  /** Two for each protocol: the query's size, then the reply's. */
  readonly #sizes = Array.from<Histogram | undefined>({ length: 4 });
  /** By the plugin that made the reply, then by rcode. */
  readonly #responses = new Map<string, (Counter | undefined)[]>();
  #dnssecOk: Counter | undefined;

  constructor(counters: Counters, labels: Labels) {
    this.#counters = counters;
    this.#labels = labels;
    this.#duration = counters.histogram('coredns_dns_request_duration_seconds', TIME_BUCKETS, labels);
  }

  count({ query, reply, size, duration }: Exchange): void {
    const { peer, question } = query;
    const type = labelOf(question.type);
    const transport = peer.protocol === 'udp' ? 0 : 1;
    const request = requestIndex(type, transport, peer.family);
    (this.#requests[request] ??= this.#request(peer.protocol, peer.family, type)).add();
    (this.#sizes[2 * transport] ??= this.#size('request', peer.protocol)).observe(query.size);
    (this.#sizes[2 * transport + 1] ??= this.#size('response', peer.protocol)).observe(size);
    this.#duration.observe(duration / 1000);
    if (query.edns?.dnssecOk === true) {
      (this.#dnssecOk ??= this.#counters.counter('coredns_dns_do_requests_total', this.#labels)).add();
    }
    this.#response(reply.plugin, reply.rcode).add();
  }

  /** The same as `count`, all series looked up beforehand. */
  tally({ type, plugin, rcode, protocol, family }: CommonToExchanges): Tally {
    const transport = protocol === 'udp' ? 0 : 1;
    const label = labelOf(type);
    const request = (this.#requests[requestIndex(label, transport, family)] ??= this.#request(protocol, family, label));
    const querySizes = (this.#sizes[2 * transport] ??= this.#size('request', protocol));
    const sizes = (this.#sizes[2 * transport + 1] ??= this.#size('response', protocol));
    const response = this.#response(plugin, rcode);
    return (querySize, size, duration) => {
      request.add();
      querySizes.observe(querySize);
      sizes.observe(size);
      this.#duration.observe(duration / 1000);
      response.add();
    };
  }

  #request(proto: string, family: 4 | 6, type: number): Counter {
    return this.#counters.counter('coredns_dns_requests_total', {
      ...this.#labels,
      proto,
      family: family === 4 ? '1' : '2',
      type: TYPE_LABELS[type] ?? 'other',
    });
  }

  /** The reply's size is that on the wire; CoreDNS takes the size before compression and truncation, without OPT. */
  #size(of: 'request' | 'response', proto: string): Histogram {
    return this.#counters.histogram(`coredns_dns_${of}_size_bytes`, SIZE_BUCKETS, { ...this.#labels, proto });
  }

  #response(plugin: string, rcode: number): Counter {
    let byRcode = this.#responses.get(plugin);
    if (byRcode === undefined) {
      byRcode = Array.from<Counter | undefined>({ length: RCODE_LABELS + 1 });
      this.#responses.set(plugin, byRcode); // as many as the Corefile has words
    }
    const label = Math.min(rcode, RCODE_LABELS);
    return (byRcode[label] ??= this.#counters.counter('coredns_dns_responses_total', {
      ...this.#labels,
      rcode: label < RCODE_LABELS ? rcodeName(label) : 'other',
      plugin,
    }));
  }
}
