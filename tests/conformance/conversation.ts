/** One socket to a server and everything that comes back on it. Knows framing, nothing of what a message says. */

import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { isIPv6 } from 'node:net';

import type { Protocol } from '../../server/query.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { TcpConnection, type ServerAddress } from '../support/client.ts';

export type Conversation = {
  /** Messages that came, in their order. */
  readonly replies: readonly Buffer[];
  /** Messages given together leave in order, over TCP in one write. */
  readonly send: (...messages: readonly Buffer[]) => void;
  /** Waits until it is so, the server has closed the connection, or the time is up; was it so? */
  readonly until: (isSo: () => boolean, within: Milliseconds) => Promise<boolean>;
  readonly close: () => void;
};

export async function converse(server: ServerAddress, protocol: Protocol): Promise<Conversation> {
  return protocol === 'udp' ? overUdp(server) : overTcp(server);
}

async function overUdp({ host, port }: ServerAddress): Promise<Conversation> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const events = new EventEmitter();
  const replies: Buffer[] = [];
  let isOver = false;
  // A connected socket learns that nobody listens there.
  socket.on('error', () => {
    isOver = true;
    events.emit('change');
  });
  socket.on('message', (reply) => {
    replies.push(reply);
    events.emit('change');
  });
  socket.connect(port, host);
  await once(socket, 'connect');
  return {
    replies,
    send: (...messages) => {
      for (const message of messages) socket.send(message);
    },
    until: (isSo, within) => untilSo(events, 'change', () => isOver, isSo, within),
    close: () => void socket.close(),
  };
}

async function overTcp(server: ServerAddress): Promise<Conversation> {
  const connection = await TcpConnection.open(server);
  const events = new EventEmitter();
  let isOver = false;
  // Behind the connection's own listener, so that the replies are there.
  connection.socket.on('data', () => events.emit('change'));
  connection.socket.on('close', () => {
    isOver = true;
    events.emit('change');
  });
  return {
    replies: connection.replies,
    send: (...messages) => connection.send(...messages),
    until: (isSo, within) => untilSo(events, 'change', () => isOver, isSo, within),
    close: () => connection.close(),
  };
}

async function untilSo(
  events: EventEmitter,
  change: string,
  isOver: () => boolean,
  isSo: () => boolean,
  within: Milliseconds,
): Promise<boolean> {
  const signal = AbortSignal.timeout(within);
  while (!isSo() && !isOver() && !signal.aborted) await once(events, change, { signal }).catch(() => undefined);
  return isSo();
}
