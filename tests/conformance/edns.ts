/**
 * Checks C39 to C61: EDNS(0), its options, and replies that are cut to size (RFC 6891, 2181, 3225, 5001, 7828, 7830, 7871, 7873, 8906
 * section 8.2, 8914, 9715). Knows no server.
 */

import { setTimeout as pause } from 'node:timers/promises';

import { RRType } from '../../zones/rr.ts';
import type { Bytes } from '../../zones/units.ts';
import { message, question, record, uint16, wireLabels, wireName } from '../support/message-octets.ts';
import type { AskedEdns } from '../support/query.ts';
import { readReply, type Reply, type ReplyEdns } from '../support/reply.ts';
import {
  ask,
  asked,
  askFreely,
  expectEqual,
  expectFlags,
  expectOneOf,
  expectThat,
  freshName,
  lines,
  norec,
  onEveryLane,
  onFirstLane,
  presentHead,
  randomId,
  rdatas,
  sendExpecting,
  sendPatiently,
  type Lane,
} from './asking.ts';
import { upstreamOf, type Check } from './check.ts';
import { BIG, BIG_ADDRESSES, WEB, WEB_ADDRESSES, ZONE } from './cluster.ts';

export const EDNS: readonly Check[] = [
  {
    id: 'C39',
    title:
      'an OPT record gets one of version 0 without options, that says what the server itself takes: at most 1400 octets',
    source: 'RFC 8906 section 8.2.1, RFC 6891 section 6.2.4, RFC 9715 section 3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const replies = await Promise.all([512, 1232, 4096].map((payloadSize) => soa(lane, { payloadSize })));
        const sizes = replies.map(({ size }) => size);
        expectEqual('sizes', new Set(sizes).size, 1);
        expectThat(
          sizes.every((size) => size >= 512 && size <= UDP_MAX),
          `a size of 512 to ${UDP_MAX}`,
          sizes[0],
        );
      }),
  },
  {
    id: 'C40',
    title: 'no OPT record, no OPT record: with an answer, with denials, with a refusal',
    source: 'RFC 6891 section 7',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        await ask(lane, norec(WEB, 'A'));
        await ask(lane, norec(WEB, 'TXT'));
        await ask(lane, norec(`nope.${ZONE}`, 'A'));
        await ask(lane, norec(ZONE, 'TXT', { class: CHAOS }));
      }),
  },
  {
    id: 'C41',
    title: 'EDNS version 1: BADVERS, version 0, no records',
    source: 'RFC 8906 section 8.2.2, RFC 6891 section 6.1.3',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => badVersion(lane, {})),
  },
  {
    id: 'C42',
    title: 'an option that nobody knows is ignored and not echoed',
    source: 'RFC 8906 section 8.2.3, RFC 6891 section 6.1.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectEqual('options', (await soa(lane, { options: [UNKNOWN] })).options, []);
      }),
  },
  {
    id: 'C43',
    title: 'flags that mean nothing are clear in the reply',
    source: 'RFC 8906 section 8.2.4, RFC 6891 section 6.1.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const reserved of [0x40, 0x7fff]) await soa(lane, { reserved });
      }),
  },
  {
    id: 'C44',
    title: 'EDNS version 1 with flags that mean nothing: BADVERS, those flags clear',
    source: 'RFC 8906 section 8.2.5',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => badVersion(lane, { reserved: 0x40 })),
  },
  {
    id: 'C45',
    title: 'EDNS version 1 with an option that nobody knows: BADVERS, no option',
    source: 'RFC 8906 section 8.2.6',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectEqual('options', (await badVersion(lane, { options: [UNKNOWN] })).options, []);
      }),
  },
  {
    id: 'C46',
    title: 'DO is copied; with EDNS version 1 it is BADVERS',
    source: 'RFC 3225 section 3, RFC 8906 sections 8.2.8 and 8.2.9',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const dnssecOk of [true, false]) expectEqual('DO', (await soa(lane, { dnssecOk })).dnssecOk, dnssecOk);
        await badVersion(lane, { dnssecOk: true });
      }),
  },
  {
    id: 'C47',
    title: 'two OPT records, one in another section, or one that is not at the root: FORMERR',
    source: 'RFC 6891 section 6.1.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        await formerr('two OPT records', lane, { additionals: 2 }, opt(), opt());
        await formerr('an OPT record at a.', lane, { additionals: 1 }, opt(NOTHING, wireLabels('a')));
        await formerr('an OPT record in the answer section', lane, { answers: 1 }, opt());
        await formerr('an OPT record in the authority section', lane, { authorities: 1 }, opt());
      }),
  },
  {
    id: 'C48',
    title: 'options that do not fill the OPT record exactly: FORMERR',
    source: 'RFC 6891 section 6.1.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const whole = opt(uint16(UNKNOWN.code, 4, 0, 0));
        for (const [what, record] of [
          ['an OPT record whose rdata is cut off', whole.subarray(0, -1)],
          ['an option longer than the rdata', opt(uint16(UNKNOWN.code, 5, 0, 0))],
          ['an option of 65535 octets without any', opt(uint16(UNKNOWN.code, 0xffff))],
          ['an octet behind the options', opt(Buffer.concat([uint16(UNKNOWN.code, 0), Buffer.alloc(1)]))],
          ['two octets behind the options', opt(uint16(UNKNOWN.code, 0, UNKNOWN.code))],
          ['three octets behind the options', opt(Buffer.concat([uint16(UNKNOWN.code, 0), Buffer.alloc(3)]))],
        ] as const) {
          await formerr(what, lane, { additionals: 1 }, record);
        }
      }),
  },
  {
    id: 'C49',
    title: 'NSID, COOKIE, ECS and EXPIRE together: answered, and nothing comes back as it was sent',
    source: 'RFC 8906 section 8.2.10',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const options = [NSID, COOKIE, ECS_ALL, EXPIRE];
        for (const { code, data } of (await soa(lane, { options })).options) {
          const sent = options.find((option) => option.code === code);
          expectThat(sent !== undefined, 'only options that were asked for', code);
          expectThat(code === ECS_ALL.code || !data.equals(sent.data), 'something new in an option', data);
        }
      }),
  },
  {
    id: 'C50',
    title: 'very many options, or one several times: an answer or FORMERR, and none of them twice',
    source: 'RFC 6891 section 6.1.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const counts = lane.protocol === 'tcp' ? [101, 16_000] : [101];
        for (const count of counts)
          await answeredOrFormerr(lane, ...Array<Buffer>(count).fill(uint16(UNKNOWN.code, 0)));
        for (const { code, data } of [NSID, COOKIE, PADDING]) {
          const option = Buffer.concat([uint16(code, data.length), data]);
          const reply = await answeredOrFormerr(lane, option, option);
          expectThat(optionsOf(reply, code).length < 2, `option ${code} at most once`, reply.edns?.options);
        }
      }),
  },
  {
    id: 'C51',
    title: 'a payload size below 512 counts as 512',
    source: 'RFC 6891 section 6.2.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          for (const payloadSize of [0, 100, 511]) {
            await cutTo(512, lane, { payloadSize });
            // Its denial needs more than 100 octets, and not 512.
            const denial = await ask(lane, norec(WEB, 'TXT', { edns: { ...PLAIN, payloadSize } }));
            expectFlags(denial, { tc: false });
            expectEqual('SOA records', rdatas(denial.authority, 'SOA').length, 1);
          }
        },
        'udp',
      ),
  },
  {
    id: 'C52',
    title: 'a payload size of 65535 gets no reply over UDP that could be fragmented: at most 1400 octets, TC',
    source: 'RFC 9715 section 3',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => cutTo(UDP_MAX, lane, { payloadSize: 65_535 }), 'udp'),
  },
  {
    id: 'C53',
    title: 'without EDNS a reply over UDP has at most 512 octets: TC',
    source: 'RFC 1035 section 4.2.1',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => cutTo(512, lane, undefined), 'udp'),
  },
  {
    id: 'C54',
    title: 'TC is set when the answer was cut, and not because additional records were left out',
    source: 'RFC 2181 section 9',
    needs: ['cluster', 'upstream'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          const cut = await cutTo(UDP_MAX, lane, {});
          expectEqual('different records of the answer', new Set(lines(cut.answer)).size, cut.answer.length);
          expectThat(
            rdatas(cut.answer, 'A').every((address) => BIG_ADDRESSES.includes(address)),
            'addresses of it',
            lines(cut.answer),
          );
          const stuffed = await ask(lane, asked(`stuffed-40.${freshName('example.test')}`, 'A'));
          expectEqual('rcode', stuffed.rcode, 'NOERROR');
          expectEqual('addresses', rdatas(stuffed.answer, 'A'), ['192.0.2.1']);
          expectThat(stuffed.octets.length <= 512, 'at most 512 octets', stuffed.octets.length);
          expectFlags(stuffed, { tc: false });
        },
        'udp',
      ),
  },
  {
    id: 'C55',
    title: 'over TCP the answer is whole, whatever the payload size',
    source: 'RFC 1035 section 4.2.2, RFC 6891 section 6.2.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          for (const edns of [undefined, PLAIN, { ...PLAIN, payloadSize: 512 }]) {
            const { answer, flags } = await ask(lane, norec(BIG, 'A', { edns }));
            expectEqual('TC', flags.has('tc'), false);
            expectEqual('addresses', rdatas(answer, 'A').toSorted(), BIG_ADDRESSES.toSorted());
          }
        },
        'tcp',
      ),
  },
  {
    id: 'C56',
    title:
      'a cookie is ignored, or gets one of 16 to 40 octets that begins with the client’s; one of impossible length may be FORMERR',
    source: 'RFC 7873 sections 4 and 5.2, RFC 9018',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectCookie(await ask(lane, withOptions(COOKIE)), COOKIE.data);
        const wrong = Buffer.concat([COOKIE.data, Buffer.alloc(16, 1)]);
        const reply = await ask(lane, withOptions({ code: COOKIE.code, data: wrong }));
        expectOneOf('rcode', reply.rcode, 'NOERROR', 'BADCOOKIE');
        expectCookie(reply, COOKIE.data);
        for (const length of [0, 1, 7, 9, 15, 41]) {
          const malformed = await askFreely(lane, withOptions({ code: COOKIE.code, data: Buffer.alloc(length, 1) }));
          expectOneOf(`rcode for ${length} octets`, malformed.rcode, 'NOERROR', 'FORMERR');
          expectEqual(`cookies for ${length} octets`, optionsOf(malformed, COOKIE.code), []);
        }
      }),
  },
  {
    id: 'C57',
    title: 'padding is ignored where nothing is encrypted',
    source: 'RFC 7830 section 6',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectEqual('options', (await soa(lane, { options: [PADDING] })).options, []);
      }),
  },
  {
    id: 'C58',
    title: 'edns-tcp-keepalive: never over UDP, never unasked, and over TCP a timeout or nothing',
    source: 'RFC 7828 section 3.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectEqual('keepalive unasked', optionsOf(await ask(lane, withOptions()), KEEPALIVE.code), []);
        const got = optionsOf(await ask(lane, withOptions(KEEPALIVE)), KEEPALIVE.code);
        const isRight = got.length === 0 || (lane.protocol === 'tcp' && got.length === 1 && got[0]?.length === 2);
        expectThat(isRight, lane.protocol === 'tcp' ? 'a timeout of two octets or nothing' : 'nothing', got);
      }),
  },
  {
    id: 'C59',
    title: 'ECS changes no answer, and no option of a client’s reaches the upstream',
    source: 'RFC 6891 section 6.1.1, RFC 7871 section 11.1',
    needs: ['cluster', 'upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const options = [ECS_ONE, COOKIE, PADDING];
        const addresses = (reply: Reply): readonly string[] => rdatas(reply.answer, 'A');
        expectEqual('addresses', addresses(await ask(lane, norec(WEB, 'A', { edns: { ...PLAIN, options } }))), [
          WEB_ADDRESSES.A,
        ]);
        const name = freshName('example.test');
        expectEqual('addresses', addresses(await ask(lane, asked(name, 'A', { edns: { ...PLAIN, options } }))), [
          '192.0.2.1',
        ]);
        const malformed = freshName('example.test');
        const wrong = [{ code: ECS_ALL.code, data: Buffer.of(0, 9, 77, 0, 1) }];
        const reply = await askFreely(lane, asked(malformed, 'A', { edns: { ...PLAIN, options: wrong } }));
        expectOneOf('rcode for a malformed ECS', reply.rcode, 'NOERROR', 'FORMERR');
        for (const { octets } of upstreamOf(subject).seen.filter((query) =>
          [name, malformed].includes(query.name.toLowerCase()),
        )) {
          expectEqual('options upstream', readReply(octets).edns?.options ?? [], []);
        }
      }),
  },
  {
    id: 'C60',
    title: 'NSID is what was configured, for those who ask only',
    source: 'RFC 5001 section 2.2',
    needs: ['cluster', 'nsid'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectEqual('NSID unasked', optionsOf(await ask(lane, withOptions()), NSID.code), []);
        const [told, ...more] = optionsOf(await ask(lane, withOptions(NSID)), NSID.code);
        expectEqual('NSID', told?.toString('latin1'), 'conformance');
        expectEqual('further NSIDs', more, []);
      }),
  },
  {
    id: 'C61a',
    title:
      'a zone whose cluster has not been read yet: SERVFAIL, extended error 14, at any size of reply and for those with EDNS only',
    source: 'RFC 8914 sections 3 and 4.15',
    needs: ['unsynced'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const long = `${Array<string>(3).fill('x'.repeat(63)).join('.')}.${'y'.repeat(40)}.unsynced.test`;
        for (const name of [freshName('unsynced.test'), long]) {
          const reply = await ask(lane, asked(name, 'A', { edns: { ...PLAIN, payloadSize: 512 } }));
          expectExtendedError(reply, 'SERVFAIL', 14);
          expectThat(reply.octets.length <= 512, 'at most 512 octets', reply.octets.length);
          expectEqual('rcode without EDNS', (await ask(lane, asked(name, 'A'))).rcode, 'SERVFAIL');
        }
      }),
  },
  {
    id: 'C61b',
    title: 'an answer after its time says so with extended error 3, NXDOMAIN with 19',
    source: 'RFC 8914 sections 4.4 and 4.20',
    needs: ['upstream', 'stale'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const names = [
          `ttl-1_rcode-2.${freshName('example.test')}`,
          `nxdomain-1-1_rcode-2.${freshName('example.test')}`,
        ];
        const askBoth = () => Promise.all(names.map((name) => ask(lane, asked(name, 'A', { edns: PLAIN }))));
        const inTime = await askBoth();
        expectEqual('extended errors of answers in time', inTime.flatMap(errorsOf), []);
        await pause(2_100); // a TTL of 1 is over, also for servers that count whole seconds
        const [answer, denial] = await askBoth();
        expectExtendedError(answer, 'NOERROR', 3);
        expectExtendedError(denial, 'NXDOMAIN', 19);
      }),
  },
  {
    id: 'C61c',
    title: 'an upstream that is silent: SERVFAIL, extended error 22 or 23',
    source: 'RFC 8914 sections 4.23 and 4.24',
    needs: ['upstream'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const reply = await ask(lane, asked(`mute.${freshName('spare.test')}`, 'A', { edns: PLAIN }));
        expectExtendedError(reply, 'SERVFAIL', 22, 23);
      }),
  },
  {
    id: 'C61d',
    title: 'a failure that is told from memory: SERVFAIL, extended error 13',
    source: 'RFC 8914 section 4.14',
    needs: ['upstream', 'cache'],
    run: (subject) =>
      onFirstLane(subject, 'udp', async (lane) => {
        const query = asked(`rcode-2.${freshName('example.test')}`, 'A', { edns: PLAIN });
        expectEqual('rcode', (await ask(lane, query)).rcode, 'SERVFAIL');
        expectExtendedError(await ask(lane, query), 'SERVFAIL', 13);
      }),
  },
];

/** What fits every path without fragments (RFC 9715 section 3). */
const UDP_MAX: Bytes = 1400;
/** RFC 1035 section 3.2.4. */
const CHAOS = 3;
const NOTHING: Buffer = Buffer.alloc(0);

const PLAIN: AskedEdns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

type Option = AskedEdns['options'][number];

/** Registered for nobody. */
const UNKNOWN: Option = { code: 100, data: Buffer.from('abcd') };
/** RFC 5001, RFC 7314, RFC 7828, RFC 7830: empty in queries, but for padding. */
const NSID: Option = { code: 3, data: NOTHING };
const EXPIRE: Option = { code: 9, data: NOTHING };
const KEEPALIVE: Option = { code: 11, data: NOTHING };
const PADDING: Option = { code: 12, data: Buffer.alloc(128) };
/** A client's half, RFC 7873 section 4.1. */
const COOKIE: Option = { code: 10, data: Buffer.from('0123456789abcdef', 'hex') };
/** RFC 7871 section 6: IPv4, of any network and of 198.51.100.0/24. */
const ECS_ALL: Option = { code: 8, data: Buffer.of(0, 1, 0, 0) };
const ECS_ONE: Option = { code: 8, data: Buffer.of(0, 1, 24, 0, 198, 51, 100) };
/** RFC 8914 section 2. */
const EXTENDED_ERROR = 15;

/** The zone's SOA with an OPT record: NOERROR, version 0 and no flags but DO. */
async function soa(lane: Lane, changes: Partial<AskedEdns>): Promise<ReplyEdns> {
  const reply = await ask(lane, norec(ZONE, 'SOA', { edns: { ...PLAIN, ...changes } }));
  expectEqual('rcode', reply.rcode, 'NOERROR');
  expectEqual('SOA records', rdatas(reply.answer, 'SOA').length, 1);
  return versionZero(reply);
}

async function badVersion(lane: Lane, changes: Partial<AskedEdns>): Promise<ReplyEdns> {
  const reply = await ask(lane, norec(ZONE, 'SOA', { edns: { ...PLAIN, version: 1, ...changes } }));
  expectEqual('rcode', reply.rcode, 'BADVERS');
  expectThat(
    reply.answer.length + reply.authority.length + reply.additional.length === 0,
    'no records',
    presentHead(reply),
  );
  return versionZero(reply);
}

function versionZero({ edns }: Reply): ReplyEdns {
  expectThat(edns !== undefined, 'an OPT record', 'none');
  expectEqual('EDNS version', edns.version, 0);
  expectEqual('flags behind DO', edns.reserved, 0);
  return edns;
}

/** An OPT record with that rdata. */
function opt(rdata = NOTHING, owner = wireLabels()): Buffer {
  return record(owner, RRType.OPT, rdata, PLAIN.payloadSize);
}

async function formerr(
  what: string,
  lane: Lane,
  counts: Omit<Parameters<typeof message>[0], 'id'>,
  ...records: readonly Buffer[]
): Promise<void> {
  const query = message({ id: randomId(), ...counts }, question(wireName(ZONE), RRType.SOA), ...records);
  const reply = await sendPatiently(lane, query);
  expectEqual(`to ${what}`, reply?.rcode ?? 'nothing', 'FORMERR');
}

function answeredOrFormerr(lane: Lane, ...options: readonly Buffer[]): Promise<Reply> {
  const query = message(
    { id: randomId(), additionals: 1 },
    question(wireName(ZONE), RRType.SOA),
    opt(Buffer.concat(options)),
  );
  return sendExpecting(lane, query, 'NOERROR', 'FORMERR');
}

/** More addresses than a reply over UDP can hold. */
async function cutTo(limit: Bytes, lane: Lane, edns: Partial<AskedEdns> | undefined): Promise<Reply> {
  const reply = await ask(lane, norec(BIG, 'A', { edns: edns === undefined ? undefined : { ...PLAIN, ...edns } }));
  expectEqual('rcode', reply.rcode, 'NOERROR');
  expectThat(reply.octets.length <= limit, `at most ${limit} octets`, reply.octets.length);
  expectFlags(reply, { tc: true });
  return reply;
}

/** The zone's SOA, asked with these options. */
function withOptions(...options: readonly Option[]): ReturnType<typeof norec> {
  return norec(ZONE, 'SOA', { edns: { ...PLAIN, options } });
}

function optionsOf({ edns }: Reply, code: number): readonly Buffer[] {
  return (edns?.options ?? []).filter((option) => option.code === code).map(({ data }) => data);
}

function expectCookie(reply: Reply, client: Buffer): void {
  const [cookie, ...more] = optionsOf(reply, COOKIE.code);
  expectEqual('further cookies', more, []);
  if (cookie === undefined) return;
  expectThat(
    cookie.length >= 16 && cookie.length <= 40 && cookie.subarray(0, 8).equals(client),
    'a whole cookie',
    cookie,
  );
}

function errorsOf(reply: Reply): readonly number[] {
  return optionsOf(reply, EXTENDED_ERROR).map((data) => data.readUInt16BE(0));
}

function expectExtendedError(reply: Reply | undefined, rcode: string, ...codes: readonly number[]): void {
  expectEqual('rcode', reply?.rcode, rcode);
  const errors = reply === undefined ? [] : errorsOf(reply);
  expectThat(
    errors.some((code) => codes.includes(code)),
    `extended error ${codes.join(' or ')}`,
    errors,
  );
}
