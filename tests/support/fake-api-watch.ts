/** One watch of the fake API server: what its client is told, and when it is let go. Knows nothing of the state. */

import type { ServerResponse } from 'node:http';

import type { Matcher } from './fake-api-selectors.ts';
import type { Change, Resource } from './fake-api-store.ts';

/** How a watch writes. */
export type WatchManner = {
  /**
   * Events that wait for a client who does not read. One more, and the watch is ended: what waited is forgotten, what the
   * connection already has still arrives, and then comes an ordinary end (cache_watcher.go `add` and `forget`, 10 to 1,000
   * events by `calculateWatchChannelSize` of cacher.go; the handler of watch.go returns when the channel is closed).
   */
  readonly unreadMax: number;
  /** Octets of one chunk of the body; undefined for a chunk to each event (watch.go flushes after each). */
  readonly chunkSize: number | undefined;
  readonly dropped: () => void;
};

/** One client that watches. A client whose version is ahead of the server's is told nothing (cache_watcher.go). */
export class Watch {
  readonly resource: Resource;
  /** Changes up to this version are not told. */
  from = 0;
  readonly #matches: Matcher;
  readonly #wantsBookmarks: boolean;
  readonly #response: ServerResponse;
  readonly #manner: WatchManner;
  readonly #unread: (string | Buffer)[] = [];
  readonly #pieces: Buffer[] = [];
  #isWriting = false;

  constructor(
    resource: Resource,
    matches: Matcher,
    wantsBookmarks: boolean,
    response: ServerResponse,
    manner: WatchManner,
  ) {
    this.resource = resource;
    this.#matches = matches;
    this.#wantsBookmarks = wantsBookmarks;
    this.#response = response;
    this.#manner = manner;
    response.setHeader('Content-Type', 'application/json');
    response.flushHeaders();
    response.on('error', () => {});
    response.on('drain', () => this.#catchUp());
  }

  /** An object that comes into the selection is ADDED, one that leaves it DELETED with what it was before. */
  tell({ kind, version, before, after }: Change, mangle: (line: string) => string = (line) => line): void {
    if (kind !== this.resource.kind || version <= this.from) return;
    const was = before !== undefined && this.#matches(before);
    const is = after !== undefined && this.#matches(after);
    if (is) this.send(was ? 'MODIFIED' : 'ADDED', after, mangle);
    else if (was) {
      const gone = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
      this.send('DELETED', gone, mangle);
    }
  }

  send(type: string, object: unknown, mangle: (line: string) => string = (line) => line): void {
    this.write(`${mangle(JSON.stringify({ type, object }))}\n`);
  }

  bookmark(version: number, marksListEnd = false): void {
    if (!this.#wantsBookmarks || this.from > version) return;
    const annotations = marksListEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const { kind, apiVersion } = this.resource;
    // eslint-disable-next-line unicorn/no-null -- this is how Go writes a time that is not set
    const metadata = { resourceVersion: String(version), creationTimestamp: null, ...annotations };
    this.send('BOOKMARK', { kind, apiVersion, metadata });
  }

  fail(code: number, reason: string, message: string): void {
    this.send('ERROR', { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
    this.end();
  }

  /** An object of the first list: these wait for the client, however slow it is (cache_watcher.go `processInterval`). */
  list(object: unknown): void {
    this.#write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
  }

  write(text: string | Buffer): void {
    if (this.#response.writableEnded) return;
    if (!this.#response.writableNeedDrain) this.#write(text);
    else if (this.#unread.length < this.#manner.unreadMax) this.#unread.push(text);
    else {
      this.#unread.length = 0;
      this.#manner.dropped();
      this.end();
    }
  }

  end(): void {
    for (const text of this.#unread.splice(0)) this.#write(text);
    for (const piece of this.#pieces.splice(0)) this.#response.write(piece);
    this.#response.end();
  }

  #catchUp(): void {
    while (this.#unread.length > 0 && !this.#response.writableNeedDrain) this.#write(this.#unread.shift() ?? '');
  }

  #write(text: string | Buffer): void {
    const { chunkSize } = this.#manner;
    if (chunkSize === undefined) {
      this.#response.write(text);
      return;
    }
    const octets = Buffer.from(text);
    for (let at = 0; at < octets.length; at += chunkSize) this.#pieces.push(octets.subarray(at, at + chunkSize));
    if (!this.#isWriting) this.#writePieces();
  }

  /** One in each turn: what is written together is read together, chunks or not. */
  #writePieces(): void {
    const piece = this.#pieces.shift();
    this.#isWriting = piece !== undefined && !this.#response.writableEnded;
    if (piece === undefined || !this.#isWriting) return;
    this.#response.write(piece);
    setImmediate(() => this.#writePieces());
  }
}
