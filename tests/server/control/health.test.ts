/** The server's look at its own liveness page. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { CHECK_INTERVAL, checkHealth, SLOW_AFTER } from '../../../server/control/health.ts';
import { FakeTimers } from '../../support/fake-timers.ts';

type Stage = {
  readonly timers: FakeTimers;
  readonly durations: number[];
  readonly lines: string[];
  readonly failures: () => number;
  /** Resolves when one more look is over. */
  readonly looked: () => Promise<void>;
};

async function stage(t: ExecutionContext, server: Server): Promise<Stage> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a path
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const timers = new FakeTimers();
  const durations: number[] = [];
  const lines: string[] = [];
  let failures = 0;
  let over: () => void = () => {};
  const metrics = {
    healthChecked(duration: number): void {
      durations.push(duration);
      queueMicrotask(() => over());
    },
    healthCheckFailed: () => void failures++,
  };
  const stop = checkHealth({ host: '127.0.0.1', port }, timers, metrics, (level, source, text) => {
    lines.push(`${level} ${source}: ${text}`);
  });
  t.teardown(stop);
  return {
    timers,
    durations,
    lines,
    failures: () => failures,
    looked: () => new Promise((resolve) => (over = resolve)),
  };
}

test('each second it asks for its own page and measures', async (t) => {
  const { timers, durations, lines, looked, failures } = await stage(
    t,
    createServer((asked, reply) => void reply.end(asked.url === '/health' ? 'OK' : 'wrong')),
  );
  for (let i = 0; i < 3; i++) {
    const over = looked();
    await timers.advance(CHECK_INTERVAL);
    await over;
  }
  t.is(durations.length, 3);
  t.is(failures(), 0);
  t.deepEqual(lines, []);
});

test('a slow reply is warned of; the next look waits for it', async (t) => {
  let answer: () => void = () => {};
  let asked = 0;
  const { timers, durations, lines, looked, failures } = await stage(
    t,
    createServer((_, reply) => {
      asked++;
      answer = () => void reply.end('OK');
    }),
  );
  const over = looked();
  await timers.advance(CHECK_INTERVAL);
  while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
  await timers.advance(SLOW_AFTER + CHECK_INTERVAL);
  t.is(asked, 1);
  answer();
  await over;
  t.is(durations.length, 1);
  t.true((durations[0] ?? 0) >= 2);
  t.is(failures(), 0);
  t.regex(lines[0] ?? '', /^warning plugin\/health: Local health request took 2\.0 s/);
});

test('a connection that breaks is a failure and says why', async (t) => {
  const { timers, lines, looked, failures } = await stage(
    t,
    createServer((asked) => void asked.socket.destroy()),
  );
  const over = looked();
  await timers.advance(CHECK_INTERVAL);
  await over;
  t.is(failures(), 1);
  t.regex(lines[0] ?? '', /^warning plugin\/health: Local health request to 127\.0\.0\.1:[0-9]+ failed: /);
});

test('a page that is not OK is a failure', async (t) => {
  const { timers, lines, looked, failures } = await stage(
    t,
    createServer((_, reply) => void reply.writeHead(503).end('the data thread is silent')),
  );
  const over = looked();
  await timers.advance(CHECK_INTERVAL);
  await over;
  t.is(failures(), 1);
  t.regex(lines[0] ?? '', /failed: status 503$/);
});
