/**
 * A small Kubernetes API server over HTTP or HTTPS: list with pages, watch with history, bookmarks and WatchList, and every
 * way of failing that a test asks for. File names in comments are those of k8s.io/apiserver, whose behaviour is played.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { applyFault, sendStatus, type Fault, type Logged } from './fake-api-faults.ts';
import { matcherFrom } from './fake-api-selectors.ts';
import { FakeApiStore, RESOURCES, type Change, type Resource } from './fake-api-store.ts';
import type { RawObject } from './raw-objects.ts';
import { Watch } from './fake-api-watch.ts';

export type FakeTls = { readonly cert: string; readonly key: string; readonly ca?: string };

export type FakeApiOptions = {
  /** PEM texts; with `ca` only clients with a certificate of it are let in. */
  readonly tls?: FakeTls;
  /** Automatic bookmarks; without it only `bookmark` sends them. */
  readonly bookmarkEvery?: number;
  /** Events that are remembered (watch_cache.go has 100 to 102,400). */
  readonly history?: number;
  /** Events that wait for a client who does not read, before its watch is ended; without it there is no end to that. */
  readonly unreadMax?: number;
};

export class FakeApiServer {
  /** The bearer token that is asked for; empty lets everybody in. */
  token = '';
  /** Used from the next `up` on. */
  tls: FakeTls | undefined;
  /** Does it know WatchList (feature gate, off in 1.33, on from 1.34)? */
  watchList = true;
  /** Does it end a watch's first list with the marked bookmark? Some aggregated servers do not. */
  marksListEnd = true;
  /** Plurals that nobody may read. */
  readonly forbidden: Set<string> = new Set();
  /** Plurals whose CustomResourceDefinition is not installed. */
  readonly unknown: Set<string> = new Set();
  /** Octets of one chunk of a watch's body; a chunk to each event if undefined. */
  chunkSize: number | undefined;
  readonly log: Logged[] = [];
  readonly #store: FakeApiStore;
  readonly #options: FakeApiOptions;
  readonly #faults: { fault: Fault; left: number }[] = [];
  readonly #watches = new Set<Watch>();
  readonly #sockets = new Set<Socket>();
  /** Ports of clients whose TLS handshake is over. */
  readonly #secured = new Set<number>();
  readonly #waiting = new Set<{
    readonly isMet: (logged: Logged) => boolean;
    readonly resolve: (logged: Logged) => void;
  }>();
  readonly #late: { readonly response: ServerResponse; readonly serve: () => void }[] = [];
  #dropped = 0;
  readonly #mangled = new Map<string, (line: string) => string>();
  #server: Server;
  #port = 0;
  #bookmarks: NodeJS.Timeout | undefined;

  private constructor(options: FakeApiOptions) {
    this.#options = options;
    this.tls = options.tls;
    this.#store = new FakeApiStore(options.history ?? 1000);
    this.#server = this.#createServer();
  }

  /** A server that listens on a free port of 127.0.0.1. */
  static async start(options: FakeApiOptions = {}): Promise<FakeApiServer> {
    const api = new FakeApiServer(options);
    await api.up();
    return api;
  }

  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** The version of the last change. */
  get version(): number {
    return this.#store.version;
  }

  /** How many watches are open. */
  get watching(): number {
    return this.#watches.size;
  }

  /** How many watches were ended because their client did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Creates or replaces an object; its version is given by the server. */
  put(object: RawObject): void {
    this.#tell(this.#store.put(object));
  }

  remove(kind: string, namespace: string, name: string): void {
    const change = this.#store.remove(kind, namespace, name);
    if (change !== undefined) this.#tell(change);
  }

  /**
   * Changes the state and tells no watch, nor any that comes later: the window that a watch skips when etcd's cluster is formed
   * anew (lf-edge/eve#6113). A list has it.
   */
  plant(object: RawObject): void {
    this.#store.plant(object);
  }

  /** The same for a deletion. */
  plantRemoval(kind: string, namespace: string, name: string): void {
    this.#store.plantRemoval(kind, namespace, name);
  }

  /** Forgets all history: watches from before now get 410 (cacher.go). */
  compact(): void {
    this.#store.compact();
  }

  /** Goes back to an empty state with a lower version, as etcd does after a restore. */
  restore(version: number): void {
    this.#store.restore(version);
  }

  /** Sends a bookmark to every watch that wants them; `version` moves on first if given. */
  bookmark(version?: number): void {
    if (version !== undefined) this.#store.skipTo(version);
    for (const watch of this.#watches) watch.bookmark(this.#store.version);
  }

  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Nothing that was asked for fails any more. */
  heal(): void {
    this.#faults.length = 0;
    this.#mangled.clear();
  }

  /** The next event of that kind goes out as what `mangle` makes of its line. */
  mangleNext(kind: string, mangle: (line: string) => string): void {
    this.#mangled.set(kind, mangle);
  }

  /** Writes to all watches of a kind, whatever it is. */
  write(kind: string, text: string | Buffer): void {
    for (const watch of this.#watches) if (watch.resource.kind === kind) watch.write(text);
  }

  /** Ends all watches as a server does whose time is up. */
  endWatches(kind?: string): void {
    for (const watch of this.#watches) if (kind === undefined || watch.resource.kind === kind) watch.end();
  }

  /** Breaks all connections with RST. */
  reset(): void {
    for (const socket of this.#sockets) {
      // A TLS handshake that meets RST in its own process can keep Node 26.9 from ending.
      if (this.tls === undefined || this.#secured.has(socket.remotePort ?? 0)) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  /** The next request that is like that. */
  next(isMet: (logged: Logged) => boolean): Promise<Logged> {
    return new Promise((resolve) => this.#waiting.add({ isMet, resolve }));
  }

  /** Serves what a fault has made late, and who still waits for it. */
  serveLate(): void {
    for (const { response, serve } of this.#late.splice(0)) if (!response.destroyed) serve();
  }

  /** Stops listening and breaks all connections; the port stays its own for `up`. */
  async down(): Promise<void> {
    clearInterval(this.#bookmarks);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset();
    await closed;
  }

  async up(): Promise<void> {
    this.#server = this.#createServer();
    await listening(this.#server, this.#port);
    this.#port = (this.#server.address() as AddressInfo).port;
    const { bookmarkEvery } = this.#options;
    if (bookmarkEvery !== undefined) this.#bookmarks = setInterval(() => this.bookmark(), bookmarkEvery);
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  #createServer(): Server {
    const { tls } = this;
    const listener = (request: IncomingMessage, response: ServerResponse): void => this.#serve(request, response);
    const server =
      tls === undefined
        ? createServer(listener)
        : createSecureServer(
            { ...tls, ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }) },
            listener,
          );
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      const { remotePort = 0 } = socket;
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#secured.delete(remotePort);
      });
    });
    server.on('secureConnection', (socket: Socket) => this.#secured.add(socket.remotePort ?? 0));
    return server;
  }

  #tell(change: Change): void {
    const mangle = this.#mangled.get(change.kind);
    this.#mangled.delete(change.kind);
    for (const watch of this.#watches) watch.tell(change, mangle);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://fake');
    const resource = RESOURCES.find(({ path }) => url.pathname.endsWith(path));
    if (resource === undefined) return sendStatus(response, 404, 'NotFound', 'the server could not find the resource');
    const query = url.searchParams;
    const isWatch = ['true', '1'].includes(query.get('watch') ?? '');
    const ask = !isWatch ? 'list' : query.get('sendInitialEvents') === 'true' ? 'watchlist' : 'watch';
    const { path, kind } = resource;
    const logged = { ask, kind, path, query, headers: request.headers, port: request.socket.remotePort ?? 0 } as const;
    this.log.push(logged);
    if (this.token !== '' && request.headers.authorization !== `Bearer ${this.token}`) {
      sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
    } else if (this.unknown.has(resource.plural)) {
      // A path of no resource is not the API's to answer, and so there is no Status (mux/pathrecorder.go).
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 page not found\n');
    } else if (this.forbidden.has(resource.plural)) {
      const verb = isWatch ? 'watch' : 'list';
      const what = `${resource.plural} is forbidden: User "test" cannot ${verb} resource "${resource.plural}"`;
      sendStatus(response, 403, 'Forbidden', what);
    } else {
      const fault = this.#takeFault(logged);
      const serve = (): void => {
        if (isWatch) this.#watch(resource, query, response);
        else this.#list(resource, query, response);
      };
      if (fault === undefined) serve();
      else if (fault.does === 'late') this.#late.push({ response, serve });
      else applyFault(fault, response, () => this.#resetOne(request.socket.remotePort));
    }
    for (const waiting of this.#waiting) {
      if (!waiting.isMet(logged)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(logged);
    }
  }

  /** RST is a matter of TCP: below TLS, if there is any. */
  #resetOne(port: number | undefined): void {
    for (const socket of this.#sockets) if (socket.remotePort === port) socket.resetAndDestroy();
  }

  #takeFault({ ask, kind, query }: Logged): Fault | undefined {
    const entry = this.#faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.on === undefined || fault.on === ask) &&
        (fault.kind === undefined || fault.kind === kind) &&
        (fault.when === undefined || fault.when(query)),
    );
    if (entry !== undefined) entry.left--;
    return entry?.fault;
  }

  #list(resource: Resource, query: URLSearchParams, response: ServerResponse): void {
    if (Number(query.get('resourceVersion') ?? '0') > this.#store.version) {
      return sendStatus(response, 504, 'Timeout', 'Too large resource version', {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      });
    }
    const page = this.#store.page(resource, query, matcherFrom(query));
    if (page === 'expired') {
      return sendStatus(
        response,
        410,
        'Expired',
        'The provided continue parameter is too old to display a consistent list',
      );
    }
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({
        kind: `${resource.kind}List`,
        apiVersion: resource.apiVersion,
        metadata: page.metadata,
        items: page.items,
      }),
    );
  }

  #watch(resource: Resource, query: URLSearchParams, response: ServerResponse): void {
    const startsWithList = query.get('sendInitialEvents') === 'true';
    if (startsWithList && !this.watchList) {
      return sendStatus(
        response,
        422,
        'Invalid',
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      );
    }
    if (startsWithList && query.get('resourceVersionMatch') !== 'NotOlderThan') {
      return sendStatus(response, 422, 'Invalid', 'resourceVersionMatch must be NotOlderThan');
    }
    const matches = matcherFrom(query);
    const watch = new Watch(resource, matches, query.get('allowWatchBookmarks') === 'true', response, {
      unreadMax: this.#options.unreadMax ?? Infinity,
      chunkSize: this.chunkSize,
      dropped: () => this.#dropped++,
    });
    const version = query.get('resourceVersion') ?? '';
    if (startsWithList || version === '' || version === '0') {
      watch.from = this.#store.version;
      for (const object of this.#store.objects(resource, matches)) watch.list(object);
      if (startsWithList && this.marksListEnd) watch.bookmark(this.#store.version, true);
    } else {
      watch.from = Number(version);
      const missed = this.#store.since(watch.from);
      // Whoever asks for what is forgotten is told so inside a 200 (cacher.go, newErrWatcher).
      if (missed === 'expired')
        return watch.fail(410, 'Expired', `too old resource version: ${version} (${this.#store.version})`);
      for (const change of missed) watch.tell(change);
    }
    this.#watches.add(watch);
    const seconds = Number(query.get('timeoutSeconds') ?? '1800');
    const timer = setTimeout(() => {
      watch.bookmark(this.#store.version);
      watch.end();
    }, seconds * 1000);
    timer.unref();
    response.on('close', () => {
      clearTimeout(timer);
      this.#watches.delete(watch);
    });
  }
}

/** While a server is down somebody's connection may go out from its port. */
async function listening(server: Server, port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      return;
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!isTaken || tries === LISTEN_TRIES_MAX) throw error;
      await pause(LISTEN_PAUSE);
    }
  }
}

const LISTEN_TRIES_MAX = 200;
const LISTEN_PAUSE = 50;
