/** Do the calls do here what this program takes them to do? Knows one socket, which writes to itself. */

import { closeSync } from 'node:fs';

import type { Milliseconds } from '../../../zones/units.ts';
import {
  addressAt,
  dataAt,
  infoAt,
  prepareToReceive,
  prepareToSend,
  receivedInfoSize,
  receivedSize,
  type Arena,
} from './arena.ts';
import { makeSocket, systemError } from './bound-socket.ts';
import { openWaker } from './doorbell.ts';
import { ADDRESS_SIZES, askedText, INFO_SIZES, portOf, textOf, writeAddress } from './socket-address.ts';
import { READABLE, type Descriptor, type Result, type SystemCalls } from './system-calls.ts';

/** The loopback device delivers at once; a busy kernel may take its time. */
const PATIENCE: Milliseconds = 1_000;
const ADDRESS = '127.0.0.1';
const MESSAGES: readonly string[] = ['one', 'and another'];

/**
 * Makes what wakes a doorbell, sends two datagrams with one call to the socket that sends them, and reads both with another.
 * @throws Error with what was otherwise than expected
 */
export function testCalls(calls: SystemCalls, arena: Arena): void {
  closeSync(openWaker(calls));
  const wishes = { address: ADDRESS, port: 0, sharesPort: false, reusePort: false, packetInfo: true, buffer: 65_536 };
  const { descriptor, port } = makeSocket(calls, wishes);
  try {
    for (const [slot, message] of MESSAGES.entries()) {
      arena.octets.set(Buffer.from(message), dataAt(arena.sent, slot));
      writeAddress(arena.view, addressAt(arena.sent, slot), ADDRESS, port);
      prepareToSend(arena, slot, message.length, ADDRESS_SIZES[4], 0);
    }
    succeeded(calls.send(descriptor, arena.sentHeaders, MESSAGES.length), 'sendmmsg');
    for (let read = 0; read < MESSAGES.length;) {
      waitFor(calls, descriptor);
      prepareToReceive(arena, MESSAGES.length, INFO_SIZES[4]);
      const count = succeeded(calls.receive(descriptor, arena.receivedHeaders, MESSAGES.length), 'recvmmsg');
      for (let slot = 0; slot < count; slot++) check(arena, slot, MESSAGES[read++], port);
    }
  } finally {
    calls.close(descriptor);
  }
}

function waitFor(calls: SystemCalls, descriptor: Descriptor): void {
  const entry = new DataView(new ArrayBuffer(8));
  entry.setInt32(0, descriptor, true);
  entry.setInt16(4, READABLE, true);
  const ready = succeeded(calls.poll(new Uint8Array(entry.buffer), 1, PATIENCE), 'poll');
  if (ready === 0) throw new Error(`nothing that is sent to ${ADDRESS} comes`);
}

function check(arena: Arena, slot: number, message: string | undefined, port: number): void {
  const { octets, view, received } = arena;
  const start = dataAt(received, slot);
  const text = Buffer.from(octets.subarray(start, start + receivedSize(arena, slot))).toString();
  const sender = `${textOf(octets, addressAt(received, slot), 4, String)}:${portOf(view, addressAt(received, slot))}`;
  const asked = receivedInfoSize(arena, slot) === 0 ? 'nothing' : askedText(octets, infoAt(received, slot), 4, String);
  const seen = `"${text}" from ${sender} to ${asked}`;
  const expected = `"${message}" from ${ADDRESS}:${port} to ${ADDRESS}`;
  if (seen !== expected) throw new Error(`${expected} was sent, ${seen} was read`);
}

function succeeded(result: Result, call: string): number {
  if (result < 0) throw systemError(result, call);
  return result;
}
