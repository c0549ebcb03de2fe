import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { Counters, COUNTER_SLOTS } from '../../../server/counters.ts';
import { TcpListener, type TcpOptions } from '../../../server/data/tcp.ts';
import { IN_FLIGHT_MAX, UNSENT_MAX } from '../../../server/data/tcp-connection.ts';
import type { PlainAnswer } from '../../../server/data/lanes.ts';

async function listen(t: ExecutionContext, answer: PlainAnswer): Promise<number> {
  const listener = await TcpListener.open(
    '127.0.0.1',
    0,
    answer,
    new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {}),
  );
  t.teardown(async () => {
    listener.destroy();
    await listener.close();
  });
  return listener.port;
}

function dial(t: ExecutionContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  // The listener may close with unread octets, which is a reset.
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

function frame(text: string): Buffer {
  const octets = Buffer.from(text);
  return Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 255), octets]);
}

/** The messages of the next frames, as text. */
async function read(socket: Socket, count: number): Promise<string[]> {
  let octets = Buffer.alloc(0);
  const texts: string[] = [];
  while (texts.length < count) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    octets = Buffer.concat([octets, chunk]);
    while (octets.length >= 2 && octets.length >= 2 + octets.readUInt16BE(0)) {
      const end = 2 + octets.readUInt16BE(0);
      texts.push(octets.toString('utf8', 2, end));
      octets = octets.subarray(end);
    }
  }
  return texts;
}

const echo: PlainAnswer = (packet) => Buffer.from(packet);

test('two messages are answered wherever the stream is cut between them', async (t) => {
  const port = await listen(t, echo);
  const octets = Buffer.concat([frame('first'), frame('second')]);
  for (let cut = 1; cut < octets.length; cut++) {
    const socket = dial(t, port).setNoDelay(true);
    const replies = read(socket, 2);
    socket.write(octets.subarray(0, cut));
    // The kernel may join writes; the property holds either way.
    await new Promise((resolve) => socket.write(octets.subarray(cut), resolve));
    t.deepEqual(await replies, ['first', 'second'], `cut behind octet ${cut}`);
    socket.destroy();
  }
});

test('a message sent octet by octet is answered', async (t) => {
  const socket = dial(t, await listen(t, echo)).setNoDelay(true);
  const reply = read(socket, 1);
  for (const value of frame('slow')) await new Promise((resolve) => socket.write(Buffer.of(value), resolve));
  t.deepEqual(await reply, ['slow']);
});

test('a reply that is ready overtakes one that is not (RFC 7766 section 6.2.1.1)', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const port = await listen(t, (packet) => (packet.toString() === 'slow' ? late.promise : Buffer.from(packet)));
  const socket = dial(t, port);
  socket.write(Buffer.concat([frame('slow'), frame('fast'), frame('faster')]));
  t.deepEqual(await read(socket, 2), ['fast', 'faster']);
  late.resolve(Buffer.from('slow'));
  t.deepEqual(await read(socket, 1), ['slow']);
});

test('a client that has shut down its side still gets its replies, then the connection ends', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const socket = dial(t, await listen(t, () => late.promise));
  socket.end(frame('last'));
  const reply = read(socket, 1);
  const ended = once(socket, 'end');
  late.resolve(Buffer.from('reply'));
  t.deepEqual(await reply, ['reply']);
  await ended;
  t.pass();
});

test('a message that is no query ends the connection', async (t) => {
  const socket = dial(t, await listen(t, () => undefined));
  socket.write(frame('x'));
  socket.resume();
  await once(socket, 'close');
  t.pass();
});

test('nothing more is read while the most queries that may wait do wait', async (t) => {
  let asked = 0;
  const waiting: ((reply: Buffer) => void)[] = [];
  const full = Promise.withResolvers<void>();
  const port = await listen(t, () => {
    asked++;
    if (asked === IN_FLIGHT_MAX) full.resolve();
    return new Promise((resolve) => waiting.push(resolve));
  });
  const socket = dial(t, port);
  socket.write(Buffer.concat(Array.from({ length: IN_FLIGHT_MAX + 50 }, (_, i) => frame(`query ${i}`))));
  await full.promise;
  t.is(asked, IN_FLIGHT_MAX);
  const replies = read(socket, IN_FLIGHT_MAX + 50);
  while (asked < IN_FLIGHT_MAX + 50) {
    waiting.shift()?.(Buffer.from('reply'));
    await new Promise(setImmediate);
  }
  for (const answer of waiting) answer(Buffer.from('reply'));
  t.is((await replies).length, IN_FLIGHT_MAX + 50);
});

test('a client that does not read its replies is not read from: what waits for it is bounded', async (t) => {
  const size = 60_000;
  let made = 0;
  const port = await listen(t, () => {
    made++;
    return Buffer.alloc(size);
  });
  const socket = dial(t, port).pause();
  socket.write(Buffer.concat(Array.from({ length: 5_000 }, () => frame('big please'))));
  let before = -1;
  while (before !== made) {
    before = made;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  }
  // What the kernel holds for both ends, one reply over the limit, and the limit.
  t.true(made * size < 16 * 1024 * 1024 + size + UNSENT_MAX, `${made} replies of ${size} octets were made`);
});

test('a listener that closes ends idle connections', async (t) => {
  const listener = await TcpListener.open(
    '127.0.0.1',
    0,
    echo,
    new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {}),
  );
  const socket = dial(t, listener.port);
  socket.write(frame('one'));
  await read(socket, 1);
  socket.resume();
  await Promise.all([listener.close(), once(socket, 'close')]);
  t.pass();
});

test('one address has so many connections at once; what it opens beyond is closed, counted, and no burden afterwards', async (t) => {
  const { port, count } = await limited(t, { perSource: 2 });
  const first = await connected(t, port);
  await connected(t, port);
  const refused = dial(t, port);
  await closed(refused);
  t.is(count('fivedots_refused_connections_total'), 1);
  first.destroy();
  let isServed = false;
  while (!isServed) {
    const socket = dial(t, port);
    socket.write(frame('again'));
    const isRead = read(socket, 1).then(
      () => true,
      () => false,
    );
    isServed = await Promise.race([isRead, closed(socket).then(() => false)]);
  }
  t.pass();
});

test('when all are taken the connection that has been idle longest makes room, not the oldest', async (t) => {
  const { port, count } = await limited(t, { connections: 2 });
  const oldest = await connected(t, port);
  const idle = await connected(t, port);
  oldest.write(frame('still here'));
  t.deepEqual(await read(oldest, 1), ['still here']);
  const isClosed = closed(idle);
  await connected(t, port);
  await isClosed;
  t.is(count('fivedots_evicted_connections_total'), 1);
  oldest.write(frame('and here'));
  t.deepEqual(await read(oldest, 1), ['and here']);
});

test('without an idle connection a new one is refused: nobody loses a reply that is owed', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const { port, count } = await limited(t, { connections: 1 }, (packet) =>
    packet.toString() === 'slow' ? late.promise : Buffer.from(packet),
  );
  const waiting = await connected(t, port);
  waiting.write(Buffer.concat([frame('slow'), frame('fast')]));
  t.deepEqual(await read(waiting, 1), ['fast']);
  await closed(dial(t, port));
  t.is(count('fivedots_refused_connections_total'), 1);
  late.resolve(Buffer.from('slow'));
  t.deepEqual(await read(waiting, 1), ['slow']);
});

test('what clients leave unfinished is bounded for all of them together; the one that exceeds it is closed and counted', async (t) => {
  const { port, count } = await limited(t, { held: 100_000 });
  const octets = frame('x'.repeat(65_000));
  const patient = await connected(t, port);
  patient.write(octets.subarray(0, 60_000));
  const greedy = await connected(t, port);
  const isClosed = closed(greedy);
  greedy.write(octets.subarray(0, 60_000));
  const small = await connected(t, port);
  small.write(octets.subarray(0, 10));
  await isClosed;
  t.is(count('fivedots_evicted_connections_total'), 1);
  patient.write(octets.subarray(60_000));
  t.deepEqual(await read(patient, 1), ['x'.repeat(65_000)]);
  const next = await connected(t, port);
  next.write(octets);
  t.deepEqual(await read(next, 1), ['x'.repeat(65_000)]);
});

/** A listener with other limits, and its counters by name. */
async function limited(
  t: ExecutionContext,
  options: Partial<TcpOptions>,
  answer: PlainAnswer = echo,
): Promise<{ readonly port: number; readonly count: (metric: string) => number | undefined }> {
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * 8);
  const slots = new Map<string, number>();
  const counters = new Counters(memory, ({ metric, slot }) => void slots.set(metric, slot));
  const listener = await TcpListener.open('127.0.0.1', 0, answer, counters, options);
  t.teardown(async () => {
    listener.destroy();
    await listener.close();
  });
  return { port: listener.port, count: (metric) => new Float64Array(memory)[slots.get(metric) ?? -1] };
}

test('with reusePort several listeners share an address, without it none does', async (t) => {
  const { port } = await limited(t, { reusePort: true });
  const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
  const again = (reusePort: boolean): Promise<TcpListener> =>
    TcpListener.open('127.0.0.1', port, (packet) => Buffer.from(packet), counters, { reusePort });
  const other = await again(true);
  await other.close();
  await t.throwsAsync(again(false), { code: 'EADDRINUSE' });
});

/** A connection on which a first message has been answered. */
async function connected(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = dial(t, port);
  socket.write(frame('first'));
  t.deepEqual(await read(socket, 1), ['first']);
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.resume().on('close', () => resolve()));
}
