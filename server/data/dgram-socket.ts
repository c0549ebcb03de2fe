/** One UDP socket by way of node:dgram alone. Knows nothing of what the octets mean. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import type { Bytes } from '../../zones/units.ts';
import type { Counter } from '../counters.ts';
import type { Peer } from '../query.ts';
import type { Lanes } from './lanes.ts';

/** Replies that the kernel does not take yet; more are dropped and counted. */
const SEND_QUEUE_MAX: Bytes = 1024 * 1024;

/** What a datagram socket is opened with, whatever reads it. */
export type SocketPlace = {
  readonly address: string;
  readonly port: number;
  /** The wildcard and single addresses share the port. */
  readonly sharesPort: boolean;
  readonly reusePort: boolean;
  /** Of the kernel's buffers. */
  readonly buffer: Bytes;
};

export type SocketUse = {
  readonly lanes: Lanes;
  readonly unsent: Counter;
  /** A reply is to come; `send` is given it. */
  readonly owe: (reply: Promise<Buffer>, send: (reply: Buffer) => void) => void;
};

/** A bound socket, as its listener sees it. */
export type OpenSocket = {
  readonly port: number;
  /** Reads what the kernel holds, as far as it can be read in this turn of the loop. Is there more for the next one? */
  readonly read: () => boolean;
  /** Sends what is ready and closes. */
  readonly close: () => void;
};

export async function openDgramSocket(place: SocketPlace, use: SocketUse): Promise<OpenSocket> {
  const { address, port, sharesPort, reusePort, buffer } = place;
  const family = address.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    reuseAddr: sharesPort,
    reusePort,
    // Addresses only: the system's resolver is this very server.
    // oxlint-disable-next-line unicorn/no-null -- Node's callbacks say `null` for no error.
    lookup: (name, _options, found) => found(null, name, family),
  });
  // With a look-up that answers at once, so does `bind`.
  const listening = once(socket, 'listening');
  try {
    socket.bind(port, address);
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.on('error', () => use.unsent.add());
  try {
    socket.setRecvBufferSize(buffer);
  } catch {
    // The kernel's own size serves as well, with less room for bursts.
  }
  answerOn(socket, { family, localAddress: address, localPort: socket.address().port }, use);
  return { port: socket.address().port, read: () => false, close: () => void socket.close() };
}

function answerOn(
  socket: Socket,
  local: { readonly family: 4 | 6; readonly localAddress: string; readonly localPort: number },
  { lanes, unsent, owe }: SocketUse,
): void {
  const { family, localAddress, localPort } = local;
  const sent = (error: unknown): void => {
    if (error instanceof Error) unsent.add();
  };
  const send = (reply: Buffer, peer: Peer): void => {
    try {
      if (socket.getSendQueueSize() > SEND_QUEUE_MAX) unsent.add();
      else socket.send(reply, peer.port, peer.address, sent);
    } catch {
      // The socket was closed while the reply was being made.
      unsent.add();
    }
  };
  socket.on('message', (packet, { address, port }) => {
    const peer: Peer = { address, port, family, protocol: 'udp', localAddress, localPort };
    const reply = lanes.either(packet, peer);
    if (reply === undefined) return;
    if (reply instanceof Promise) owe(reply, (late) => send(late, peer));
    else send(reply, peer);
  });
}
