/** A client that asks one server again and again, one question after the other, from the same two sockets. Knows ids, nothing else of messages. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import type { Protocol } from '../../server/query.ts';
import { TcpConnection, withinDeadline, type ServerAddress } from './client.ts';

export class SteadyClient {
  readonly #server: ServerAddress;
  #udp: Socket | undefined;
  #tcp: TcpConnection | undefined;

  constructor(server: ServerAddress) {
    this.#server = server;
  }

  /** The next message that comes after the query was sent. */
  async ask(query: Buffer, protocol: Protocol): Promise<Buffer> {
    if (protocol === 'udp') {
      const socket = (this.#udp ??= await this.#openUdp());
      return withinDeadline('a reply over UDP', (resolve) => {
        socket.once('message', resolve);
        socket.send(query);
      });
    }
    if (this.#tcp?.socket.readable !== true) this.#tcp = await TcpConnection.open(this.#server);
    const connection = this.#tcp;
    const count = connection.replies.length;
    return withinDeadline('a reply over TCP', (resolve) => {
      const look = (): void => {
        const reply = connection.replies[count];
        if (reply === undefined) return;
        connection.socket.off('data', look);
        resolve(reply);
      };
      connection.socket.on('data', look);
      connection.send(query);
    });
  }

  close(): void {
    this.#udp?.close();
    this.#tcp?.close();
  }

  async #openUdp(): Promise<Socket> {
    const socket = createSocket(this.#server.host.includes(':') ? 'udp6' : 'udp4');
    socket.connect(this.#server.port, this.#server.host);
    await once(socket, 'connect');
    return socket;
  }
}
