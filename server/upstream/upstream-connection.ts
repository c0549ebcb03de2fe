/** One TCP connection to one upstream with many queries on the way (RFC 7766 section 6.2.1.1). Knows nothing of retries. */

import { connect, type Socket } from 'node:net';

import type { Count, Milliseconds } from '../../zones/units.ts';
import { UpstreamError } from '../errors.ts';
import type { UpstreamQuestion, UpstreamReply } from '../wire/upstream-message.ts';
import { Asked } from './asked.ts';
import type { CallOff } from './calling.ts';
import type { Endpoint } from './endpoint.ts';
import { FrameReader, framed } from './frame-reader.ts';
import { randomUint16 } from './randomness.ts';

/** Foreign messages on one connection after which it is closed: whoever is at its other end does not speak to us. */
const MISMATCHES_MAX: Count = 100;
/** A SYN without an answer is sent again by then (RFC 6298 section 2.1); a query is better off over UDP. */
const CONNECT_TIMEOUT: Milliseconds = 1_000;
/** A connection on which nothing came for so long while a query waited may be half open, even if another server answered that query. */
const SILENCE_MAX: Milliseconds = 300;

export type TcpExchange = {
  readonly question: UpstreamQuestion;
  readonly edns: boolean;
  readonly timeout: Milliseconds;
  readonly signal: CallOff;
};

/** `near`: the letters of the question came back in another case, or the question not at all. */
export type TcpOutcome = { readonly reply: UpstreamReply; readonly verdict: 'match' | 'near' };

export type UpstreamConnectionOptions = {
  readonly to: Endpoint;
  readonly source: string | undefined;
  readonly clock: () => Milliseconds;
  readonly mismatched: () => void;
  /** Told when the upstream has taken the connection. */
  readonly opened: () => void;
  /** Told when the connection cannot be used any longer; `isRefused`: the upstream never took it. */
  readonly closed: (connection: UpstreamConnection, isRefused: boolean) => void;
  /** Told when no query waits on it any more. */
  readonly idle: (connection: UpstreamConnection) => void;
};

type Waiting = {
  readonly asked: Asked;
  readonly resolve: (outcome: TcpOutcome) => void;
  readonly reject: (error: UpstreamError) => void;
};

export class UpstreamConnection {
  readonly opened: Milliseconds;
  readonly #options: UpstreamConnectionOptions;
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  readonly #connecting: NodeJS.Timeout;
  #lastOctets: Milliseconds | undefined;
  #mismatches: Count = 0;
  #isTaken = false;
  #isSilent = false;
  #isOpen = true;

  constructor(options: UpstreamConnectionOptions) {
    this.#options = options;
    this.opened = options.clock();
    const { to, source } = options;
    this.#socket = connect({
      host: to.address,
      port: to.port,
      noDelay: true,
      ...(source === undefined ? {} : { localAddress: source }),
    });
    this.#connecting = setTimeout(() => {
      // If it is only we who were late, the news that the connection was taken comes before this.
      setImmediate(() => {
        if (!this.#isTaken) this.#fail(`no TCP connection to ${to.label} within ${CONNECT_TIMEOUT} ms`);
      });
    }, CONNECT_TIMEOUT);
    this.#socket.on('connect', () => this.#taken());
    this.#socket.on('data', (octets: Buffer) => this.#received(octets));
    this.#socket.on('error', (error) => this.#fail(`${to.label} over TCP: ${error.message}`, error));
    this.#socket.on('end', () => this.#fail(`${to.label} closed the TCP connection`));
    this.#socket.on('close', () => this.#fail(`the TCP connection to ${to.label} is closed`));
  }

  /** Queries that wait for their reply. */
  get load(): Count {
    return this.#waiting.size;
  }

  /** Has the upstream ever said anything on it? */
  get isProven(): boolean {
    return this.#lastOctets !== undefined;
  }

  /** Has nothing come since a query waited long for it? It may be half open, so no more queries should wait on it. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** @throws UpstreamError timeout; unreachable if the connection ends first */
  ask({ question, edns, timeout, signal }: TcpExchange): Promise<TcpOutcome> {
    const { to, clock } = this.#options;
    let id = randomUint16();
    while (this.#waiting.has(id)) id = randomUint16();
    const asked = new Asked(question, edns, id);
    return new Promise<TcpOutcome>((resolve, reject) => {
      const since = clock();
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#waiting.delete(id);
        if (this.#waiting.size === 0 && this.#isOpen) this.#options.idle(this);
      };
      const hasSpoken = (): boolean => this.#lastOctets !== undefined && this.#lastOctets > since;
      const aborted = (): void => {
        if (!hasSpoken() && clock() - since >= SILENCE_MAX) this.#isSilent = true;
        leave();
        reject(new UpstreamError('timeout', 'another upstream was faster'));
      };
      const timer = setTimeout(() => {
        leave();
        reject(new UpstreamError('timeout', `no reply over TCP from ${to.label} within ${timeout} ms`));
        // Nothing at all has come since: the connection is half open, and the next query must not wait on it.
        if (!hasSpoken()) this.close();
      }, timeout);
      signal.addEventListener('abort', aborted);
      this.#waiting.set(id, {
        asked,
        resolve: (outcome) => {
          leave();
          resolve(outcome);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      });
      if (signal.aborted) aborted();
      else this.#socket.write(framed(asked.octets));
    });
  }

  close(): void {
    this.#end(new UpstreamError('unreachable', `the TCP connection to ${this.#options.to.label} was given up`), false);
  }

  #taken(): void {
    this.#isTaken = true;
    clearTimeout(this.#connecting);
    this.#options.opened();
  }

  #received(octets: Buffer): void {
    this.#lastOctets = this.#options.clock();
    this.#isSilent = false;
    this.#frames.read(octets, (message) => this.#take(message));
  }

  /** The connection itself shows who speaks, so a reply that is only near counts as ours. */
  #take(message: Buffer): void {
    const waiting = message.length < 2 ? undefined : this.#waiting.get(message.readUInt16BE(0));
    const verdict = waiting?.asked.judge(message) ?? 'mismatch';
    if (waiting === undefined || verdict === 'mismatch') {
      this.#options.mismatched();
      if (++this.#mismatches >= MISMATCHES_MAX) this.close();
      return;
    }
    try {
      waiting.resolve({ reply: waiting.asked.read(message), verdict });
    } catch (cause) {
      const { label } = this.#options.to;
      waiting.reject(new UpstreamError('malformed', `${label} sent a reply that cannot be read`, { cause }));
    }
  }

  #fail(message: string, cause?: Error): void {
    this.#end(new UpstreamError('unreachable', message, { cause }), !this.#isTaken);
  }

  #end(error: UpstreamError, isRefused: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#connecting);
    this.#socket.destroy();
    this.#options.closed(this, isRefused);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
  }
}
