/** Datagram sockets: octets in, octets out. Knows nothing of what they mean. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

import type { Bytes } from '../../zones/units.ts';
import type { Counters, Counter } from '../counters.ts';
import type { Peer } from '../query.ts';

/** What becomes of a datagram. */
export type Answer = (packet: Buffer, peer: Peer) => Buffer | Promise<Buffer> | undefined;

/** Replies that the kernel does not take yet; more are dropped and counted. */
const SEND_QUEUE_MAX: Bytes = 1024 * 1024;
/** Asked of the kernel, which gives what net.core.rmem_max allows: room for a burst while the thread is busy. */
const RECEIVE_BUFFER: Bytes = 4 * 1024 * 1024;

/**
 * The sockets of one port. A reply must come from the address that was asked (RFC 2181 section 4.1), and a wildcard socket leaves that choice to
 * the routing table; so for the wildcard every address of the machine has a socket of its own, and a wildcard one takes what
 * comes to addresses that appear later.
 */
export class UdpListener {
  readonly #sockets: Socket[] = [];
  readonly #answer: Answer;
  readonly #unsent: Counter;

  private constructor(answer: Answer, counters: Counters) {
    this.#answer = answer;
    this.#unsent = counters.counter('fivedots_unsent_replies_total', { proto: 'udp' });
  }

  /** @throws the system's error if the address is taken or not this machine's */
  static async open(host: string, port: number, answer: Answer, counters: Counters): Promise<UdpListener> {
    const listener = new UdpListener(answer, counters);
    try {
      if (host !== '') await listener.#bind(host, port, false);
      else for (const address of wildcardAddresses()) await listener.#bindIfThere(address, port);
    } catch (error) {
      listener.close();
      throw error;
    }
    return listener;
  }

  /** The port of the first socket: what the kernel chose if 0 was asked for. */
  get port(): number {
    return this.#sockets[0]?.address().port ?? 0;
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  async #bindIfThere(address: string, port: number): Promise<void> {
    try {
      await this.#bind(address, port, true);
    } catch (error) {
      const isAbsent = ABSENT.has((error as NodeJS.ErrnoException).code ?? '');
      if (!isAbsent || address === '0.0.0.0') throw error;
    }
  }

  /** `reuseAddr` lets the wildcard and the single addresses share the port; the TCP listener, bound before, keeps other programs out. */
  async #bind(address: string, port: number, reuseAddr: boolean): Promise<void> {
    const family = address.includes(':') ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      reuseAddr,
      // Addresses only: the system's resolver is this very server.
      // oxlint-disable-next-line unicorn/no-null -- Node's callbacks say `null` for no error.
      lookup: (name, _options, found) => found(null, name, family),
    });
    // With a look-up that answers at once, so does `bind`.
    const listening = once(socket, 'listening');
    socket.bind(port, address);
    await listening;
    socket.on('error', () => this.#unsent.add());
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER);
    } catch {
      // The kernel's own size serves as well, with less room for bursts.
    }
    const localPort = socket.address().port;
    const localAddress = address;
    socket.on('message', (packet, remote) => {
      const peer: Peer = {
        address: remote.address,
        port: remote.port,
        family,
        protocol: 'udp',
        localAddress,
        localPort,
      };
      const reply = this.#answer(packet, peer);
      if (reply === undefined) return;
      if (reply instanceof Promise) void reply.then((late) => this.#send(socket, late, peer));
      else this.#send(socket, reply, peer);
    });
    this.#sockets.push(socket);
  }

  #send(socket: Socket, reply: Buffer, peer: Peer): void {
    if (socket.getSendQueueSize() > SEND_QUEUE_MAX) {
      this.#unsent.add();
      return;
    }
    try {
      socket.send(reply, peer.port, peer.address, this.#sent);
    } catch {
      // The socket was closed while the reply was being made.
      this.#unsent.add();
    }
  }

  readonly #sent = (error: unknown): void => {
    if (error instanceof Error) this.#unsent.add();
  };
}

/** Address families and addresses that a machine need not have. */
const ABSENT: ReadonlySet<string> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

function wildcardAddresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const scoped = own.map(({ address, scopeid, family }) => ({
    address,
    isLinkLocal: family === 'IPv6' && (scopeid ?? 0) !== 0,
  }));
  return [...scoped.filter(({ isLinkLocal }) => !isLinkLocal).map(({ address }) => address), '0.0.0.0', '::'];
}
