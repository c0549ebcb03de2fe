/** The straight line from octets to octets, the same for every transport; the one place where a faster lane can plug in. */

import { RRClass, RRType, Rcode } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import type { Counter, Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../pipeline.ts';
import { emptyReply, servfail, type Peer, type Query, type Reply } from '../query.ts';
import type { Block, RoutedZone, Routes } from './block.ts';
import { decode, isRejected } from './decode.ts';
import { encode, encodeRejection } from './encode.ts';
import { gate } from './gate.ts';
import { route } from './route.ts';

/** Answers one message: octets now, later, or silence. */
export type Serve = (packet: Buffer, peer: Peer, routes: Routes) => Buffer | Promise<Buffer> | undefined;

/** Queries that may wait for an upstream at once in one data thread: about 2 KiB each. Above it they fail at once. */
export const WAITING_MAX: Count = 10_000;

export class Server {
  readonly #clock: () => Milliseconds;
  readonly #log: Log;
  readonly #counters: Counters;
  readonly #panics: Counter;
  readonly #refusals = new Map<string, Counter>();
  #waiting: Count = 0;
  #whenIdle: (() => void) | undefined;

  constructor(clock: () => Milliseconds, log: Log, counters: Counters) {
    this.#clock = clock;
    this.#log = log;
    this.#counters = counters;
    this.#panics = counters.counter('coredns_panics_total');
  }

  readonly serve: Serve = (packet, peer, routes) => {
    const verdict = gate(packet, peer);
    if (verdict.verdict === 'drop') return this.#count('fivedots_dropped_messages_total', verdict.reason);
    if (verdict.verdict === 'reject') {
      this.#count('fivedots_rejected_messages_total', verdict.reason);
      return encodeRejection(packet, verdict.rcode, undefined, undefined);
    }
    const decoded = decode(packet, peer, this.#clock());
    if (isRejected(decoded)) {
      this.#count('fivedots_rejected_messages_total', decoded.reason);
      return encodeRejection(packet, decoded.rcode, decoded.question, decoded.edns);
    }
    const { question } = decoded;
    const routed = route(routes.zones, question.name, question.type);
    if (routed === undefined || question.class !== RRClass.IN || isTransfer(question.type)) {
      return this.#finish(decoded, emptyReply(Rcode.REFUSED), 'dropped', routes.unrouted);
    }
    const reply = this.#ask(routed.block, decoded);
    if (!(reply instanceof Promise)) return this.#finish(decoded, reply, routed.zone, routed.block.observers);
    return this.#later(decoded, reply, routed);
  };

  /** Asks the server itself, for a name that a reply points to: routed, answered, but neither counted nor logged as a client's query. */
  resolve(query: Query, routes: Routes): Reply | Promise<Reply> {
    const routed = route(routes.zones, query.question.name, query.question.type);
    return routed === undefined ? emptyReply(Rcode.REFUSED) : this.#ask(routed.block, query);
  }

  /** Resolves once no query waits for its reply. */
  idle(): Promise<void> {
    if (this.#waiting === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#whenIdle = resolve));
  }

  #ask(block: Block, query: Query): Reply | Promise<Reply> {
    try {
      const reply = block.handler(query);
      return reply instanceof Promise ? reply.catch((error: unknown) => this.#panic(error)) : reply;
    } catch (error) {
      return this.#panic(error);
    }
  }

  async #later(query: Query, promise: Promise<Reply>, routed: RoutedZone): Promise<Buffer> {
    if (this.#waiting >= WAITING_MAX) {
      this.#count('fivedots_rejected_messages_total', 'waiting');
      const reply = servfail('', `${WAITING_MAX} queries wait for upstreams already`, {
        code: 23,
        text: 'too many queries wait for upstreams',
      });
      return this.#finish(query, reply, routed.zone, routed.block.observers);
    }
    this.#waiting++;
    const reply = await promise;
    this.#waiting--;
    if (this.#waiting === 0) this.#whenIdle?.();
    return this.#finish(query, reply, routed.zone, routed.block.observers);
  }

  #finish(query: Query, reply: Reply, zone: string, observers: readonly Observer[]): Buffer {
    const { packet, truncated } = encode(query, reply);
    if (observers.length > 0) {
      const duration = this.#clock() - query.received;
      const exchange = { query, reply, size: packet.length, truncated, duration, zone };
      for (const observe of observers) observe(exchange);
    }
    return packet;
  }

  #panic(error: unknown): Reply {
    this.#panics.add();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log('error', '', `a query ended in a fault of fivedots, which answered SERVFAIL; please report it: ${text}`);
    return servfail('', 'internal fault');
  }

  #count(metric: string, reason: string): undefined {
    const key = `${metric} ${reason}`;
    let counter = this.#refusals.get(key);
    if (counter === undefined) {
      counter = this.#counters.counter(metric, { reason });
      this.#refusals.set(key, counter);
    }
    counter.add();
  }
}

/** Zone transfers are not offered (RFC 5936 section 2.2.1 allows REFUSED). */
function isTransfer(type: number): boolean {
  return type === RRType.AXFR || type === RRType.IXFR;
}
