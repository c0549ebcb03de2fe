/** A real upstream in this process, UDP and TCP on one loopback port, that says what `outside` says. Knows no cluster. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

import { framed, onFrames } from '../support/client.ts';
import { record, wireName } from '../support/message-octets.ts';
import { rcodeNumber, typeName, typeNumber } from '../support/presentation.ts';
import { freePort } from '../support/server.ts';
import type { ModelQuestion, ModelReply } from '../support/model/world.ts';
import { outside } from './outside.ts';

export class OutsideUpstream {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();
  /** `127.0.0.1:port`, as `forward` takes it. */
  readonly address: string;
  /** What is out there. */
  world: (question: ModelQuestion) => ModelReply = outside;

  private constructor(udp: UdpSocket, tcp: Server, port: number) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = `127.0.0.1:${port}`;
    udp.on('message', (query, peer) => {
      const reply = this.#replyTo(query, 'udp');
      if (reply !== undefined) udp.send(reply, peer.port, peer.address);
    });
    tcp.on('connection', (socket) => this.#accept(socket));
  }

  static async start(): Promise<OutsideUpstream> {
    const port = await freePort();
    const udp = createSocket('udp4');
    const tcp = createServer();
    udp.bind(port, '127.0.0.1');
    await once(udp, 'listening');
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
    return new OutsideUpstream(udp, tcp, port);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await Promise.all([
      new Promise<void>((resolve) => void this.#udp.close(resolve)),
      new Promise<void>((resolve) => void this.#tcp.close(() => resolve())),
    ]);
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => this.#connections.delete(socket)).on('error', () => {});
    onFrames(socket, (query) => {
      const reply = this.#replyTo(query, 'tcp');
      if (reply !== undefined) socket.write(framed(reply));
    });
  }

  #replyTo(query: Buffer, protocol: 'udp' | 'tcp'): Buffer | undefined {
    return replyTo(query, protocol, this.world);
  }
}

/** The queries are fivedots' own: one question, an OPT record of 11 octets behind it. */
function replyTo(query: Buffer, protocol: 'udp' | 'tcp', world: OutsideUpstream['world']): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  const type = typeName(query.readUInt16BE(at + 1));
  const { rcode, isTruncated = false, authoritative, answer, authority } = world({ labels, type });
  if (rcode === 'SILENCE') return undefined;
  const payloadSize = query.length > end ? query.readUInt16BE(end + 3) : 512;
  const head = Buffer.from(query.subarray(0, end));
  const own = (authoritative ? 0x0400 : 0) | (isTruncated ? 0x0200 : 0) | rcodeNumber(rcode);
  head.writeUInt16BE(0x8080 | own | (query.readUInt16BE(2) & 0x0110), 2);
  head.writeUInt16BE(answer.size, 6);
  head.writeUInt16BE(authority.size, 8);
  head.writeUInt16BE(query.length > end ? 1 : 0, 10);
  const opt = query.subarray(end);
  const whole = Buffer.concat([head, ...[...answer, ...authority].map(recordOctets), opt]);
  if (protocol === 'tcp' || whole.length <= payloadSize) return whole;
  head.writeUInt16BE(head.readUInt16BE(2) | 0x0200, 2);
  head.writeUInt32BE(0, 6);
  return Buffer.concat([head, opt]);
}

/** A line of presentation format to octets, without compression. */
function recordOctets(line: string): Buffer {
  const [owner = '', ttl, , type = '', ...rdata] = line.split(' ');
  return record(wireName(owner), typeNumber(type), rdataOctets(type, rdata), 1, Number(ttl));
}

function rdataOctets(type: string, [first = '', second = '', ...numbers]: readonly string[]): Buffer {
  switch (type) {
    case 'A':
      return Buffer.from(first.split('.').map(Number));
    case 'AAAA': {
      const [head = '', tail = ''] = first.split('::').map((half) =>
        half
          .split(':')
          .map((group) => group.padStart(4, '0'))
          .join(''),
      );
      return Buffer.from(head + '0'.repeat(32 - head.length - tail.length) + tail, 'hex');
    }
    case 'TXT': {
      const text = [first, second, ...numbers].join(' ').slice(1, -1);
      return Buffer.from([text.length, ...Buffer.from(text)]);
    }
    case 'SOA': {
      const timers = Buffer.alloc(20);
      numbers.forEach((number, i) => timers.writeUInt32BE(Number(number), 4 * i));
      return Buffer.concat([wireName(first), wireName(second), timers]);
    }
    case 'MX': {
      const preference = Buffer.alloc(2);
      preference.writeUInt16BE(Number(first));
      return Buffer.concat([preference, wireName(second)]);
    }
    case 'HTTPS':
      return Buffer.from(numbers.join(''), 'hex');
    default:
      return wireName(first);
  }
}
