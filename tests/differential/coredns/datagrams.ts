/** Questions to one server over UDP, many on their way at once, and over TCP. Knows no zone. */

import { createSocket, type Socket } from 'node:dgram';

import type { Count, Milliseconds } from '../../../zones/units.ts';
import { exchange, type ServerAddress } from '../../support/client.ts';
import { asked, encodeQuery, type AskedEdns } from '../../support/query.ts';
import type { Question } from '../questions.ts';

/** For one of several tries, all on this machine: CoreDNS has questions that it never answers. */
const REPLY_WITHIN: Milliseconds = 500;
const TC = 0x0200;
const TRIES_MAX: Count = 3;

export class Datagrams {
  readonly #server: ServerAddress;
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<number, (reply: Buffer) => void>();
  #lastId = 0;

  constructor(server: ServerAddress) {
    this.#server = server;
    this.#socket.on('message', (reply) => {
      if (reply.length >= 2) this.#waiting.get(reply.readUInt16BE(0))?.(reply);
    });
  }

  /** undefined if no reply comes, though it was asked again. */
  async ask(question: Question): Promise<Buffer | undefined> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const reply = await this.#askOnce(question);
      if (reply === undefined) continue;
      const isCut = (reply.readUInt16BE(2) & TC) !== 0;
      return isCut ? this.#askOverTcp(question) : reply;
    }
    return undefined;
  }

  /** undefined if no reply comes: CoreDNS closes the connection, or keeps silent, when it cannot write one. */
  #askOverTcp(question: Question): Promise<Buffer | undefined> {
    return exchange(this.#server, 'tcp', queryFrom(1, question)).catch(() => undefined);
  }

  close(): void {
    this.#socket.close();
  }

  #askOnce(question: Question): Promise<Buffer | undefined> {
    do this.#lastId = (this.#lastId + 1) & 0xffff;
    while (this.#waiting.has(this.#lastId));
    const id = this.#lastId;
    return new Promise((resolve) => {
      const settle = (reply: Buffer | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(() => settle(undefined), REPLY_WITHIN);
      this.#waiting.set(id, settle);
      this.#socket.send(queryFrom(id, question), this.#server.port, this.#server.host);
    });
  }
}

function queryFrom(id: number, { name, type }: Question): Buffer {
  return encodeQuery(id, asked(name, type, { edns: EDNS }));
}

/** Room for what glue there is: what does not fit is left out without TC by us (RFC 2181 section 9), with it by CoreDNS. */
const EDNS: AskedEdns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
