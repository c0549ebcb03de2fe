import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { Counters, COUNTER_SLOTS } from '../../../server/counters.ts';
import { UdpListener, type Answer } from '../../../server/data/udp.ts';
import type { Peer } from '../../../server/query.ts';

async function listen(t: ExecutionContext, host: string, answer: Answer): Promise<number> {
  const listener = await UdpListener.open(
    host,
    await freePort(),
    answer,
    new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {}),
  );
  t.teardown(() => listener.close());
  return listener.port;
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
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * 8);
  let slot = -1;
  const counters = new Counters(memory, (series) => {
    if (series.metric === 'fivedots_unsent_replies_total') slot = series.slot;
  });
  const listener = await UdpListener.open(
    '127.0.0.1',
    await freePort(),
    (packet) => (packet.length === 1 ? Buffer.alloc(70_000) : Buffer.from(packet)),
    counters,
  );
  t.teardown(() => listener.close());
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.send(Buffer.of(1), listener.port, '127.0.0.1');
  t.is((await ask(t, '127.0.0.1', listener.port, Buffer.from('after'))).toString(), 'after');
  t.is(new Float64Array(memory)[slot], 1);
});
