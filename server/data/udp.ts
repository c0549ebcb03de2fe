/** The datagram sockets of one port: which there are, and what is still owed when they close. Knows nothing of how they are read. */

import { networkInterfaces } from 'node:os';
import { setImmediate } from 'node:timers/promises';

import type { Bytes, Count } from '../../zones/units.ts';
import type { Counters, Counter } from '../counters.ts';
import type { Batching } from './batch/batching.ts';
import { openAddressed, openWildcard } from './batch/open-sockets.ts';
import { openDgramSocket, type OpenSocket, type SocketPlace, type SocketUse } from './dgram-socket.ts';
import type { Lanes } from './lanes.ts';

/** A listener that closes reads in so many turns of the loop what the kernel holds: thousands of datagrams, and a flood has no end. */
const LAST_TURNS_MAX: Count = 64;
/** Asked of the kernel, which gives what net.core.rmem_max allows: room for a burst while the thread is busy. */
const BUFFER: Bytes = 4 * 1024 * 1024;

export type UdpOptions = {
  /** What datagrams are read and sent with; without it, node:dgram does both. */
  readonly batching?: Batching | undefined;
  /** Do other threads listen on the same addresses and port? The kernel then spreads clients over them. */
  readonly reusePort?: boolean;
  /** With all addresses asked for: is there a socket for those that have none of their own? One thread's is enough. */
  readonly wildcard?: boolean;
};

/**
 * The sockets of one port. A reply must come from the address that was asked (RFC 2181 section 4.1), and a wildcard socket leaves that choice to
 * the routing table; so for the wildcard every address of the machine has a socket of its own, and a wildcard one takes what
 * comes to other addresses: those that appear later, and all of 127.0.0.0/8. Batched, that one answers from the address that was asked as well.
 */
export class UdpListener {
  readonly #sockets: OpenSocket[] = [];
  readonly #options: UdpOptions;
  readonly #use: SocketUse;
  readonly #unsent: Counter;
  /** Replies that are still to come for datagrams that came before `close`. */
  #owed: Count = 0;
  #whenPaid: (() => void) | undefined;

  private constructor(lanes: Lanes, counters: Counters, options: UdpOptions) {
    this.#options = options;
    this.#unsent = counters.counter('fivedots_unsent_replies_total', { proto: 'udp' });
    this.#use = { lanes, unsent: this.#unsent, owe: (reply, send) => void this.#owe(reply, send) };
  }

  /** @throws the system's error if the address is taken or not this machine's */
  static async open(
    host: string,
    port: number,
    lanes: Lanes,
    counters: Counters,
    options: UdpOptions = {},
  ): Promise<UdpListener> {
    const listener = new UdpListener(lanes, counters, options);
    try {
      if (!WILDCARDS.has(host)) await listener.#bind(host, port, false);
      else await listener.#bindAll(host, port);
    } catch (error) {
      listener.destroy();
      throw error;
    }
    return listener;
  }

  /** The port of the first socket: what the kernel chose if 0 was asked for. */
  get port(): number {
    return this.#sockets[0]?.port ?? 0;
  }

  /** Resolves once every datagram that came before has its reply and the sockets are closed; until then more are answered. */
  async close(): Promise<void> {
    for (let turns = 0; this.#readAll() && turns < LAST_TURNS_MAX; turns++) await setImmediate();
    if (this.#owed > 0) await new Promise<void>((resolve) => (this.#whenPaid = resolve));
    this.destroy();
  }

  /** Closes the sockets; replies that are still to come are counted as unsent. */
  destroy(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#whenPaid?.();
  }

  /** Is there more to read? */
  #readAll(): boolean {
    let isMore = false;
    for (const socket of this.#sockets) if (socket.read()) isMore = true;
    return isMore;
  }

  async #bindAll(host: string, port: number): Promise<void> {
    const needed = host === '' ? '0.0.0.0' : host;
    const { wildcard = true } = this.#options;
    for (const address of wildcardAddresses(host))
      if (wildcard || !WILDCARDS.has(address)) await this.#bindIfThere(address, port, address === needed);
  }

  async #bindIfThere(address: string, port: number, isNeeded: boolean): Promise<void> {
    try {
      await this.#bind(address, port, true);
    } catch (error) {
      const isAbsent = ABSENT.has((error as NodeJS.ErrnoException).code ?? '');
      if (!isAbsent || isNeeded) throw error;
    }
  }

  /** `sharesPort`: the wildcard and the single addresses; the TCP listener, bound before, keeps other programs out. */
  async #bind(address: string, port: number, sharesPort: boolean): Promise<void> {
    const { batching, reusePort = false } = this.#options;
    const place: SocketPlace = { address, port, sharesPort, reusePort, buffer: BUFFER };
    if (batching === undefined) this.#sockets.push(await openDgramSocket(place, this.#use));
    else if (WILDCARDS.has(address)) this.#sockets.push(openWildcard(batching, place, this.#use));
    else this.#sockets.push(openAddressed(batching, place, this.#use));
  }

  async #owe(reply: Promise<Buffer>, send: (reply: Buffer) => void): Promise<void> {
    const isOwed = this.#whenPaid === undefined;
    if (isOwed) this.#owed++;
    send(await reply);
    if (isOwed && --this.#owed === 0) this.#whenPaid?.();
  }
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
