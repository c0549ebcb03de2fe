import test from 'ava';

import { LoopProbes } from '../../../server/upstream/loop-probes.ts';
import { ProbeTable, probeMemory } from '../../../server/upstream/probe-table.ts';
import { Upstreams, type UpstreamsOptions } from '../../../server/upstream/upstreams.ts';
import { forward } from '../../../server/plugins/forward.ts';
import { ROOT } from '../../../zones/name.ts';
import type { Milliseconds } from '../../../zones/units.ts';
import { optionsFrom } from '../../support/directive.ts';
import { startEvilUpstream, type EvilUpstream } from '../../support/evil-upstream.ts';
import { testContext, testQuery, type TestContext } from '../../support/plugin-context.ts';

type Probing = TestContext & {
  readonly probes: LoopProbes;
  readonly upstreams: Upstreams;
  readonly options: UpstreamsOptions;
  /** Ends the pause that the probe is in, as if that time had passed; gives its length. */
  readonly wake: () => Promise<Milliseconds>;
  /** How many pauses there are just now. */
  readonly pauses: () => number;
};

function probing(upstream: EvilUpstream, table: ProbeTable = new ProbeTable(probeMemory(1), 0)): Probing {
  const made = testContext({ probes: table });
  const [options] = optionsFrom(forward, `forward . ${upstream.address}`);
  if (options === undefined) throw new Error('no forward');
  const upstreams = new Upstreams(options.upstreams, made.context);
  const pauses = new Set<{ readonly span: Milliseconds; readonly end: () => void }>();
  let arrived = (): void => {};
  const probes = new LoopProbes({
    ...made.context,
    zone: ROOT,
    pause: (span, signal) =>
      new Promise((resolve) => {
        const end = (): void => {
          pauses.delete(pause);
          resolve();
        };
        const pause = { span, end };
        if (signal.aborted) return end();
        signal.addEventListener('abort', end);
        pauses.add(pause);
        return arrived();
      }),
  });
  return {
    ...made,
    probes,
    upstreams,
    options: options.upstreams,
    pauses: () => pauses.size,
    async wake() {
      if (pauses.size === 0) await new Promise<void>((resolve) => (arrived = resolve));
      const [pause] = pauses;
      made.pass(pause?.span ?? 0);
      pause?.end();
      return pause?.span ?? 0;
    },
    close() {
      probes.close();
      upstreams.close();
      made.close();
    },
  };
}

test('a probe is recognised for 30 s and no longer', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const { probes, upstreams, pass, close } = probing(upstream);
  t.teardown(close);
  probes.watch([upstreams]);
  await upstream.asked(1);
  const query = testQuery(upstream.seen[0]?.name ?? '', 'HINFO');
  pass(30_000);
  t.is(probes.recognise(query), undefined);
  t.is(upstreams.members[0]?.stopped, undefined);
});

test('a stopped upstream is tried again each minute, and asked again once it leads elsewhere', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const { probes, upstreams, lines, wake, close } = probing(upstream);
  t.teardown(close);
  upstream.behave('held');
  probes.watch([upstreams]);
  await upstream.asked(1);
  t.is(probes.recognise(testQuery(upstream.seen[0]?.name ?? '', 'HINFO'))?.plugin, 'loop');
  t.truthy(upstreams.members[0]?.stopped);
  upstream.release();
  t.is((await wake()) + (await wake()), 60_000);
  await wake(); // the second probe was answered and did not come back
  t.is(upstreams.members[0]?.stopped, undefined);
  t.regex(lines.at(-1) ?? '', /^info plugin\/loop 127\.0\.0\.1:\d+ does not lead back here any more/);
});

test('a probe that comes back to another data thread is answered there, and stops the upstream here', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const memory = probeMemory(2);
  const { context, probes, upstreams, lines, wake, close } = probing(upstream, new ProbeTable(memory, 0));
  t.teardown(close);
  const elsewhere = new LoopProbes({ ...context, zone: ROOT, probes: new ProbeTable(memory, 1) });
  const otherListener = new LoopProbes({
    ...context,
    zone: ROOT,
    server: 'dns://:54',
    probes: new ProbeTable(memory, 1),
  });
  upstream.behave('held');
  probes.watch([upstreams]);
  await upstream.asked(1);
  const query = testQuery(upstream.seen[0]?.name ?? '', 'HINFO');
  t.is(otherListener.recognise(query), undefined, 'a server that leads to another listener is no loop');
  t.is(elsewhere.recognise({ ...query, question: { ...query.question, type: 1 } }), undefined);
  t.is(elsewhere.recognise(testQuery('1.2', 'HINFO')), undefined);
  t.is(elsewhere.recognise(testQuery('www.example.org', 'HINFO')), undefined);
  t.is(elsewhere.recognise(query)?.plugin, 'loop');
  upstream.release();
  t.true((await wake()) > 0);
  t.truthy(upstreams.members[0]?.stopped);
  t.regex(lines.at(-1) ?? '', /^error plugin\/loop Loop \(127\.0\.0\.1:\d+ -> another data thread\) detected/);
  t.is(elsewhere.recognise(query), undefined, 'after its 30 s');
});

test('a probe without a reply is sent again each second', async (t) => {
  const gone = await startEvilUpstream();
  await gone.close();
  const { probes, upstreams, wake, close } = probing(gone);
  t.teardown(close);
  probes.watch([upstreams]);
  t.is(await wake(), 1_000);
  t.is(await wake(), 1_000);
});

/** The upstream's first probe comes back here. */
async function stopped(upstream: EvilUpstream, { probes, upstreams }: Probing): Promise<void> {
  probes.watch([upstreams]);
  await upstream.asked(1);
  probes.recognise(testQuery(upstream.seen[0]?.name ?? '', 'HINFO'));
}

test('without `loop` in the Corefile a stopped upstream is asked again', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const made = probing(upstream);
  t.teardown(made.close);
  await stopped(upstream, made);
  t.truthy(made.upstreams.members[0]?.stopped);
  made.probes.close();
  t.is(made.upstreams.members[0]?.stopped, undefined);
});

test('a stopped upstream that a changed configuration does not name is probed no more', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const made = probing(upstream);
  t.teardown(made.close);
  upstream.behave('held');
  await stopped(upstream, made);
  made.upstreams.close();
  upstream.release();
  t.is((await made.wake()) + (await made.wake()), 60_000);
  // What is sent after a probe comes after it.
  await new Upstreams(made.options, made.context).resolve(testQuery('ok.example.org'));
  t.deepEqual(
    upstream.seen.map(({ type }) => type),
    ['HINFO', 'A'],
  );
});

test('each reload probes a stopped upstream at once, and once a minute it is still probed once', async (t) => {
  const upstream = await startEvilUpstream();
  t.teardown(upstream.close);
  const made = probing(upstream);
  t.teardown(made.close);
  upstream.behave('held');
  await stopped(upstream, made);
  for (let reloads = 1; reloads <= 5; reloads++) {
    made.probes.watch([made.upstreams]);
    await upstream.asked(1 + reloads);
  }
  made.probes.recognise(testQuery(upstream.seen.at(-1)?.name ?? '', 'HINFO'));
  upstream.release();
  t.is((await made.wake()) + (await made.wake()), 60_000);
  await upstream.asked(7);
  t.true(made.pauses() <= 1);
});
