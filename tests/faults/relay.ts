/** A network between client and server that can be made to stand still: octets wait, nothing is lost. Knows no protocol. */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The server's side of each connection, and the client's. */
  readonly #pairs = new Map<Socket, Socket>();

  private constructor(target: () => number) {
    this.#server = createServer((client) => {
      const server = connect(target(), '127.0.0.1');
      client.pipe(server);
      server.pipe(client);
      this.#pairs.set(server, client);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          this.#pairs.delete(socket);
          other.destroy();
        });
      }
    });
  }

  /** In front of a port of 127.0.0.1, which may change. */
  static async start(target: () => number): Promise<Relay> {
    const relay = new Relay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing that the server says is taken any more: it piles up there. */
  hold(): void {
    for (const server of this.#pairs.keys()) {
      server.unpipe();
      server.pause();
    }
  }

  release(): void {
    for (const [server, client] of this.#pairs) server.pipe(client);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
