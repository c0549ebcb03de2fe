/** The HTTP server for probes and scrapes, against clients that mean well and others. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import {
  AdminServer,
  CONNECTIONS_MAX,
  HEADERS_MAX,
  textPage,
  URL_MAX,
  type Pages,
  type PageSource,
} from '../../../server/control/admin-http.ts';

const PAGES: Pages = new Map<string, PageSource>([
  ['/health', { page: () => textPage(200, 'OK'), isOwnHost: undefined }],
  ['/ready', { page: () => textPage(503, 'kubernetes'), isOwnHost: undefined }],
  ['/guarded', { page: () => Promise.resolve(textPage(200, 'figures')), isOwnHost: (host) => host === 'mine' }],
  ['/broken', { page: () => Promise.reject(new Error('no')), isOwnHost: undefined }],
]);

async function opened(
  t: ExecutionContext,
  host = '127.0.0.1',
): Promise<{ server: AdminServer; dropped: () => number }> {
  let dropped = 0;
  const server = await AdminServer.open({ host, port: 0 }, PAGES, () => dropped++);
  t.teardown(() => server.close());
  return { server, dropped: () => dropped };
}

async function connected(t: ExecutionContext, server: AdminServer, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host, port: server.address.port });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the server closes. */
async function said(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (octets: Buffer) => void (text += octets.toString('latin1')));
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

type Case = readonly [name: string, octets: string, expected: RegExp];
const END = 'Connection: close\r\n\r\n';

const CASES: readonly Case[] = [
  ['GET is answered', `GET /health HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nOK$/s],
  [
    'HEAD has headers only',
    `HEAD /health HTTP/1.1\r\nHost: x\r\n${END}`,
    /^HTTP\/1\.1 200 .*Content-Length: 2\r\n.*\r\n\r\n$/s,
  ],
  ['HTTP/1.0 without Host is answered', 'GET /health HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 200 .*OK$/s],
  ['a status that is not 200 goes out', `GET /ready HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 503 .*kubernetes$/s],
  ['a query string changes nothing', `GET /health?verbose=1 HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 200 /],
  ['another path is 404', `GET /health/../etc/passwd HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 404 /],
  ['the root is 404', `GET / HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 404 /],
  ['a path of the prototype is 404', `GET __proto__ HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 4/],
  ['an absolute URL is 404', `GET http://example.org/health HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 404 /],
  [
    'POST is refused',
    `POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n${END}`,
    /^HTTP\/1\.1 405 .*Allow: GET, HEAD/s,
  ],
  ['PUT is refused', `PUT /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n${END}x`, /^HTTP\/1\.1 405 /],
  ['DELETE is refused', `DELETE /health HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 405 /],
  [
    'OPTIONS is refused',
    `OPTIONS /health HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.test\r\n${END}`,
    /^HTTP\/1\.1 405 /,
  ],
  ['CONNECT is closed', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n', /^(HTTP\/1\.1 4.*)?$/s],
  [
    'a body is refused',
    `GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello`,
    /^HTTP\/1\.1 413 .*Connection: close/s,
  ],
  [
    'an endless body is refused',
    `GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    /^HTTP\/1\.1 413 .*Connection: close/s,
  ],
  ['two Hosts are refused', `GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n${END}`, /^HTTP\/1\.1 400 /],
  ['HTTP/1.1 without Host is refused', `GET /health HTTP/1.1\r\n${END}`, /^HTTP\/1\.1 400 /],
  ['a long path is refused', `GET /${'a'.repeat(URL_MAX)} HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 414 /],
  [
    'long headers are refused',
    `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(HEADERS_MAX)}\r\n${END}`,
    /^HTTP\/1\.1 431 /,
  ],
  [
    'an upgrade gets the page',
    `GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    /^HTTP\/1\.1 (200|4)/,
  ],
  ['an expectation gets the page', `GET /health HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n${END}`, /^HTTP\/1\.1 200 /],
  [
    '100-continue gets the page',
    `GET /health HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n${END}`,
    /^HTTP\/1\.1 200 /,
  ],
  ['no HTTP is refused', `\u0000\u001d hello\r\n\r\n`, /^HTTP\/1\.1 400 /],
  ['a guarded page for its own name', `GET /guarded HTTP/1.1\r\nHost: mine\r\n${END}`, /^HTTP\/1\.1 200 .*figures$/s],
  [
    'a guarded page for another name is 421',
    `GET /guarded HTTP/1.1\r\nHost: evil.test\r\n${END}`,
    /^HTTP\/1\.1 421 (?!.*figures)/s,
  ],
  ['a page that cannot be made is 500', `GET /broken HTTP/1.1\r\nHost: x\r\n${END}`, /^HTTP\/1\.1 500 /],
];

for (const [name, octets, expected] of CASES) {
  test(`http: ${name}`, async (t) => {
    const { server } = await opened(t);
    const socket = await connected(t, server);
    socket.write(octets);
    const reply = await said(socket);
    t.regex(reply, expected);
    t.notRegex(reply, /access-control/i);
    if (/^HTTP\/1\.1 (200|404|405|413|421)/.test(reply)) t.regex(reply, /X-Content-Type-Options: nosniff/);
  });
}

test('pipelined requests are answered in order on one connection', async (t) => {
  const { server } = await opened(t);
  const socket = await connected(t, server);
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50) + `GET /ready HTTP/1.1\r\nHost: x\r\n${END}`);
  const reply = await said(socket);
  t.is(reply.match(/HTTP\/1\.1 200/g)?.length, 50);
  t.regex(reply, /kubernetes$/);
});

test('who holds all connections does not keep a probe out: the oldest make room and are counted', async (t) => {
  const { server, dropped } = await opened(t);
  const silent: Socket[] = [];
  for (let i = 0; i < CONNECTIONS_MAX; i++) {
    const socket = await connected(t, server);
    socket.write('GET /health HTTP/1.1\r\nX: ');
    silent.push(socket);
  }
  const probe = await connected(t, server);
  probe.write(`GET /health HTTP/1.1\r\nHost: x\r\n${END}`);
  t.regex(await said(probe), /OK$/);
  const [oldest] = silent;
  if (oldest !== undefined) await said(oldest);
  t.is(silent.filter((socket) => socket.closed).length, 1);
  t.is(dropped(), 1);
});

test('many headers do no harm', async (t) => {
  const { server } = await opened(t);
  const socket = await connected(t, server);
  socket.write(`GET /health HTTP/1.1\r\nHost: x\r\n${'a:\r\n'.repeat(1500)}__proto__: x\r\n${END}`);
  t.regex(await said(socket), /^HTTP\/1\.1 (200|4)/);
});

test('pages can be exchanged while it runs', async (t) => {
  const { server } = await opened(t);
  server.setPages(new Map([['/health', { page: () => textPage(200, 'NEW'), isOwnHost: undefined }]]));
  const reply = await fetch(`http://127.0.0.1:${server.address.port}/health`);
  t.is(await reply.text(), 'NEW');
});

test('an empty host is IPv4 and IPv6', async (t) => {
  const { server } = await opened(t, '');
  for (const host of ['127.0.0.1', '::1']) {
    const socket = await connected(t, server, host);
    socket.write(`GET /health HTTP/1.1\r\nHost: x\r\n${END}`);
    t.regex(await said(socket), /OK$/);
  }
});

test('a port that is taken is an error of open', async (t) => {
  const { server } = await opened(t);
  await t.throwsAsync(
    AdminServer.open({ host: '127.0.0.1', port: server.address.port }, PAGES, () => {}),
    { code: 'EADDRINUSE' },
  );
});

test('close ends connections that are open', async (t) => {
  const { server } = await opened(t);
  const socket = await connected(t, server);
  socket.write('GET /health HTTP/1.1\r\n');
  const over = said(socket);
  await server.close();
  await over;
  t.pass();
});
