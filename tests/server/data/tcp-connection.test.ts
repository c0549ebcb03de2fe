import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { Counters, COUNTER_SLOTS } from '../../../server/counters.ts';
import { TcpListener } from '../../../server/data/tcp.ts';
import {
  IDLE_DEADLINE,
  IN_FLIGHT_MAX,
  LINGER_DEADLINE,
  MESSAGE_DEADLINE,
  WRITE_DEADLINE,
} from '../../../server/data/tcp-connection.ts';
import type { Answer } from '../../../server/data/udp.ts';
import { FakeTimers } from '../../support/fake-timers.ts';

type Server = { readonly listener: TcpListener; readonly timers: FakeTimers };

test('an idle connection is ended in form, and closed if the client does not end it too', async (t) => {
  const { listener, timers } = await listen(t, echo);
  const socket = await dial(t, listener);
  socket.write(FRAME);
  await once(socket, 'data');
  const ended = once(socket, 'end');
  await timers.advance(IDLE_DEADLINE);
  socket.resume();
  await ended;
  await timers.advance(LINGER_DEADLINE);
  // Only a socket that is gone answers with a reset.
  await until(closed(socket), () => socket.write(FRAME));
  t.is(timers.pending, 0);
});

test('half a message is not waited for any longer because more of it comes', async (t) => {
  const { listener, timers } = await listen(t, echo);
  const socket = await dial(t, listener);
  const isClosed = closed(socket);
  socket.on('end', () => socket.end());
  for (const octet of FRAME.subarray(0, 4)) {
    socket.write(Buffer.of(octet));
    await exchange(t, listener);
    await timers.advance(MESSAGE_DEADLINE / 4);
  }
  await isClosed;
  t.pass();
});

test('a client that waits for our replies is not cut off, however many queries wait behind them', async (t) => {
  const waiting: (() => void)[] = [];
  const { listener, timers } = await listen(
    t,
    () => new Promise((resolve) => waiting.push(() => resolve(Buffer.from('abc')))),
  );
  const socket = await dial(t, listener);
  const count = 3 * IN_FLIGHT_MAX;
  let received = 0;
  const answered = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('data', (octets) => {
      received += octets.length;
      if (received === count * FRAME.length) resolve();
    });
  });
  socket.write(Buffer.concat(Array.from({ length: count }, () => FRAME)));
  await until(answered, async () => {
    waiting.shift()?.();
    await timers.advance(WRITE_DEADLINE / 20);
  });
  t.is(received, count * FRAME.length);
});

test('a client that leaves its replies unread is closed', async (t) => {
  const { listener, timers } = await listen(t, () => Buffer.alloc(60_000));
  const socket = await dial(t, listener);
  socket.pause();
  const reset = new Promise<void>((resolve) => socket.on('error', () => resolve()));
  await until(reset, async () => {
    socket.write(FRAME);
    await timers.advance(WRITE_DEADLINE / 100);
  });
  t.pass();
});

test('a reply that comes after its client has gone sets no timer', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const asked = Promise.withResolvers<void>();
  const { listener, timers } = await listen(t, () => {
    asked.resolve();
    return late.promise;
  });
  const socket = await dial(t, listener);
  socket.write(FRAME);
  await asked.promise;
  socket.resetAndDestroy();
  await listener.close();
  late.resolve(Buffer.from('abc'));
  await new Promise(setImmediate);
  t.is(timers.pending, 0);
});

test('a connection that is ended while its client reads slowly gives every reply first', async (t) => {
  const size = 60_000;
  const count = 1_000;
  let asked = 0;
  const { listener } = await listen(t, () => {
    asked++;
    return Buffer.alloc(size);
  });
  const socket = await dial(t, listener);
  socket.pause();
  socket.write(Buffer.concat(Array.from({ length: count }, () => FRAME)));
  for (let before = -1; before !== asked || asked === 0;) {
    before = asked;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  }
  t.true(asked < count, 'some queries wait until there is room');
  const isClosed = listener.close();
  let received = 0;
  socket.on('data', (octets) => (received += octets.length));
  socket.on('end', () => socket.end());
  socket.resume();
  await isClosed;
  t.is(received, count * (2 + size));
});

async function listen(t: ExecutionContext, answer: Answer): Promise<Server> {
  const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
  const timers = new FakeTimers();
  const listener = await TcpListener.open('127.0.0.1', 0, answer, counters, { after: timers.after });
  t.teardown(async () => {
    listener.destroy();
    await listener.close();
  });
  return { listener, timers };
}

/** A client that does not close its side because the server closes its own. */
async function dial(t: ExecutionContext, { port }: TcpListener): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setNoDelay(true);
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

const FRAME = Buffer.from('0003616263', 'hex');
const echo: Answer = (packet) => Buffer.from(packet);

/** Whatever ends it: `once` would take an error for a broken promise. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

/** A query and its reply on another connection: what was sent before has been seen. */
async function exchange(t: ExecutionContext, listener: TcpListener): Promise<void> {
  const socket = await dial(t, listener);
  socket.write(FRAME);
  await once(socket, 'data');
  socket.destroy();
}

/** Does something in each turn of the loop until the promise is kept. */
async function until(kept: Promise<unknown>, turn: () => unknown): Promise<void> {
  let isKept = false;
  void kept.then(() => (isKept = true));
  while (!isKept) {
    await turn();
    await new Promise(setImmediate);
  }
}
