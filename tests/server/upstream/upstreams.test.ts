import test, { type ExecutionContext } from 'ava';

import { ATTEMPTS_MAX, Upstreams } from '../../../server/upstream/upstreams.ts';
import { IN_FLIGHT_MAX } from '../../../server/upstream/upstream.ts';
import { forward } from '../../../server/plugins/forward.ts';
import { Rcode } from '../../../zones/rr.ts';
import { withinDeadline } from '../../support/client.ts';
import { optionsFrom } from '../../support/directive.ts';
import { startEvilUpstream, type EvilUpstream } from '../../support/evil-upstream.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';

type Asking = {
  readonly upstreams: Upstreams;
  readonly line: (text: string) => Promise<void>;
  readonly value: (metric: string) => number;
};

function asking(t: ExecutionContext, directive: string): Asking {
  const watchers = new Set<() => void>();
  const lines: string[] = [];
  const made = testContext({
    clock: () => performance.now(),
    log: (level, source, text) => {
      lines.push(`${level} ${source} ${text}`);
      for (const watcher of watchers) watcher();
    },
  });
  const [options] = optionsFrom(forward, directive);
  if (options === undefined) throw new Error('no forward');
  const upstreams = new Upstreams(options.upstreams, made.context);
  t.teardown(() => upstreams.close());
  return {
    upstreams,
    line: (text) =>
      withinDeadline(`"${text}" in the log`, (resolve) => {
        const look = (): void => {
          if (lines.some((line) => line.includes(text))) resolve();
        };
        watchers.add(look);
        look();
      }),
    value: (metric) =>
      [...made.series()].filter(([row]) => row.startsWith(metric)).reduce((sum, [, [value]]) => sum + (value ?? 0), 0),
  };
}

async function gone(): Promise<EvilUpstream> {
  const server = await startEvilUpstream();
  await server.close();
  return server;
}

const FAST = 'health_check 1ms\n';

test('a dead upstream is found out by checks and left out until it answers', async (t) => {
  const dead = await gone();
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const { upstreams, line, value } = asking(
    t,
    `forward . ${dead.address} ${server.address} {\n policy sequential\n ${FAST}}`,
  );
  t.is((await upstreams.resolve(testQuery('ok.example.org'))).rcode, Rcode.NOERROR);
  await line(`${dead.address} is down: 3 health checks in a row got no reply`);
  t.true(value('coredns_proxy_healthcheck_failures_total') >= 3);
  t.true(upstreams.members[0]?.health.isDown);
  t.is((await upstreams.resolve(testQuery('ok.example.org'))).rcode, Rcode.NOERROR);
});

test('an upstream that comes back is asked again; the check is `. NS` over UDP', async (t) => {
  const server = await startEvilUpstream({ tcp: false });
  t.teardown(server.close);
  server.behave('mute');
  const { upstreams, line } = asking(t, `forward . ${server.address} {\n read_timeout 1ms\n ${FAST}}`);
  t.is((await upstreams.resolve(testQuery('a.example.org'))).rcode, Rcode.SERVFAIL);
  await server.asked(1, ({ type, name, protocol, recursionDesired }) => {
    return type === 'NS' && name === '.' && protocol === 'udp' && recursionDesired;
  });
  await line('is down');
  server.behave('ok');
  await line('answers again');
  t.false(upstreams.members[0]?.health.isDown);
});

test('any reply is good health, and the check can be another name without RD', async (t) => {
  const server = await startEvilUpstream({ tcp: false });
  t.teardown(server.close);
  server.behave('mute');
  const { upstreams } = asking(
    t,
    `forward . ${server.address} {\n read_timeout 1ms\n health_check 1ms no_rec domain check.example.org\n}`,
  );
  await upstreams.resolve(testQuery('a.example.org'));
  server.behave('rcode-5');
  await server.asked(2, ({ name }) => name.toLowerCase() === 'check.example.org');
  const check = server.seen.find(({ name }) => name.toLowerCase() === 'check.example.org');
  t.like(check, { type: 'NS', recursionDesired: false });
});

for (const { option, asked } of [
  { option: '', asked: true },
  { option: 'failfast_all_unhealthy_upstreams\n', asked: false },
]) {
  test(`with all of them down ${asked ? 'one is asked nevertheless' : 'the reply is SERVFAIL at once'}, and that is counted`, async (t) => {
    const dead = await gone();
    const { upstreams, line, value } = asking(t, `forward . ${dead.address} {\n ${option}${FAST}}`);
    await upstreams.resolve(testQuery('a.example.org'));
    await line('is down');
    const reply = await upstreams.resolve(testQuery('a.example.org'));
    t.is(reply.rcode, Rcode.SERVFAIL);
    t.regex(reply.fault ?? '', asked ? /ECONNREFUSED/ : /none of 127\.0\.0\.1:\d+ is healthy/);
    t.true(value('coredns_forward_healthcheck_broken_total') >= 1);
  });
}

for (const { option, most } of [
  { option: 'max_connect_attempts 1', most: 1 },
  { option: 'max_connect_attempts 3', most: 3 },
  { option: 'max_connect_attempts 0', most: ATTEMPTS_MAX },
]) {
  test(`${option}: one query causes at most ${most} upstream`, async (t) => {
    const server = await startEvilUpstream();
    t.teardown(server.close);
    server.behave('hangup');
    const { upstreams } = asking(t, `forward . ${server.address} {\n force_tcp\n max_fails 0\n ${option}\n}`);
    t.is((await upstreams.resolve(testQuery('a.example.org'))).rcode, Rcode.SERVFAIL);
    t.is(server.seen.length, most);
  });
}

test('a stopped upstream is not asked; with all stopped the client is told why', async (t) => {
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const { upstreams } = asking(t, `forward . ${server.address}`);
  for (const upstream of upstreams.members) upstream.stopped = 'it leads back here';
  const reply = await upstreams.resolve(testQuery('a.example.org'));
  t.like(reply, {
    rcode: Rcode.SERVFAIL,
    fault: 'it leads back here',
    extendedError: { code: 23, text: 'it leads back here' },
  });
  t.is(server.seen.length, 0);
});

test('what waits when the upstreams are closed is still answered, then its connection is closed', async (t) => {
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const { upstreams } = asking(t, `forward . ${server.address} {\n force_tcp\n max_connect_attempts 1\n}`);
  const reply = upstreams.resolve(testQuery('held.example.org'));
  await server.asked(1);
  upstreams.close();
  server.release();
  t.is((await reply).rcode, Rcode.NOERROR);
  await server.closed(1);
});

test('more queries than one upstream may be asked at once are refused, and what waits is answered', async (t) => {
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const { upstreams } = asking(
    t,
    `forward . ${server.address} {\n force_tcp\n read_timeout 30s\n max_connect_attempts 1\n}`,
  );
  const waiting = Array.from({ length: 800 }, () => upstreams.resolve(testQuery('held.example.org')));
  const { rcode, fault } = await upstreams.resolve(testQuery('ok.example.org'));
  t.is(rcode, Rcode.REFUSED);
  t.regex(fault ?? '', /100 queries wait on each TCP connection to 127\.0\.0\.1:\d+ already/);
  await server.asked(800);
  server.release();
  for (const reply of await Promise.all(waiting)) t.is(reply.rcode, Rcode.NOERROR);
});

test(`${IN_FLIGHT_MAX} queries may wait for one upstream over UDP, the next is refused until they are done`, async (t) => {
  const server = await startEvilUpstream();
  t.teardown(server.close);
  const options = 'read_timeout 1ms\n max_connect_attempts 1\n max_fails 0';
  const { upstreams, value } = asking(t, `forward . ${server.address} {\n ${options}\n}`);
  const waiting = Array.from({ length: IN_FLIGHT_MAX }, () => upstreams.resolve(testQuery('mute.example.org')));
  const { rcode, fault } = await upstreams.resolve(testQuery('ok.example.org'));
  t.is(rcode, Rcode.REFUSED);
  t.is(fault, `${IN_FLIGHT_MAX} queries wait for ${server.address} already`);
  t.is(value('fivedots_forward_refused_queries_total'), 1);
  for (const reply of await Promise.all(waiting)) t.is(reply.rcode, Rcode.SERVFAIL);
  t.not((await upstreams.resolve(testQuery('ok.example.org'))).rcode, Rcode.REFUSED);
});

// More than may wait in one thread at once, whichever way they end.
for (const { program, rcode } of [
  { program: 'ok', rcode: Rcode.NOERROR },
  { program: 'mute', rcode: Rcode.SERVFAIL },
]) {
  test(`queries over UDP make room when they end: 2,400 of ${program}, 80 at a time`, async (t) => {
    const server = await startEvilUpstream();
    t.teardown(server.close);
    const timeout = program === 'mute' ? 'read_timeout 1ms' : 'read_timeout 30s';
    const { upstreams } = asking(
      t,
      `forward . ${server.address} {\n ${timeout}\n max_connect_attempts 1\n max_fails 0\n}`,
    );
    for (let round = 0; round < 30; round++) {
      const waiting = Array.from({ length: 80 }, () => upstreams.resolve(testQuery(`${program}.example.org`)));
      for (const reply of await Promise.all(waiting)) t.is(reply.rcode, rcode);
    }
  });
}
