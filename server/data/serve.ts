/** The plain lane: the straight line from octets to octets, the same for every transport. */

import { setImmediate } from 'node:timers/promises';

import { RRClass, RRType, Rcode, type RRset } from '../../zones/rr.ts';
import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';
import type { Counter, Counters } from '../counters.ts';
import type { Log } from '../log.ts';
import type { Exchange, Observer, Transfer } from '../pipeline.ts';
import { emptyReply, ExtendedErrorCode, type Peer, type Query, type Reply, servfail } from '../query.ts';
import type { Tell } from './express/express-lane.ts';
import { NOT_OURS, type Block, type RoutedZone, type Routes } from './block.ts';
import { decode, isRejected } from '../wire/decode.ts';
import { encode, encodeRejection, encodeTransfer, type Encoded } from '../wire/encode.ts';
import { gate } from '../wire/gate.ts';
import { route } from './route.ts';

/** Answers one message: octets now, later, message after message, or silence. */
export type Serve = (packet: Buffer, peer: Peer, routes: Routes) => Buffer | Promise<Buffer> | Messages | undefined;

/** A reply of many messages, which only TCP can carry. Each is made when the one before has been taken. */
export type Messages = AsyncGenerator<Buffer, void>;

/** Queries that may wait for an upstream at once in one data thread: about 2 KiB each. Above it they fail at once. */
export const WAITING_MAX: Count = 10_000;
/** Zone transfers at once in one data thread: each may hold on to a state of its own, some 20 MiB in a cluster of 100,000 endpoints. */
export const TRANSFERS_MAX: Count = 16;

export class Server {
  readonly #clock: () => Milliseconds;
  readonly #log: Log;
  readonly #counters: Counters;
  readonly #panics: Counter;
  readonly #refusals = new Map<string, Counter>();
  #waiting: Count = 0;
  #transferring: Count = 0;

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
    if (question.class !== RRClass.IN) return this.#finish(decoded, ONLY_IN, 'dropped', routes.unrouted);
    const routed = route(routes.zones, question.name, question.type);
    if (routed === undefined) return this.#finish(decoded, NOT_OURS, 'dropped', routes.unrouted);
    if (isTransfer(question.type)) return this.#transfer(decoded, routed);
    const reply = this.#ask(routed.block, decoded);
    if (reply instanceof Promise) return this.#later(decoded, reply, routed);
    if (reply.lease !== undefined) routes.express?.learn(packet, decoded, reply, routed);
    return this.#finish(decoded, reply, routed.zone, routed.block.observers);
  };

  /** Asks the server itself, for a name that a reply points to: routed, answered, but neither counted nor logged as a client's query. */
  resolve(query: Query, routes: Routes): Reply | Promise<Reply> {
    const routed = route(routes.zones, query.question.name, query.question.type);
    return routed === undefined ? NOT_OURS : this.#ask(routed.block, query);
  }

  #ask(block: Block, query: Query): Reply | Promise<Reply> {
    try {
      const reply = block.handler(query);
      return reply instanceof Promise ? reply.catch((error: unknown) => this.#panic(error)) : reply;
    } catch (error) {
      return this.#panic(error);
    }
  }

  #transfer(query: Query, routed: RoutedZone): Buffer | Messages {
    const { zone, block } = routed;
    const { reply, rrsets } = this.#askTransfer(block, query);
    if (rrsets === undefined || query.peer.protocol === 'udp') return this.#finish(query, reply, zone, block.observers);
    if (this.#transferring < TRANSFERS_MAX) return this.#messages(query, reply, rrsets, routed);
    this.#count('fivedots_rejected_messages_total', 'transfers');
    return this.#finish(query, TOO_MANY_TRANSFERS, zone, block.observers);
  }

  #askTransfer({ transfers }: Block, query: Query): Transfer {
    try {
      return transfers?.(query) ?? { reply: NO_TRANSFERS, rrsets: undefined };
    } catch (error) {
      return { reply: this.#panic(error), rrsets: undefined };
    }
  }

  /** Where a fault is met it throws, and the second SOA record never comes. To observers it is one exchange, of which they are told at its end. */
  async *#messages(query: Query, reply: Reply, rrsets: Iterable<RRset | undefined>, routed: RoutedZone): Messages {
    let size: Bytes = 0;
    this.#transferring++;
    try {
      for (const message of encodeTransfer(query, reply, rrsets)) {
        if (message !== undefined) {
          size += message.length;
          yield message;
        }
        await setImmediate();
      }
    } catch (error) {
      this.#panic(error);
      throw error;
    } finally {
      this.#transferring--;
      this.tell(query, reply, size, false, routed.zone, routed.block.observers);
    }
  }

  async #later(query: Query, promise: Promise<Reply>, routed: RoutedZone): Promise<Buffer> {
    if (this.#waiting >= WAITING_MAX) {
      this.#count('fivedots_rejected_messages_total', 'waiting');
      const reply = servfail('', `${WAITING_MAX} queries wait for upstreams already`, {
        code: ExtendedErrorCode.OTHER,
        text: 'too many queries wait for upstreams',
      });
      return this.#finish(query, reply, routed.zone, routed.block.observers);
    }
    this.#waiting++;
    const reply = await promise;
    this.#waiting--;
    return this.#finish(query, reply, routed.zone, routed.block.observers);
  }

  #finish(query: Query, reply: Reply, zone: string, observers: readonly Observer[]): Buffer {
    const { packet, truncated, sent } = this.#encode(query, reply);
    if (observers.length > 0) this.tell(query, sent, packet.length, truncated, zone, observers);
    return packet;
  }

  #encode(query: Query, reply: Reply): Encoded {
    try {
      return encode(query, reply);
    } catch (error) {
      return encode(query, this.#panic(error));
    }
  }

  /** An observer that fails does not take the reply with it. */
  readonly tell: Tell = (query, reply, size, truncated, zone, observers) => {
    const exchange: Exchange = { query, reply, size, truncated, duration: this.#clock() - query.received, zone };
    for (const observe of observers) {
      try {
        observe(exchange);
      } catch (error) {
        this.#panic(error);
      }
    }
  };

  #panic(error: unknown): Reply {
    this.#panics.add();
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#log('error', '', `a query met a fault of fivedots; please report it: ${text}`);
    return servfail('', 'internal fault', { code: ExtendedErrorCode.OTHER, text: 'internal fault' });
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

const ONLY_IN: Reply = {
  ...emptyReply(Rcode.REFUSED),
  extendedError: { code: ExtendedErrorCode.NOT_SUPPORTED, text: 'only class IN is served' },
};

/** RFC 5936 section 2.2.1 allows REFUSED. */
const NO_TRANSFERS: Reply = {
  ...emptyReply(Rcode.REFUSED),
  extendedError: { code: ExtendedErrorCode.NOT_SUPPORTED, text: 'no zone is transferred from here' },
};

const TOO_MANY_TRANSFERS: Reply = servfail(
  '',
  `${TRANSFERS_MAX} zone transfers are under way already; let secondaries ask less often, or fewer of them`,
  {
    code: ExtendedErrorCode.OTHER,
    text: 'too many zone transfers',
  },
);

function isTransfer(type: number): boolean {
  return type === RRType.AXFR || type === RRType.IXFR;
}
