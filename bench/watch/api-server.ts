/**
 * An API server for large clusters over HTTP: lists in pages, watches with history and bookmarks, WatchList. It writes JSON from templates, so
 * that hundreds of megabytes take it a second or two. It knows no selectors, no TLS and no faults but 410: tests/support/fake-api-server.ts does.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { RESOURCES, type Resource } from '../../tests/support/fake-api-store.ts';
import type { Bytes, Count } from '../../zones/units.ts';
import { ApiWatch, type Told } from './api-watch.ts';
import type { ChangeEvent } from './churn.ts';
import type { Cluster, Kind } from './cluster.ts';
import { textOf } from './cluster-text.ts';

/** How often something was asked for. */
export type Requests = { list: Count; watch: Count; watchlist: Count };

export class ApiServer {
  readonly requests: Requests = { list: 0, watch: 0, watchlist: 0 };
  readonly #cluster: Cluster;
  readonly #knowsWatchList: boolean;
  readonly #server: Server;
  readonly #watches = new Set<ApiWatch>();
  readonly #history: Told[] = [];
  /** Changes up to this version are forgotten. */
  #forgotten: Count;
  /** Requests that wait for `open`; undefined once it is open. */
  #held: (() => void)[] | undefined = [];
  #onRequest: () => void = () => {};

  /** It holds all requests back until it is opened. */
  constructor(cluster: Cluster, knowsWatchList: boolean) {
    this.#cluster = cluster;
    this.#knowsWatchList = knowsWatchList;
    this.#forgotten = cluster.version;
    this.#server = createServer((request, response) => {
      if (this.#held === undefined) this.#serve(request, response);
      else this.#held.push(() => this.#serve(request, response));
    });
  }

  /** On a free port of 127.0.0.1. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port; // it listens on a port
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const serve of held) serve();
  }

  /** Tells the watches of a change that the cluster has made. */
  tell({ type, object }: ChangeEvent): void {
    const { kind, version } = object;
    const { apiVersion } = resourceOf(kind);
    const line = `{"type":"${type}","object":{"kind":"${kind}","apiVersion":"${apiVersion}",${textOf(object)}}\n`;
    const told = { kind, version, line };
    this.#history.push(told);
    if (this.#history.length > HISTORY_MAX) this.#forgotten = this.#history.shift()?.version ?? this.#forgotten;
    for (const watch of this.#watches) watch.tell(told);
  }

  /** Forgets all history and ends all watches with 410; resolves when the next request comes. */
  expire(): Promise<void> {
    this.#history.length = 0;
    this.#forgotten = ++this.#cluster.version;
    for (const watch of this.#watches) watch.fail(`too old resource version: (${this.#forgotten})`);
    return new Promise((resolve) => (this.#onRequest = resolve));
  }

  /** What the slowest watch has not read yet. */
  get unread(): Bytes {
    return Math.max(0, ...Array.from(this.#watches, (watch) => watch.unread));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.#onRequest();
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://bench');
    const resource = RESOURCES.find(({ path }) => path === pathname);
    const kind = KINDS.find((known) => known === resource?.kind);
    if (resource === undefined || kind === undefined) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    const startsWithList = query.get('sendInitialEvents') === 'true';
    const ask = !['true', '1'].includes(query.get('watch') ?? '') ? 'list' : startsWithList ? 'watchlist' : 'watch';
    this.requests[ask]++;
    response.setHeader('Content-Type', 'application/json');
    if (ask === 'list') this.#list(kind, resource, query, response);
    else if (startsWithList && !this.#knowsWatchList)
      sendStatus(response, 422, 'Invalid', 'sendInitialEvents is forbidden');
    else this.#watch(kind, resource, query, response);
  }

  /** Pages are of one moment: one of a list that began before the last change is refused, as if it were compacted. */
  #list(kind: Kind, { apiVersion }: Resource, query: URLSearchParams, response: ServerResponse): void {
    const now = this.#cluster.version;
    const [version, from = 0] = (query.get('continue') ?? `${now}.0`).split('.').map(Number);
    if (version !== now) return sendStatus(response, 410, 'Expired', 'The provided continue parameter is too old');
    const objects = this.#cluster.objects.get(kind) ?? new Map<string, never>();
    const limit = Number(query.get('limit') ?? objects.size);
    const items = Array.from(objects.values().drop(from).take(limit), (object) => `{${textOf(object)}`);
    const end = from + items.length;
    const rest = end < objects.size ? { continue: `${now}.${end}`, remainingItemCount: objects.size - end } : {};
    const metadata = JSON.stringify({ resourceVersion: String(now), ...rest });
    response.end(
      `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${metadata},"items":[${items.join(',')}]}`,
    );
  }

  #watch(kind: Kind, resource: Resource, query: URLSearchParams, response: ServerResponse): void {
    const watch = new ApiWatch(kind, resource, response, Number(query.get('timeoutSeconds') ?? '1800'));
    if (query.get('sendInitialEvents') === 'true') {
      watch.begin([...(this.#cluster.objects.get(kind)?.values() ?? [])], () => this.#cluster.version);
    } else {
      const from = Number(query.get('resourceVersion'));
      if (from < this.#forgotten) return watch.fail(`too old resource version: ${from} (${this.#forgotten})`);
      watch.resume(this.#history.filter(({ version }) => version > from));
    }
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
  }
}

/** As in small API servers; enough for a watch that is taken up again. */
const HISTORY_MAX: Count = 1_000;
const KINDS: readonly Kind[] = ['Namespace', 'Service', 'EndpointSlice', 'Pod'];

function resourceOf(kind: Kind): Resource {
  const resource = RESOURCES.find((known) => known.kind === kind);
  if (resource === undefined) throw new Error(`there is no resource of kind ${kind}`);
  return resource;
}

function sendStatus(response: ServerResponse, code: number, reason: string, message: string): void {
  response
    .writeHead(code)
    .end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code }));
}
