/**
 * GETs from an API server over HTTP/1.1, each with deadlines, and with credentials renewed when they are refused.
 * Knows nothing of lists, watches and objects.
 */

import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import type { Bytes, Milliseconds } from '../units.ts';
import { ApiFault, replyFault, type ApiFaultCode } from './api-fault.ts';
import type { Connection, Credentials } from './credentials.ts';
import type { ApiCall } from './source.ts';
import type { Time } from './time.ts';

/** One GET. */
export type ApiGet = {
  readonly path: string;
  readonly parameters: URLSearchParams;
  /** From the connection to the reply's headers. */
  readonly headersWithin: Milliseconds;
  /** The longest silence in the reply's body; asked again after each chunk. */
  readonly idleWithin: () => Milliseconds;
  /** From the reply's headers to its end. */
  readonly wholeWithin: Milliseconds;
};

/** What the client needs besides credentials. */
export type ClientOptions = {
  readonly credentials: Credentials;
  readonly time: Time;
  readonly userAgent: string;
  readonly call: ((call: ApiCall) => void) | undefined;
};

/** Connecting, TLS included. */
const CONNECT_WITHIN: Milliseconds = 15_000;
/** A kubeconfig's exec plugin may ask a person or a cloud. */
const CREDENTIALS_WITHIN: Milliseconds = 60_000;
/** A Status is 300 octets; a proxy's error page may be more. */
const ERROR_BODY_MAX: Bytes = 64 * 1024;
/** Seen dead after 15 s + 3 * 5 s without an acknowledgement, which is what client-go's HTTP/2 pings achieve. */
const KEEP_ALIVE = { enable: true, initialDelay: 15_000, interval: 5000, count: 3 };

export class ApiClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Gives the body of a 200 to `take`, chunk by chunk, and comes back when it has ended as it should. `take` may take its
   * time: meanwhile the server is not read. What it throws ends the exchange.
   * @throws ApiFault
   */
  async get(get: ApiGet, signal: AbortSignal, take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
    const exchange = async (connection: Connection): Promise<void> => {
      try {
        await this.#exchange(connection, get, signal, take);
      } catch (error) {
        // An idle connection that the server closed just as we took it: nothing was asked yet.
        if (!(error instanceof StaleConnection)) throw error;
        await this.#exchange(connection, get, signal, take);
      }
    };
    const { credentials } = this.#options;
    const connection = await this.#within(signal, credentials.connection());
    try {
      await exchange(connection);
    } catch (error) {
      const isRefused = error instanceof ApiFault && error.code === 'status' && error.status.code === 401;
      if (!isRefused || !(await this.#within(signal, credentials.renew(connection)))) throw error;
      await exchange(await this.#within(signal, credentials.connection()));
    }
  }

  /**
   * The whole body as text.
   * @throws ApiFault, and BodyTooLarge
   */
  async text(get: ApiGet, signal: AbortSignal, max: Bytes): Promise<string> {
    const body = new BoundedBody(max);
    await this.get(get, signal, (chunk) => {
      if (!body.add(chunk)) throw new BodyTooLarge(max);
    });
    return body.text();
  }

  /** Ends all connections. */
  close(): void {
    this.#options.credentials.close();
  }

  /** Credentials can come from a program, which may hang: nobody waits for it longer than this. */
  #within<T>(signal: AbortSignal, made: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const close = (): void => reject(new ApiFault('closed', 'closed'));
      const cancel = this.#options.time.after(CREDENTIALS_WITHIN, () =>
        reject(new ApiFault('credentials', `no credentials came within ${CREDENTIALS_WITHIN / 1000} s`)),
      );
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', close);
      };
      signal.addEventListener('abort', close);
      if (signal.aborted) close();
      made.finally(done).then(resolve, reject);
    });
  }

  async #exchange(
    connection: Connection,
    get: ApiGet,
    signal: AbortSignal,
    take: (chunk: Buffer) => void | Promise<void>,
  ): Promise<void> {
    const { time } = this.#options;
    let reply: IncomingMessage | undefined;
    const outgoing = this.#ask(connection, get);
    const fail = (fault: ApiFault): void => void (reply ?? outgoing).destroy(fault);
    const close = (): void => fail(new ApiFault('closed', 'closed'));
    const deadline = new Deadline(time, fail);
    const whole = new Deadline(time, fail);
    try {
      signal.addEventListener('abort', close);
      if (signal.aborted) close();
      deadline.set(CONNECT_WITHIN, 'unreachable', `no connection within ${CONNECT_WITHIN / 1000} s`);
      onConnected(outgoing, () => {
        const within = get.headersWithin;
        deadline.set(within, 'timeout', `connected, but no reply within ${within / 1000} s`);
      });
      reply = await this.#reply(outgoing, connection);
      whole.set(get.wholeWithin, 'overdue', `the reply went on for more than ${get.wholeWithin / 1000} s`);
      const rest = (): void => {
        const within = get.idleWithin();
        deadline.set(within, 'stalled', `the reply went silent for ${within / 1000} s`);
      };
      rest();
      if (reply.statusCode !== 200) throw await faultOf(reply);
      if ((reply.headers['content-encoding'] ?? 'identity') !== 'identity') {
        throw new ApiFault(
          'protocol',
          'the reply is compressed, though none was asked for; is there a proxy on the way?',
        );
      }
      for await (const chunk of reply) {
        if (!Buffer.isBuffer(chunk)) continue;
        await take(chunk);
        rest();
      }
    } catch (error) {
      throw faultFrom(error, reply !== undefined);
    } finally {
      signal.removeEventListener('abort', close);
      deadline.end();
      whole.end();
      if (reply?.complete !== true) outgoing.destroy();
    }
  }

  #ask({ server, agent, headers }: Connection, { path, parameters }: ApiGet): ClientRequest {
    const url = new URL(server);
    url.pathname = server.pathname.replace(/\/$/, '') + path;
    url.search = parameters.toString();
    const request = server.protocol === 'https:' ? httpsRequest : httpRequest;
    const always = { Accept: 'application/json', 'User-Agent': this.#options.userAgent };
    let outgoing: ClientRequest;
    try {
      outgoing = request(url, { agent, headers: { ...always, ...Object.fromEntries(headers) } });
    } catch (cause) {
      throw new ApiFault('credentials', 'the credentials have characters that no HTTP header can carry', { cause });
    }
    outgoing.on('error', ignore);
    outgoing.on('socket', (socket: Socket) => void socket.setKeepAlive(KEEP_ALIVE));
    outgoing.end();
    return outgoing;
  }

  async #reply(outgoing: ClientRequest, { server }: Connection): Promise<IncomingMessage> {
    const { time, call } = this.#options;
    const started = time.now();
    const say = (code: string): void =>
      call?.({ method: 'GET', host: server.host, code, duration: (time.now() - started) / 1000 });
    try {
      const reply = await new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.on('response', resolve);
        outgoing.on('error', (error: NodeJS.ErrnoException) =>
          reject(outgoing.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error),
        );
        // Comes last; it counts only where neither of the others came (a reply that wants to upgrade).
        outgoing.on('close', () => reject(new ApiFault('protocol', 'the connection was closed instead of a reply')));
      });
      say(String(reply.statusCode));
      return reply;
    } catch (error) {
      say('<error>');
      throw error;
    }
  }
}

/** A body that is larger than was allowed for. */
export class BodyTooLarge extends ApiFault {
  constructor(max: Bytes) {
    super('protocol', `the reply is larger than ${max} octets`);
    this.name = 'BodyTooLarge';
  }
}

class StaleConnection extends ApiFault {
  constructor() {
    super('unreachable', 'a kept connection turned out to be closed');
    this.name = 'StaleConnection';
  }
}

class BoundedBody {
  readonly #max: Bytes;
  readonly #chunks: Buffer[] = [];
  #size: Bytes = 0;

  constructor(max: Bytes) {
    this.#max = max;
  }

  /** False if there is no room for it. */
  add(chunk: Buffer): boolean {
    this.#size += chunk.length;
    if (this.#size > this.#max) return false;
    this.#chunks.push(chunk);
    return true;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/** One deadline at a time, and none once it has ended. */
class Deadline {
  readonly #time: Time;
  readonly #fail: (fault: ApiFault) => void;
  #cancel: (() => void) | undefined;
  #hasEnded = false;

  constructor(time: Time, fail: (fault: ApiFault) => void) {
    this.#time = time;
    this.#fail = fail;
  }

  set(within: Milliseconds, code: ApiFaultCode, message: string): void {
    this.#cancel?.();
    if (!this.#hasEnded) this.#cancel = this.#time.after(within, () => this.#fail(new ApiFault(code, message)));
  }

  end(): void {
    this.#hasEnded = true;
    this.#cancel?.();
  }
}

/** Runs `then` once the connection, TLS included, is there. */
function onConnected(outgoing: ClientRequest, then: () => void): void {
  outgoing.once('socket', (socket: Socket) => {
    const isTls = socket instanceof TLSSocket;
    if (outgoing.reusedSocket || !(isTls || socket.connecting)) then();
    else socket.once(isTls ? 'secureConnect' : 'connect', then);
  });
}

/** For errors that somebody else is told of too. */
function ignore(): void {}

/** The fault that a reply other than 200 tells of. */
async function faultOf(reply: IncomingMessage): Promise<ApiFault> {
  const body = new BoundedBody(ERROR_BODY_MAX);
  for await (const chunk of reply) {
    if (!Buffer.isBuffer(chunk) || !body.add(chunk)) break;
  }
  return replyFault(reply.statusCode ?? 0, reply.headers['retry-after'], body.text());
}

/** What Node threw, in our words. */
function faultFrom(error: unknown, hasReply: boolean): unknown {
  if (error instanceof ApiFault || !isNetworkError(error)) return error;
  return hasReply
    ? new ApiFault('cut', `the reply broke off: ${error.message}`, { cause: error })
    : new ApiFault('unreachable', error.message === '' ? error.code : error.message, { cause: error });
}

/** Errors of sockets, TLS and HTTP parsing have a code; those of our own making and of JavaScript have not. */
function isNetworkError(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
