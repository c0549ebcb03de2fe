/** The TCP connections to one upstream. Knows when to open, reuse and close one, nothing of what is said. */

import type { Count, Milliseconds } from '../../zones/units.ts';
import { UpstreamError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { UpstreamConnection, type TcpExchange, type TcpOutcome } from './upstream-connection.ts';

/** To one upstream. A query gets a connection of its own up to here, for some servers answer one after the other; above it queries share. */
export const CONNECTIONS_MAX: Count = 8;
/** With those that replace others: connections that are too old, or that the upstream closed under its queries. */
const OPEN_MAX: Count = 2 * CONNECTIONS_MAX;
/** Queries that share one connection (RFC 7766 section 6.2.1.1); above it they fail at once. */
export const PIPELINED_MAX: Count = 100;

/** How long it is remembered that an upstream has no TCP: short, for a server that restarts looks the same. */
const REFUSAL_MEMORY: Milliseconds = 60_000;

export type TcpPoolOptions = {
  readonly to: Endpoint;
  readonly source: string | undefined;
  readonly clock: () => Milliseconds;
  /** A connection without queries is closed after this time. */
  readonly expire: Milliseconds;
  /** An older connection takes no more queries; 0 for any age. */
  readonly maxAge: Milliseconds;
  /** Connections without queries that are kept; 0 for any number. */
  readonly maxIdle: Count;
  readonly mismatched: () => void;
  /** Told for each query whether an open connection took it. */
  readonly picked: (isReused: boolean) => void;
};

export class TcpPool {
  readonly #options: TcpPoolOptions;
  readonly #connections = new Set<UpstreamConnection>();
  readonly #expiries = new Map<UpstreamConnection, NodeJS.Timeout>();
  #refusedUntil: Milliseconds = -Infinity;
  #isClosing = false;

  constructor(options: TcpPoolOptions) {
    this.#options = options;
  }

  /** Was the last connection not taken, and not long ago? A server that takes one and hangs up has TCP. */
  get isRefused(): boolean {
    return this.#refusedUntil > this.#options.clock();
  }

  /**
   * An upstream may close a connection at any time; a query that was caught by that is asked once more on a new one (RFC 7766 section 6.2.4).
   * @throws UpstreamError timeout, unreachable, malformed, limit
   */
  async ask(exchange: TcpExchange): Promise<TcpOutcome> {
    const connection = this.#pick();
    const isOld = connection.isProven;
    try {
      return await connection.ask(exchange);
    } catch (error) {
      const wasCaught = isOld && error instanceof UpstreamError && error.code === 'unreachable';
      if (!wasCaught || exchange.signal.aborted) throw error;
      // The others are likely to be closed too, so a new one is better than an idle one.
      return (this.#connections.size < OPEN_MAX ? this.#open() : this.#pick()).ask(exchange);
    }
  }

  /** Connections on which queries wait are closed after the last reply. */
  close(): void {
    this.#isClosing = true;
    for (const connection of this.#connections) if (connection.load === 0) connection.close();
  }

  #pick(): UpstreamConnection {
    const { clock, maxAge, picked } = this.#options;
    let best: UpstreamConnection | undefined;
    for (const connection of this.#connections) {
      if (connection.isSilent || (maxAge > 0 && clock() - connection.opened > maxAge)) continue;
      if (best === undefined || connection.load < best.load) best = connection;
    }
    const isReused = best !== undefined && (best.load === 0 || this.#connections.size >= CONNECTIONS_MAX);
    picked(isReused);
    if (best === undefined || !isReused) return this.#open();
    if (best.load >= PIPELINED_MAX) {
      throw new UpstreamError(
        'limit',
        `${PIPELINED_MAX} queries wait on each TCP connection to ${this.#options.to.label} already`,
      );
    }
    this.#keep(best);
    return best;
  }

  #open(): UpstreamConnection {
    const { to, source, clock, mismatched } = this.#options;
    if (this.#connections.size >= OPEN_MAX) {
      throw new UpstreamError('limit', `${this.#connections.size} TCP connections to ${to.label} are open already`);
    }
    const connection = new UpstreamConnection({
      to,
      source,
      clock,
      mismatched,
      opened: () => void (this.#refusedUntil = -Infinity),
      closed: (closed, isRefused) => {
        if (isRefused) this.#refusedUntil = clock() + REFUSAL_MEMORY;
        this.#keep(closed);
        this.#connections.delete(closed);
      },
      idle: (idle) => this.#rest(idle),
    });
    this.#connections.add(connection);
    return connection;
  }

  /** A connection has nothing to do: it waits for a query, but not for ever. */
  #rest(connection: UpstreamConnection): void {
    const { clock, expire, maxAge, maxIdle } = this.#options;
    const isTooOld = maxAge > 0 && clock() - connection.opened > maxAge;
    const isOneTooMany = maxIdle > 0 && this.#expiries.size >= maxIdle;
    if (this.#isClosing || isTooOld || isOneTooMany || expire === 0 || connection.isSilent) connection.close();
    else
      this.#expiries.set(
        connection,
        setTimeout(() => connection.close(), expire),
      );
  }

  #keep(connection: UpstreamConnection): void {
    clearTimeout(this.#expiries.get(connection));
    this.#expiries.delete(connection);
  }
}
