import test, { type ExecutionContext } from 'ava';

import { cacheAt } from '../../../server/plugins/cache.ts';
import { forward } from '../../../server/plugins/forward.ts';
import { compose } from '../../../server/pipeline.ts';
import { emptyReply, type Query, type Reply } from '../../../server/query.ts';
import { present, ROOT } from '../../../zones/name.ts';
import { Rcode, rcodeName } from '../../../zones/rr.ts';
import { optionsFrom } from '../../support/directive.ts';
import { startEvilUpstream, type EvilUpstream } from '../../support/evil-upstream.ts';
import { TEST_PEER, testContext, testQuery } from '../../support/plugin-context.ts';

/** Whatever the search domains of this machine are. */
const cache = cacheAt(() => []);

type Outside = {
  readonly server: EvilUpstream;
  readonly ask: (name: string, changes?: Partial<Query>) => Promise<Reply>;
};

/** Each miss is one query upstream, however long a busy machine takes. */
const ONCE = 'max_connect_attempts 1\n max_fails 0\n read_timeout 30s';

/** `cache` above `forward` to one upstream. */
async function outside(t: ExecutionContext, cacheText = 'cache', options: { tcp?: boolean } = {}): Promise<Outside> {
  const server = await startEvilUpstream(options);
  t.teardown(server.close);
  const made = testContext();
  t.teardown(made.close);
  const layers = [
    cache.layer?.(optionsFrom(cache, cacheText), made.context),
    forward.layer?.(optionsFrom(forward, `forward . ${server.address} {\n ${ONCE}\n}`), made.context),
  ].filter((layer) => layer !== undefined);
  const handler = compose(layers, () => emptyReply(Rcode.REFUSED));
  return { server, ask: async (name, changes) => await handler(testQuery(name, 'A', changes)) };
}

test('a thousand clients ask one cold name at once, in any case, with any id and over both transports: the upstream is asked once', async (t) => {
  const { server, ask } = await outside(t);
  const replies = Array.from({ length: 1_000 }, (_, i) =>
    ask(i % 2 === 0 ? 'held.example.org' : 'HELD.Example.ORG', {
      id: i,
      peer: { ...TEST_PEER, port: 1024 + i, protocol: i % 3 === 0 ? 'tcp' : 'udp' },
      edns: i % 5 === 0 ? { payloadSize: 1232, dnssecOk: false, wantsNsid: false } : undefined,
    }),
  );
  await server.asked(1);
  server.release();
  t.true((await Promise.all(replies)).every(({ rcode, answer }) => rcode === Rcode.NOERROR && answer.length === 1));
  t.is(server.seen.length, 1);
});

test('DO and CD are asked for apart', async (t) => {
  const { server, ask } = await outside(t);
  const variants: readonly Partial<Query>[] = [
    {},
    { checkingDisabled: true },
    { edns: { payloadSize: 1232, dnssecOk: true, wantsNsid: false } },
  ];
  await Promise.all([...variants, ...variants].map((changes) => ask('ok.example.org', changes)));
  t.is(server.seen.length, 3);
});

test('records of other names in a reply are never served for those names', async (t) => {
  const { server, ask } = await outside(t);
  await ask('extra.example.org');
  const victim = await ask('victim.example.org');
  t.is(server.seen.length, 2);
  t.is(Buffer.from(victim.answer[0]?.rdatas[0] ?? []).toString('hex'), 'c0000201');
});

test('a hundred equal queries to an upstream that fails cost it one query, as do those of the next seconds', async (t) => {
  const { server, ask } = await outside(t);
  const replies = await Promise.all(Array.from({ length: 100 }, () => ask('rcode-2.example.org')));
  t.true(replies.every(({ rcode }) => rcode === Rcode.SERVFAIL));
  t.is((await ask('rcode-2.example.org')).rcode, Rcode.SERVFAIL);
  t.is(server.seen.length, 1);
});

for (const { program, asked, ttl } of [
  { program: 'ttl-300', asked: 1, ttl: 300 },
  { program: 'ttl-0', asked: 2, ttl: 0 },
  { program: 'ttl-2147483647', asked: 1, ttl: 3_600 },
  // Above 31 bits a TTL counts as 0 (RFC 2181 section 8).
  { program: 'ttl-2147483648', asked: 2, ttl: 0 },
  { program: 'ttl-4294967295', asked: 2, ttl: 0 },
  { program: 'nxdomain-900-60', asked: 1, ttl: 60 },
  { program: 'nodata-900-60', asked: 1, ttl: 60 },
  { program: 'nxdomain-60-900', asked: 1, ttl: 60 },
  { program: 'nosoa', asked: 2, ttl: undefined },
]) {
  test(`with no floor ${program} is asked for ${asked === 1 ? 'once' : 'each time'}, with TTL ${ttl ?? 'none'}`, async (t) => {
    const { server, ask } = await outside(t, 'cache {\n success 100 3600 0\n denial 100 3600 0\n}');
    await ask(`${program}.example.org`);
    const { answer, authority } = await ask(`${program}.example.org`);
    t.is([...answer, ...authority][0]?.ttl, ttl);
    t.is(server.seen.length, asked);
  });
}

test('a part of a truncated answer is never kept: the whole one is, or nothing', async (t) => {
  const whole = await outside(t);
  await whole.ask('tc.example.org');
  t.is((await whole.ask('tc.example.org')).plugin, 'cache');
  const part = await outside(t, 'cache', { tcp: false });
  t.true((await part.ask('tc.example.org')).truncated);
  const before = part.server.seen.length;
  t.true((await part.ask('tc.example.org')).truncated);
  t.true(part.server.seen.length > before);
});

test('a long chain of aliases is one query upstream and is passed on as it came', async (t) => {
  const { server, ask } = await outside(t);
  const { rcode, answer } = await ask('chain-20.example.org');
  t.is(rcodeName(rcode), 'NOERROR');
  t.is(answer.length, 21);
  t.is(present(answer.at(-1)?.owner ?? ROOT), 'link20.example.org.');
  t.is(server.seen.length, 1);
});

test('what was kept keeps the octets of types that nobody here knows', async (t) => {
  const { server, ask } = await outside(t);
  const unknown: Partial<Query> = { question: { ...testQuery('unknown.example.org').question, type: 65_280 } };
  await ask('unknown.example.org', unknown);
  const { answer, plugin } = await ask('unknown.example.org', unknown);
  t.is(plugin, 'cache');
  t.is(Buffer.from(answer[0]?.rdatas[0] ?? []).toString('hex'), 'c00c0304');
  t.is(server.seen.length, 1);
});
