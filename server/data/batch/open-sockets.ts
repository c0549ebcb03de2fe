/** Connects batched sockets to what wakes them: node:dgram, or the doorbell where node:dgram would lose the address that was asked. */

import { createSocket } from 'node:dgram';
import { closeSync } from 'node:fs';

import type { OpenSocket, SocketPlace, SocketUse } from '../dgram-socket.ts';
import { BatchedSocket } from './batched-socket.ts';
import type { Batching } from './batching.ts';
import { familyOf, makeSocket } from './bound-socket.ts';
import { keptByNode } from './doorbell.ts';
import { Level, SocketOption } from './system-calls.ts';

/**
 * A socket of one address. node:dgram waits, reads the first datagram each time that it wakes, and closes the descriptor.
 * @throws the system's error
 */
export function openAddressed(batching: Batching, place: SocketPlace, use: SocketUse): OpenSocket {
  const { calls } = batching;
  const { descriptor, port } = makeSocket(calls, { ...place, packetInfo: false });
  const family = familyOf(place.address);
  const waker = createSocket({ type: family === 6 ? 'udp6' : 'udp4' });
  // What is left over wakes it again by itself.
  const dealings = { ...use, again: () => {} };
  const bound = { descriptor, family, address: place.address, port, isWildcard: false };
  const socket = new BatchedSocket(batching, bound, dealings);
  waker.on('error', () => use.unsent.add());
  waker.on('message', (packet, sender) => socket.readWith(packet, sender.address, sender.port));
  waker.bind({ fd: descriptor, exclusive: true });
  // libuv lets others share what it is given.
  if (!place.sharesPort) calls.setOption(descriptor, Level.SOCKET, SocketOption.REUSE_ADDRESS, 0);
  return {
    port,
    read: () => socket.read(),
    close() {
      socket.close();
      waker.close();
    },
  };
}

/**
 * A socket of all addresses that have none of their own, which answers from the one that was asked.
 * @throws the system's error
 */
export function openWildcard(batching: Batching, place: SocketPlace, use: SocketUse): OpenSocket {
  const { calls, doorbell } = batching;
  const made = makeSocket(calls, { ...place, packetInfo: true });
  const descriptor = keptByNode(calls, made.descriptor);
  const bound = {
    descriptor,
    family: familyOf(place.address),
    address: place.address,
    port: made.port,
    isWildcard: true,
  };
  const read = (): void => {
    if (!socket.read()) doorbell.wait(descriptor);
  };
  const socket: BatchedSocket = new BatchedSocket(batching, bound, { ...use, again: read });
  try {
    doorbell.watch(descriptor, read);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  return {
    port: made.port,
    read: () => socket.read(),
    close() {
      socket.close();
      doorbell.forget(descriptor, () => closeSync(descriptor));
    },
  };
}
