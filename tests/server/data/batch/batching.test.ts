import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { COUNTER_SLOTS, Counters } from '../../../../server/counters.ts';
import { openBatching } from '../../../../server/data/batch/batching.ts';
import { loadSystemCalls } from '../../../../server/data/batch/system-calls.ts';
import type { LeftOpen } from '../../../support/left-open.ts';
import { ListenerProcess } from '../../../support/listener-process.ts';
import { TestNetwork } from '../../../support/namespace.ts';
import { NAMESPACES, needing } from '../../../support/needing.ts';
import { run } from '../../../support/programs.ts';
import { freePort } from '../../../support/server.ts';

const LANES = ['e', 'p', 'l'] as const;

async function connected(t: ExecutionContext, host: string, port: number): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  t.teardown(() => socket.close());
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}

/** Asks from a socket that accepts replies from the asked address only, as stub resolvers do. */
async function echo(t: ExecutionContext, host: string, port: number, lane: string): Promise<string> {
  const socket = await connected(t, host, port);
  socket.send(`${lane}: to ${host}`);
  const [reply] = (await once(socket, 'message')) as [Buffer];
  return text(reply);
}

/** Without the QR bit. */
function text(reply: Buffer): string {
  return reply.toString('latin1').replace('\xa0', ' ');
}

for (const host of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '::1']) {
  for (const lane of LANES) {
    test(`on the wildcard ${host} answers from ${host}, lane ${lane}`, async (t) => {
      const listener = await ListenerProcess.start({ host: '', port: await freePort() });
      t.teardown(() => listener.kill());
      t.is(await echo(t, host, listener.port, lane), `${lane}: to ${host}`);
      t.is((await listener.close()).code, 0);
    });
  }
}

needing(NAMESPACES, 'dig')('an address that appears after the start is answered from, of either family', async (t) => {
  const network = await TestNetwork.open();
  t.teardown(() => network.close());
  const listener = await ListenerProcess.start({ host: '', port: 5300 }, [], network.cluster);
  t.teardown(() => listener.kill());
  for (const address of ['192.0.2.77/24', '2001:db8::77/128']) {
    const { code } = await run([...network.cluster, 'ip', 'address', 'add', address, 'dev', 'dns0', ...NODAD]);
    t.is(code, 0);
    const [host = ''] = address.split('/');
    // dig takes no reply from another address.
    const words = ['dig', `@${host}`, '-p', String(listener.port), '+tries=1', '+timeout=5', 'example.org'];
    const { stdout } = await run([...network.cluster, ...words]);
    t.regex(stdout, /status: NOERROR/);
  }
});

/** Addresses of IPv6 are usable at once. */
const NODAD = ['nodad'];

const DATAGRAMS = 120_000;
const CLIENTS = 4;
/** On the way for each client: less than the kernel's smallest buffers hold. */
const WINDOW = 32;

test('no memory is lost to the kernel while garbage is collected all the time', async (t) => {
  const listener = await ListenerProcess.start({ host: '', port: await freePort(), collectEvery: 2 }, ['--expose-gc']);
  t.teardown(() => listener.kill());
  // The third host is the wildcard's, woken by another thread.
  const hosts = ['127.0.0.1', '127.0.0.1', '127.0.0.2', '::1'];
  const wrong = await Promise.all(
    hosts.map(async (host) => flood(await connected(t, host, listener.port), DATAGRAMS / CLIENTS)),
  );
  t.deepEqual(wrong, [[], [], [], []]);
  const { code, collections, counters } = await listener.close();
  t.is(code, 0);
  t.true(collections > 50, `${collections} collections`);
  t.is(counters['fivedots_udp_batched_replies_total'], DATAGRAMS);
  t.is(counters['fivedots_unsent_replies_total'], 0);
});

/** Sends so many different datagrams over all lanes, of all sizes, and gives the replies that belong to none. */
async function flood(socket: Socket, count: number): Promise<readonly string[]> {
  const waiting = new Set<string>();
  const wrong: string[] = [];
  let sent = 0;
  const done = Promise.withResolvers<void>();
  const more = (): void => {
    while (waiting.size < WINDOW && sent < count) {
      const query = `${LANES[sent % 3]}: ${sent} ${'.'.repeat((sent * 7) % 1_200)}`;
      sent++;
      waiting.add(query);
      socket.send(query);
    }
    if (waiting.size === 0) done.resolve();
  };
  socket.on('message', (reply) => {
    const query = text(reply);
    if (!waiting.delete(query)) wrong.push(query);
    more();
  });
  more();
  await done.promise;
  return wrong;
}

test('closing under load ends with every accepted datagram answered or counted, and no fault', async (t) => {
  const listener = await ListenerProcess.start({ host: '', port: await freePort() });
  t.teardown(() => listener.kill());
  const socket = await connected(t, '127.0.0.1', listener.port);
  const other = await connected(t, '127.0.0.2', listener.port);
  socket.on('error', () => {}); // refused, once it has closed
  other.on('error', () => {});
  let replies = 0;
  let isOver = false;
  const send = (): void => {
    if (isOver) return;
    for (let i = 0; i < 20; i++) for (const one of [socket, other]) one.send(`${LANES[i % 3]}: ${i}`, () => {});
    setImmediate(send);
  };
  socket.on('message', () => replies++);
  send();
  while (replies < 1_000) await new Promise(setImmediate);
  const { code } = await listener.close();
  isOver = true;
  t.is(code, 0);
});

test('where koffi is missing node:dgram does the work, and a warning says why', async (t) => {
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      if (name === 'koffi') throw new Error('koffi is not installed');
      return next(name, context);
    } });`;
  const port = await freePort();
  const listener = await ListenerProcess.start({ host: '', port }, ['--import', `data:text/javascript,${hooks}`]);
  t.teardown(() => listener.kill());
  t.regex(listener.log.join(), /^warning UDP: node:dgram, .* does not work here: koffi is not installed$/);
  for (const lane of LANES) t.is(await echo(t, '127.0.0.1', port, lane), `${lane}: to 127.0.0.1`);
  t.is((await listener.close()).code, 0);
});

/** What is wrong with the calls, and what the log says of it. */
const BROKEN: readonly (readonly [string, object, RegExp])[] = [
  ['a call that is forbidden', { send: () => -1 }, /sendmmsg EPERM$/],
  ['a network that carries nothing', { poll: () => 0 }, /nothing that is sent to 127\.0\.0\.1 comes$/],
  ['a call that is missing', { receive: () => -38 }, /recvmmsg ENOSYS$/],
  ['a socket that is refused', { socket: () => -24 }, /socket EMFILE 127\.0\.0\.1:0$/],
  ['an event that is refused', { event: () => -24 }, /eventfd EMFILE$/],
  ['a descriptor that has no other number', { duplicate: () => -1 }, /dup3 EPERM$/],
  ['a kernel that reads something else', { receive: () => 1 }, /was sent, .* was read$/],
];

for (const [fault, broken, reason] of BROKEN) {
  test(`${fault} is found at the start, and node:dgram does the work`, async (t) => {
    const lines: string[] = [];
    const batching = await openBatching({
      mode: 'batched',
      log: (level, _source, line) => void lines.push(`${level} ${line}`),
      counters: new Counters(new SharedArrayBuffer(COUNTER_SLOTS * 8), () => {}),
      clock: () => 0,
      load: async () => ({ ...(await loadSystemCalls()), ...broken }),
    });
    t.is(batching, undefined);
    t.is(lines.length, 1);
    t.regex(lines[0] ?? '', /^warning UDP: node:dgram/);
    t.regex(lines[0] ?? '', reason);
  });
}

test('a wildcard socket that cannot be had for want of descriptors is refused, and leaves none behind', async (t) => {
  const { stdout } = await run([process.execPath, 'tests/support/left-open.ts', 'refused', String(await freePort())]);
  const { before, after, codes } = JSON.parse(stdout) as LeftOpen; // written by left-open.ts, which has the type
  t.deepEqual(codes, Array(6).fill('EMFILE'));
  t.is(after, before);
});

test('a thread that is terminated while it waits leaves no socket behind', async (t) => {
  const { stdout } = await run([
    process.execPath,
    'tests/support/left-open.ts',
    'terminated',
    String(await freePort()),
  ]);
  const { before, after, codes } = JSON.parse(stdout) as LeftOpen; // written by left-open.ts, which has the type
  t.deepEqual(codes, ['log', 'listening']);
  t.is(after, before);
});
