/** One query over UDP from a port of its own to one upstream. Knows nothing of retries or of what a reply says. */

import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { UpstreamError } from '../errors.ts';
import type { Asked } from './asked.ts';
import type { CallOff } from './calling.ts';
import type { Endpoint } from './endpoint.ts';
import { randomPort } from './randomness.ts';

/** UDP queries that may wait at once in one data thread, one file descriptor each: twice what kubeadm's Corefile lets wait. */
const UDP_SOCKETS_MAX: Count = 2_000;
/** Foreign replies after which the same question goes over TCP, where they cannot come in (RFC 5452 section 9.1). */
export const MISMATCHES_MAX: Count = 10;
/** Random ports tried before giving up; half of all ports would have to be in use for one query in a thousand to reach it. */
const BIND_TRIES_MAX: Count = 10;

export type UdpExchange = {
  readonly asked: Asked;
  readonly to: Endpoint;
  /** Local address, or undefined for the system's choice. */
  readonly source: string | undefined;
  readonly timeout: Milliseconds;
  readonly signal: CallOff;
  /** Told of each reply that is not ours. */
  readonly mismatched: () => void;
};

/** `doubtful`: something came that UDP cannot tell from a forgery, so the question has to be asked over TCP. */
export type UdpOutcome = { readonly octets: Buffer } | 'doubtful';

let waiting: Count = 0;

/**
 * A fresh socket bound to a random port and connected, so that the kernel keeps other senders away (RFC 5452 section 9.2). A reply that does
 * not match never ends the wait.
 * @throws UpstreamError timeout, unreachable, limit
 */
export function exchangeUdp(exchange: UdpExchange): Promise<UdpOutcome> {
  if (waiting >= UDP_SOCKETS_MAX) {
    const reason = `${UDP_SOCKETS_MAX} UDP queries wait for upstreams already`;
    return Promise.reject(new UpstreamError('limit', reason));
  }
  waiting++;
  return new Promise<UdpOutcome>((resolve, reject) => new Exchange(exchange, resolve, reject).start());
}

class Exchange {
  readonly #exchange: UdpExchange;
  readonly #socket: Socket;
  readonly #resolve: (outcome: UdpOutcome) => void;
  readonly #reject: (error: UpstreamError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #aborted = (): void => this.#fail('timeout', 'another upstream was faster');
  #bindTries: Count = 0;
  #mismatches: Count = 0;
  #isOver = false;

  constructor(exchange: UdpExchange, resolve: (outcome: UdpOutcome) => void, reject: (error: UpstreamError) => void) {
    this.#exchange = exchange;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#socket = createSocket({ type: exchange.to.family === 4 ? 'udp4' : 'udp6', lookup: literal });
    this.#socket.on('message', (octets, from) => this.#received(octets, from));
    this.#socket.on('error', (error) => this.#failed(error));
    this.#socket.on('listening', () => this.#socket.connect(exchange.to.port, exchange.to.address));
    // Never before: where there is no way to the upstream the error comes instead.
    this.#socket.on('connect', () => this.#send());
    this.#timer = setTimeout(
      () => this.#fail('timeout', `no reply over UDP from ${exchange.to.label} within ${exchange.timeout} ms`),
      exchange.timeout,
    );
  }

  start(): void {
    const { signal } = this.#exchange;
    if (signal.aborted) return this.#aborted();
    signal.addEventListener('abort', this.#aborted);
    return this.#bind();
  }

  #bind(): void {
    const { source, to } = this.#exchange;
    this.#bindTries++;
    const address = source ?? (to.family === 4 ? '0.0.0.0' : '::');
    this.#socket.bind({ port: randomPort(to.port), address, exclusive: true });
  }

  #send(): void {
    if (this.#isOver) return;
    // Without a callback Node.js hides a refused send (EPERM, EMSGSIZE).
    this.#socket.send(this.#exchange.asked.octets, (error) => {
      if (error !== null) this.#failed(error);
    });
  }

  #received(octets: Buffer, from: RemoteInfo): void {
    const { asked, to, mismatched } = this.#exchange;
    // What reached the port before it was connected may be from anybody.
    const isPeer = from.port === to.port && withoutZone(from.address) === withoutZone(to.address);
    const verdict = isPeer ? asked.judge(octets) : 'mismatch';
    if (verdict === 'match') return this.#end(() => this.#resolve({ octets }));
    mismatched();
    this.#mismatches++;
    if (verdict === 'near' || this.#mismatches >= MISMATCHES_MAX) this.#end(() => this.#resolve('doubtful'));
  }

  #failed(error: Error): void {
    const code = 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE' && this.#bindTries < BIND_TRIES_MAX) return this.#bind();
    const isOurs = code === 'EMFILE' || code === 'ENFILE' || code === 'ENOBUFS' || code === 'EADDRINUSE';
    return this.#fail(isOurs ? 'limit' : 'unreachable', `${this.#exchange.to.label} over UDP: ${error.message}`, error);
  }

  #fail(code: UpstreamError['code'], message: string, cause?: Error): void {
    this.#end(() => this.#reject(new UpstreamError(code, message, { cause })));
  }

  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    waiting--;
    clearTimeout(this.#timer);
    this.#exchange.signal.removeEventListener('abort', this.#aborted);
    this.#socket.close();
    settle();
  }
}

/** The address is there already: no look-up, no thread pool, no wait. */
const literal: NonNullable<SocketOptions['lookup']> = (address, _options, callback) => {
  // eslint-disable-next-line unicorn/no-null -- Node.js wants it
  callback(null, address, address.includes(':') ? 6 : 4);
};

function withoutZone(address: string): string {
  const at = address.indexOf('%');
  return at === -1 ? address : address.slice(0, at);
}
