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
  type StreamAnswer,
} from '../../../server/data/tcp-connection.ts';
import type { PlainAnswer } from '../../../server/data/lanes.ts';
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

test('a reply of many messages is made no faster than its client reads, and comes whole', async (t) => {
  const reply = new LongReply(2_000);
  const { listener } = await listen(t, reply.answer);
  const socket = await dial(t, listener);
  socket.pause();
  socket.write(FRAME);
  await reply.rests();
  t.true(reply.made < reply.count, `${reply.made} messages were made for nobody`);
  let received = 0;
  socket.on('data', (octets) => (received += octets.length));
  await until(reply.ended, () => socket.resume());
  await until(new Promise<void>((resolve) => socket.on('close', () => resolve())), () => {
    if (received === reply.size) socket.destroy();
  });
  t.is(reply.made, reply.count);
});

test('a client that stops reading a reply of many messages is closed, and no more of it is made', async (t) => {
  const reply = new LongReply(2_000);
  const { listener, timers } = await listen(t, reply.answer);
  const socket = await dial(t, listener);
  socket.pause();
  socket.write(FRAME);
  await reply.rests();
  const { made } = reply;
  await timers.advance(WRITE_DEADLINE);
  await reply.ended;
  t.is(reply.made, made);
  t.is(timers.pending, 0);
});

test('a client that goes away in the middle of a reply of many messages ends it', async (t) => {
  const reply = new LongReply(2_000);
  const { listener } = await listen(t, reply.answer);
  const socket = await dial(t, listener);
  socket.pause();
  socket.write(FRAME);
  await reply.rests();
  socket.resetAndDestroy();
  await reply.ended;
  t.true(reply.made < reply.count);
});

test('a reply of many messages that breaks off closes its connection, so that its client does not wait', async (t) => {
  const { listener } = await listen(t, async function* () {
    yield Buffer.from('abc');
    throw new Error('oh');
  });
  const socket = await dial(t, listener);
  const isClosed = closed(socket);
  socket.on('end', () => socket.end());
  socket.write(FRAME);
  socket.resume();
  await isClosed;
  t.pass();
});

test('who asks something else meanwhile is answered, and a connection that is ended gives all of a long reply first', async (t) => {
  const reply = new LongReply(50);
  let isFirst = true;
  const { listener } = await listen(t, (packet, peer) => {
    if (!isFirst) return echo(packet, peer);
    isFirst = false;
    return reply.answer(packet, peer);
  });
  const socket = await dial(t, listener);
  const received: Buffer[] = [];
  socket.on('data', (octets: Buffer) => received.push(octets));
  socket.on('end', () => socket.end());
  socket.write(Buffer.concat([FRAME, FRAME]));
  await once(socket, 'data');
  await listener.close();
  t.is(Buffer.concat(received).length, reply.size + FRAME.length);
});

/** A reply of `count` messages of 16 KiB that knows how many of them were made. */
class LongReply {
  readonly count: number;
  readonly ended: Promise<void>;
  made = 0;
  readonly #end: () => void;

  constructor(count: number) {
    this.count = count;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  readonly answer: StreamAnswer = () => this.#messages();

  /** With the lengths in front. */
  get size(): number {
    return this.count * (2 + MESSAGE_SIZE);
  }

  /** Resolves when no more messages are made. */
  async rests(): Promise<void> {
    for (let before = -1; before !== this.made || before === 0;) {
      before = this.made;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    }
  }

  async *#messages(): AsyncGenerator<Buffer> {
    try {
      for (; this.made < this.count;) {
        this.made++;
        yield Buffer.alloc(MESSAGE_SIZE);
        await new Promise(setImmediate);
      }
    } finally {
      this.#end();
    }
  }
}

const MESSAGE_SIZE = 16_384;

async function listen(t: ExecutionContext, answer: StreamAnswer): Promise<Server> {
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
const echo: PlainAnswer = (packet) => Buffer.from(packet);

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
