import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';

import { DataPlane } from '../../../server/data/data-plane.ts';
import type { Plugin } from '../../../server/pipeline.ts';
import type { ListenerPlan, Plan } from '../../../server/plan.ts';
import { emptyReply, type Protocol, type Query, type Reply } from '../../../server/query.ts';
import type { ClusterStore } from '../../../zones/kubernetes/store/store.ts';
import { ROOT } from '../../../zones/name.ts';
import { Rcode } from '../../../zones/rr.ts';
import { exchange } from '../../support/client.ts';
import { testContext } from '../../support/plugin-context.ts';
import { asked, encodeQuery } from '../../support/query.ts';
import { freePort } from '../../support/server.ts';

type Started = {
  readonly plane: DataPlane;
  /** Rcode of the reply, over that transport. */
  readonly ask: (port: number, protocol: Protocol, name?: string) => Promise<number>;
  /** Resolves when so many queries for names that wait have come, all in all. */
  readonly waiting: (count: number) => Promise<void>;
  /** Answers those. */
  readonly release: () => void;
};

test('a plan is in use when its promise is kept, over both transports', async (t) => {
  const { plane, ask } = start(t);
  const port = await freePort();
  t.deepEqual(await plane.use(planOf(Rcode.NXDOMAIN, port)), [`127.0.0.1:${port}`]);
  t.is(await ask(port, 'udp'), Rcode.NXDOMAIN);
  t.is(await ask(port, 'tcp'), Rcode.NXDOMAIN);
});

test('the next plan answers on the sockets of the one before', async (t) => {
  const { plane, ask } = start(t);
  const port = await freePort();
  await plane.use(planOf(Rcode.NXDOMAIN, port));
  await plane.use(planOf(Rcode.NOERROR, port));
  t.is(await ask(port, 'udp'), Rcode.NOERROR);
  t.is(await ask(port, 'tcp'), Rcode.NOERROR);
});

test('a plan that cannot be opened changes nothing, says why and leaves no socket open', async (t) => {
  const { plane, ask } = start(t);
  const [port, other, taken] = [await freePort(), await freePort(), createSocket('udp4').bind(0, '127.0.0.1')];
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  await plane.use(planOf(Rcode.NXDOMAIN, port));
  const refused = planOf(Rcode.NOERROR, port, other, taken.address().port);
  await t.throwsAsync(plane.use(refused), { message: /cannot listen on dns:\/\/127\.0\.0\.1:[0-9]+: another program/ });
  t.is(await ask(port, 'udp'), Rcode.NXDOMAIN);
  await t.throwsAsync(ask(other, 'tcp'), { code: 'ECONNREFUSED' });
});

for (const protocol of ['udp', 'tcp'] as const) {
  test(`a query over ${protocol} that waits when its listener goes still gets its reply`, async (t) => {
    const { plane, ask, waiting, release } = start(t);
    const [port, other] = [await freePort(), await freePort()];
    await plane.use(planOf(Rcode.NOERROR, port, other));
    const reply = ask(port, protocol, 'held.example.org');
    await waiting(1);
    const used = plane.use(planOf(Rcode.NOERROR, other));
    t.is(await ask(other, protocol), Rcode.NOERROR);
    release();
    t.is(await reply, Rcode.NOERROR);
    await used;
    await t.throwsAsync(ask(port, 'tcp'), { code: 'ECONNREFUSED' });
  });

  test(`a query over ${protocol} that waits when the plane closes still gets its reply`, async (t) => {
    const { plane, ask, waiting, release } = start(t);
    const port = await freePort();
    await plane.use(planOf(Rcode.NOERROR, port));
    const reply = ask(port, protocol, 'held.example.org');
    await waiting(1);
    const closed = plane.close();
    release();
    t.is(await reply, Rcode.NOERROR);
    await closed;
  });
}

test('a new plan moves the serials of clusters on, for it may show them in another way', async (t) => {
  const stores: ClusterStore[] = [];
  const { plane } = start(t, (store) => void stores.push(store));
  const port = await freePort();
  plane.take('cluster', { put: '', removed: [], whole: ['Namespace'], isLast: true });
  await plane.use(planOf(Rcode.NOERROR, port));
  const [store] = stores;
  const serial = store?.serial ?? 0;
  await plane.use(planOf(Rcode.NXDOMAIN, port));
  t.is(stores[1], store);
  t.is(store?.serial, serial + 1);
});

/** A plane with one plugin: it answers with the rcode of its options, and lets names that begin with `held` wait. */
function start(t: ExecutionContext, see: (store: ClusterStore) => void = () => {}): Started {
  const held: (() => void)[] = [];
  let came = 0;
  let told = (): void => {};
  const answering: Plugin<number> = {
    name: 'answering',
    parse: () => Rcode.NOERROR,
    layer: (rcode, { cluster }) => {
      see(cluster('cluster'));
      return () => (query) => answer(rcode, query);
    },
  };
  const answer = (rcode: number, query: Query): Reply | Promise<Reply> => {
    const reply: Reply = emptyReply(rcode, 'answering');
    if (!query.question.name.startsWith('\x04held')) return reply;
    came++;
    told();
    return new Promise((resolve) => held.push(() => resolve(reply)));
  };
  const { context } = testContext();
  const plane = new DataPlane({
    clock: context.clock,
    wallClock: () => 0,
    taken: () => {},
    log: context.log,
    counters: context.counters,
    plugins: new Map([['answering', answering as Plugin<unknown>]]), // its options are what `planOf` writes
  });
  t.teardown(() => plane.close());
  return {
    plane,
    async ask(port, protocol, name = 'example.org') {
      const reply = await exchange({ host: '127.0.0.1', port }, protocol, encodeQuery(1, asked(name, 'A')));
      return reply.readUInt8(3) & 15;
    },
    async waiting(count) {
      while (came < count) await new Promise<void>((resolve) => (told = resolve));
    },
    release() {
      for (const answer of held.splice(0)) answer();
    },
  };
}

/** The root zone on those ports. */
function planOf(rcode: number, port: number, ...others: readonly number[]): Plan {
  const position = { file: 'Corefile', line: 1, column: 1 };
  const key = { transport: 'dns' as const, zone: ROOT, port, position };
  const listeners = [port, ...others].map((port): ListenerPlan => ({
    server: `dns://127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    routes: [{ zone: ROOT, block: 0 }],
  }));
  return { listeners, blocks: [{ keys: [key], position, plugins: [{ name: 'answering', options: rcode }] }] };
}
