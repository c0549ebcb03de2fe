/** The upstreams of one `forward`: which to ask for a query, and what their replies are worth. Knows nothing of sockets or of the Corefile. */

import { Rcode } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Counter, Counters } from '../counters.ts';
import { UpstreamError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Kept } from '../pipeline.ts';
import type { Protocol, Query, Reply } from '../query.ts';
import type { UpstreamReply } from '../wire/upstream-message.ts';
import type { Endpoint } from './endpoint.ts';
import { orderFrom, type Order, type Policy } from './policy.ts';
import { randomBelow } from './randomness.ts';
import { ResolvConf } from './resolv-conf.ts';
import { staggered, type Attempts } from './staggered.ts';
import { failure, refused, replyOf, stopped } from './upstream-outcome.ts';
import { upstreamSeries } from './upstream-series.ts';
import { Upstream, type UpstreamOptions } from './upstream.ts';

/** No attempt is started later than this after the query came (CoreDNS plugin/forward). */
const DEADLINE: Milliseconds = 5_000;
/** Attempts for one query whatever the Corefile says, so that one packet in is never many packets out. */
export const ATTEMPTS_MAX: Count = 16;

/** What the Corefile says; plain data. */
export type UpstreamsOptions = {
  /** Addresses, and files in resolv.conf format, in the order written. */
  readonly servers: readonly (Endpoint | { readonly file: string })[];
  readonly policy: Policy;
  readonly preferUdp: boolean;
  /** Undefined for twice the number of upstreams, 0 for as many as the deadline allows. */
  readonly maxAttempts: Count | undefined;
  /** 0 for any number. */
  readonly maxConcurrent: Count;
  /** Rcodes after which another upstream is asked. */
  readonly failover: readonly number[];
  /** With all of them down, fail at once. */
  readonly failFast: boolean;
  readonly each: UpstreamOptions;
};

export type UpstreamsParts = { readonly clock: () => Milliseconds; readonly log: Log; readonly counters: Counters };

export class Upstreams implements Kept {
  readonly #options: UpstreamsOptions;
  readonly #parts: UpstreamsParts;
  readonly #order: Order;
  readonly #files: ReadonlyMap<string, ResolvConf>;
  readonly #rejected: Counter;
  readonly #allDown: Counter;
  readonly #unasked: Counter;
  readonly #joined = new Set<(upstreams: readonly Upstream[]) => void>();
  #members: readonly Upstream[] = [];
  #inFlight: Count = 0;

  /** @throws the system's error if a file cannot be read */
  constructor(options: UpstreamsOptions, parts: UpstreamsParts) {
    this.#options = options;
    this.#parts = parts;
    this.#order = orderFrom(options.policy);
    this.#rejected = parts.counters.counter('coredns_forward_max_concurrent_rejects_total');
    this.#allDown = parts.counters.counter('coredns_forward_healthcheck_broken_total');
    this.#unasked = parts.counters.counter('fivedots_forward_refused_queries_total');
    const files = options.servers.flatMap((server) => ('file' in server ? [server.file] : []));
    this.#files = new Map([...new Set(files)].map((file) => [file, this.#watch(file)]));
    this.#update();
  }

  get members(): readonly Upstream[] {
    return this.#members;
  }

  /** Tells of upstreams that a changed file has added, until the function that comes back is called. */
  onJoin(listener: (upstreams: readonly Upstream[]) => void): () => void {
    this.#joined.add(listener);
    return () => this.#joined.delete(listener);
  }

  /** The best reply that can be had. */
  async resolve(query: Query): Promise<Reply> {
    const { maxConcurrent } = this.#options;
    if (maxConcurrent > 0 && this.#inFlight >= maxConcurrent) {
      this.#rejected.add();
      return refused(`concurrent queries exceeded maximum ${maxConcurrent}`);
    }
    const usable = this.#members.filter((upstream) => upstream.stopped === undefined);
    if (usable.length === 0) return stopped(this.#members[0]?.stopped);
    this.#inFlight++;
    try {
      const { reply, upstream } = await staggered(this.#attempts(query, usable));
      return replyOf(reply, labelOf(upstream), query);
    } catch (error) {
      if (error instanceof UpstreamError && error.code === 'limit') this.#unasked.add();
      return failure(error);
    } finally {
      this.#inFlight--;
    }
  }

  /** Reads the files again now. */
  async look(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.look()));
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    for (const upstream of this.#members) upstream.close();
  }

  #attempts(query: Query, usable: readonly Upstream[]): Attempts<Said> {
    const { clock } = this.#parts;
    const { failover, each, maxAttempts = 2 * usable.length } = this.#options;
    const question = {
      spelling: query.question.spelling,
      type: query.question.type,
      class: query.question.class,
      recursionDesired: true,
      checkingDisabled: query.checkingDisabled,
      authenticData: query.authenticData,
      dnssecOk: query.edns?.dnssecOk ?? false,
    };
    const order = this.#order(usable);
    const wanted = this.#wanted(query);
    const deadline = clock() + DEADLINE;
    let left = maxAttempts === 0 ? ATTEMPTS_MAX : Math.min(maxAttempts, ATTEMPTS_MAX);
    let spent: Count = 0;
    let position: Count = 0;
    let failovers: Count = 0;
    return {
      next: () => {
        if (left === 0 || spent === ATTEMPTS_MAX || clock() >= deadline) return undefined;
        const chosen = this.#choose(order, position);
        if (chosen === undefined) return undefined;
        const { upstream } = chosen;
        position = chosen.position + 1;
        left--;
        spent++;
        const over = transport(wanted, upstream, Math.floor(chosen.position / order.length));
        return {
          run: (signal) => upstream.ask(question, over, signal).then((reply) => ({ upstream, reply })),
          slow: () => upstream.health.suspect(),
          failed: (error) => {
            if (!(error instanceof UpstreamError) || error.code === 'limit') return;
            // TCP was our own idea: that it is not there does not use up an attempt.
            if (over === 'tcp' && wanted === 'udp' && error.code === 'unreachable') left++;
            upstream.health.suspect();
          },
        };
      },
      judge: ({ reply }) => {
        if (failover.includes(reply.rcode) && failovers < usable.length) {
          failovers++;
          left++; // an attempt that got a reply is none that `max_connect_attempts` is about
          return 'again';
        }
        // Over TCP a part of an answer is no use: another upstream may be able to give the whole.
        if (reply.truncated) return query.peer.protocol === 'tcp' ? 'again' : 'spare';
        return SAYS_NOTHING.has(reply.rcode) ? 'spare' : 'final';
      },
      nothing: () => new UpstreamError('timeout', `none of ${usable.map(labelOf).join(', ')} is healthy`),
      limit: DEADLINE + each.readTimeout,
    };
  }

  /** The first one from `position` on that is not down; with all of them down any, for the checks may be wrong. */
  #choose(order: readonly Upstream[], position: Count): { upstream: Upstream; position: Count } | undefined {
    for (let i = position; i < position + order.length; i++) {
      const upstream = order[i % order.length];
      if (upstream !== undefined && !upstream.health.isDown) return { upstream, position: i };
    }
    this.#allDown.add();
    const upstream = this.#options.failFast ? undefined : order[randomBelow(order.length)];
    return upstream === undefined ? undefined : { upstream, position };
  }

  #wanted(query: Query): Protocol {
    const { preferUdp, each } = this.#options;
    if (each.forceTcp) return 'tcp';
    return preferUdp ? 'udp' : query.peer.protocol;
  }

  #watch(file: string): ResolvConf {
    const { log } = this.#parts;
    return new ResolvConf(file, {
      changed: () => {
        this.#update();
        log(
          'info',
          'plugin/forward',
          `${file} has changed; upstreams are now ${this.#members.map(labelOf).join(', ')}`,
        );
      },
      failed: (reason) => {
        const still = this.#members.map(labelOf).join(', ');
        log(
          'warning',
          'plugin/forward',
          `${file} has changed and cannot be used: ${reason}; the upstreams stay ${still}`,
        );
      },
    });
  }

  /** Upstreams that stay keep their connections and what is known of them. */
  #update(): void {
    const { clock, log, counters } = this.#parts;
    const endpoints = this.#options.servers.flatMap((server) =>
      'file' in server ? (this.#files.get(server.file)?.nameservers ?? []) : [server],
    );
    const before = new Map(this.#members.map((upstream) => [labelOf(upstream), upstream]));
    const wanted = new Map(endpoints.map((endpoint) => [endpoint.label, endpoint]));
    const added: Upstream[] = [];
    this.#members = [...wanted.values()].map((endpoint) => {
      const known = before.get(endpoint.label);
      if (known !== undefined) return known;
      const made = new Upstream(endpoint, this.#options.each, {
        clock,
        log,
        series: upstreamSeries(counters, endpoint.label),
      });
      added.push(made);
      return made;
    });
    for (const [label, upstream] of before) if (!wanted.has(label)) upstream.close();
    if (added.length > 0) for (const tell of this.#joined) tell(added);
  }
}

/** A reply, and whose it is. */
type Said = { readonly reply: UpstreamReply; readonly upstream: Upstream };

/** The upstreams of a block's forwards, which `loop` wants to know of: `forward` adds to it. */
export function sharedUpstreams(shared: Map<string, unknown>): Set<Upstreams> {
  const known = shared.get(SHARED_KEY);
  if (known instanceof Set) return known as Set<Upstreams>; // nobody else writes under this key
  const made = new Set<Upstreams>();
  shared.set(SHARED_KEY, made);
  return made;
}

const SHARED_KEY = 'upstreams';

/** Rcodes that tell of the upstream, not of the name: another one may do better. */
const SAYS_NOTHING: ReadonlySet<number> = new Set([Rcode.SERVFAIL, Rcode.REFUSED, Rcode.FORMERR, Rcode.NOTIMP]);

/**
 * An upstream that was silent over UDP is asked over TCP the second time round: a name for which it is silent must not keep UDP
 * ports open for a forger, and a lost packet is found there too.
 */
function transport(wanted: Protocol, upstream: Upstream, round: Count): Protocol {
  if (upstream.isUdpOnly) return 'udp';
  return round % 2 === 1 ? 'tcp' : wanted;
}

function labelOf(upstream: Upstream): string {
  return upstream.endpoint.label;
}
