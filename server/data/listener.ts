/** One address and port of a plan: its UDP and TCP sockets, and the routes in use on it. Knows nothing of messages. */

import { setImmediate } from 'node:timers/promises';

import type { Milliseconds } from '../../zones/units.ts';
import type { Counters } from '../counters.ts';
import type { ListenerPlan } from '../plan.ts';
import type { Routes } from './block.ts';
import { eitherLane, type ExpressAnswer, type Lanes, type PlainAnswer } from './lanes.ts';
import type { Serve } from './serve.ts';
import { TcpListener } from './tcp.ts';
import { UdpListener, type UdpOptions } from './udp.ts';

/** How long queries that were accepted may still wait for their upstreams, and connections for their reader, when a listener closes. */
const CLOSE_DEADLINE: Milliseconds = 5_000;

export type ListenerOptions = {
  readonly counters: Counters;
  /** Monotonic. */
  readonly clock: () => Milliseconds;
  readonly udp?: UdpOptions;
};

export class Listener {
  readonly #udp: UdpListener;
  readonly #tcp: TcpListener;
  readonly #host: string;
  readonly #use: (routes: Routes) => void;

  private constructor(host: string, udp: UdpListener, tcp: TcpListener, use: (routes: Routes) => void) {
    this.#host = host;
    this.#udp = udp;
    this.#tcp = tcp;
    this.#use = use;
  }

  /**
   * Opens TCP first, which no other program can share, then UDP on the same port.
   * @throws Error saying which address, why, and what to do
   */
  static async open(
    plan: ListenerPlan,
    routes: Routes,
    serve: Serve,
    { counters, clock, udp = {} }: ListenerOptions,
  ): Promise<Listener> {
    let current = routes;
    const express: ExpressAnswer = (query, start, end, reply, at, asker) =>
      current.express?.answer(query, start, end, reply, at, asker) ?? 0;
    const answer = eitherLane<ReturnType<Serve>>({
      express,
      plain: (packet, peer) => serve(packet, peer, current),
      clock,
    });
    const plain: PlainAnswer = (packet, peer) => ofOneMessage(serve(packet, peer, current));
    const lanes: Lanes = { express, plain, either: eitherLane({ express, plain, clock }) };
    let tcp: TcpListener | undefined;
    try {
      const { reusePort = false } = udp;
      tcp = await TcpListener.open(plan.host, plan.port, answer, counters, { reusePort });
      const datagrams = await UdpListener.open(plan.host, tcp.port, lanes, counters, udp);
      return new Listener(plan.host, datagrams, tcp, (next) => (current = next));
    } catch (error) {
      await tcp?.close();
      throw new Error(`cannot listen on ${plan.server}: ${adviceFor(error)}`, { cause: error });
    }
  }

  /** `host:port` as it was bound. */
  get address(): string {
    return `${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`;
  }

  /** The one that the kernel chose if 0 was asked for. */
  get port(): number {
    return this.#udp.port;
  }

  /** From the next message on. */
  use(routes: Routes): void {
    this.#use(routes);
  }

  /** Answers what was accepted, then closes. */
  async close(): Promise<void> {
    // Two turns of the loop: what the kernel holds already is read first.
    await setImmediate();
    await setImmediate();
    const deadline = setTimeout(() => {
      this.#tcp.destroy();
      this.#udp.destroy();
    }, CLOSE_DEADLINE);
    await Promise.all([this.#tcp.close(), this.#udp.close()]);
    clearTimeout(deadline);
  }
}

/** Whole zones go over TCP only, so no datagram has a reply of many messages. */
function ofOneMessage(reply: ReturnType<Serve>): ReturnType<PlainAnswer> {
  return Buffer.isBuffer(reply) || reply instanceof Promise ? reply : undefined;
}

function adviceFor(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return 'another program uses that port (stop it, or choose another port with -dns.port or in the Corefile), or this one does: between one address and all of them a port moves at a restart only';
    case 'EACCES':
      return 'ports below 1024 need the capability NET_BIND_SERVICE or the sysctl net.ipv4.ip_unprivileged_port_start=0';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address; see `bind` in the Corefile';
    default:
      return message;
  }
}
