import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';

import { endpointFrom } from '../../../server/upstream/endpoint.ts';
import { PIPELINED_MAX, CONNECTIONS_MAX, TcpPool, type TcpPoolOptions } from '../../../server/upstream/tcp-pool.ts';
import type { TcpExchange } from '../../../server/upstream/upstream-connection.ts';
import { spellingFrom } from '../../../zones/name.ts';
import { startEvilUpstream, type EvilUpstream } from '../../support/evil-upstream.ts';

type Pooled = {
  readonly server: EvilUpstream;
  readonly ask: (name: string, changes?: Partial<TcpExchange>) => ReturnType<TcpPool['ask']>;
  pass: (span: number) => void;
};

async function pooled(t: ExecutionContext, changes: Partial<TcpPoolOptions> = {}): Promise<Pooled> {
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const to = endpointFrom(server.address);
  if (to === undefined) throw new Error('no endpoint');
  let now = 0;
  const pool = new TcpPool({
    to,
    source: undefined,
    clock: () => now,
    expire: 10_000,
    maxAge: 0,
    maxIdle: 0,
    mismatched: () => {},
    picked: () => {},
    ...changes,
  });
  t.teardown(() => pool.close());
  return {
    server,
    pass: (span) => void (now += span),
    ask: (name, more) =>
      pool.ask({
        question: {
          spelling: spellingFrom(name),
          type: 1,
          class: 1,
          recursionDesired: true,
          checkingDisabled: false,
          authenticData: false,
          dnssecOk: false,
        },
        edns: true,
        timeout: 5_000,
        signal: new AbortController().signal,
        ...more,
      }),
  };
}

test('a connection without queries is closed when its time is over', async (t) => {
  const { server, ask } = await pooled(t, { expire: 1 });
  await ask('ok.example.org');
  await server.closed(1);
  await ask('ok.example.org');
  t.is(server.connections(), 2);
});

test('a connection that is too old takes no more queries', async (t) => {
  const { server, ask, pass } = await pooled(t, { maxAge: 60_000 });
  await ask('ok.example.org');
  pass(60_001);
  await ask('ok.example.org');
  t.is(server.connections(), 2);
});

test('no more connections rest than max_idle_conns allows', async (t) => {
  const { server, ask } = await pooled(t, { maxIdle: 1 });
  await Promise.all(['a', 'b', 'c'].map((name) => ask(`${name}.example.org`)));
  await server.closed(2);
  t.is(server.connections(), 3);
});

test('replies may come in any order', async (t) => {
  const { server, ask } = await pooled(t);
  const held = Array.from({ length: CONNECTIONS_MAX }, () => ask('held.example.org'));
  await server.asked(CONNECTIONS_MAX);
  const { reply } = await ask('ok.example.org');
  t.is(reply.rcode, 0);
  server.release();
  for (const { reply: late } of await Promise.all(held)) t.is(late.rcode, 0);
  t.is(server.connections(), CONNECTIONS_MAX);
});

test('queries on all connections have a limit', async (t) => {
  const { server, ask } = await pooled(t);
  const held = Array.from({ length: CONNECTIONS_MAX * PIPELINED_MAX }, () => ask('held.example.org'));
  await t.throwsAsync(ask('ok.example.org'), { code: 'limit' });
  await server.asked(CONNECTIONS_MAX * PIPELINED_MAX);
  server.release();
  await Promise.all(held);
});

test('a connection on which nothing comes is closed with the query that waited for it', async (t) => {
  const { server, ask } = await pooled(t);
  await t.throwsAsync(ask('mute.example.org', { timeout: 1 }), { code: 'timeout' });
  await server.closed(1);
  t.is((await ask('ok.example.org')).reply.rcode, 0);
});

test('a query that is called off leaves its connection to others', async (t) => {
  const { server, ask } = await pooled(t);
  const calling = new AbortController();
  const waiting = ask('mute.example.org', { signal: calling.signal });
  await server.asked(1);
  calling.abort();
  await t.throwsAsync(waiting, { code: 'timeout' });
  await ask('ok.example.org');
  t.is(server.connections(), 1);
});

test('queries that wait on a connection that seems silent are left to wait, and it is used again once it speaks', async (t) => {
  const { server, ask, pass } = await pooled(t);
  const held = Array.from({ length: 2 * CONNECTIONS_MAX }, () => ask('held.example.org'));
  await server.asked(held.length);
  const calling = new AbortController();
  const impatient = ask('held.example.org', { signal: calling.signal });
  await server.asked(held.length + 1);
  pass(400);
  calling.abort();
  await t.throwsAsync(impatient, { code: 'timeout' });
  const beside = ask('held.example.org');
  await server.asked(held.length + 2);
  server.release();
  for (const { reply } of await Promise.all([...held, beside])) t.is(reply.rcode, 0);
  t.is(server.connections(), CONNECTIONS_MAX);
});

// A firewall that forgot the connection, or a host that went without a word, never says that it is closed.
test('a connection that was silent while a query was called off takes no more queries', async (t) => {
  const { server, ask, pass } = await pooled(t);
  const calling = new AbortController();
  const waiting = ask('mute.example.org', { signal: calling.signal });
  await server.asked(1);
  pass(400);
  calling.abort();
  await t.throwsAsync(waiting, { code: 'timeout' });
  await server.closed(1);
  await ask('ok.example.org');
  t.is(server.connections(), 2);
});

test('all queries that wait when the upstream closes its connections are asked once more', async (t) => {
  const { server, ask } = await pooled(t);
  const names = Array.from({ length: CONNECTIONS_MAX }, (_, i) => `ok.n${i}.example.org`);
  await Promise.all(names.map((name) => ask(name)));
  const count = CONNECTIONS_MAX * 10;
  const held = Array.from({ length: count }, () => ask('held.example.org'));
  await server.asked(CONNECTIONS_MAX + count);
  server.hangUp();
  await server.asked(CONNECTIONS_MAX + 2 * count);
  server.release();
  for (const { reply } of await Promise.all(held)) t.is(reply.rcode, 0);
  t.true(server.connections() <= 3 * CONNECTIONS_MAX);
});

test('a server whose system takes no connection cannot be reached', async (t) => {
  const port = await fullListener(t);
  const to = endpointFrom(`127.0.0.1:${port}`);
  if (to === undefined) throw new Error('no endpoint');
  const { ask } = await pooled(t, { to });
  await t.throwsAsync(ask('ok.example.org', { timeout: 60_000 }), {
    code: 'unreachable',
    message: /no TCP connection/,
  });
});

/** A port on which nobody accepts any more and the kernel's queue is full: it drops every SYN, as many firewalls do. */
async function fullListener(t: ExecutionContext): Promise<number> {
  const hanging = new Worker(
    `const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  const [port] = (await once(hanging, 'message')) as [number];
  // Linux queues one more than the backlog says.
  const sockets = Array.from({ length: 2 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await hanging.terminate();
  });
  return port;
}
