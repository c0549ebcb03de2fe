import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { Counters, COUNTER_SLOTS } from '../../../server/counters.ts';
import { makeArena } from '../../../server/data/batch/arena.ts';
import { makeSocket } from '../../../server/data/batch/bound-socket.ts';
import { Outbox } from '../../../server/data/batch/outbox.ts';
import { ADDRESS_SIZES, writeAddress } from '../../../server/data/batch/socket-address.ts';
import { openBatching, type Batching } from '../../../server/data/batch/batching.ts';
import { loadSystemCalls, type SystemCalls } from '../../../server/data/batch/system-calls.ts';
import type { ExpressAnswer, PlainAnswer } from '../../../server/data/lanes.ts';
import { UdpListener } from '../../../server/data/udp.ts';
import type { UdpMode } from '../../../server/messages.ts';
import type { Peer } from '../../../server/query.ts';
import type { LeftOpen } from '../../support/left-open.ts';
import { lanesOf } from '../../support/lanes.ts';
import { run } from '../../support/programs.ts';

const ALONE = { sharesPort: false, reusePort: false, packetInfo: false, buffer: 65_536 } as const;

/** Whatever reads the datagrams, a listener behaves the same. */
const IMPLEMENTATIONS = ['batched', 'dgram'] as const satisfies readonly UdpMode[];

async function listen(t: ExecutionContext, mode: UdpMode, host: string, answer: PlainAnswer): Promise<number> {
  return (await open(t, mode, host, answer)).listener.port;
}

type Opened = { readonly listener: UdpListener; readonly unsent: () => number | undefined };

async function open(
  t: ExecutionContext,
  mode: UdpMode,
  host: string,
  answer: PlainAnswer,
  express: ExpressAnswer = () => 0,
): Promise<Opened> {
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * 8);
  let unsent = -1;
  const counters = new Counters(memory, ({ metric, slot }) => {
    if (metric === 'fivedots_unsent_replies_total') unsent = slot;
  });
  const options = { batching: await batchingFor(t, mode, counters) };
  const listener = await UdpListener.open(host, await freePort(), lanesOf(answer, express), counters, options);
  t.teardown(() => listener.destroy());
  return { listener, unsent: () => new Float64Array(memory)[unsent] };
}

/** @throws Error where batching does not work: then these tests would prove nothing of it */
async function batchingFor(t: ExecutionContext, mode: UdpMode, counters: Counters): Promise<Batching | undefined> {
  const batching = await openBatching({ mode, log: (...line) => t.log(...line), counters, clock: () => 0 });
  if (mode === 'batched' && batching === undefined) throw new Error('datagrams cannot be batched here');
  return batching;
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Sends to an address and accepts an answer from that address only, as stub resolvers do. */
async function ask(t: ExecutionContext, host: string, port: number, octets: Buffer): Promise<Buffer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  t.teardown(() => socket.close());
  socket.connect(port, host);
  await once(socket, 'connect');
  socket.send(octets);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  return reply;
}

for (const mode of IMPLEMENTATIONS) {
  test(`${mode}: a datagram is answered, with the peer as it is`, async (t) => {
    const peers: Peer[] = [];
    const port = await listen(t, mode, '127.0.0.1', (packet, peer) => {
      peers.push(peer);
      return Buffer.from(packet);
    });
    t.is((await ask(t, '127.0.0.1', port, Buffer.from('hello'))).toString(), 'hello');
    t.like(peers[0], { address: '127.0.0.1', family: 4, protocol: 'udp', localAddress: '127.0.0.1', localPort: port });
  });

  test(`${mode}: on the wildcard a reply comes from the address that was asked (RFC 2181 section 4.1)`, async (t) => {
    const port = await listen(t, mode, '', (packet) => Buffer.from(packet));
    t.is((await ask(t, '127.0.0.1', port, Buffer.from('v4'))).toString(), 'v4');
  });

  test(`${mode}: a late reply goes out as well`, async (t) => {
    const port = await listen(t, mode, '127.0.0.1', async (packet) => Buffer.from(packet));
    t.is((await ask(t, '127.0.0.1', port, Buffer.from('late'))).toString(), 'late');
  });

  test(`${mode}: silence stays silence, an empty datagram is no end, and the next datagram is answered`, async (t) => {
    const port = await listen(t, mode, '127.0.0.1', (packet) => (packet.length < 12 ? undefined : Buffer.from(packet)));
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.send(Buffer.alloc(0), port, '127.0.0.1');
    socket.send(Buffer.from('short'), port, '127.0.0.1');
    t.is((await ask(t, '127.0.0.1', port, Buffer.from('long enough to pass'))).length, 19);
  });

  test(`${mode}: a reply larger than a datagram can be is counted, and the socket goes on`, async (t) => {
    const { listener, unsent } = await open(t, mode, '127.0.0.1', (packet) =>
      packet.length === 1 ? Buffer.alloc(70_000) : Buffer.from(packet),
    );
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.send(Buffer.of(1), listener.port, '127.0.0.1');
    t.is((await ask(t, '127.0.0.1', listener.port, Buffer.from('after'))).toString(), 'after');
    t.is(unsent(), 1);
  });

  test(`${mode}: a listener that closes first sends the replies that it owes`, async (t) => {
    const late = Promise.withResolvers<Buffer>();
    const asked = Promise.withResolvers<void>();
    const { listener } = await open(t, mode, '127.0.0.1', () => {
      asked.resolve();
      return late.promise;
    });
    const reply = ask(t, '127.0.0.1', listener.port, Buffer.from('slow'));
    await asked.promise;
    const closed = listener.close();
    late.resolve(Buffer.from('slow'));
    t.is((await reply).toString(), 'slow');
    await closed;
  });

  test(`${mode}: a listener that closes does not wait for what comes after`, async (t) => {
    const first = Promise.withResolvers<Buffer>();
    const seen: string[] = [];
    const second = Promise.withResolvers<void>();
    const { listener, unsent } = await open(t, mode, '127.0.0.1', (packet) => {
      if (seen.push(packet.toString()) === 2) second.resolve();
      return packet.toString() === 'first' ? first.promise : new Promise(() => {});
    });
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.send('first', listener.port, '127.0.0.1');
    while (seen.length === 0) await new Promise(setImmediate);
    const closed = listener.close();
    socket.send('second', listener.port, '127.0.0.1');
    await second.promise;
    first.resolve(Buffer.from('reply'));
    await closed;
    t.is(unsent(), 0);
  });

  test(`${mode}: a reply that comes after the sockets have closed is counted and harms nobody`, async (t) => {
    const late = Promise.withResolvers<Buffer>();
    const asked = Promise.withResolvers<void>();
    const { listener, unsent } = await open(t, mode, '127.0.0.1', () => {
      asked.resolve();
      return late.promise;
    });
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.send('slow', listener.port, '127.0.0.1');
    await asked.promise;
    listener.destroy();
    late.resolve(Buffer.from('reply'));
    await new Promise(setImmediate);
    t.is(unsent(), 1);
  });

  test(`${mode}: 0.0.0.0 is each IPv4 address by itself, as the wildcard is`, async (t) => {
    const peers: Peer[] = [];
    const port = await listen(t, mode, '0.0.0.0', (packet, peer) => {
      peers.push(peer);
      return Buffer.from(packet);
    });
    await ask(t, '127.0.0.1', port, Buffer.from('v4'));
    t.is(peers[0]?.localAddress, '127.0.0.1');
  });

  test(`${mode}: a port that is taken leaves no socket behind`, async (t) => {
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    t.teardown(() => taken.close());
    await once(taken, 'listening');
    const words = ['tests/support/left-open.ts', 'taken', mode, String(taken.address().port)];
    const { stdout } = await run([process.execPath, ...words]);
    const { before, after, codes } = JSON.parse(stdout) as LeftOpen; // written by left-open.ts, which has the type
    t.deepEqual(codes, Array(5).fill('EADDRINUSE'));
    t.is(after, before);
  });

  test(`${mode}: nobody else can share the port of a single address`, async (t) => {
    const port = await listen(t, mode, '127.0.0.1', () => undefined);
    const other = createSocket({ type: 'udp4', reuseAddr: true });
    t.teardown(() => other.close());
    other.bind(port, '127.0.0.1');
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'EADDRINUSE');
  });

  test(`${mode}: the express lane is asked first, and its reply goes out`, async (t) => {
    const seen: Peer[] = [];
    const express: ExpressAnswer = (query, start, end, reply, at, asker) => {
      seen.push(asker.peer());
      reply.set(query.subarray(start, end), at);
      return end - start;
    };
    const { listener } = await open(t, mode, '', () => Buffer.from('plain'), express);
    for (const host of ['127.0.0.1', '::1']) {
      t.is((await ask(t, host, listener.port, Buffer.from(`to ${host}`))).toString(), `to ${host}`);
      t.like(seen.at(-1), { address: host, localAddress: host, localPort: listener.port, protocol: 'udp' });
    }
  });

  test(`${mode}: a burst is answered in order, each datagram with its own reply`, async (t) => {
    const count = 1_000;
    const port = await listen(t, mode, '127.0.0.1', (packet) => Buffer.concat([packet, Buffer.from(' answered')]));
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.setRecvBufferSize(4 * 1024 * 1024);
    const replies: string[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (reply) => {
        if (replies.push(reply.toString()) === count) resolve();
      });
    });
    const sent = Array.from({ length: count }, (_, index) => `query ${index}`);
    for (const [index, query] of sent.entries()) {
      socket.send(query, port, '127.0.0.1');
      // As many as a small kernel buffer holds.
      if (index % 50 === 49) while (replies.length <= index) await new Promise(setImmediate);
    }
    await all;
    t.deepEqual(
      replies,
      sent.map((query) => `${query} answered`),
    );
  });

  for (const host of ['127.0.0.1', '']) {
    test(`${mode}: with reusePort several listeners share "${host}", and one of them the wildcard's socket`, async (t) => {
      const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
      const batching = await batchingFor(t, mode, counters);
      const lanes = lanesOf((packet) => Buffer.from(packet));
      const port = await freePort();
      for (const wildcard of [true, false]) {
        const listener = await UdpListener.open(host, port, lanes, counters, { batching, reusePort: true, wildcard });
        t.teardown(() => listener.destroy());
      }
      for (let i = 0; i < 8; i++) t.is((await ask(t, '127.0.0.1', port, Buffer.from('shared'))).toString(), 'shared');
    });
  }

  test(`${mode}: without the wildcard's socket an address that has none of its own is not answered`, async (t) => {
    const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
    const options = { batching: await batchingFor(t, mode, counters), wildcard: false };
    const lanes = lanesOf((packet) => Buffer.from(packet));
    const listener = await UdpListener.open('', await freePort(), lanes, counters, options);
    t.teardown(() => listener.destroy());
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    socket.connect(listener.port, '127.0.0.2');
    await once(socket, 'connect');
    socket.send('nobody');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'ECONNREFUSED');
    t.is((await ask(t, '127.0.0.1', listener.port, Buffer.from('own'))).toString(), 'own');
  });
}

test('batched: a listener that closes reads first what the kernel holds, however many turns of the loop that takes', async (t) => {
  const count = 150;
  let answered = 0;
  const clock = (): number => answered; // of each turn one batch is read
  const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
  const batching = await openBatching({ mode: 'batched', log: () => {}, counters, clock });
  const lanes = lanesOf(() => void answered++);
  const listener = await UdpListener.open('127.0.0.1', await freePort(), lanes, counters, { batching });
  t.teardown(() => listener.destroy());
  const sender = await loadSystemCalls();
  const { descriptor } = makeSocket(sender, { address: '127.0.0.1', port: 0, ...ALONE });
  t.teardown(() => sender.close(descriptor));
  const arena = makeArena(sender.addressOf);
  const outbox = new Outbox(arena, sender, counters);
  outbox.use(descriptor);
  for (let i = 0; i < count; i++) {
    writeAddress(arena.view, outbox.address, '127.0.0.1', listener.port);
    outbox.post(12, ADDRESS_SIZES[4], 0);
  }
  outbox.flush();
  t.is(answered, 0);
  await listener.close();
  t.is(answered, count);
});

/** What libuv may read in one turn of the loop, and a batch. */
const SINGLES = 32;
const BATCH = 64;

/** Host, milliseconds that one reply takes, and what the listener may read between two turns of the loop. */
const FLOODS: readonly (readonly [string, number, number])[] = [
  ['127.0.0.1', 0, 256 + SINGLES],
  ['127.0.0.2', 0, 256 + SINGLES],
  ['127.0.0.1', 0.01, 2 * BATCH + SINGLES],
  ['127.0.0.2', 0.01, 2 * BATCH + SINGLES],
  ['127.0.0.1', 1, BATCH + SINGLES],
];

for (const [host, cost, most] of FLOODS) {
  test(`a flood that never ends leaves every turn of the loop to others, asked at ${host}, ${cost} ms each`, async (t) => {
    const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
    let isFlooded = false;
    const load = async (): Promise<SystemCalls> => {
      const calls = await loadSystemCalls();
      // As many as there is room for, each the same as the last that really came.
      return { ...calls, receive: (...asked) => (isFlooded ? asked[2] : calls.receive(...asked)) };
    };
    let answered = 0;
    const clock = (): number => answered * cost;
    const batching = await openBatching({ mode: 'batched', log: () => {}, counters, clock, load });
    const lanes = lanesOf(() => void answered++);
    const listener = await UdpListener.open('', await freePort(), lanes, counters, { batching });
    t.teardown(() => listener.destroy());
    const socket = createSocket('udp4');
    t.teardown(() => socket.close());
    isFlooded = true;
    socket.send('wake up', listener.port, host);
    for (let turns = 0; turns < 20;) {
      const before = answered;
      await new Promise(setImmediate);
      t.true(answered - before <= most, `${answered - before} in one turn`);
      if (answered > before) turns++;
      else socket.send('go on', listener.port, host);
    }
    isFlooded = false;
    t.true(answered > 1_000);
  });
}
