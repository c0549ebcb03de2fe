/**
 * Checks C69 to C82: what is asked of an upstream, and what is remembered of its replies (RFC 2181 section 8, 2308, 3597, 5452, 6761, 6840, 6891, 7766,
 * 8767, 9520). Knows the upstream's programs, no server.
 */

import { setTimeout as pause } from 'node:timers/promises';

import type { Count, Milliseconds, Seconds } from '../../zones/units.ts';
import type { EvilUpstream, SeenQuery } from '../support/evil-upstream.ts';
import type { Asked, AskedEdns } from '../support/query.ts';
import { readReply, type Reply } from '../support/reply.ts';
import {
  ask,
  asked,
  askFreely,
  expectEqual,
  expectFlags,
  expectThat,
  freshName,
  lines,
  onEveryLane,
  onFirstLane,
  rdatas,
  type Lane,
} from './asking.ts';
import { spareUpstreamOf, upstreamOf, type Check } from './check.ts';

/** RFC 8767 section 4 recommends it as the most. */
const WEEK: Seconds = 604_800;
/** When a stub asks the next server (glibc). */
const STUB_TIMEOUT: Milliseconds = 5_000;
/** When a TTL of 1 is over, also for servers that count whole seconds. */
const OVER: Milliseconds = 2_100;
const MANY: Count = 1_000;
/** Queries that are sent at once. */
const BURST: Count = 50;

const DO: AskedEdns = {
  payloadSize: 4096,
  version: 0,
  dnssecOk: true,
  reserved: 0,
  options: [{ code: 10, data: Buffer.from('0123456789abcdef', 'hex') }], // a cookie (RFC 7873)
};

export const FORWARDING: readonly Check[] = [
  {
    id: 'C69',
    title:
      'TTLs count down and end; 0 is not remembered, nor what has the top bit set; none is longer than a week, none differs within an RRset',
    source: 'RFC 2181 sections 5.2 and 8, RFC 8767 section 4',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const upstream = upstreamOf(subject);
        await Promise.all([
          countsDown(lane, upstream, asked(programmed('ttl-300'), 'A'), 300),
          isForgotten(lane, upstream, asked(programmed('ttl-1'), 'A'), OVER),
          isNotRemembered(lane, upstream, programmed('ttl-0'), 0),
          isNotRemembered(lane, upstream, programmed('ttl-2147483648'), 0),
        ]);
        const longest = await ask(lane, asked(programmed('ttl-2147483647'), 'A'));
        expectThat(ttlOf(longest) <= WEEK, `a TTL of at most ${WEEK}`, ttlOf(longest));
        const mixed = await ask(lane, asked(programmed('mixed-20-10'), 'A'));
        expectEqual(
          'TTLs',
          mixed.answer.map(({ ttl }) => ttl),
          [10, 10],
        );
      }),
  },
  {
    id: 'C70',
    title:
      'a denial is remembered for the lesser of its SOA’s TTL and MINIMUM, which counts down; one without SOA for 5 s at most',
    source: 'RFC 2308 section 5',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const upstream = upstreamOf(subject);
        await Promise.all([
          countsDown(lane, upstream, asked(programmed('nxdomain-900-60'), 'A'), 60),
          countsDown(lane, upstream, asked(programmed('nodata-60-900'), 'A'), 60),
          isForgotten(lane, upstream, asked(programmed('nosoa'), 'A'), 6_100),
        ]);
      }),
  },
  {
    id: 'C71a',
    title:
      'a hundred equal queries to an upstream that fails: at most three tries over UDP and three over TCP, and none for a hundred more',
    source: 'RFC 9520 sections 3.1 and 3.2',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', (lane) => failsQuietly(lane, upstreamOf(subject), programmed('held-2'))),
  },
  {
    id: 'C71b',
    title:
      'a hundred equal queries to an upstream that is silent: at most three tries over UDP and three over TCP, and none for a hundred more',
    source: 'RFC 9520 sections 3.1 and 3.2',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', (lane) =>
        failsQuietly(lane, spareUpstreamOf(subject), programmed('mute', 'spare.test')),
      ),
  },
  {
    id: 'C72',
    title:
      'an answer after its time: with TTL 30, before the client gives up, and the failed upstream is left alone for a while',
    source: 'RFC 8767 sections 4 and 5',
    needs: ['upstream', 'cache', 'stale'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const silent = asked(programmed('ttl-1_mute', 'spare.test'), 'A');
        const failing = asked(programmed('ttl-1_rcode-2'), 'A');
        await Promise.all([ask(lane, silent), ask(lane, failing)]);
        await pause(OVER);
        const started = performance.now();
        expectStale(await ask(lane, silent));
        const waited = performance.now() - started;
        expectThat(waited < STUB_TIMEOUT, `a reply within ${STUB_TIMEOUT} ms`, waited);
        expectStale(await ask(lane, failing));
        const tries = seenOf(upstreamOf(subject), failing.name).length;
        expectStale(await ask(lane, failing));
        expectEqual('tries', seenOf(upstreamOf(subject), failing.name).length, tries);
      }),
  },
  {
    id: 'C73',
    title: 'replies that answer something else are passed over, and the true one behind them is used',
    source: 'RFC 5452 section 9.1',
    needs: ['upstream'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        for (const program of ['wrongid-3', 'wrongq-3', 'wrongclass-3', 'qr0-3', 'garbage-3', 'short-3']) {
          const { rcode, answer } = await ask(lane, asked(programmed(program), 'A'));
          expectEqual(`behind ${program}`, [rcode, ...rdatas(answer, 'A')], ['NOERROR', '192.0.2.1']);
        }
      }),
  },
  {
    id: 'C74',
    title: 'a truncated reply is asked for again over TCP, and its part of the answer neither used nor remembered',
    source: 'RFC 2181 section 9, RFC 7766 section 5',
    needs: ['upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const query = asked(programmed('partial'), 'A');
        for (let i = 0; i < 2; i++) {
          const reply = await ask(lane, query);
          expectFlags(reply, { tc: false });
          expectEqual('addresses', rdatas(reply.answer, 'A').toSorted(), ['192.0.2.0', '192.0.2.1', '192.0.2.2']);
        }
      }),
  },
  {
    id: 'C75',
    title: 'records of a type that nobody knows are passed on octet by octet, and so again from memory',
    source: 'RFC 3597 sections 3 and 4',
    needs: ['upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const query = asked(programmed('unknown'), 'TYPE65280');
        for (let i = 0; i < 2; i++) {
          const { answer } = await ask(lane, query);
          expectEqual(
            'types',
            answer.map(({ type }) => type),
            ['TYPE65280'],
          );
          // Looks like a compression pointer, and is none.
          expectEqual('rdata', answer[0]?.octets, Buffer.from('c00c0304', 'hex'));
        }
      }),
  },
  {
    id: 'C76',
    title:
      'AD, CD and signatures are for those who asked for them: with DO and without, with CD and without are different questions',
    source: 'RFC 6840 sections 5.7 to 5.9, RFC 4035 section 3.2.1',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const authentic = programmed('authentic');
        for (const changes of [{ authenticData: true }, { edns: DO }])
          await askFreely(lane, asked(authentic, 'A', changes));
        expectFlags(await askFreely(lane, asked(authentic, 'A')), { ad: false });

        const signed = programmed('signed');
        const types = async (edns?: AskedEdns): Promise<readonly string[]> =>
          (await askFreely(lane, asked(signed, 'A', { edns }))).answer.map(({ type }) => type).toSorted();
        expectEqual('types with DO', await types(DO), ['A', 'RRSIG']);
        expectEqual('types without DO', await types(), ['A']);

        const [both, plain] = [freshName('example.test'), freshName('example.test')] as const;
        for (const checkingDisabled of [true, false]) await askFreely(lane, asked(both, 'A', { checkingDisabled }));
        await askFreely(lane, asked(plain, 'A'));
        const hasCd = (name: string): readonly boolean[] =>
          seenOf(upstreamOf(subject), name).map(({ checkingDisabled }) => checkingDisabled);
        // A validating resolver may set CD always (RFC 6840 section 5.9).
        const isFine = hasCd(both).includes(false) || hasCd(plain).every(Boolean);
        expectThat(isFine, 'a query without CD upstream for the one without CD', hasCd(both));
      }),
  },
  {
    id: 'C77',
    title: 'an upstream that says FORMERR or BADVERS to EDNS is asked without it: an answer, after three tries at most',
    source: 'RFC 6891 sections 6.2.2 and 7',
    needs: ['upstream'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        for (const program of ['badvers', 'plainonly', 'plainonlybare']) {
          const name = programmed(program, 'spare.test');
          expectEqual(`the answer of ${program}`, rdatas((await ask(lane, asked(name, 'A'))).answer, 'A'), [
            '192.0.2.1',
          ]);
          const seen = seenOf(spareUpstreamOf(subject), name);
          expectEqual(`EDNS at last for ${program}`, seen.at(-1)?.hasEdns, false);
          expectThat(seen.length <= 3, `at most three tries for ${program}`, seen.length);
        }
      }),
  },
  {
    id: 'C78',
    title:
      'localhost is this machine, invalid and onion do not exist, and nobody else is asked about them or about 127.in-addr.arpa',
    source: 'RFC 6761 sections 6.3 and 6.4, RFC 6303 section 4.2, RFC 7686 section 2',
    needs: ['local', 'upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const below = freshName('localhost');
        const nobody = [freshName('invalid'), freshName('onion'), '9.8.7.127.in-addr.arpa'];
        for (const [name, type, expected] of [
          ['localhost', 'A', '127.0.0.1'],
          ['localhost', 'AAAA', '::1'],
          [below, 'A', '127.0.0.1'],
          [below, 'AAAA', '::1'],
          ['1.0.0.127.in-addr.arpa', 'PTR', 'localhost.'],
        ] as const) {
          const { rcode, answer } = await ask(lane, asked(name, type));
          expectEqual(`${name} ${type}`, [rcode, ...rdatas(answer, type)], ['NOERROR', expected]);
        }
        for (const name of nobody) expectEqual(name, (await ask(lane, asked(name, 'A'))).rcode, 'NXDOMAIN');
        for (const name of ['localhost', below, ...nobody]) {
          expectEqual(`queries upstream for ${name}`, seenOf(upstreamOf(subject), name), []);
        }
      }),
  },
  {
    id: 'C80',
    title: 'the root’s own records are asked of the upstream like any others',
    source: 'RFC 9609 section 2, RFC 9499 section 6',
    needs: ['upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const servers = await ask(lane, asked('.', 'NS'));
        expectEqual(
          'answer',
          lines(servers.answer).map((line) => line.replace(/ [0-9]+ /, ' ')),
          ['. NS a.root-servers.net.'],
        );
        const keys = await ask(lane, asked('.', 'DNSKEY'));
        expectEqual(
          'types',
          keys.answer.map(({ type }) => type),
          ['DNSKEY'],
        );
      }),
  },
  {
    id: 'C82',
    title: `ids, ports and letters of ${MANY} queries upstream cannot be guessed; each has RD and an OPT record of the server’s own, and no option of a client’s`,
    source: 'RFC 5452 section 9.2, RFC 6056 section 3.2, RFC 6891 section 6.1.1, RFC 3225 section 3',
    needs: ['upstream'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const names = Array.from({ length: MANY }, () => freshName('example.test'));
        const hasDo = new Set(names.filter((_, i) => i % 2 === 1));
        for (let i = 0; i < MANY; i += BURST) {
          const burst = names.slice(i, i + BURST);
          await Promise.all(burst.map((name) => ask(lane, asked(name, 'A', hasDo.has(name) ? { edns: DO } : {}))));
        }
        const isOurs = new Set(names);
        const seen = upstreamOf(subject).seen.filter(
          ({ protocol, name }) => protocol === 'udp' && isOurs.has(name.toLowerCase()),
        );
        expectRandom(
          'ids',
          seen.map(({ id }) => id),
        );
        expectRandom(
          'ports',
          seen.map(({ port }) => port),
        );
        const mixed = seen.filter(({ name }) => name !== name.toLowerCase() && name !== name.toUpperCase());
        expectThat(mixed.length > 0.95 * MANY, 'names in mixed case', seen[0]?.name);
        for (const { octets, name } of seen) {
          const { edns, flags } = readReply(octets);
          expectThat(flags.has('rd'), 'RD', [...flags]);
          expectThat(edns !== undefined && edns.options.length === 0, 'an OPT record without options', edns);
          expectThat(edns.dnssecOk || !hasDo.has(name.toLowerCase()), 'DO for who asked for it', edns);
          expectThat(edns.size >= 512 && edns.size <= 1400, 'a size of 512 to 1400', edns.size);
        }
      }),
  },
];

/** A name whose first label tells the upstream what to do, and that nobody has asked for yet. */
function programmed(program: string, suffix = 'example.test'): string {
  return `${program}.${freshName(suffix)}`;
}

function seenOf({ seen }: EvilUpstream, name: string): readonly SeenQuery[] {
  return seen.filter((query) => query.name.toLowerCase() === name);
}

/** The one TTL of a reply's answer, or of its denial. */
function ttlOf({ answer, authority }: Reply): Seconds {
  return (answer[0] ?? authority[0])?.ttl ?? NaN;
}

/** The upstream is asked once, and what is left of the TTL follows the clock. */
async function countsDown(lane: Lane, upstream: EvilUpstream, query: Asked, ttl: Seconds): Promise<void> {
  const started = performance.now();
  expectEqual(`TTL of ${query.name}`, ttlOf(await ask(lane, query)), ttl);
  await pause(1_100);
  const left = ttlOf(await ask(lane, query));
  const least = ttl - Math.ceil((performance.now() - started) / 1_000) - 1;
  expectThat(left < ttl && left >= least, `a TTL of ${least} to ${ttl - 1} after 1.1 s`, left);
  expectEqual(`queries upstream for ${query.name}`, seenOf(upstream, query.name).length, 1);
}

/** The upstream is asked again: at once, or when time has passed. */
async function isForgotten(lane: Lane, upstream: EvilUpstream, query: Asked, most: Milliseconds): Promise<void> {
  await ask(lane, query);
  const tries = seenOf(upstream, query.name).length;
  await ask(lane, query);
  if (seenOf(upstream, query.name).length > tries) return;
  await pause(most);
  await ask(lane, query);
  expectThat(seenOf(upstream, query.name).length > tries, 'a second query upstream', `only ${tries}`);
}

async function isNotRemembered(lane: Lane, upstream: EvilUpstream, name: string, ttl: Seconds): Promise<void> {
  for (let i = 1; i <= 2; i++) {
    expectEqual(`TTL of ${name}`, ttlOf(await ask(lane, asked(name, 'A'))), ttl);
    expectThat(seenOf(upstream, name).length >= i, `${i} queries upstream`, seenOf(upstream, name).length);
  }
}

/** A failure must be remembered: for a second at least, and most do so for five, which no machine is too busy for. */
async function failsQuietly(lane: Lane, upstream: EvilUpstream, name: string): Promise<void> {
  const burst = async (): Promise<void> => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => ask(lane, asked(name, 'A'))));
    for (const { rcode } of replies) expectEqual('rcode', rcode, 'SERVFAIL');
  };
  // Where the upstream answers at all, then not before all hundred may have come to the server.
  const released = pause(300).then(() => upstream.release(name));
  await Promise.all([burst(), released]);
  const tries = seenOf(upstream, name).length;
  for (const protocol of ['udp', 'tcp']) {
    const count = seenOf(upstream, name).filter((query) => query.protocol === protocol).length;
    expectThat(count <= 3, `at most three tries over ${protocol.toUpperCase()}`, count);
  }
  const started = performance.now();
  await burst();
  if (performance.now() - started < 5_000) expectEqual('tries in all', seenOf(upstream, name).length, tries);
}

function expectStale(reply: Reply): void {
  expectEqual('a stale answer', [reply.rcode, ...lines(reply.answer).map(withoutOwner)], ['NOERROR', '30 A 192.0.2.1']);
}

function withoutOwner(line: string): string {
  return line.slice(line.indexOf(' ') + 1);
}

/** Nearly all different, and as often greater than the one before as less. */
function expectRandom(what: string, values: readonly number[]): void {
  const different = new Set(values).size;
  expectThat(different > 0.95 * values.length, `${what} that differ`, `${different} different of ${values.length}`);
  const greater = values.filter((value, i) => value > (values[i - 1] ?? Infinity)).length;
  const share = greater / values.length;
  expectThat(
    share > 0.4 && share < 0.6,
    `${what} in no order`,
    `${Math.round(100 * share)} % greater than the one before`,
  );
}
