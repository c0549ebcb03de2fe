/** Questions to one server over one TCP connection, many on their way at once (RFC 7766 section 6.2.1.1). Knows no zone. */

import { connect, type Socket } from 'node:net';

import { framed, withinDeadline, type ServerAddress } from '../support/client.ts';
import { asked, encodeQuery } from '../support/query.ts';

export class Pipeline {
  readonly #server: ServerAddress;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;

  constructor(server: ServerAddress) {
    this.#server = server;
  }

  /** @throws Error if no reply comes in time */
  ask(name: string, type: string): Promise<Buffer> {
    do this.#lastId = (this.#lastId + 1) & 0xffff;
    while (this.#waiting.has(this.#lastId));
    const id = this.#lastId;
    const query = encodeQuery(id, asked(name, type, { recursionDesired: false }));
    return withinDeadline(`${name} ${type} of ${this.#server.host}:${this.#server.port}`, (resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#open().write(framed(query));
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket?.writable === true) return this.#socket;
    const socket = connect(this.#server.port, this.#server.host).setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (octets: Buffer) => this.#take(octets));
    socket.on('close', () => this.#fail());
    this.#received = Buffer.alloc(0);
    this.#socket = socket;
    return socket;
  }

  #fail(): void {
    const error = new Error(`port ${this.#server.port}: the connection was closed before all replies had come`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #take(octets: Buffer): void {
    this.#received = Buffer.concat([this.#received, octets]);
    let at = 0;
    while (this.#received.length - at >= 2) {
      const end = at + 2 + this.#received.readUInt16BE(at);
      if (end > this.#received.length) break;
      const reply = this.#received.subarray(at + 2, end);
      const id = reply.readUInt16BE(0);
      this.#waiting.get(id)?.resolve(reply);
      this.#waiting.delete(id);
      at = end;
    }
    this.#received = this.#received.subarray(at);
  }
}

type Waiting = { readonly resolve: (reply: Buffer) => void; readonly reject: (error: Error) => void };
