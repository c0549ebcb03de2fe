/**
 * GETs from an API server, with credentials that are renewed when they are refused.
 * Knows nothing of lists, watches and objects.
 */

import type { Bytes, Milliseconds } from '../../units.ts';
import { ApiFault } from './api-fault.ts';
import { BoundedBody } from './bounded-body.ts';
import type { Connection, Credentials } from './credentials.ts';
import { exchange, StaleConnection, type ApiAnswer, type ApiGet, type ExchangeOptions, type Take } from './exchange.ts';
import type { ApiCall, RequestLimits } from '../source.ts';
import { RequestPace } from './request-pace.ts';

/** What the client needs besides credentials. */
export type ClientOptions = Omit<ExchangeOptions, 'connection' | 'call'> & {
  readonly credentials: Credentials;
  readonly limits: RequestLimits;
  readonly call: ((call: ApiCall) => void) | undefined;
};

/** A kubeconfig's exec plugin may ask a person or a cloud. */
const CREDENTIALS_WITHIN: Milliseconds = 60_000;

export class ApiClient {
  readonly #options: ClientOptions;
  readonly #pace: RequestPace;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#pace = new RequestPace(options.limits, options.time);
  }

  /**
   * Gives the body of a 200 to `take`, chunk by chunk, and comes back when it has ended as it should.
   * @throws ApiFault, and what `take` throws
   */
  async get(get: ApiGet, signal: AbortSignal, take: Take): Promise<void> {
    const { credentials } = this.#options;
    const connection = await this.#within(signal, credentials.connection());
    try {
      await this.#exchange(connection, get, signal, take);
    } catch (error) {
      const isRefused = error instanceof ApiFault && error.code === 'status' && error.status.code === 401;
      if (!isRefused || !(await this.#within(signal, credentials.renew(connection)))) throw error;
      await this.#exchange(await this.#within(signal, credentials.connection()), get, signal, take);
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

  async #exchange(connection: Connection, get: ApiGet, signal: AbortSignal, take: Take): Promise<void> {
    try {
      await this.#paced(connection, get, signal, take);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      await this.#paced(connection, get, signal, take);
    }
  }

  async #paced(connection: Connection, get: ApiGet, signal: AbortSignal, take: Take): Promise<void> {
    const { time, userAgent, call } = this.#options;
    const wanted = time.now();
    const begun = await this.#pace.start(signal);
    const waited = (time.now() - wanted) / 1000;
    const answered = (answer: ApiAnswer): void => {
      begun();
      call?.({ ...answer, waited });
    };
    try {
      await exchange({ connection, time, userAgent, call: answered }, get, signal, take);
    } finally {
      begun();
    }
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
}

/** A body that is larger than was allowed for. */
export class BodyTooLarge extends ApiFault {
  constructor(max: Bytes) {
    super('protocol', `the reply is larger than ${max} octets`);
    this.name = 'BodyTooLarge';
  }
}
