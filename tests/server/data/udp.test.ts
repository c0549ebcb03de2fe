import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';

import test, { type ExecutionContext } from 'ava';

import { Counters, COUNTER_SLOTS } from '../../../server/counters.ts';
import type { PlainAnswer } from '../../../server/data/lanes.ts';
import { UdpListener } from '../../../server/data/udp.ts';
import type { Peer } from '../../../server/query.ts';

async function listen(t: ExecutionContext, host: string, answer: PlainAnswer): Promise<number> {
  return (await open(t, host, answer)).listener.port;
}

type Opened = { readonly listener: UdpListener; readonly unsent: () => number | undefined };

async function open(t: ExecutionContext, host: string, answer: PlainAnswer): Promise<Opened> {
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * 8);
  let unsent = -1;
  const counters = new Counters(memory, ({ metric, slot }) => {
    if (metric === 'fivedots_unsent_replies_total') unsent = slot;
  });
  const listener = await UdpListener.open(
    host,
    await freePort(),
    { plain: answer, express: () => 0, either: answer },
    counters,
  );
  t.teardown(() => listener.destroy());
  return { listener, unsent: () => new Float64Array(memory)[unsent] };
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

test('a datagram is answered, with the peer as it is', async (t) => {
  const peers: Peer[] = [];
  const port = await listen(t, '127.0.0.1', (packet, peer) => {
    peers.push(peer);
    return Buffer.from(packet);
  });
  t.is((await ask(t, '127.0.0.1', port, Buffer.from('hello'))).toString(), 'hello');
  t.like(peers[0], { address: '127.0.0.1', family: 4, protocol: 'udp', localAddress: '127.0.0.1', localPort: port });
});

test('on the wildcard a reply comes from the address that was asked (RFC 2181 section 4.1)', async (t) => {
  const port = await listen(t, '', (packet) => Buffer.from(packet));
  t.is((await ask(t, '127.0.0.1', port, Buffer.from('v4'))).toString(), 'v4');
});

test('a late reply goes out as well', async (t) => {
  const port = await listen(t, '127.0.0.1', async (packet) => Buffer.from(packet));
  t.is((await ask(t, '127.0.0.1', port, Buffer.from('late'))).toString(), 'late');
});

test('silence stays silence, an empty datagram is no end, and the next datagram is answered', async (t) => {
  const port = await listen(t, '127.0.0.1', (packet) => (packet.length < 12 ? undefined : Buffer.from(packet)));
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.send(Buffer.alloc(0), port, '127.0.0.1');
  socket.send(Buffer.from('short'), port, '127.0.0.1');
  t.is((await ask(t, '127.0.0.1', port, Buffer.from('long enough to pass'))).length, 19);
});

test('a reply larger than a datagram can be is counted, and the socket goes on', async (t) => {
  const { listener, unsent } = await open(t, '127.0.0.1', (packet) =>
    packet.length === 1 ? Buffer.alloc(70_000) : Buffer.from(packet),
  );
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.send(Buffer.of(1), listener.port, '127.0.0.1');
  t.is((await ask(t, '127.0.0.1', listener.port, Buffer.from('after'))).toString(), 'after');
  t.is(unsent(), 1);
});

test('a listener that closes first sends the replies that it owes', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const asked = Promise.withResolvers<void>();
  const { listener } = await open(t, '127.0.0.1', () => {
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

test('a listener that closes does not wait for what comes after', async (t) => {
  const first = Promise.withResolvers<Buffer>();
  const seen: string[] = [];
  const second = Promise.withResolvers<void>();
  const { listener, unsent } = await open(t, '127.0.0.1', (packet) => {
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

test('a reply that comes after the sockets have closed is counted and harms nobody', async (t) => {
  const late = Promise.withResolvers<Buffer>();
  const asked = Promise.withResolvers<void>();
  const { listener, unsent } = await open(t, '127.0.0.1', () => {
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

test.serial('a port that is taken leaves no socket behind', async (t) => {
  const taken = createSocket('udp4').bind(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const counters = new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {});
  const before = openSockets();
  for (let i = 0; i < 5; i++) {
    const opening = UdpListener.open(
      '127.0.0.1',
      taken.address().port,
      { plain: () => undefined, express: () => 0, either: () => undefined },
      counters,
    );
    await t.throwsAsync(opening, { code: 'EADDRINUSE' });
  }
  await new Promise(setImmediate);
  t.deepEqual(openSockets(), before);
});

/** Files that Node or AVA open meanwhile are nobody's socket. */
function openSockets(): readonly string[] {
  const links = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return []; // closed since it was listed, as that of the folder itself
    }
  });
  return links.filter((link) => link.startsWith('socket:')).toSorted();
}

test('0.0.0.0 is each IPv4 address by itself, as the wildcard is', async (t) => {
  const peers: Peer[] = [];
  const port = await listen(t, '0.0.0.0', (packet, peer) => {
    peers.push(peer);
    return Buffer.from(packet);
  });
  await ask(t, '127.0.0.1', port, Buffer.from('v4'));
  t.is(peers[0]?.localAddress, '127.0.0.1');
});
