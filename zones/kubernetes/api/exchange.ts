/** One GET over HTTP/1.1 with given credentials: its deadlines, and what its errors mean. Knows nothing of what is in a body. */

import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import type { Bytes, Milliseconds } from '../../units.ts';
import { ApiFault, replyFault, type ApiFaultCode } from './api-fault.ts';
import { BoundedBody } from './bounded-body.ts';
import type { Connection } from './credentials.ts';
import type { ApiCall } from '../source.ts';
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
  /** Told when a 200 has begun, which may be long before its body does. */
  readonly begun?: () => void;
};

/** How an exchange went, up to the headers of its reply. */
export type ApiAnswer = Omit<ApiCall, 'waited'>;

/** What an exchange needs besides the GET. */
export type ExchangeOptions = {
  readonly connection: Connection;
  readonly time: Time;
  readonly userAgent: string;
  readonly call: (answer: ApiAnswer) => void;
};

/** Told of a body, chunk by chunk. Meanwhile the server is not read; what it throws ends the exchange. */
export type Take = (chunk: Buffer) => void | Promise<void>;

/**
 * Gives the body of a 200 to `take` and comes back when it has ended as it should.
 * @throws ApiFault, and what `take` throws
 */
export async function exchange(options: ExchangeOptions, get: ApiGet, signal: AbortSignal, take: Take): Promise<void> {
  let reply: IncomingMessage | undefined;
  const outgoing = ask(options, get);
  const fail = (fault: ApiFault): void => void (reply ?? outgoing).destroy(fault);
  const close = (): void => fail(new ApiFault('closed', 'closed'));
  const deadline = new Deadline(options.time, fail);
  const whole = new Deadline(options.time, fail);
  try {
    signal.addEventListener('abort', close);
    if (signal.aborted) close();
    deadline.set(CONNECT_WITHIN, 'unreachable', 'there was no connection');
    onConnected(outgoing, () => deadline.set(get.headersWithin, 'timeout', 'connected, but there was no reply'));
    reply = await replyTo(outgoing, options);
    whole.set(get.wholeWithin, 'overdue', 'the reply had not ended');
    const rest = (): void => deadline.set(get.idleWithin(), 'stalled', 'the reply was silent');
    rest();
    if (reply.statusCode !== 200) throw await faultOf(reply);
    if ((reply.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new ApiFault(
        'protocol',
        'the reply is compressed, though none was asked for; is there a proxy on the way?',
      );
    }
    get.begun?.();
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

/** A kept connection that the server closed just as it was used: nothing was asked yet, so it can be asked again. */
export class StaleConnection extends ApiFault {
  constructor() {
    super('unreachable', 'a kept connection turned out to be closed');
    this.name = 'StaleConnection';
  }
}

/** Connecting, TLS included. */
const CONNECT_WITHIN: Milliseconds = 15_000;
/** A Status is 300 octets; a proxy's error page may be more. */
const ERROR_BODY_MAX: Bytes = 64 * 1024;
/** Seen dead after 15 s + 3 * 5 s without an acknowledgement, which is what client-go's HTTP/2 pings achieve. */
const KEEP_ALIVE = { enable: true, initialDelay: 15_000, interval: 5000, count: 3 };

function ask({ connection, userAgent }: ExchangeOptions, { path, parameters }: ApiGet): ClientRequest {
  const { server, agent, headers } = connection;
  const url = new URL(server);
  url.pathname = server.pathname.replace(/\/$/, '') + path;
  url.search = parameters.toString();
  const request = server.protocol === 'https:' ? httpsRequest : httpRequest;
  const always = { Accept: 'application/json', 'User-Agent': userAgent };
  let outgoing: ClientRequest;
  try {
    outgoing = request(url, { agent, headers: { ...always, ...Object.fromEntries(headers) } });
  } catch (cause) {
    throw new ApiFault('credentials', 'they have characters that no HTTP header can carry', { cause });
  }
  outgoing.on('error', ignore);
  outgoing.on('socket', (socket: Socket) => void socket.setKeepAlive(KEEP_ALIVE));
  outgoing.end();
  return outgoing;
}

async function replyTo(outgoing: ClientRequest, { connection, time, call }: ExchangeOptions): Promise<IncomingMessage> {
  const { host } = connection.server;
  const asked = time.now();
  const say = (code: string): void => call({ method: 'GET', host, code, duration: (time.now() - asked) / 1000 });
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
    if (this.#hasEnded) return;
    this.#cancel = this.#time.after(within, () =>
      this.#fail(new ApiFault(code, `${message} after ${Math.round(within / 1000)} s`)),
    );
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
  try {
    for await (const chunk of reply) {
      if (!Buffer.isBuffer(chunk) || !body.add(chunk)) break;
    }
  } catch {
    // The status says enough, whatever became of the text.
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
