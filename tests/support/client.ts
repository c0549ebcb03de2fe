/**
 * A DNS client for tests: octets out, octets in, over real UDP and TCP sockets. Knows framing and ids, nothing of what a
 * message says.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import type { Protocol } from '../../server/query.ts';
import type { Milliseconds } from '../../zones/units.ts';

export type ServerAddress = { readonly host: string; readonly port: number };

/** A deadline, not a measure: long enough for a busy machine, so that only silence reaches it. */
export const REPLY_DEADLINE: Milliseconds = 8_000;

/** `host:port`, `[2001:db8::1]:port`. */
export function serverAddressFrom(text: string): ServerAddress {
  const match = /^(?:\[(.+)\]|([^:]+)):([0-9]+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new Error(`"${text}" is not host:port`);
  return { host, port: Number(match?.[3]) };
}

/** Sends one message and gives the first reply with its id. */
export function exchange(server: ServerAddress, protocol: Protocol, query: Buffer): Promise<Buffer> {
  return protocol === 'udp' ? exchangeUdp(server, query) : exchangeTcp(server, query);
}

/**
 * Sends messages from one socket, in order, and gives every datagram that comes until the reply to the last message is
 * there. Because the server handles datagrams of one socket in order, a message without a reply before then was dropped.
 */
export async function datagramsUntilLastReply(server: ServerAddress, messages: readonly Buffer[]): Promise<Buffer[]> {
  const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
  const lastId = messages.at(-1)?.readUInt16BE(0);
  const replies: Buffer[] = [];
  try {
    return await withinDeadline(`a reply over UDP from ${server.host}:${server.port}`, (resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (reply) => {
        replies.push(reply);
        if (reply.length >= 2 && reply.readUInt16BE(0) === lastId) resolve(replies);
      });
      socket.connect(server.port, server.host, () => {
        for (const message of messages) socket.send(message);
      });
    });
  } finally {
    socket.close();
  }
}

async function exchangeUdp(server: ServerAddress, query: Buffer): Promise<Buffer> {
  const replies = await datagramsUntilLastReply(server, [query]);
  const reply = replies.at(-1);
  if (reply === undefined) throw new Error('no reply');
  return reply;
}

async function exchangeTcp(server: ServerAddress, query: Buffer): Promise<Buffer> {
  const connection = await TcpConnection.open(server);
  try {
    connection.send(query);
    return await connection.replyTo(query.readUInt16BE(0));
  } finally {
    connection.close();
  }
}

/** One TCP connection with several queries on the way (RFC 7766 section 6.2.1.1). */
export class TcpConnection {
  readonly socket: Socket;
  /** Replies in the order they came. */
  readonly replies: Buffer[] = [];
  readonly #waiting = new Map<number, (reply: Buffer) => void>();
  readonly #closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    onFrames(socket, (reply) => this.#take(reply));
    this.#closed = new Promise((resolve) => void socket.on('close', () => resolve()));
  }

  static async open(server: ServerAddress): Promise<TcpConnection> {
    const socket = connect(server.port, server.host);
    socket.setNoDelay(true);
    await once(socket, 'connect', { signal: AbortSignal.timeout(REPLY_DEADLINE) });
    return new TcpConnection(socket);
  }

  /** Messages given together leave in one write. */
  send(...messages: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(messages.map(framed)));
  }

  /** The reply with that id, come or to come. */
  replyTo(id: number): Promise<Buffer> {
    const there = this.replies.find((reply) => reply.length >= 2 && reply.readUInt16BE(0) === id);
    if (there !== undefined) return Promise.resolve(there);
    return withinDeadline(`the reply with id ${id} over TCP`, (resolve, reject) => {
      this.#waiting.set(id, resolve);
      void this.#closed.then(() =>
        reject(new Error(`the server closed the connection before the reply with id ${id}`)),
      );
    });
  }

  /** Resolves when the connection is closed, by whichever side. */
  closed(): Promise<void> {
    return withinDeadline('the end of the TCP connection', (resolve) => void this.#closed.then(resolve));
  }

  close(): void {
    this.socket.destroy();
  }

  #take(reply: Buffer): void {
    this.replies.push(reply);
    if (reply.length >= 2) this.#waiting.get(reply.readUInt16BE(0))?.(reply);
  }
}

/** With the two-octet length in front, RFC 1035 section 4.2.2. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Gives each message that comes on a connection, without its length. */
export function onFrames(socket: Socket, take: (message: Buffer) => void): void {
  let received = Buffer.alloc(0);
  socket.on('data', (octets: Buffer) => {
    received = Buffer.concat([received, octets]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      const message = received.subarray(2, end);
      received = received.subarray(end);
      take(message);
    }
  });
}

/** A promise that is broken, with words, if it is not kept in time. */
export function withinDeadline<T>(
  what: string,
  start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  deadline: Milliseconds = REPLY_DEADLINE,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${deadline} ms for ${what}`)), deadline);
    const settle =
      <V>(settled: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer);
        settled(value);
      };
    start(settle(resolve), settle(reject));
  });
}
