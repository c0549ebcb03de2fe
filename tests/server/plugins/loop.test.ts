import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { COUNTER_SLOTS, Counters } from '../../../server/counters.ts';
import { DataPlane } from '../../../server/data/data-plane.ts';
import type { Plan } from '../../../server/plan.ts';
import { forward } from '../../../server/plugins/forward.ts';
import { loop } from '../../../server/plugins/loop.ts';
import type { Plugin } from '../../../server/pipeline.ts';
import { ROOT } from '../../../zones/name.ts';
import { rcodeName } from '../../../zones/rr.ts';
import { blockFrom, faultOf, optionsFrom } from '../../support/directive.ts';
import { exchange, withinDeadline } from '../../support/client.ts';
import { startEvilUpstream } from '../../support/evil-upstream.ts';
import { decodeReply } from '../../support/present.ts';
import { asked, encodeQuery } from '../../support/query.ts';
import { freePort } from '../../support/server.ts';

type Running = {
  readonly port: number;
  /** Resolves with the first line of the log that has the text. */
  readonly line: (text: string) => Promise<string>;
  readonly lines: readonly string[];
  /** The rcode's name. */
  readonly ask: (name: string, type: string) => Promise<string>;
};

/** A server with `loop` and that `forward`, on loopback. */
async function running(t: ExecutionContext, port: number, directive: string): Promise<Running> {
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  const memory = new SharedArrayBuffer(COUNTER_SLOTS * Float64Array.BYTES_PER_ELEMENT);
  const plane = new DataPlane({
    clock: () => performance.now(),
    wallClock: () => 1_800_000_000,
    taken: () => {},
    log: (level, source, text) => {
      if (source === '') return; // which system calls the sockets use
      lines.push(`${level} ${source} ${text}`);
      for (const watcher of watchers) watcher();
    },
    counters: new Counters(memory, () => {}),
    plugins: new Map<string, Plugin<unknown>>([
      ['loop', loop as Plugin<unknown>],
      ['forward', forward as Plugin<unknown>],
    ]),
  });
  t.teardown(() => plane.close());
  const { keys, position } = blockFrom('. {\n loop\n}');
  const plan: Plan = {
    listeners: [{ server: `dns://127.0.0.1:${port}`, host: '127.0.0.1', port, routes: [{ zone: ROOT, block: 0 }] }],
    blocks: [
      {
        keys,
        position,
        plugins: [
          { name: 'loop', options: optionsFrom(loop, 'loop') },
          { name: 'forward', options: optionsFrom(forward, directive) },
        ],
      },
    ],
  };
  await plane.use(plan);
  const server = { host: '127.0.0.1', port };
  return {
    port,
    lines,
    line: (text) =>
      withinDeadline(`"${text}" in the log`, (resolve) => {
        const look = (): void => {
          const found = lines.find((line) => line.includes(text));
          if (found !== undefined) resolve(found);
        };
        watchers.add(look);
        look();
      }),
    ask: async (name, type) =>
      rcodeName(decodeReply(await exchange(server, 'udp', encodeQuery(7, asked(name, type)))).rcode),
  };
}

test('an upstream that is this server itself is stopped, with words that say where to look', async (t) => {
  const port = await freePort();
  const server = await running(t, port, `forward . 127.0.0.1:${port}`);
  const line = await server.line('detected');
  t.regex(
    line,
    /^error plugin\/loop Loop \(127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+\) detected for zone "\.", see https:\/\/coredns\.io\/plugins\/loop#troubleshooting\. Query: "HINFO \d+\.\d+\."\. /,
  );
  t.true(line.includes(`upstream 127.0.0.1:${port}, which is not asked any more`));
  t.is(await server.ask('example.org', 'A'), 'SERVFAIL');
});

test('a loop through another server is found too, and ends the queries that went round', async (t) => {
  const [near, far] = [await freePort(), await freePort()];
  const other = await running(t, far, `forward . 127.0.0.1:${near}`);
  const server = await running(t, near, `forward . 127.0.0.1:${far}`);
  await Promise.race([server.line('detected'), other.line('detected')]);
  t.is(await server.ask('example.org', 'A'), 'SERVFAIL');
});

test('an upstream that answers is asked once and goes on being asked', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const server = await running(t, await freePort(), `forward . ${upstream.address}`);
  await upstream.asked(1, ({ type }) => type === 'HINFO');
  t.is(await server.ask('ok.example.org', 'A'), 'NOERROR');
  t.deepEqual(server.lines, []);
  t.is(upstream.seen.filter(({ type }) => type === 'HINFO').length, 1);
});

test('only one of two upstreams leads back: the other one is asked', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const port = await freePort();
  const server = await running(t, port, `forward . 127.0.0.1:${port} ${upstream.address} {\n policy sequential\n}`);
  await server.line('detected');
  t.is(await server.ask('ok.example.org', 'A'), 'NOERROR');
});

test('guessed probes stop nothing: they are forwarded like any name', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const server = await running(t, await freePort(), `forward . ${upstream.address}`);
  await upstream.asked(1, ({ type }) => type === 'HINFO');
  const socket = createSocket('udp4');
  socket.connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  for (let i = 0; i < 100; i++)
    socket.send(encodeQuery(i, asked(`${1_000_003n * BigInt(i)}.18446744073709551615`, 'HINFO')));
  await upstream.asked(101, ({ type }) => type === 'HINFO');
  socket.close();
  t.deepEqual(server.lines, []);
});

test('a probe that somebody saw under way stops its upstream only as HINFO', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const server = await running(t, await freePort(), `forward . ${upstream.address}`);
  await upstream.asked(1, ({ type }) => type === 'HINFO');
  const [probe] = upstream.seen;
  t.is(await server.ask(probe?.name ?? '', 'A'), 'NOERROR');
  t.deepEqual(server.lines, []);
  t.is(await server.ask(probe?.name ?? '', 'HINFO'), 'NXDOMAIN');
  await server.line('detected');
});

for (const { text, expected } of [
  { text: 'loop', expected: undefined },
  {
    text: 'loop twice',
    expected: 'Corefile:2:6: found "twice", expected the end of the line: loop (it takes no arguments)',
  },
  { text: 'loop {\n exit\n}', expected: 'Corefile:3:2: found "exit", expected no options: "loop" has none' },
]) {
  test(`${JSON.stringify(text)} is ${expected === undefined ? 'taken' : 'refused'}`, (t) => {
    t.is(faultOf(loop, text), expected);
  });
}
