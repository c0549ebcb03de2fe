import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import test, { type ExecutionContext } from 'ava';

import { MISMATCHES_MAX } from '../../../server/upstream/udp-exchange.ts';
import { forward } from '../../../server/plugins/forward.ts';
import type { Handler, Kept } from '../../../server/pipeline.ts';
import { sharedUpstreams } from '../../../server/upstream/upstreams.ts';
import { emptyReply, type Query, type Reply } from '../../../server/query.ts';
import { presentAddress } from '../../../zones/ip.ts';
import { lowerCase, present } from '../../../zones/name.ts';
import { Rcode, rcodeName, typeName, type RRset } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { startEvilUpstream, type EvilUpstream } from '../../support/evil-upstream.ts';
import { TEST_PEER, testContext, testQuery, type TestContext } from '../../support/plugin-context.ts';

type Forwarded = TestContext & {
  readonly ask: (name: string, type?: string, changes?: Partial<Query>) => Promise<Reply>;
};

/** The layer that these directives make; below it everything is REFUSED by nobody. */
function forwarded(t: ExecutionContext, text: string): Forwarded {
  const test = testContext({ clock: () => performance.now() });
  t.teardown(test.close);
  const handler: Handler | undefined = forward.layer?.(
    optionsFrom(forward, text),
    test.context,
  )(() => emptyReply(Rcode.REFUSED));
  return {
    ...test,
    ask: async (name, type, changes) => await (handler?.(testQuery(name, type, changes)) ?? emptyReply(0)),
  };
}

async function upstream(t: ExecutionContext, options: { tcp?: boolean; behave?: string } = {}): Promise<EvilUpstream> {
  const { behave, ...rest } = options;
  const started = await startEvilUpstream(rest);
  started.behave(behave);
  t.teardown(started.close);
  return started;
}

/** `NOERROR example.org. A 192.0.2.1`; owners in lower case, for the upstream copies our random letters. */
function shown(reply: Reply): string {
  return [rcodeName(reply.rcode), ...reply.answer.flatMap(shownSet)].join(' ');
}

function shownSet({ owner, type, rdatas }: RRset): readonly string[] {
  return rdatas.map((rdata) => {
    const data = type === 1 ? presentAddress(rdata) : Buffer.from(rdata).toString('hex');
    return `${present(lowerCase(owner))} ${typeName(type)} ${data}`;
  });
}

/** Asks that upstream once for each query, however long a busy machine takes. */
function only(server: EvilUpstream, option = ''): string {
  return `forward . ${server.address} {\n max_connect_attempts 1\n max_fails 0\n read_timeout 30s\n ${option}\n}`;
}

const TCP: Partial<Query> = { peer: { ...TEST_PEER, protocol: 'tcp' } };

/** One value of the series whose row begins so. */
function valueOf(test: TestContext, start: string): number | undefined {
  for (const [row, values] of test.series()) if (row.startsWith(start)) return values[0];
  return undefined;
}

// Whatever comes before it, the true answer is the one that is used: RFC 5452 section 9.1.
for (const { program, over } of [
  { program: 'ok', over: ['udp'] },
  { program: 'wrongid-1', over: ['udp'] },
  { program: 'wrongid-9', over: ['udp'] },
  { program: 'wrongid-100', over: ['udp', 'tcp'] },
  { program: 'wrongq-9', over: ['udp'] },
  { program: 'wrongq-100', over: ['udp', 'tcp'] },
  { program: 'wrongclass-9', over: ['udp'] },
  { program: 'qr0-9', over: ['udp'] },
  { program: `qr0-${MISMATCHES_MAX}`, over: ['udp', 'tcp'] },
  { program: 'garbage-9', over: ['udp'] },
  { program: 'short-9', over: ['udp'] },
  { program: 'dup-5', over: ['udp'] },
  { program: 'bare-1', over: ['udp', 'tcp'] },
  { program: 'wrongcase', over: ['udp', 'tcp'] },
  { program: 'cutoff', over: ['udp', 'tcp'] },
  { program: 'tc', over: ['udp', 'tcp'] },
  { program: 'lowercase', over: ['udp', 'tcp'] },
]) {
  test(`the true answer is found behind ${program}, asking over ${over.join(' then ')}`, async (t) => {
    const server = await upstream(t);
    const { ask } = forwarded(t, only(server));
    const name = `${program}.example.org.`;
    t.is(shown(await ask(name)), `NOERROR ${name} A 192.0.2.1`);
    t.deepEqual(
      server.seen.map(({ protocol }) => protocol),
      over,
    );
  });
}

// RFC 9715 section 3: what comes in IP fragments may be part of somebody else's.
test('a reply over UDP that is larger than the 1232 octets that were offered is asked for over TCP', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, only(server));
  t.is((await ask('big-100.example.org')).answer[0]?.rdatas.length, 100);
  t.deepEqual(
    server.seen.map(({ protocol }) => protocol),
    ['udp', 'tcp'],
  );
});

test('a reply says which upstream it is from, also where another one was asked first', async (t) => {
  const [silent, server] = [await upstream(t, { behave: 'silent' }), await upstream(t)];
  const { ask } = forwarded(t, `forward . ${silent.address} ${server.address} {\n policy sequential\n}`);
  t.is((await ask('ok.example.org')).upstream, server.address);
});

test('replies that do not match are counted and say nothing of the upstream', async (t) => {
  const server = await upstream(t);
  const made = forwarded(t, `forward . ${server.address}`);
  await made.ask('wrongid-7.example.org');
  t.is(valueOf(made, 'fivedots_forward_mismatched_replies_total'), 7);
  t.is(valueOf(made, 'coredns_proxy_healthcheck_failures_total'), 0);
  t.deepEqual(
    server.seen.filter(({ type }) => type === 'NS'),
    [],
  );
});

test('every query over UDP comes from a port of its own, with an id of its own and letters in random case', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, only(server));
  const count = 300;
  for (let i = 0; i < count; i++) t.is((await ask('some-long-name.of.many.letters.example.org')).rcode, Rcode.NOERROR);
  const distinct = (values: readonly (string | number)[]): number => new Set(values).size;
  // Of 300 random ports among 64512 one pair is expected to be equal about every second time.
  t.true(distinct(server.seen.map(({ port }) => port)) > count - 10);
  t.true(distinct(server.seen.map(({ id }) => id)) > count - 10);
  t.is(distinct(server.seen.map(({ name }) => name)), count);
  t.true(server.seen.every(({ port }) => port >= 1024));
});

// RFC 8932 section 5.2.5: what is cached, here or upstream, is not for others to see.
for (const { text, name, expected } of [
  { text: '', name: 'ok.example.org', expected: 'REFUSED by forward, 20' },
  { text: 'next REFUSED\n next_on_nodata', name: 'ok.example.org', expected: 'REFUSED by forward, 20' },
  { text: 'except internal.example.org', name: 'www.internal.example.org', expected: 'REFUSED by nobody, -' },
]) {
  test(`without RD, with ${JSON.stringify(text)}: ${name} is ${expected}, and nothing is asked`, async (t) => {
    const server = await upstream(t);
    const made = forwarded(t, `${only(server, text)}\nforward . ${server.address} {\n except internal.example.org\n}`);
    const reply = await made.ask(name, 'A', { recursionDesired: false });
    const shown = `${rcodeName(reply.rcode)} by ${reply.plugin || 'nobody'}, ${reply.extendedError?.code ?? '-'}`;
    t.is(shown, expected);
    t.is(reply.fault, undefined);
    t.is((await made.ask('ok.example.org')).rcode, Rcode.NOERROR);
    t.is(server.seen.length, 1);
  });
}

test('the upstream gets a query of ours: RD, and CD and AD as asked, an OPT record', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, only(server));
  await ask('ok.example.org');
  await ask('ok.example.org', 'A', { checkingDisabled: true, authenticData: true });
  t.deepEqual(
    server.seen.map(({ recursionDesired, checkingDisabled, authenticData, hasEdns }) => [
      recursionDesired,
      checkingDisabled,
      authenticData,
      hasEdns,
    ]),
    [
      [true, false, false, true],
      [true, true, true, true],
    ],
  );
});

test('a client over TCP is answered over TCP, and connections are used again', async (t) => {
  const server = await upstream(t);
  const made = forwarded(t, only(server));
  for (let i = 0; i < 5; i++) t.is((await made.ask('ok.example.org', 'A', TCP)).rcode, Rcode.NOERROR);
  t.deepEqual(new Set(server.seen.map(({ protocol }) => protocol)), new Set(['tcp']));
  t.is(server.connections(), 1);
  t.is(valueOf(made, 'coredns_proxy_conn_cache_hits_total'), 4);
});

test('a connection that the upstream closed in between is replaced without a word', async (t) => {
  const server = await upstream(t);
  const made = forwarded(t, only(server, 'force_tcp'));
  t.is((await made.ask('ok.example.org')).rcode, Rcode.NOERROR);
  server.hangUp();
  t.is((await made.ask('ok.example.org')).rcode, Rcode.NOERROR);
  t.is(server.connections(), 2);
  t.is(valueOf(made, 'coredns_proxy_healthcheck_failures_total'), 0);
});

for (const { option, client, protocol } of [
  { option: 'force_tcp', client: {}, protocol: 'tcp' },
  { option: 'prefer_udp', client: TCP, protocol: 'udp' },
  { option: '', client: TCP, protocol: 'tcp' },
  { option: '', client: {}, protocol: 'udp' },
] as const) {
  test(`${option || 'no option'}: a client over ${client === TCP ? 'TCP' : 'UDP'} is asked for over ${protocol}`, async (t) => {
    const server = await upstream(t);
    const { ask } = forwarded(t, only(server, option));
    t.is((await ask('ok.example.org', 'A', client)).rcode, Rcode.NOERROR);
    t.is(server.seen[0]?.protocol, protocol);
  });
}

test('many queries share few TCP connections', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, only(server, 'force_tcp'));
  const replies = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`n${i}.example.org`)));
  t.true(replies.every((reply, i) => shown(reply) === `NOERROR n${i}.example.org. A 192.0.2.1`));
  t.true(server.connections() <= 8);
});

test('a truncated reply whose rest cannot be had over TCP goes to the client as TC without records', async (t) => {
  const server = await upstream(t, { tcp: false });
  const { ask } = forwarded(t, `forward . ${server.address}`);
  const reply = await ask('tc.example.org');
  t.true(reply.truncated);
  t.deepEqual(reply.answer, []);
});

test('a client over TCP, who would not ask again, is told that the rest cannot be had', async (t) => {
  const server = await upstream(t, { tcp: false });
  const { ask } = forwarded(t, `forward . ${server.address}`);
  const reply = await ask('tc.example.org', 'A', TCP);
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.regex(reply.fault ?? '', /too large for UDP, and no upstream gave it over TCP/);
  const other = await upstream(t);
  const both = forwarded(t, `forward . ${server.address} ${other.address} {\n policy sequential\n}`);
  t.is((await both.ask('tc.example.org', 'A', TCP)).answer.length, 1);
});

test('TC over TCP is no answer', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${server.address} {\n force_tcp\n}`);
  const reply = await ask('tcloop.example.org');
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.regex(reply.fault ?? '', /says TC over TCP/);
});

test('records of a type unknown to us pass octet by octet', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${server.address}`);
  // C0 0C would be a pointer if anybody looked for one (RFC 3597 section 4).
  t.is(shown(await ask('unknown.example.org', 'TYPE65280')), 'NOERROR unknown.example.org. TYPE65280 c00c0304');
});

test("an upstream's Extended DNS Error is kept", async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${server.address}`);
  t.deepEqual((await ask('explained-9.example.org')).extendedError, { code: 9, text: 'because' });
});

for (const { client, expected } of [
  { client: {}, expected: false },
  { client: { authenticData: true }, expected: true },
]) {
  test(`AD is ${expected ? 'told to' : 'kept from'} a client that sent AD=${expected ? 1 : 0} (RFC 6840 section 5.8)`, async (t) => {
    const server = await upstream(t);
    const { ask } = forwarded(t, `forward . ${server.address}`);
    t.is((await ask('authentic.example.org', 'A', client)).authenticData, expected);
  });
}

for (const program of ['plainonly', 'plainonlybare', 'badvers']) {
  test(`${program}: an upstream that does not take EDNS is asked once more without, and that is remembered`, async (t) => {
    const server = await upstream(t, { behave: program });
    const { ask } = forwarded(t, only(server));
    t.is((await ask('a.example.org')).rcode, Rcode.NOERROR);
    const before = server.seen.length;
    t.is((await ask('b.example.org')).rcode, Rcode.NOERROR);
    t.deepEqual(
      server.seen.slice(before).map(({ hasEdns }) => hasEdns),
      [false],
    );
  });
}

test('an upstream that changes letters is asked over TCP from then on, and the log says why', async (t) => {
  const server = await upstream(t, { behave: 'lowercase' });
  const { ask, lines } = forwarded(t, only(server));
  await ask('a.example.org');
  await ask('b.example.org');
  t.deepEqual(
    server.seen.map(({ protocol }) => protocol),
    ['udp', 'tcp', 'tcp'],
  );
  t.is(lines.filter((line) => line.includes('changes the letters')).length, 1);
});

test('an upstream that changes letters and has no TCP: the log can say why TCP was asked', async (t) => {
  const server = await upstream(t, { behave: 'lowercase', tcp: false });
  const { ask } = forwarded(t, `forward . ${server.address}`);
  const reply = await ask('a.example.org');
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.regex(reply.fault ?? '', /ECONNREFUSED.*its reply over UDP could not be told from a forgery/);
});

test('a port that refuses is an error at once, and the next upstream answers', async (t) => {
  const gone = await startEvilUpstream();
  await gone.close();
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${gone.address} ${server.address} {\n policy sequential\n max_fails 0\n}`);
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`n${i}.example.org`)));
  t.true(replies.every(({ rcode }) => rcode === Rcode.NOERROR));
});

test('with nobody there the reply is SERVFAIL with the reason for the log and for the client', async (t) => {
  const gone = await startEvilUpstream();
  await gone.close();
  const { ask } = forwarded(t, `forward . ${gone.address}`);
  const reply = await ask('a.example.org');
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.regex(reply.fault ?? '', /ECONNREFUSED/);
  t.is(reply.extendedError?.code, 23);
});

test('an upstream that is silent over UDP is asked over TCP while UDP is still listened to', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${server.address}`);
  t.is((await ask('silent.example.org')).rcode, Rcode.NOERROR);
  t.deepEqual(
    server.seen.filter(({ type }) => type === 'A').map(({ protocol }) => protocol),
    ['udp', 'tcp'],
  );
});

test('an upstream that hangs up on one query over TCP is still asked over TCP', async (t) => {
  const server = await upstream(t);
  const { ask } = forwarded(t, `forward . ${server.address}`);
  t.is((await ask('hangup.example.org', 'A', TCP)).rcode, Rcode.SERVFAIL);
  t.is((await ask('silent.example.org')).rcode, Rcode.NOERROR);
});

test('another upstream is asked beside a silent one, whose late answer still counts', async (t) => {
  const slow = await upstream(t);
  const silent = await upstream(t, { behave: 'mute' });
  const { ask } = forwarded(t, `forward . ${slow.address} ${silent.address} {\n policy sequential\n}`);
  const reply = ask('held.example.org');
  await silent.asked(1);
  slow.release();
  t.is(shown(await reply), 'NOERROR held.example.org. A 192.0.2.1');
});

test('a refusal does not win over an upstream that is still thinking', async (t) => {
  const slow = await upstream(t);
  const lame = await upstream(t, { behave: 'rcode-5' });
  const { ask } = forwarded(t, `forward . ${slow.address} ${lame.address} {\n policy sequential\n}`);
  const reply = ask('held.example.org');
  await lame.asked(1);
  slow.release();
  t.is(shown(await reply), 'NOERROR held.example.org. A 192.0.2.1');
});

for (const { policy, expected } of [
  { policy: 'sequential', expected: [6, 0, 0] },
  { policy: 'round_robin', expected: [2, 2, 2] },
]) {
  test(`policy ${policy} spreads six queries as ${expected.join(', ')}`, async (t) => {
    const servers = [await upstream(t), await upstream(t), await upstream(t)];
    const to = servers.map(({ address }) => address).join(' ');
    const { ask } = forwarded(t, `forward . ${to} {\n policy ${policy}\n}`);
    for (let i = 0; i < 6; i++) await ask('ok.example.org');
    t.deepEqual(
      servers.map(({ seen }) => seen.length),
      expected,
    );
  });
}

test('max_concurrent refuses what is above it and counts it', async (t) => {
  const server = await upstream(t);
  const made = forwarded(t, `forward . ${server.address} {\n max_concurrent 2\n}`);
  const two = [made.ask('held.example.org'), made.ask('held.example.org')];
  const third = await made.ask('ok.example.org');
  t.is(third.rcode, Rcode.REFUSED);
  t.is(third.fault, 'concurrent queries exceeded maximum 2');
  t.is(valueOf(made, 'coredns_forward_max_concurrent_rejects_total'), 1);
  server.release();
  for (const reply of await Promise.all(two)) t.is(reply.rcode, Rcode.NOERROR);
  t.is((await made.ask('ok.example.org')).rcode, Rcode.NOERROR);
});

test('failover asks the next upstream, and returns the refusal when all refuse', async (t) => {
  const lame = await upstream(t, { behave: 'rcode-5' });
  const server = await upstream(t);
  const options = '{\n policy sequential\n failover REFUSED\n}';
  const first = forwarded(t, `forward . ${lame.address} ${server.address} ${options}`);
  t.is((await first.ask('ok.example.org')).rcode, Rcode.NOERROR);
  const second = forwarded(t, `forward . ${lame.address} ${options}`);
  t.is((await second.ask('ok.example.org')).rcode, Rcode.REFUSED);
});

test('failover goes on past an upstream that is gone, and is no matter of max_connect_attempts', async (t) => {
  const lame = await upstream(t, { behave: 'rcode-5' });
  const gone = await startEvilUpstream();
  await gone.close();
  const server = await upstream(t);
  for (const [to, option] of [
    [`${lame.address} ${gone.address} ${server.address}`, ''],
    [`${lame.address} ${server.address}`, ' max_connect_attempts 1\n'],
  ] as const) {
    const { ask } = forwarded(t, `forward . ${to} {\n policy sequential\n failover REFUSED\n${option}}`);
    t.is((await ask('ok.example.org')).rcode, Rcode.NOERROR);
  }
});

for (const { name, option, handedOver } of [
  { name: 'rcode-3', option: 'next NXDOMAIN', handedOver: true },
  { name: 'rcode-3', option: 'next SERVFAIL REFUSED', handedOver: false },
  { name: 'empty', option: 'next_on_nodata', handedOver: true },
  { name: 'empty', option: 'next NXDOMAIN', handedOver: false },
]) {
  test(`${option}: ${name} is ${handedOver ? 'handed over to the next forward' : 'the answer'}`, async (t) => {
    const first = await upstream(t);
    const second = await upstream(t, { behave: 'ok' });
    const { ask } = forwarded(t, `forward . ${first.address} {\n ${option}\n}\nforward . ${second.address}`);
    await ask(`${name}.example.org`);
    t.is(second.seen.length, handedOver ? 1 : 0);
  });
}

test('what nobody takes over is answered by the one that would hand it over', async (t) => {
  const only = await upstream(t);
  const { ask } = forwarded(t, `forward . ${only.address} {\n next NXDOMAIN\n}\nforward example.net ${only.address}`);
  t.is((await ask('rcode-3.example.org')).rcode, Rcode.NXDOMAIN);
  t.is(only.seen.length, 1);
});

// CoreDNS plugin/forward: names at or below an exception pass by, FROM itself never does.
for (const { name, expected } of [
  { name: 'a.example.org', expected: 'NOERROR' },
  { name: 'example.org', expected: 'NOERROR' },
  { name: 'not.example.org', expected: 'REFUSED' },
  { name: 'deep.not.example.org', expected: 'REFUSED' },
  { name: 'knot.example.org', expected: 'NOERROR' },
  { name: 'example.net', expected: 'REFUSED' },
  { name: 'notexample.org', expected: 'REFUSED' },
]) {
  test(`forward example.org { except not.example.org example.org }: ${name} is ${expected}`, async (t) => {
    const server = await upstream(t);
    const { ask } = forwarded(t, `forward example.org ${server.address} {\n except not.example.org\n}`);
    t.is(rcodeName((await ask(name)).rcode), expected);
  });
}

test('the first forward that takes the name takes it', async (t) => {
  const [inner, outer] = [await upstream(t), await upstream(t)];
  const { ask } = forwarded(t, `forward example.org ${inner.address}\nforward . ${outer.address}`);
  await ask('ok.example.org');
  await ask('ok.example.net');
  t.deepEqual(
    [inner.seen.map(({ name }) => name.toLowerCase()), outer.seen.map(({ name }) => name.toLowerCase())],
    [['ok.example.org'], ['ok.example.net']],
  );
});

test('a changed resolv.conf changes the upstreams, and the ones that stay keep what is known of them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'resolv-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'resolv.conf');
  await writeFile(file, 'nameserver 127.0.0.1\n');
  const made = forwarded(t, `forward . ${file}`);
  const [upstreams] = sharedUpstreams(made.context.shared);
  const labels = (): readonly string[] => upstreams?.members.map(({ endpoint }) => endpoint.label) ?? [];
  const first = upstreams?.members[0];
  const joined: string[] = [];
  upstreams?.onJoin((added) => joined.push(...added.map(({ endpoint }) => endpoint.label)));
  t.deepEqual(labels(), ['127.0.0.1:53']);
  await writeFile(file, 'search example.org\nnameserver 127.0.0.1\nnameserver 127.0.0.2\nnameserver 127.0.0.1\n');
  await upstreams?.look();
  t.deepEqual(labels(), ['127.0.0.1:53', '127.0.0.2:53']);
  t.is(upstreams?.members[0], first);
  t.deepEqual(joined, ['127.0.0.2:53']);
  await writeFile(file, '# nothing\n');
  await upstreams?.look();
  t.deepEqual(labels(), ['127.0.0.1:53', '127.0.0.2:53']);
  t.regex(made.lines.at(-1) ?? '', /has changed and cannot be used: it has no nameserver line; the upstreams stay/);
});

test('what is kept through reloads does not keep the plan that it was made for', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept: Kept[] = [];
  const plan = ((): WeakRef<object> => {
    const { context } = testContext({
      keep: (_key, make) => {
        const state = make();
        kept.push(state);
        return state;
      },
    });
    forward.layer?.(optionsFrom(forward, 'forward . 127.0.0.1:5353'), context);
    return new WeakRef(context);
  })();
  await setImmediate();
  collect();
  t.is(plan.deref(), undefined);
  t.is(kept.length, 1);
  kept[0]?.close();
});

for (const { text, expected } of [
  { text: 'forward', expected: /Corefile:2:1: found the end of the line after "forward"/ },
  { text: 'forward .', expected: /2:9: found the end of the line/ },
  {
    text: 'forward . tls://192.0.2.1',
    expected: /2:11: found "tls:\/\/192.0.2.1", expected .*tls:\/\/ is not supported yet/,
  },
  { text: 'forward . https://192.0.2.1', expected: /not supported yet/ },
  { text: 'forward . dns.example.org', expected: /host names are not supported yet/ },
  { text: 'forward . /nowhere/resolv.conf', expected: /2:11: found "\/nowhere\/resolv.conf", expected an IP address/ },
  { text: 'forward . /dev/null', expected: /at least one nameserver line; this one has none/ },
  { text: 'forward . 192.0.2.1:99999', expected: /expected an IP address/ },
  { text: `forward . ${'192.0.2.1 '.repeat(16)}`, expected: /at most 15/ },
  { text: 'forward . 192.0.2.1 {\n polici random\n}', expected: /3:2: found "polici".*did you mean "policy"/ },
  { text: 'forward . 192.0.2.1 {\n policy best\n}', expected: /expected random, round_robin or sequential/ },
  // Node fires such a timer at once.
  {
    text: 'forward . 192.0.2.1 {\n read_timeout 1000h\n}',
    expected: /3:15: found "1000h", expected a duration of at most/,
  },
  { text: 'forward . 192.0.2.1 {\n expire 1000h\n}', expected: /a duration of at most/ },
  { text: 'forward . 192.0.2.1 {\n health_check 1000h\n}', expected: /a duration of at most/ },
  { text: 'forward . 192.0.2.1 {\n max_fails -1\n}', expected: /a whole number from 0/ },
  {
    text: 'forward . 192.0.2.1 {\n max_age 5s\n}',
    expected: /3:10: found "5s", expected a max_age that is not below expire/,
  },
  { text: 'forward . 192.0.2.1 {\n failover NOERROR\n}', expected: /an rcode other than NOERROR/ },
  { text: 'forward . 192.0.2.1 {\n next BOGUS\n}', expected: /the name of an rcode/ },
  { text: 'forward . 192.0.2.1 {\n tls_servername x\n}', expected: /not supported yet/ },
  {
    text: 'forward . 192.0.2.1 {\n health_check 1s domain\n}',
    expected: /health_check DURATION \[no_rec\] \[domain NAME\]/,
  },
]) {
  test(`refused: ${JSON.stringify(text)}`, (t) => {
    t.regex(faultOf(forward, text) ?? 'it was taken', expected);
  });
}

for (const text of [
  'forward . 192.0.2.1 [2001:db8::1]:5353 2001:db8::2 192.0.2.1:5300 dns://192.0.2.3 fe80::1%eth0',
  'forward 10.96.0.0/12 192.0.2.1',
  'forward . 192.0.2.1 {\n except a.example b.example\n policy random\n force_tcp\n prefer_udp\n expire 10s\n max_age 1m\n max_idle_conns 4\n' +
    ' read_timeout 1s\n max_fails 0\n health_check 250ms no_rec domain example.org\n max_connect_attempts 3\n max_concurrent 1000\n' +
    ' source_address 127.0.0.1\n next NXDOMAIN SERVFAIL\n next_on_nodata\n failover REFUSED SERVFAIL\n failfast_all_unhealthy_upstreams\n}',
]) {
  test(`taken: ${JSON.stringify(text)}`, (t) => {
    t.is(faultOf(forward, text), undefined);
  });
}
