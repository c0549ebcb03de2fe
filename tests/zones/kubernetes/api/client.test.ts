/** The way to an API server and back: exchanges, credentials in headers, and lines cut anywhere. Real sockets. */

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';

import { ApiFault } from '../../../../zones/kubernetes/api/api-fault.ts';
import { ApiClient } from '../../../../zones/kubernetes/api/client.ts';
import {
  endpointCredentials,
  type Connection,
  type Credentials,
} from '../../../../zones/kubernetes/api/credentials.ts';
import type { ApiGet } from '../../../../zones/kubernetes/api/exchange.ts';
import { LineSplitter } from '../../../../zones/kubernetes/api/line-splitter.ts';
import type { ApiCall } from '../../../../zones/kubernetes/source.ts';
import { ManualTime } from '../../../support/manual-time.ts';
import { NO_LIMITS } from '../../../support/no-limits.ts';

const GET: ApiGet = {
  path: '/api/v1/services',
  parameters: new URLSearchParams({ limit: '500', labelSelector: 'a=b,c!=d' }),
  headersWithin: 30_000,
  idleWithin: () => 30_000,
  wholeWithin: 300_000,
};

const RUNNING = new AbortController().signal;

type Scene = { client: ApiClient; time: ManualTime; calls: ApiCall[]; port: number };

async function serving(t: ExecutionContext, server: Server, path = ''): Promise<Scene> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const time = new ManualTime();
  const calls: ApiCall[] = [];
  const from = { kind: 'endpoint', url: `http://127.0.0.1:${port}${path}`, tls: undefined } as const;
  const client = clientOf(endpointCredentials(from, time), time, calls);
  t.teardown(() => {
    client.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { client, time, calls, port };
}

function clientOf(credentials: Credentials, time: ManualTime, calls: ApiCall[] = []): ApiClient {
  return new ApiClient({
    credentials,
    time,
    limits: NO_LIMITS,
    userAgent: 'fivedots/1',
    call: (call) => void calls.push(call),
  });
}

function answering(t: ExecutionContext, listener: RequestListener, path?: string): Promise<Scene> {
  return serving(t, createHttpServer(listener), path);
}

/** A server below HTTP: says something to whoever connects and has sent its request. */
function saying(t: ExecutionContext, text: string): Promise<Scene> {
  return serving(
    t,
    createTcpServer((socket) => void socket.once('data', () => socket.end(text))),
  );
}

async function faultOf(t: ExecutionContext, client: ApiClient): Promise<ApiFault> {
  const fault = await t.throwsAsync(client.text(GET, RUNNING, 1000), { instanceOf: ApiFault });
  return fault ?? new ApiFault('internal', 'nothing was thrown');
}

test('a GET carries path, parameters and headers, and its body comes back', async (t) => {
  const { client, calls, port } = await answering(
    t,
    (request, response) => response.end(JSON.stringify([request.method, request.url, request.headers])),
    '/k8s/clusters/c-1/',
  );
  t.deepEqual(JSON.parse(await client.text(GET, RUNNING, 10_000)), [
    'GET',
    '/k8s/clusters/c-1/api/v1/services?limit=500&labelSelector=a%3Db%2Cc%21%3Dd',
    {
      accept: 'application/json',
      'user-agent': 'fivedots/1',
      host: `127.0.0.1:${port}`,
      connection: 'keep-alive',
    },
  ]);
  t.deepEqual(calls, [{ method: 'GET', host: `127.0.0.1:${port}`, code: '200', duration: 0, waited: 0 }]);
});

test('exchanges one after the other share a connection', async (t) => {
  const ports = new Set<number | undefined>();
  const { client } = await answering(t, (request, response) => {
    ports.add(request.socket.remotePort);
    response.end('x');
  });
  for (let i = 0; i < 5; i++) t.is(await client.text(GET, RUNNING, 10), 'x');
  t.is(ports.size, 1);
});

test('a kept connection that the server has closed is replaced without a word', async (t) => {
  const ports = new Set<number | undefined>();
  const { client } = await answering(t, (request, response) => {
    const { socket } = request;
    // The second request on a connection meets RST: for the client, it was closed just before.
    if (ports.has(socket.remotePort)) socket.resetAndDestroy();
    else response.end('x');
    ports.add(socket.remotePort);
  });
  t.is(await client.text(GET, RUNNING, 10), 'x');
  t.is(await client.text(GET, RUNNING, 10), 'x');
  t.is(ports.size, 2);
});

for (const [name, text, code, message] of [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'unreachable', /Parse Error/],
  ['nothing', '', 'unreachable', /socket hang up/],
  ['a body shorter than promised', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'cut', /broke off/],
  ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'cut', /broke off/],
  ['chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'cut', /broke off/],
  [
    'an upgrade',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'protocol',
    /instead of/,
  ],
  ['compression', 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx', 'protocol', /compressed/],
  ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n', 'status', /^302$/],
  ['a header without end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`, 'unreachable', /Header overflow/],
  [
    'more than is kept',
    `HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`,
    'protocol',
    /1000 octets/,
  ],
] as const) {
  test(`what a server can say wrong: ${name}`, async (t) => {
    const { client, time } = await saying(t, text);
    const fault = await faultOf(t, client);
    t.is(fault.code, code);
    t.regex(fault.message, message);
    t.is(time.deadlines, 0);
  });
}

for (const [name, status, headers, body, message, retryAfter] of [
  [
    'a Status',
    429,
    { 'Retry-After': '3' },
    JSON.stringify({ kind: 'Status', reason: 'TooManyRequests', message: 'slow\u001b[31m\r\ndown', code: 429 }),
    '429 TooManyRequests: slow [31m down',
    3,
  ],
  [
    'a Status that says when in its details',
    504,
    {},
    JSON.stringify({
      reason: 'Timeout',
      message: 'm',
      details: { retryAfterSeconds: 1, causes: [{ reason: 'ResourceVersionTooLarge' }] },
    }),
    '504 Timeout: m',
    1,
  ],
  ['plain text', 503, { 'Retry-After': 'soon' }, 'shutting down', '503: shutting down', undefined],
  ['a page without end', 502, {}, '<'.repeat(100_000), `502: ${'<'.repeat(300)}…`, undefined],
  ['a lie about its code', 403, {}, JSON.stringify({ code: 200, reason: ['x'], message: { a: 1 } }), '403', undefined],
  ['null', 500, {}, 'null', '500', undefined],
] as const) {
  test(`a refusal with ${name} is a fault that says so`, async (t) => {
    const { client, calls } = await answering(t, (_request, response) => response.writeHead(status, headers).end(body));
    const fault = await faultOf(t, client);
    t.is(fault.code, 'status');
    t.is(fault.status.code, status);
    t.is(fault.message, message);
    t.is(fault.status.retryAfter, retryAfter);
    t.deepEqual(
      calls.map(({ code }) => code),
      [String(status)],
    );
  });
}

test('a server that is not there is unreachable, and counted as an error', async (t) => {
  const { client, port } = await answering(t, () => {});
  const calls: ApiCall[] = [];
  const time = new ManualTime();
  const closed = createTcpServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port: freed } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const from = { kind: 'endpoint', url: `http://127.0.0.1:${freed}`, tls: undefined } as const;
  const fault = await faultOf(t, clientOf(endpointCredentials(from, time), time, calls));
  t.is(fault.code, 'unreachable');
  t.regex(fault.message, /ECONNREFUSED/);
  t.deepEqual(calls, [{ method: 'GET', host: `127.0.0.1:${freed}`, code: '<error>', duration: 0, waited: 0 }]);
  t.not(freed, port);
  client.close();
});

test('a server that takes 15 s for a TLS handshake is unreachable', async (t) => {
  const mute = createTcpServer(() => {});
  const { port } = await serving(t, mute);
  const time = new ManualTime();
  const from = { kind: 'endpoint', url: `https://127.0.0.1:${port}`, tls: undefined } as const;
  const connected = new Promise((resolve) => mute.once('connection', resolve));
  const fault = faultOf(t, clientOf(endpointCredentials(from, time), time));
  await connected;
  time.advance(14_999);
  time.advance(1);
  t.is((await fault).code, 'unreachable');
  t.is((await fault).message, 'there was no connection after 15 s');
});

test('a body that goes silent is stalled, one that never ends is overdue', async (t) => {
  const { client, time } = await answering(t, (_request, response) => void response.write('x'));
  for (const [spans, code] of [
    [[29_999, 1], 'stalled'],
    [[300_000], 'overdue'],
  ] as const) {
    const got = Promise.withResolvers<void>();
    const get = code === 'stalled' ? GET : { ...GET, idleWithin: () => 1_000_000 };
    const fault = t.throwsAsync(
      client.get(get, RUNNING, () => got.resolve()),
      { instanceOf: ApiFault, code },
    );
    await got.promise;
    await new Promise((resolve) => setImmediate(resolve));
    for (const span of spans) time.advance(span);
    await fault;
    t.is(time.deadlines, 0);
  }
});

test('while a chunk is worked on the server is not read: what it sends stays with it', async (t) => {
  let sent = 0;
  const { client } = await answering(t, (_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024);
    const write = (): void => {
      while (sent < 200 && response.write(chunk)) sent++;
      if (sent < 200) {
        sent++;
        response.once('drain', write);
      } else response.end();
    };
    write();
  });
  const held = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  let size = 0;
  const done = client.get(GET, RUNNING, (chunk) => {
    size += chunk.length;
    first.resolve();
    return held.promise;
  });
  await first.promise;
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  t.true(sent < 100, `${sent} MiB were taken from a server that should have been waiting`);
  held.resolve();
  await done;
  t.is(size, 200 * 1024 * 1024);
});

test('what the receiver throws ends the exchange and comes out as it is', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { client, time } = await answering(t, (request, response) => {
    request.socket.on('close', () => closed.resolve());
    response.write('x');
  });
  await t.throwsAsync(
    client.get(GET, RUNNING, () => {
      throw new TypeError('mine');
    }),
    { instanceOf: TypeError, message: 'mine' },
  );
  await closed.promise;
  t.is(time.deadlines, 0);
});

test('an abort ends whatever is going on', async (t) => {
  const { client, time } = await answering(t, (request, response) => {
    if (request.url?.includes('body') === true) response.write('x');
  });
  for (const path of ['/body', '/silence']) {
    const abort = new AbortController();
    const fault = t.throwsAsync(
      client.get({ ...GET, path }, abort.signal, () => abort.abort()),
      { code: 'closed' },
    );
    if (path === '/silence') setImmediate(() => abort.abort());
    await fault;
    t.is(time.deadlines, 0);
  }
  const aborted = AbortSignal.abort();
  await t.throwsAsync(
    client.get(GET, aborted, () => {}),
    { code: 'closed' },
  );
  t.is(time.deadlines, 0);
});

test('credentials that no header can carry are a fault that does not tell them', async (t) => {
  const { port } = await answering(t, () => {});
  const time = new ManualTime();
  const plain = endpointCredentials({ kind: 'endpoint', url: `http://127.0.0.1:${port}`, tls: undefined }, time);
  const connection: Connection = {
    ...(await plain.connection()),
    headers: new Map([['Authorization', 'Bearer se\ncret']]),
  };
  const credentials: Credentials = { ...plain, place: '', connection: () => Promise.resolve(connection), close() {} };
  const fault = await faultOf(t, clientOf(credentials, time));
  t.is(fault.code, 'credentials');
  t.notRegex(fault.message, /cret/);
});

test('credentials that do not come within a minute are a fault', async (t) => {
  const time = new ManualTime();
  const never = new Promise<never>(() => {});
  const credentials: Credentials = { place: '', connection: () => never, renew: () => never, close() {} };
  const fault = faultOf(t, clientOf(credentials, time));
  time.advance(60_000);
  t.is((await fault).code, 'credentials');
  t.is(time.deadlines, 0);
});

test('lines come out whole wherever chunks are cut', (t) => {
  const line = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '\r', '\u2028', '☃𝔘', 'é'));
  fc.assert(
    fc.property(fc.array(line.map((text) => text.replaceAll('\n', ''))), fc.array(fc.nat(60)), (lines, cuts) => {
      const octets = Buffer.from(lines.map((text) => `${text}\n`).join(''), 'utf8');
      const splitter = new LineSplitter();
      const got: string[] = [];
      const take = (chunk: Buffer): void => {
        for (const part of splitter.push(chunk)) got.push(part.toString('utf8'));
        // A chunk is the socket's again once it has been pushed.
        chunk.fill(0x0a);
      };
      let at = 0;
      for (const size of cuts) take(octets.subarray(at, (at += size)));
      take(octets.subarray(at));
      const whole = lines.map((text) => Buffer.from(text, 'utf8').toString('utf8'));
      t.deepEqual(
        got,
        whole.filter((text) => text !== ''),
      );
    }),
  );
});

test('a line that is too long is refused, however it comes, and one that just fits is not', (t) => {
  const push = (splitter: LineSplitter, text: string): number => [...splitter.push(Buffer.from(text))].length;
  t.is(push(new LineSplitter(10), '0123456789\n0123456789\n'), 2);
  t.throws(() => push(new LineSplitter(10), '0123456789a\n'), { instanceOf: ApiFault, code: 'protocol' });
  const slow = new LineSplitter(10);
  for (const c of '0123456789') t.is(push(slow, c), 0);
  t.throws(() => push(slow, 'a'), { instanceOf: ApiFault, code: 'protocol' });
});
