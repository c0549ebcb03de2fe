/** What an operator, a kubelet and a ConfigMap do to a running server, seen from outside: signals, exit codes, reloads, probes. */

import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import type { ServerAddress } from '../support/client.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { answerOf, startOperatedServer, SteadyAsking, type OperatedServer } from '../support/operated-server.ts';
import { run, until } from '../support/programs.ts';
import { freePort, startServer } from '../support/server.ts';
import { startStaticUpstream, type StaticUpstream } from '../support/static-upstream.ts';

const OUTSIDE = `
  example.org.        300 IN SOA ns.example.org. hostmaster.example.org. 1 7200 3600 1209600 300
  www.example.org.    300 IN A   203.0.113.80
  held.example.org.   300 IN A   203.0.113.81
`;
const WEB = 'web.shop.svc.cluster.local';
const CART = 'cart.shop.svc.cluster.local';
const MAIN = 'server/main.ts';

async function withServer(
  run: (server: OperatedServer, upstream: StaticUpstream) => Promise<void>,
  options: { readonly lameduck?: string; readonly cluster?: string } = {},
): Promise<void> {
  const upstream = await startStaticUpstream(OUTSIDE);
  try {
    const server = await startOperatedServer({ upstream: upstream.address, ...options });
    try {
      await run(server, upstream);
    } finally {
      await server.close();
    }
  } finally {
    await upstream.close();
  }
}

test.serial(
  'SIGTERM: unready at once, and through the lameduck time every query is answered, slow ones too',
  async (t) => {
    await withServer(
      async (server, upstream) => {
        t.is(await statusOf(server.readyPort, '/ready'), 200);
        const slow = (['udp', 'tcp'] as const).map((protocol) => {
          return answerOf(server.address, protocol, 'held.example.org', 'A');
        });
        await until('the upstream has been asked', () => isHolding(upstream));
        server.signal('SIGTERM');
        await until('it is not ready', async () => (await statusOf(server.readyPort, '/ready')) === 503);
        t.is(await statusOf(server.healthPort, '/health'), 200, 'the kubelet must not kill it now');

        const asking = new SteadyAsking(server.address, WEB, 'A', answersWithTtl(30));
        await until('some queries are asked', () => asking.asked >= 100);
        t.deepEqual(await asking.stop(), []);
        t.log(`${asking.asked} queries after SIGTERM, all answered`);
        upstream.release();
        for (const answer of await Promise.all(slow)) {
          t.is(answer[0], 'NOERROR');
          t.regex(answer[1] ?? '', /^held\.example\.org\. \d+ IN A 203\.0\.113\.81$/);
        }
        t.is(await server.exited, 0);
        t.regex(server.log(), /^\[INFO\] plugin\/health: Going into lameduck mode for 3s$/m);
      },
      { lameduck: '3s' },
    );
  },
);

test.serial(
  'SIGTERM without lameduck: a query that waits for an upstream is answered, then it ends with 0',
  async (t) => {
    await withServer(async (server, upstream) => {
      const slow = (['udp', 'tcp'] as const).map((protocol) => {
        return answerOf(server.address, protocol, 'held.example.org', 'A');
      });
      await until('the upstream has been asked', () => isHolding(upstream));
      server.signal('SIGTERM');
      await server.logged('SIGTERM: Shutting down servers then terminating');
      await until('it is not ready', async () => (await statusOf(server.readyPort, '/ready')) !== 200);
      upstream.release();
      for (const [rcode] of await Promise.all(slow)) t.is(rcode, 'NOERROR');
      t.is(await server.exited, 0);
      t.false(await accepts(server.address));
    });
  },
);

test.serial('SIGTERM twice and SIGTERM with open connections: it ends with 0', async (t) => {
  await withServer(async (server) => {
    const idle = await Promise.all(Array.from({ length: 50 }, () => connected(server.address)));
    const ended = server.exited;
    server.signal('SIGTERM');
    server.signal('SIGTERM');
    t.is(await ended, 0);
    for (const socket of idle) socket.destroy();
  });
});

test.serial('SIGINT ends it with 0, a second one at once with 2', async (t) => {
  await withServer(async (server) => {
    const ended = server.exited;
    server.signal('SIGINT');
    t.is(await ended, 0);
  });
  await withServer(async (server, upstream) => {
    void answerOf(server.address, 'udp', 'held.example.org', 'A').catch(() => {});
    await until('the upstream has been asked', () => isHolding(upstream));
    const ended = server.exited;
    server.signal('SIGINT');
    await server.logged('SIGINT: Shutting down');
    server.signal('SIGINT');
    t.is(await ended, 2);
  });
});

test.serial('SIGTERM while the API server says nothing: it ends with 0', async (t) => {
  const api = await FakeApiServer.start();
  api.fail({ does: 'mute', headers: false, times: Infinity });
  try {
    const port = await freePort();
    const server = await startServer({
      corefile: {
        text: `.:${port} {\n bind 127.0.0.1\n kubernetes cluster.local {\n  endpoint ${api.url}\n }\n whoami\n}\n.:{$PORT} {\n bind 127.0.0.1\n whoami\n}`,
      },
      until: 'answering',
    });
    t.deepEqual((await answerOf({ host: '127.0.0.1', port }, 'udp', WEB, 'A'))[0], 'SERVFAIL', 'never a denial');
    t.is(await server.close(), 0);
  } finally {
    await api.close();
  }
});

test.serial('SIGHUP and SIGUSR1 reload: of the queries that keep coming none is lost and none is wrong', async (t) => {
  await withServer(async (server) => {
    const asking = new SteadyAsking(server.address, WEB, 'A', answersWithTtl(30, 7));
    for (let i = 0; i < 20; i++) {
      await server.corefile.write(server.text.replace('ttl 30', `ttl ${i % 2 === 0 ? 7 : 30}`));
      server.signal(i % 4 < 2 ? 'SIGHUP' : 'SIGUSR1');
      await server.logged('Reloading complete');
      t.is(await statusOf(server.readyPort, '/ready'), 200);
    }
    t.deepEqual(await asking.stop(), []);
    t.true(asking.asked > 20);
    t.is(await server.metric('coredns_reload_failed_total'), 0);
    t.log(`${asking.asked} queries during 20 reloads, none lost`);
  });
});

test.serial('a query that waits for an upstream survives a reload that changes the upstreams', async (t) => {
  await withServer(async (server, upstream) => {
    const slow = (['udp', 'tcp'] as const).map((protocol) => {
      return answerOf(server.address, protocol, 'held.example.org', 'A');
    });
    await until('the upstream has been asked', () => isHolding(upstream));
    const other = 'forward . {$UPSTREAM} {\n max_concurrent 500\n policy sequential\n max_fails 7\n }';
    await server.corefile.write(server.text.replace('forward . {$UPSTREAM}', other));
    server.signal('SIGHUP');
    await server.logged('Reloading complete');
    upstream.release();
    for (const [rcode] of await Promise.all(slow)) t.is(rcode, 'NOERROR');
  });
});

test.serial('a cached answer outlives a reload, unless its block was changed', async (t) => {
  await withServer(async (server, upstream) => {
    const asksFor = async (name: string): Promise<number> => {
      const before = upstream.queries.length;
      t.is((await answerOf(server.address, 'udp', name, 'A'))[0], 'NOERROR');
      return upstream.queries.length - before;
    };
    t.is(await asksFor('www.example.org'), 1);
    for (const [text, asks] of [
      [server.text, 0],
      [`${server.text}\nwhoami.test:{$PORT} {\n bind 127.0.0.1\n whoami\n}\n`, 0],
      [server.text.replace('cache 30', 'cache 20'), 1],
    ] as const) {
      await server.corefile.write(text);
      server.signal('SIGHUP');
      await server.logged('Reloading complete');
      t.is(await asksFor('www.example.org'), asks);
    }
  });
});

test.serial('a reload opens and closes ports; one that stays open loses nothing', async (t) => {
  await withServer(async (server) => {
    const asking = new SteadyAsking(server.address, WEB, 'A', answersWithTtl(30));
    const second = { host: '127.0.0.1', port: await freePort() };
    for (const isWanted of [true, false, true]) {
      const block = isWanted ? `\nwhoami.test:${second.port} {\n bind 127.0.0.1\n whoami\n}\n` : '';
      await server.corefile.write(server.text + block);
      server.signal('SIGHUP');
      await server.logged('Reloading complete');
      t.is(await accepts(second), isWanted);
      if (isWanted) t.is((await answerOf(second, 'udp', 'whoami.test', 'A'))[0], 'NOERROR');
    }
    t.deepEqual(await asking.stop(), []);
  });
});

test.serial("a ConfigMap's symlink swap is noticed without a signal", async (t) => {
  await withServer(async (server) => {
    const asking = new SteadyAsking(server.address, WEB, 'A', answersWithTtl(30, 7));
    await server.corefile.swap(server.text.replace('ttl 30', 'ttl 7'));
    await server.logged('Reloading complete');
    t.deepEqual(await answerOf(server.address, 'udp', WEB, 'A'), ['NOERROR', `${WEB}. 7 IN A 10.96.12.80`]);
    t.deepEqual(await asking.stop(), []);
  });
});

test.serial('a bad Corefile: the old one stays, the log says where it is wrong, the counter moves', async (t) => {
  await withServer(async (server) => {
    const used = server.readyPort;
    const asking = new SteadyAsking(server.address, WEB, 'A', answersWithTtl(30));
    let failures = 0;
    for (const [text, complaint] of [
      [server.text.replace('cache 30', 'cahce 30'), /Corefile:15:5: found "cahce".*cache/],
      [server.text.slice(0, server.text.indexOf('ttl 30')), /Corefile:\d+:\d+: .*\}/],
      [server.text.replace('ttl 30', 'ttl soon'), /Corefile:12:13: found "soon"/],
      [undefined, /Corefile/],
      [
        `${server.text}\nother.:${used} {\n bind 127.0.0.1\n whoami\n}\n`,
        new RegExp(`${used}: another program uses that port`),
      ],
      ['x '.repeat(25_000_000), /Corefile/],
    ] as const) {
      await server.corefile.write(text);
      server.signal('SIGHUP');
      const line = await server.logged('[ERROR]');
      t.regex(line, complaint);
      t.true(line.length < 1_000, 'and not the whole file with it');
      t.regex(line, /The configuration before it stays in use\.$/);
      t.is(await server.metric('coredns_reload_failed_total'), ++failures);
      t.is(await statusOf(server.readyPort, '/ready'), 200);
    }
    await server.corefile.write(server.text.replace('ttl 30', 'ttl 30 '));
    server.signal('SIGHUP');
    await server.logged('Reloading complete');
    t.deepEqual(await asking.stop(), []);
  });
});

test.serial('an emptied Corefile changes nothing: an editor or a copy is at work on it', async (t) => {
  await withServer(async (server) => {
    await server.corefile.write('');
    server.signal('SIGHUP');
    t.regex(await server.logged(/\[ERROR\]|Reloading complete/), /\[ERROR\].*Corefile/);
    t.deepEqual(await answerOf(server.address, 'udp', WEB, 'A'), ['NOERROR', `${WEB}. 30 IN A 10.96.12.80`]);
    t.is(await server.metric('coredns_reload_failed_total'), 1);
  });
});

test.serial('the watched Corefile goes wrong: complained of once, and mended by the next edit', async (t) => {
  await withServer(async (server) => {
    await server.corefile.swap(server.text.replace('cache 30', 'cahce 30'));
    t.regex(await server.logged('[ERROR]'), /Corefile:15:5: found "cahce"/);
    await server.corefile.swap(server.text.replace('ttl 30', 'ttl 7'));
    await server.logged('Reloading complete');
    t.is(server.log().match(/\[ERROR\]/g)?.length, 1);
    t.deepEqual(await answerOf(server.address, 'udp', WEB, 'A'), ['NOERROR', `${WEB}. 7 IN A 10.96.12.80`]);
  });
});

test.serial(
  'an edited manifest changes the next answer; a wrong one changes nothing, and the log says where it is wrong',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
    try {
      await cp('fixtures/clusters/demo', folder, { recursive: true });
      const file = join(folder, 'shop-cart.yaml');
      const text = await readFile(file, 'utf8');
      await withServer(
        async (server) => {
          const answer = (): Promise<readonly string[]> => answerOf(server.address, 'udp', CART, 'A');
          const at = (ip: string): string => `NOERROR,${CART}. 30 IN A ${ip}`;
          t.is(String(await answer()), at('10.96.140.7'));
          const edited = performance.now();
          await writeFile(file, text.replace('10.96.140.7', '10.96.140.8'));
          await until('the answer is new', async () => String(await answer()) === at('10.96.140.8'));
          t.log(`an edited manifest: answered ${(performance.now() - edited).toFixed()} ms after the write`);

          await writeFile(file, text.replace('clusterIP: 10.96.140.7', 'clusterIP: [10.96.140.9'));
          t.regex(await server.logged('[ERROR]'), /shop-cart\.yaml:\d+/);
          t.is(String(await answer()), at('10.96.140.8'));
          await rm(file);
          await until('it is gone', async () => String(await answer()) === 'NXDOMAIN');
          await writeFile(file, text);
          await until('it is back', async () => String(await answer()) === at('10.96.140.7'));
        },
        { cluster: folder },
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test.serial('a second instance on the same port says so and ends with 1', async (t) => {
  await withServer(async (server) => {
    const second = await fivedots(['-conf', 'stdin'], `.:${server.port} {\n bind 127.0.0.1\n whoami\n}\n`);
    t.is(second.code, 1);
    t.regex(second.output, new RegExp(`127\\.0\\.0\\.1:${server.port}: another program uses that port`));
    t.notRegex(second.output, /\n\s+at /, 'no stack: it is no fault of the program');
    t.deepEqual((await answerOf(server.address, 'udp', WEB, 'A'))[0], 'NOERROR');
  });
});

for (const [words, code, output] of [
  [['-version'], 0, /^fivedots-\d+\.\d+\.\d+\n(linux|darwin)\/\w+, /],
  [['-plugins'], 0, /^dns\.any\ndns\.autopath\ndns\.bind\ndns\.cache\ndns\.errors\n/],
  [['-help'], 0, /--conf/],
  [['--check', '-conf', 'fixtures/corefiles/demo'], 0, /^\.:1053 on 127\.0\.0\.1\n/],
  [['--check', '-conf', 'fixtures/corefiles/kubeadm'], 0, /^\.:53\n/m],
  [['--check', '-conf', 'package.json'], 1, /^\[ERROR\] package\.json:1:1: /],
  [['--check', '-conf', 'no-such-file'], 1, /^\[ERROR\] .*no-such-file/],
  [['-conf', 'no-such-file'], 1, /^\[ERROR\] .*no-such-file/],
  [['-no-such-flag'], 1, /no-such-flag/],
  [['-conf', 'fixtures/corefiles/demo', 'more'], 1, /more|arguments/],
] as const) {
  test(`fivedots ${words.join(' ')} ends with ${code} and says why`, async (t) => {
    const ended = await fivedots(words);
    t.is(ended.code, code, ended.output);
    t.regex(ended.output, output);
    t.notRegex(ended.output, /\n\s+at /);
  });
}

function answersWithTtl(...ttls: readonly number[]): string[] {
  return ttls.map((ttl) => `NOERROR,${WEB}. ${ttl} IN A 10.96.12.80`);
}

/** The program, run to its end, with what it wrote on both streams. */
async function fivedots(
  words: readonly string[],
  input?: string,
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stdout, stderr } = await run([process.execPath, MAIN, ...words], input);
  return { code, output: stdout + stderr };
}

/** Letters have any case in a query to an upstream. */
function isHolding(upstream: StaticUpstream): boolean {
  return upstream.queries.some((query) => /^held\./i.test(query));
}

/** 0 if nobody listens. */
async function statusOf(port: number, path: string): Promise<number> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  } catch {
    return 0;
  }
}

async function connected({ host, port }: ServerAddress): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

async function accepts(server: ServerAddress): Promise<boolean> {
  try {
    (await connected(server)).destroy();
    return true;
  } catch {
    return false;
  }
}
