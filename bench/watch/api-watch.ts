/** One client that watches one kind. Knows nothing of other watches, nor of why something changes. */

import type { ServerResponse } from 'node:http';

import type { Resource } from '../../tests/support/fake-api-store.ts';
import type { Bytes, Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { ClusterObject, Kind } from './cluster.ts';
import { textOf } from './cluster-text.ts';

/** A change as it goes over the wire. */
export type Told = { readonly kind: Kind; readonly version: Count; readonly line: string };

export class ApiWatch {
  readonly #kind: Kind;
  readonly #resource: Resource;
  readonly #response: ServerResponse;
  /** What happens while the first list is sent; undefined afterwards. */
  #pending: Told[] | undefined;
  /** Of the last thing told. */
  #version: Count = 0;
  /** What was written has been read, or nobody will. */
  #goOn: () => void = () => {};

  constructor(kind: Kind, resource: Resource, response: ServerResponse, timeout: Seconds) {
    this.#kind = kind;
    this.#resource = resource;
    this.#response = response;
    response.flushHeaders();
    const bookmarks = setInterval(() => this.#pending === undefined && this.#bookmark(), BOOKMARK_INTERVAL);
    const end = setTimeout(() => response.end(), timeout * 1000);
    response.on('drain', () => this.#goOn());
    response.on('close', () => {
      this.#goOn();
      clearInterval(bookmarks);
      clearTimeout(end);
    });
  }

  /** Sends all objects, as fast as they are read, and what happens after that. */
  begin(objects: readonly ClusterObject[], version: () => Count): void {
    this.#pending = [];
    this.#version = version();
    void this.#sendAll(objects);
  }

  resume(missed: readonly Told[]): void {
    for (const told of missed) this.tell(told);
  }

  tell(told: Told): void {
    if (told.kind !== this.#kind) return;
    if (this.#pending !== undefined) {
      this.#pending.push(told);
      return;
    }
    this.#version = told.version;
    if (!this.#response.writableEnded) this.#response.write(told.line, 'latin1');
  }

  /** Ends with 410 inside the stream, as an API server does. */
  fail(message: string): void {
    const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason: 'Expired', code: 410 };
    this.#response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
  }

  get unread(): Bytes {
    return this.#response.writableLength;
  }

  async #sendAll(objects: readonly ClusterObject[]): Promise<void> {
    const { apiVersion } = this.#resource;
    const head = `{"type":"ADDED","object":{"kind":"${this.#kind}","apiVersion":"${apiVersion}",`;
    let chunk = '';
    for (const object of objects) {
      chunk += `${head}${textOf(object)}}\n`;
      if (chunk.length < CHUNK) continue;
      if (!this.#response.write(chunk, 'latin1')) await new Promise<void>((resolve) => (this.#goOn = resolve));
      if (this.#response.destroyed) return;
      chunk = '';
    }
    this.#response.write(chunk, 'latin1');
    this.#bookmark({ annotations: { 'k8s.io/initial-events-end': 'true' } });
    const pending = this.#pending ?? [];
    this.#pending = undefined;
    for (const told of pending) this.tell(told);
  }

  #bookmark(more: object = {}): void {
    const { kind, apiVersion } = this.#resource;
    const object = { kind, apiVersion, metadata: { resourceVersion: String(this.#version), ...more } };
    this.#response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }
}

const CHUNK: Bytes = 256 * 1024;
const BOOKMARK_INTERVAL: Milliseconds = 60_000;
