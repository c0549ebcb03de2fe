/**
 * A small HTTP server for machines that probe and scrape: it reads GET and HEAD of a few paths and cannot be told anything.
 * Knows nothing of what its pages say.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { Bytes, Count, Milliseconds } from '../../zones/units.ts';

export type Page = { readonly status: number; readonly contentType: string; readonly body: string };

/** A path's page. With `isOwnHost` it is given only to who asks for the server by one of its own names. */
export type PageSource = {
  readonly page: () => Page | Promise<Page>;
  readonly isOwnHost: ((host: string) => boolean) | undefined;
};
export type Pages = ReadonlyMap<string, PageSource>;

/** Where to listen: an empty host is every address of the machine, IPv4 and IPv6. */
export type HttpAddress = { readonly host: string; readonly port: number };

/** Connections of one server. When they are used up the oldest is closed: a probe is answered even while somebody holds them all. */
export const CONNECTIONS_MAX: Count = 32;
/** A probe's headers are below 300 octets. */
export const HEADERS_MAX: Bytes = 8 * 1024;
const HEADER_FIELDS_MAX: Count = 64;
export const URL_MAX: Bytes = 2 * 1024;
/** For the headers to arrive, for a whole exchange, for a connection between two, for a reader to take some octets. */
const HEADERS_TIMEOUT: Milliseconds = 5_000;
const EXCHANGE_TIMEOUT: Milliseconds = 10_000;
const KEEP_ALIVE_TIMEOUT: Milliseconds = 5_000;
const READER_TIMEOUT: Milliseconds = 10_000;

/** A page of plain text. */
export function textPage(status: number, body: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export class AdminServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #onDrop: () => void;
  #pages: Pages;

  private constructor(pages: Pages, onDrop: () => void) {
    this.#pages = pages;
    this.#onDrop = onDrop;
    this.#server = createServer(
      {
        maxHeaderSize: HEADERS_MAX,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: EXCHANGE_TIMEOUT,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
        connectionsCheckingInterval: 1_000,
        requireHostHeader: true,
        // A page is the answer to an upgrade too.
        shouldUpgradeCallback: () => false,
      },
      (asked, reply) => void this.#answer(asked, reply),
    );
    this.#server.maxHeadersCount = HEADER_FIELDS_MAX;
    this.#server.timeout = READER_TIMEOUT;
    this.#server.on('connection', (socket) => this.#admit(socket));
    this.#server.on('checkContinue', (asked, reply) => void this.#answer(asked, reply));
    this.#server.on('checkExpectation', (asked, reply) => void this.#answer(asked, reply));
  }

  /**
   * Opens a server. `onDrop` is told of each connection that was closed to make room.
   * @throws the error of the socket: the port is taken, or may not be used
   */
  static async open(address: HttpAddress, pages: Pages, onDrop: () => void): Promise<AdminServer> {
    const admin = new AdminServer(pages, onDrop);
    // `localhost` is looked up nowhere: it may have two addresses, of which the other programs expect this one.
    const host = address.host === 'localhost' ? '127.0.0.1' : address.host;
    const where = host === '' ? { port: address.port } : { port: address.port, host };
    await new Promise<void>((resolve, reject) => {
      admin.#server.once('error', reject);
      admin.#server.listen(where, resolve);
    });
    // Later errors are those of accept(2), such as no descriptors left: it goes on when there are some.
    admin.#server.removeAllListeners('error').on('error', () => {});
    return admin;
  }

  /** Where it listens, with the port that a port of 0 became. */
  get address(): HttpAddress {
    const address = this.#server.address() as AddressInfo | undefined; // a TCP server's address, not a pipe's path
    return { host: address?.address ?? '', port: address?.port ?? 0 };
  }

  /** Other pages from now on. */
  setPages(pages: Pages): void {
    this.#pages = pages;
  }

  /** Closes the port and every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #admit(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    const [oldest] = this.#connections;
    if (this.#connections.size <= CONNECTIONS_MAX || oldest === undefined) return;
    this.#connections.delete(oldest);
    oldest.destroy();
    this.#onDrop();
  }

  async #answer(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const page = await this.#pageFor(asked);
    if (hasBody(asked)) reply.setHeader('Connection', 'close');
    reply.writeHead(page.status, {
      'Content-Type': page.contentType,
      'Content-Length': Buffer.byteLength(page.body),
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      ...(page.status === 405 ? { Allow: 'GET, HEAD' } : {}),
    });
    reply.end(asked.method === 'HEAD' ? undefined : page.body);
  }

  async #pageFor(asked: IncomingMessage): Promise<Page> {
    const url = asked.url ?? '';
    if (Buffer.byteLength(url) > URL_MAX) return textPage(414, `The path is longer than ${URL_MAX} octets.\n`);
    if (asked.method !== 'GET' && asked.method !== 'HEAD') return textPage(405, 'Only GET and HEAD are answered.\n');
    if (hasBody(asked)) return textPage(413, 'No body is read.\n');
    if ((asked.headersDistinct['host']?.length ?? 0) > 1) return textPage(400, 'There are two Host headers.\n');
    const source = this.#pages.get(url.split('?', 1)[0] ?? '');
    if (source === undefined) return textPage(404, `There is ${[...this.#pages.keys()].join(', ')} here.\n`);
    if (source.isOwnHost?.(asked.headers.host ?? '') === false) {
      return textPage(421, 'Ask by IP address, as localhost, or by a name of the cluster (NAME.NAMESPACE.svc).\n');
    }
    try {
      return await source.page();
    } catch {
      return textPage(500, 'The page could not be made.\n');
    }
  }
}

function hasBody(asked: IncomingMessage): boolean {
  return asked.headers['transfer-encoding'] !== undefined || (asked.headers['content-length'] ?? '0') !== '0';
}
