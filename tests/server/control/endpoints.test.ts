/** HTTP ports over reloads. */

import test, { type ExecutionContext } from 'ava';

import { textPage, type HttpAddress } from '../../../server/control/admin-http.ts';
import { Endpoints, type EndpointWish } from '../../../server/control/endpoints.ts';

const LOOPBACK: HttpAddress = { host: '127.0.0.1', port: 0 };
const OTHER: HttpAddress = { host: '127.0.0.2', port: 0 };

function wishFor(address: HttpAddress, path: string, body: string): EndpointWish {
  return { address, path, source: { page: () => textPage(200, body), isOwnHost: undefined } };
}

function made(t: ExecutionContext): Endpoints {
  const endpoints = new Endpoints();
  t.teardown(() => endpoints.close());
  return endpoints;
}

async function bodyOf(endpoints: Endpoints, address: HttpAddress, path: string): Promise<string> {
  const bound = endpoints.boundTo(address);
  if (bound === undefined) return 'not open';
  return (await fetch(`http://${bound.host}:${bound.port}${path}`)).text();
}

test('paths of one address share its port', async (t) => {
  const endpoints = made(t);
  await (await endpoints.prepare([wishFor(LOOPBACK, '/health', 'h'), wishFor(LOOPBACK, '/ready', 'r')])).commit();
  t.is(await bodyOf(endpoints, LOOPBACK, '/health'), 'h');
  t.is(await bodyOf(endpoints, LOOPBACK, '/ready'), 'r');
});

test('a reload keeps a port that is still wanted and gives it its new pages', async (t) => {
  const endpoints = made(t);
  await (await endpoints.prepare([wishFor(LOOPBACK, '/health', 'old')])).commit();
  const { port } = endpoints.boundTo(LOOPBACK) ?? { port: 0 };
  await (await endpoints.prepare([wishFor(LOOPBACK, '/health', 'new'), wishFor(OTHER, '/ready', 'r')])).commit();
  t.is(endpoints.boundTo(LOOPBACK)?.port, port);
  t.is(await bodyOf(endpoints, LOOPBACK, '/health'), 'new');
  t.is(await bodyOf(endpoints, OTHER, '/ready'), 'r');
});

test('a reload closes a port that is not wanted any more', async (t) => {
  const endpoints = made(t);
  await (await endpoints.prepare([wishFor(LOOPBACK, '/health', 'h')])).commit();
  const { port } = endpoints.boundTo(LOOPBACK) ?? { port: 0 };
  await (await endpoints.prepare([])).commit();
  t.is(endpoints.boundTo(LOOPBACK), undefined);
  await t.throwsAsync(fetch(`http://127.0.0.1:${port}/health`));
});

test('a reload that comes to nothing leaves the old ports and closes the new ones', async (t) => {
  const endpoints = made(t);
  await (await endpoints.prepare([wishFor(LOOPBACK, '/health', 'old')])).commit();
  const prepared = await endpoints.prepare([wishFor(LOOPBACK, '/health', 'new'), wishFor(OTHER, '/ready', 'r')]);
  await prepared.abandon();
  t.is(await bodyOf(endpoints, LOOPBACK, '/health'), 'old');
  t.is(endpoints.boundTo(OTHER), undefined);
});

test('a port that is taken is said so with its paths and what to do, and nothing stays open', async (t) => {
  const first = made(t);
  await (await first.prepare([wishFor(LOOPBACK, '/health', 'h')])).commit();
  const taken = first.boundTo(LOOPBACK) ?? LOOPBACK;
  const second = made(t);
  const error = await t.throwsAsync(second.prepare([wishFor(OTHER, '/ready', 'r'), wishFor(taken, '/health', 'h')]));
  t.is(
    error?.message,
    `Port 127.0.0.1:${taken.port} for /health cannot be opened: another program uses it. Give the plugin another address in the Corefile, or stop that program.`,
  );
  t.is(second.boundTo(OTHER), undefined);
});

test('an address that the machine does not have is said so', async (t) => {
  const endpoints = made(t);
  await t.throwsAsync(endpoints.prepare([wishFor({ host: '192.0.2.1', port: 0 }, '/health', 'h')]), {
    message: /^Port 192\.0\.2\.1:0 for \/health cannot be opened: this machine does not have that address\./,
  });
});
