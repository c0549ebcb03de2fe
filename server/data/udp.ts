/** Datagram sockets: octets in, octets out. Knows nothing of what they mean. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';

import type { Bytes, Count } from '../../zones/units.ts';
import type { Counters, Counter } from '../counters.ts';
import type { Peer } from '../query.ts';
import type { Lanes } from './lanes.ts';

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
  readonly #lanes: Lanes;
  readonly #unsent: Counter;
  /** Replies that are still to come for datagrams that came before `close`. */
  #owed: Count = 0;
  #whenPaid: (() => void) | undefined;

  private constructor(lanes: Lanes, counters: Counters) {
    this.#lanes = lanes;
    this.#unsent = counters.counter('fivedots_unsent_replies_total', { proto: 'udp' });
  }

  /** @throws the system's error if the address is taken or not this machine's */
  static async open(host: string, port: number, lanes: Lanes, counters: Counters): Promise<UdpListener> {
    const listener = new UdpListener(lanes, counters);
    try {
      if (!WILDCARDS.has(host)) await listener.#bind(host, port, false);
      else {
        const needed = host === '' ? '0.0.0.0' : host;
        for (const address of wildcardAddresses(host)) await listener.#bindIfThere(address, port, address === needed);
      }
    } catch (error) {
      listener.destroy();
      throw error;
    }
    return listener;
  }

  /** The port of the first socket: what the kernel chose if 0 was asked for. */
  get port(): number {
    return this.#sockets[0]?.address().port ?? 0;
  }

  /** Resolves once every datagram that came before has its reply and the sockets are closed; until then more are answered. */
  async close(): Promise<void> {
    if (this.#owed > 0) await new Promise<void>((resolve) => (this.#whenPaid = resolve));
    this.destroy();
  }

  /** Closes the sockets; replies that are still to come are counted as unsent. */
  destroy(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#whenPaid?.();
  }

  async #bindIfThere(address: string, port: number, isNeeded: boolean): Promise<void> {
    try {
      await this.#bind(address, port, true);
    } catch (error) {
      const isAbsent = ABSENT.has((error as NodeJS.ErrnoException).code ?? '');
      if (!isAbsent || isNeeded) throw error;
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
    try {
      socket.bind(port, address);
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
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
      const reply = this.#lanes.either(packet, peer);
      if (reply === undefined) return;
      if (reply instanceof Promise) void this.#sendLate(socket, reply, peer);
      else this.#send(socket, reply, peer);
    });
    this.#sockets.push(socket);
  }

  async #sendLate(socket: Socket, reply: Promise<Buffer>, peer: Peer): Promise<void> {
    const isOwed = this.#whenPaid === undefined;
    if (isOwed) this.#owed++;
    this.#send(socket, await reply, peer);
    if (isOwed && --this.#owed === 0) this.#whenPaid?.();
  }

  #send(socket: Socket, reply: Buffer, peer: Peer): void {
    try {
      if (socket.getSendQueueSize() > SEND_QUEUE_MAX) this.#unsent.add();
      else socket.send(reply, peer.port, peer.address, this.#sent);
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

/** All addresses of the machine, all of its IPv4 ones, all of its IPv6 ones. */
const WILDCARDS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** The machine's own addresses that a wildcard stands for, then the unspecified ones. Link-local ones are left to those. */
function wildcardAddresses(host: string): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const global = own.filter(({ scopeid = 0 }) => scopeid === 0).map(({ address }) => address);
  return [...global, '0.0.0.0', '::'].filter((address) => host === '' || address.includes(':') === host.includes(':'));
}
