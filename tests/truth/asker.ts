/** Asks one server many questions at once, each over UDP and over TCP, and for whole zones. Knows nothing of what is right. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import type { Count } from '../../zones/units.ts';
import { framed, REPLY_DEADLINE, TcpConnection, withinDeadline, type ServerAddress } from '../support/client.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import { readReply, type Reply } from '../support/reply.ts';
import { queryOctets } from './query.ts';

/** What came back to one question; undefined where nothing did. */
export type Replies = { readonly udp: Buffer | undefined; readonly tcp: Buffer | undefined };

/** Ids are two octets, and those of one burst must differ. */
const IDS: Count = 0x1_0000;

type Waiting = { readonly index: number; readonly burst: Burst };
type Burst = {
  readonly udp: (Buffer | undefined)[];
  readonly tcp: (Buffer | undefined)[];
  missing: Count;
  finished: () => void;
};

export class Asker {
  readonly #server: ServerAddress;
  readonly #udp: UdpSocket;
  readonly #udpWaiting = new Map<number, Waiting>();
  readonly #tcpWaiting = new Map<number, Waiting>();
  #tcp: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #lastId = 0;

  private constructor(server: ServerAddress, udp: UdpSocket) {
    this.#server = server;
    this.#udp = udp;
    udp.on('message', (reply) => take(this.#udpWaiting, 'udp', reply));
  }

  static async open(server: ServerAddress): Promise<Asker> {
    const udp = createSocket('udp4');
    udp.connect(server.port, server.host);
    await once(udp, 'connect');
    return new Asker(server, udp);
  }

  /** Sends all of them at once, the same octets over both transports, and waits for the replies. The ids are set here. */
  async ask(queries: readonly Buffer[]): Promise<readonly Replies[]> {
    const tcp = await this.#connection();
    let finished = (): void => {};
    const done = new Promise<void>((resolve) => (finished = resolve));
    const burst: Burst = {
      udp: queries.map(() => undefined),
      tcp: queries.map(() => undefined),
      missing: 2 * queries.length,
      finished,
    };
    const ids = queries.map((query, index) => {
      const id = (this.#lastId = (this.#lastId + 1) % IDS);
      query.writeUInt16BE(id, 0);
      this.#udpWaiting.set(id, { index, burst });
      this.#tcpWaiting.set(id, { index, burst });
      return id;
    });
    for (const query of queries) this.#udp.send(query);
    tcp.write(Buffer.concat(queries.map(framed)));
    if (queries.length > 0) {
      try {
        await withinDeadline('replies', (resolve) => void done.then(resolve), REPLY_DEADLINE);
      } catch {
        // What is missing is told by its absence.
      }
    }
    for (const id of ids) {
      this.#udpWaiting.delete(id);
      this.#tcpWaiting.delete(id);
    }
    return burst.udp.map((udp, i) => ({ udp, tcp: burst.tcp[i] }));
  }

  /** A whole zone (RFC 5936 section 2.2): the messages up to the one with the second SOA record, or with an rcode. */
  async transfer(zone: ModelQuestion['labels']): Promise<readonly Reply[]> {
    const manner = { payloadSize: undefined, dnssecOk: false, recursionDesired: false, checkingDisabled: false };
    const connection = await TcpConnection.open(this.#server);
    try {
      connection.send(queryOctets({ labels: zone, type: 'AXFR' }, manner));
      return await withinDeadline('a whole zone', (resolve, reject) => {
        const replies: Reply[] = [];
        let starts: Count = 0;
        connection.socket.on('data', () => {
          try {
            for (const octets of connection.replies.slice(replies.length)) {
              const reply = readReply(octets);
              replies.push(reply);
              starts += reply.answer.filter(({ type }) => type === 'SOA').length;
              if (starts > 1 || reply.rcode !== 'NOERROR') resolve(replies);
            }
          } catch (error) {
            reject(error as Error); // it is a MalformedError
          }
        });
      });
    } finally {
      connection.close();
    }
  }

  close(): void {
    this.#udp.close();
    this.#tcp?.destroy();
  }

  /** The one that is open, or a new one: the server closes those that are silent for long. */
  async #connection(): Promise<Socket> {
    if (this.#tcp?.writable === true && this.#tcp.readable) return this.#tcp;
    const socket = connect(this.#server.port, this.#server.host);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (octets: Buffer) => this.#read(octets));
    await once(socket, 'connect');
    this.#received = Buffer.alloc(0);
    this.#tcp = socket;
    return socket;
  }

  #read(octets: Buffer): void {
    const received = this.#received.length === 0 ? octets : Buffer.concat([this.#received, octets]);
    let at = 0;
    while (received.length - at >= 2 && received.length - at >= 2 + received.readUInt16BE(at)) {
      const end = at + 2 + received.readUInt16BE(at);
      take(this.#tcpWaiting, 'tcp', received.subarray(at + 2, end));
      at = end;
    }
    this.#received = received.subarray(at);
  }
}

function take(waiting: Map<number, Waiting>, over: 'udp' | 'tcp', reply: Buffer): void {
  const id = reply.length < 2 ? -1 : reply.readUInt16BE(0);
  const found = waiting.get(id);
  if (found === undefined) return;
  waiting.delete(id);
  found.burst[over][found.index] = reply;
  found.burst.missing--;
  if (found.burst.missing === 0) found.burst.finished();
}
