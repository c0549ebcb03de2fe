/** Stream sockets: accepts connections within limits. Knows nothing of what is said on them. */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

import type { Bytes, Count } from '../../zones/units.ts';
import type { Counter, Counters } from '../counters.ts';
import { TcpConnection, type After, type StreamAnswer } from './tcp-connection.ts';

/** Of one listener: a node cache on each of 5,000 nodes keeps one or two open. About 10 KiB each. */
const CONNECTIONS_MAX: Count = 8_192;
/** From one address, so that one pod cannot take them all. A node cache opens one per query that it waits for. */
const CONNECTIONS_PER_SOURCE_MAX: Count = 256;

/**
 * Held for all clients of a listener together: half messages and unread replies, which those who read and finish do not have. A message has
 * up to 64 KiB, so without this bound a few pods could fill any memory limit.
 */
const HELD_MAX: Bytes = 16 * 1024 * 1024;

export type TcpOptions = {
  readonly connections: Count;
  readonly perSource: Count;
  readonly held: Bytes;
  readonly after: After;
  /** Do other threads listen on the same addresses and port? The kernel then spreads connections over them. */
  readonly reusePort: boolean;
};

const DEFAULTS: TcpOptions = {
  connections: CONNECTIONS_MAX,
  perSource: CONNECTIONS_PER_SOURCE_MAX,
  held: HELD_MAX,
  reusePort: false,
  after(delay, run) {
    const timer = setTimeout(run, delay);
    return () => clearTimeout(timer);
  },
};

/** At the limit the connection that has been idle longest makes room; without an idle one the new connection is refused. */
export class TcpListener {
  readonly #servers: Server[] = [];
  readonly #answer: StreamAnswer;
  readonly #unsent: Counter;
  readonly #refused: Counter;
  readonly #evicted: Counter;
  readonly #options: TcpOptions;
  /** In the order of their last messages: the one that has been idle longest comes first. */
  readonly #connections = new Set<TcpConnection>();
  readonly #perSource = new Map<string, Count>();
  #held: Bytes = 0;

  private constructor(answer: StreamAnswer, counters: Counters, options: TcpOptions) {
    this.#answer = answer;
    this.#options = options;
    this.#unsent = counters.counter('fivedots_unsent_replies_total', { proto: 'tcp' });
    this.#refused = counters.counter('fivedots_refused_connections_total');
    this.#evicted = counters.counter('fivedots_evicted_connections_total');
  }

  /** @throws the system's error if the address is taken or not this machine's */
  static async open(
    host: string,
    port: number,
    answer: StreamAnswer,
    counters: Counters,
    options: Partial<TcpOptions> = {},
  ): Promise<TcpListener> {
    const listener = new TcpListener(answer, counters, { ...DEFAULTS, ...options });
    try {
      if (host !== '') await listener.#bind(host, port);
      else {
        await listener.#bind('0.0.0.0', port);
        await listener.#bindIfThere('::', listener.port);
      }
    } catch (error) {
      await listener.close();
      throw error;
    }
    return listener;
  }

  get port(): number {
    const address = this.#servers[0]?.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  /** Accepts nothing more; resolves once every connection has had its replies and is closed. */
  async close(): Promise<void> {
    const closed = this.#servers
      .splice(0)
      .map((server) => new Promise<void>((resolve) => void server.close(() => resolve())));
    for (const connection of this.#connections) connection.end();
    await Promise.all(closed);
  }

  /** Closes what is left. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async #bindIfThere(address: string, port: number): Promise<void> {
    try {
      await this.#bind(address, port);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    }
  }

  async #bind(address: string, port: number): Promise<void> {
    const family = address.includes(':') ? 6 : 4;
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, family));
    server.listen({ host: address, port, ipv6Only: family === 6, reusePort: this.#options.reusePort });
    await once(server, 'listening');
    // Too many open files: the connection is lost, the listener stays.
    server.on('error', () => this.#refused.add());
    this.#servers.push(server);
  }

  #accept(socket: Socket, family: 4 | 6): void {
    const { remoteAddress: address, remotePort: port, localAddress, localPort } = socket;
    if (address === undefined || port === undefined || localAddress === undefined || localPort === undefined) {
      socket.destroy();
      return;
    }
    const count = this.#perSource.get(address) ?? 0;
    const { connections, perSource, after } = this.#options;
    if (count >= perSource || (this.#connections.size >= connections && !this.#evict())) {
      this.#refused.add();
      socket.destroy();
      return;
    }
    this.#perSource.set(address, count + 1);
    const peer = { address, port, family, protocol: 'tcp', localAddress, localPort } as const;
    const answer: StreamAnswer = (packet, from) => {
      this.#connections.delete(connection);
      this.#connections.add(connection);
      return this.#answer(packet, from);
    };
    const held = (change: Bytes): void => {
      this.#held += change;
      if (change < 0 || this.#held <= this.#options.held) return;
      this.#evicted.add();
      connection.destroy();
    };
    const connection: TcpConnection = new TcpConnection(socket, { peer, answer, unsent: this.#unsent, after, held });
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      const left = (this.#perSource.get(address) ?? 1) - 1;
      if (left === 0) this.#perSource.delete(address);
      else this.#perSource.set(address, left);
    });
  }

  /** Looks at the first few only, so that a flood of connections costs little. */
  #evict(): boolean {
    let looked = 0;
    for (const connection of this.#connections) {
      if (connection.isIdle) {
        connection.destroy();
        this.#connections.delete(connection);
        this.#evicted.add();
        return true;
      }
      if (++looked === EVICTION_LOOKS) break;
    }
    return false;
  }
}

const EVICTION_LOOKS: Count = 64;
