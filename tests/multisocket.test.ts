/** `multisocket 2` from outside: two data threads on one port, with real sockets. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';

import { configurationReader } from '../server/control/configuration.ts';
import { startControl, type Control } from '../server/control/control.ts';
import { SeriesBook } from '../server/control/series.ts';
import { sourceOpener } from '../server/control/sources.ts';
import { systemTimers } from '../server/control/timers.ts';
import type { FromData } from '../server/messages.ts';
import { plugins } from '../server/plugins/order.ts';
import type { Count, Milliseconds } from '../zones/units.ts';
import { exchange } from './support/client.ts';
import { metric } from './support/demo-server.ts';
import { run, until } from './support/programs.ts';
import { decodeReply, type DecodedReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { freePort, ROOT, startServer } from './support/server.ts';

const WEB = 'web.shop.svc.cluster.local';

type Stage = {
  readonly control: Control;
  readonly port: number;
  readonly lines: readonly string[];
  readonly folder: string;
  readonly get: (path: string) => Promise<number>;
  readonly metric: (name: string) => Promise<number>;
  /** Queries that each data thread has answered. */
  readonly answered: () => readonly Count[];
  /** Makes the thread in that place hang. */
  readonly halt: (place: Count) => void;
  readonly began: () => Count;
};

async function started(t: ExecutionContext, words = ''): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'fivedots-multisocket-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await cp(join(ROOT, 'fixtures/clusters/demo'), join(folder, 'cluster'), { recursive: true });
  const path = join(folder, 'Corefile');
  await writeFile(path, corefileOf(2, words));
  const lines: string[] = [];
  const series: SeriesBook[] = [];
  const gates: Int32Array[] = [];
  let began: Count = 0;
  const control = await startControl({
    read: configurationReader({ path, standardInput: () => '', environment: new Map(), defaultPort: 0, plugins }),
    plugins,
    start(memory, place) {
      began++;
      const halt = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
      gates[place.index] = new Int32Array(halt);
      const book = (series[place.index] = new SeriesBook());
      const { announce } = book.attach(memory.counters);
      const worker = new Worker(new URL('support/haltable-thread.ts', import.meta.url), {
        workerData: { ...memory, ...place, express: true, udp: 'batched', halt },
      });
      worker.on('message', (message: FromData) => {
        if (message.type === 'series') message.series.forEach(announce);
      });
      return worker;
    },
    open: sourceOpener({ version: 'test', variables: {} }),
    logger: {
      log: (level, source, text) => void lines.push(`${level} ${source}: ${text}`),
      print: () => {},
      dropped: () => 0,
      flush: () => Promise.resolve(),
    },
    timers: systemTimers,
    random: () => 0,
    surroundings: { platform: 'linux/x64', runtime: 'v26', revision: 'abc' },
    quiet: true,
    isDemo: false,
  });
  t.teardown(() => control.stop({ lameduck: false }));
  const [listening = ''] = control.listening;
  const stage: Stage = {
    control,
    port: Number(listening.split(':').at(-1)),
    lines,
    folder,
    get: async (page) => {
      const { host, port } = control.boundTo(page) ?? { host: '', port: 0 };
      return (await fetch(`http://${host}:${port}${page}`)).status;
    },
    metric: (name) => metric(control.boundTo('/metrics')?.port ?? 0, name),
    answered: () =>
      series.map((book) =>
        book
          .samples()
          .filter((sample) => sample.metric === 'coredns_dns_responses_total')
          .reduce((sum, { values }) => sum + (values[0] ?? 0), 0),
      ),
    halt: (place) => void (gates[place] === undefined || Atomics.store(gates[place], 0, 1)),
    began: () => began,
  };
  await until('it is ready', async () => (await stage.get('/ready')) === 200);
  return stage;
}

function corefileOf(threads: Count, words: string): string {
  return `.:0 {
    multisocket ${threads}
    bind 127.0.0.1
    health 127.0.0.1:0
    ready 127.0.0.1:0
    prometheus 127.0.0.1:0
    kubernetes cluster.local {
        manifests cluster
    }
    ${words}
}
`;
}

/** A client that keeps its port, and so the data thread that it was given. */
class Client {
  readonly #socket: Socket = createSocket('udp4');

  static async open(t: ExecutionContext, port: number): Promise<Client> {
    const client = new Client();
    t.teardown(() => client.#socket.close());
    client.#socket.connect(port, '127.0.0.1');
    await once(client.#socket, 'connect');
    return client;
  }

  /** The records of the answer; undefined if there is none in time. */
  async ask(name: string, type: string, patience: Milliseconds = 5_000): Promise<DecodedReply['answer'] | undefined> {
    const id = Math.trunc(performance.now()) & 0xffff;
    this.#socket.send(encodeQuery(id, asked(name, type)));
    const signal = AbortSignal.timeout(patience);
    try {
      for (;;) {
        const [reply] = (await once(this.#socket, 'message', { signal })) as [Buffer];
        if (reply.readUInt16BE() === id) return decodeReply(reply).answer;
      }
    } catch {
      return undefined;
    }
  }
}

/** A server that needs no cluster. */
function whoami(threads: string, port: number): string {
  return `.:${port} {\n ${threads}\n bind 127.0.0.1\n whoami\n}\n`;
}

/** Enough that both threads have some: all of them on one side happens once in 2^31. */
function clients(t: ExecutionContext, port: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: 32 }, () => Client.open(t, port)));
}

function serialOf(answer: DecodedReply['answer'] | undefined): number {
  const [soa] = answer ?? [];
  if (soa?.type !== 'SOA') throw new Error('no SOA record');
  return soa.data.serial ?? 0;
}

test.serial('both threads answer, over UDP and TCP, and what they counted adds up', async (t) => {
  const { port, answered, metric: read } = await started(t);
  const questions = Array.from({ length: 64 }, (_, i) => i);
  for (const protocol of ['udp', 'tcp'] as const) {
    const before = answered();
    for (const i of questions) {
      const reply = await exchange({ host: '127.0.0.1', port }, protocol, encodeQuery(i, asked(WEB, 'A')));
      t.is(decodeReply(reply).answer.length, 1);
    }
    const counts = answered().map((count, place) => count - (before[place] ?? 0));
    t.true(
      counts.every((count) => count > 0),
      `${protocol}: ${counts.join()}`,
    );
  }
  t.is(await read('coredns_dns_requests_total'), 2 * questions.length);
  t.is(await read('coredns_dns_response_size_bytes_count'), 2 * questions.length);
  t.is(await read('fivedots_data_threads'), 2);
});

test.serial('a change is seen from every port, with one serial', async (t) => {
  const { port, folder } = await started(t);
  const all = await clients(t, port);
  const serials = async (): Promise<Set<number>> =>
    new Set((await Promise.all(all.map((client) => client.ask('cluster.local', 'SOA')))).map(serialOf));
  const before = await serials();
  t.is(before.size, 1);
  await writeFile(join(folder, 'cluster', 'later.yaml'), LATER);
  for (const client of all) {
    await until(
      'the change is there',
      async () => (await client.ask('later.shop.svc.cluster.local', 'A'))?.length === 1,
    );
  }
  const after = await serials();
  t.is(after.size, 1);
  t.true([...after].every((serial) => serial > Math.max(...before)));
});

const LATER = `apiVersion: v1
kind: Service
metadata: { name: later, namespace: shop }
spec: { clusterIP: 10.96.99.99, ports: [{ port: 80 }] }
`;

test.serial('one thread hangs: the other answers its clients; alive and not ready, until it is replaced', async (t) => {
  const { port, halt, get, lines, began, metric: read } = await started(t);
  const all = await clients(t, port);
  halt(1);
  await until('it is not ready', async () => (await get('/ready')) === 503);
  t.is(await get('/health'), 200);
  t.true(lines.some((line) => line.includes('Data thread 2 has been silent')));
  const answers = await Promise.all(all.map((client) => client.ask(WEB, 'A', 200)));
  t.true(answers.some((answer) => answer?.length === 1));
  await until('it is replaced', () => began() === 3);
  await until('the new one answers', async () => (await read('fivedots_data_threads')) === 2);
  t.is(await get('/ready'), 200);
  for (const client of await clients(t, port)) t.is((await client.ask(WEB, 'A'))?.length, 1);
  t.is(await read('fivedots_data_thread_restarts_total'), 1);
});

test.serial('a reload keeps the number of threads and says when another one holds; serials stay equal', async (t) => {
  const { control, port, folder, lines, began } = await started(t);
  const all = await clients(t, port);
  await writeFile(join(folder, 'Corefile'), corefileOf(3, 'loadbalance'));
  await control.reload();
  t.true(
    lines.includes(
      'warning plugin/multisocket: 3 data threads are asked for; that takes a restart, until then there are 2',
    ),
  );
  t.is(began(), 2);
  t.deepEqual(control.listening, [`127.0.0.1:${port}`]);
  for (const client of all) t.is((await client.ask(WEB, 'A'))?.length, 1);
  const serials = await Promise.all(all.map((client) => client.ask('cluster.local', 'SOA')));
  t.is(new Set(serials.map(serialOf)).size, 1);
});

test.serial(
  'an upstream that is this server itself is stopped in both threads, wherever the probes come back',
  async (t) => {
    const port = await freePort();
    const server = await startServer({
      corefile: { text: `.:{$PORT} {\n multisocket 2\n bind 127.0.0.1\n loop\n forward . 127.0.0.1:{$PORT}\n}\n` },
      port,
      until: 'answering',
    });
    t.teardown(server.close);
    await until('both have found it', () => server.log().split('detected for zone').length === 3);
    const replies = Array.from({ length: 16 }, () =>
      exchange({ host: '127.0.0.1', port }, 'udp', encodeQuery(1, asked('example.org', 'A'))),
    );
    for (const reply of await Promise.all(replies)) t.is(decodeReply(reply).rcode, 2);
  },
);

test.serial(
  'a second server is refused, whether it shares its port or not, and so is who shares with strangers',
  async (t) => {
    const port = await freePort();
    const server = await startServer({ corefile: { text: whoami('multisocket 2', port) }, port, until: 'answering' });
    t.teardown(server.close);
    for (const threads of ['multisocket 2', '']) {
      const second = await run([process.execPath, 'server/main.ts', '-conf', 'stdin'], whoami(threads, port));
      t.is(second.code, 1);
      t.regex(second.stdout + second.stderr, /cannot listen on .*: another program uses that port/);
    }
    const taken = await freePort();
    const stranger = createSocket({ type: 'udp4', reusePort: true });
    t.teardown(() => stranger.close());
    stranger.bind(taken, '127.0.0.1');
    await once(stranger, 'listening');
    const beside = await run([process.execPath, 'server/main.ts', '-conf', 'stdin'], whoami('multisocket 2', taken));
    t.is(beside.code, 1);
    t.regex(beside.stdout + beside.stderr, /another program uses that port/);
  },
);
