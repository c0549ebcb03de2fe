/**
 * Checks C23 to C38: what an authority says of the names it has and of those it has not (RFC 1034, 2181, 2308, 2782, 4343, 6604, 8020,
 * 8482, 9471, Kubernetes DNS spec). Knows the data of fixtures/conformance.
 */

import { RRType } from '../../zones/rr.ts';
import type { Count } from '../../zones/units.ts';
import { message, question, wireLabels } from '../support/message-octets.ts';
import type { Reply, ReplyRecord } from '../support/reply.ts';
import {
  ask,
  asked,
  expectEqual,
  expectFlags,
  expectOneOf,
  expectThat,
  lanesOf,
  lines,
  norec,
  onEveryLane,
  presentHead,
  randomId,
  rdatas,
  sendExpecting,
  type Lane,
} from './asking.ts';
import { upstreamOf, type Check } from './check.ts';
import {
  ALIAS,
  BIG,
  BIG_ADDRESSES,
  DANGLING,
  DB,
  DB_ADDRESSES,
  EXTERNAL,
  LOOP,
  ODD_NAMES,
  service,
  V4_ONLY,
  WEB,
  WEB_ADDRESSES,
  ZONE,
} from './cluster.ts';

export const ZONE_DATA: readonly Check[] = [
  {
    id: 'C23',
    title: 'a type that a name does not have: NOERROR, no answer, AA, and an SOA whose TTL is at most its MINIMUM',
    source: 'RFC 2308 sections 2.2 and 3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const reply = await denies(lane, V4_ONLY, 'AAAA', 'NOERROR');
        const { ttl = NaN, rdata = '' } = reply.authority[0] ?? {};
        expectThat(
          ttl <= Number(rdata.split(' ').at(-1)),
          'an SOA with a TTL of at most its MINIMUM',
          lines(reply.authority),
        );
      }),
  },
  {
    id: 'C24',
    title: 'a name that does not exist: NXDOMAIN, SOA, AA, for every type',
    source: 'RFC 2308 section 2.1, RFC 1034 section 4.3.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const type of ['A', 'AAAA', 'SRV', 'TXT', 'MX', 'TYPE1000']) {
          await denies(lane, service('nope'), type, 'NXDOMAIN');
        }
      }),
  },
  {
    id: 'C25',
    title: 'names between the zone and its records exist: NOERROR without data, never NXDOMAIN',
    source: 'RFC 8020 section 2, RFC 4592 section 2.2.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const name of [`svc.${ZONE}`, `default.svc.${ZONE}`, `_tcp.${WEB}`, `empty.svc.${ZONE}`, `_tcp.${DB}`]) {
          for (const type of ['A', 'AAAA', 'SRV']) await denies(lane, name, type, 'NOERROR');
        }
      }),
  },
  {
    id: 'C26',
    title: 'names below those that do not exist, or below a name without any: NXDOMAIN',
    source: 'RFC 8020 section 2, RFC 1034 section 4.3.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const name of [`a.b.${service('nope')}`, `x.${WEB}`, `_tcp.x.${WEB}`, `x._tcp.${WEB}`, `x.db-0.${DB}`]) {
          await denies(lane, name, 'A', 'NXDOMAIN');
        }
      }),
  },
  {
    id: 'C27',
    title: 'an RRset has one TTL and no record twice, also where it is cut short',
    source: 'RFC 2181 sections 5 and 5.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const [name, addresses] of [
          [DB, DB_ADDRESSES],
          [BIG, BIG_ADDRESSES],
        ] as const) {
          const reply = await ask(lane, asked(name, 'A'));
          // That nothing is wrong with the RRset is seen to by `ask`.
          const got = rdatas(reply.answer, 'A');
          if (!reply.flags.has('tc')) expectEqual('the addresses', got.toSorted(), addresses.toSorted());
        }
      }),
  },
  {
    id: 'C28',
    title: 'asked 1,000 times, every member is always there, and each comes first equally often',
    source: 'RFC 2181 section 5, RFC 1794 section 2',
    needs: ['cluster', 'rotation'],
    async run(subject) {
      const firsts = new Map<string, Count>(DB_ADDRESSES.map((address) => [address, 0]));
      const times = ROTATIONS / lanesOf(subject).length;
      await onEveryLane(subject, async (lane) => {
        for (let i = 0; i < times; i++) {
          const got = rdatas((await ask(lane, asked(DB, 'A'))).answer, 'A');
          expectEqual('the addresses', got.toSorted(), DB_ADDRESSES);
          const first = got[0] ?? '';
          firsts.set(first, (firsts.get(first) ?? 0) + 1);
        }
      });
      const counts = [...firsts.values()];
      const mean = (times * lanesOf(subject).length) / counts.length;
      const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      expectThat(chiSquare < CHI_SQUARE_MAX, 'each first equally often', Object.fromEntries(firsts));
    },
  },
  {
    id: 'C29',
    title:
      'an alias out of the zone: AA and the CNAME first and alone at its owner, for every type; then, where there is an upstream, the target with its rcode',
    source: 'RFC 1034 section 3.6.2, RFC 1035 section 4.1.1, RFC 2181 section 10.1, RFC 6604 section 3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const [front, target] of Object.entries(EXTERNAL)) {
          for (const type of ['A', 'MX', 'CNAME']) {
            const reply = await ask(lane, asked(service(front), type));
            expectFlags(reply, { aa: true });
            expectEqual(`the first record of ${front} ${type}`, lines(reply.answer.slice(0, 1)), [
              `${service(front)}. 30 CNAME ${target}.`,
            ]);
            expectEqual('records at the alias', ownedBy(reply.answer, service(front)).length, 1);
            if (type === 'CNAME') expectEqual('records in the answer', reply.answer.length, 1);
            if (!subject.offers.has('upstream') || type !== 'A') continue;
            const expected = TARGETS[target];
            expectEqual(`rcode of ${front}`, reply.rcode, expected.rcode);
            expectEqual(`the addresses of ${front}`, rdatas(reply.answer, 'A'), expected.addresses);
          }
        }
      }),
  },
  {
    id: 'C30',
    title: 'aliases that lead to each other come to an end: SERVFAIL, no data, or the CNAMEs once',
    source: 'RFC 1034 section 3.6.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const type of ['A', 'AAAA', 'SRV']) {
          const reply = await ask(lane, asked(LOOP, type));
          expectOneOf('rcode', reply.rcode, 'NOERROR', 'SERVFAIL');
          const cnames = lines(reply.answer);
          expectThat(
            reply.answer.every((each) => each.type === 'CNAME'),
            'no records but CNAMEs',
            cnames,
          );
          expectThat(cnames.length === new Set(cnames).size && cnames.length <= CHAIN_MAX, 'each CNAME once', cnames);
        }
      }),
  },
  {
    id: 'C31',
    title: 'ANY over UDP: one RRset, or HINFO, or TC; never more than 512 octets',
    source: 'RFC 8482 sections 4.1 to 4.4',
    needs: ['cluster', 'any'],
    async run(subject) {
      await onEveryLane(subject, async (lane) => {
        for (const name of [WEB, BIG, DB, ZONE]) {
          const reply = await ask(lane, asked(name, 'ANY'));
          expectEqual('rcode', reply.rcode, 'NOERROR');
          const types = new Set(reply.answer.map(({ type }) => type));
          if (lane.protocol === 'tcp') expectThat(types.size > 0, 'at least one RRset', presentHead(reply));
          else
            expectThat(types.size === 1 || (types.size === 0 && reply.flags.has('tc')), 'one RRset, or TC', [...types]);
          if (lane.protocol === 'udp')
            expectThat(reply.octets.length <= 512, 'at most 512 octets', reply.octets.length);
        }
      });
    },
  },
  {
    id: 'C32',
    title:
      'SRV: the target in full, its addresses beside it if any are, letters of either case; another protocol has none',
    source: 'RFC 2782, RFC 3597 section 4, Kubernetes DNS spec 2.3.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        // That targets stand there in full is seen to by `readReply`.
        for (const owner of [`_http._tcp.${WEB}`, `_HTTP._TCP.${WEB}`]) {
          const reply = await ask(lane, asked(owner, 'SRV'));
          expectEqual('records in the answer', reply.answer.length, 1);
          const [, , port, target] = reply.answer[0]?.rdata.split(' ') ?? [];
          expectEqual('port and target', [port, target], ['80', `${WEB}.`]);
          const beside = ownedBy(reply.additional, WEB);
          const all = Object.entries(WEB_ADDRESSES).map(([type, address]) => `${WEB}. 30 ${type} ${address}`);
          if (beside.length > 0) expectEqual('the addresses beside it', lines(beside), all.toSorted());
        }
        expectOneOf(
          'rcode of another protocol',
          (await ask(lane, asked(`_http._udp.${WEB}`, 'SRV'))).rcode,
          'NXDOMAIN',
          'NOERROR',
        );
        const big = await ask(lane, asked(`_peer._tcp.${BIG}`, 'SRV'));
        if (lane.protocol === 'tcp') expectEqual('targets', big.answer.length, BIG_ADDRESSES.length);
        else expectThat(big.octets.length <= 512 && big.flags.has('tc'), 'at most 512 octets and TC', presentHead(big));
      }),
  },
  {
    id: 'C33',
    title:
      "PTR of a Service's addresses and of an endpoint's; NXDOMAIN for an address of ours that nobody has, and others are asked for others",
    source: 'RFC 1035 section 3.5, RFC 3596 section 2.5, Kubernetes DNS spec 2.3.3 and 2.4.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const [address, name] of [
          ['80.0.96.10.in-addr.arpa', WEB],
          [`0.8.${'0.'.repeat(22)}6.9.0.0.0.0.d.f.ip6.arpa`, WEB],
          ['10.1.244.10.in-addr.arpa', `db-0.${DB}`],
          ['10.3.244.10.in-addr.arpa', `db-2.${DB}`],
        ] as const) {
          const reply = await ask(lane, asked(address, 'PTR'));
          expectFlags(reply, { aa: true });
          expectEqual(`names of ${address}`, rdatas(reply.answer, 'PTR'), [`${name}.`]);
        }
        await denies(lane, '250.0.96.10.in-addr.arpa', 'PTR', 'NXDOMAIN');
        if (!subject.offers.has('upstream')) return;
        await ask(lane, asked('8.8.8.8.in-addr.arpa', 'PTR'));
        const seen = upstreamOf(subject).seen.some(({ name }) => name.toLowerCase() === '8.8.8.8.in-addr.arpa');
        expectThat(seen, 'a query upstream for 8.8.8.8.in-addr.arpa', 'none');
      }),
  },
  {
    id: 'C34',
    title: 'NS of the zone: with the addresses of servers within it, or TC where they do not fit',
    source: 'RFC 1034 section 4.2.1, RFC 9471 section 3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const reply = await ask(lane, asked(ZONE, 'NS'));
        expectFlags(reply, { aa: true });
        const servers = rdatas(reply.answer, 'NS');
        expectThat(servers.length > 0, 'at least one name server', presentHead(reply));
        for (const server of servers.filter((name) => name.endsWith(`.${ZONE}.`))) {
          const glue = ownedBy(reply.additional, server).length;
          expectThat(glue > 0 || reply.flags.has('tc'), `addresses of ${server}, or TC`, presentHead(reply));
          const own = await ask(lane, asked(server.slice(0, -1), 'A'));
          expectEqual("rcode of the server's name", own.rcode, 'NOERROR');
        }
      }),
  },
  {
    id: 'C35',
    title: 'the version of the Kubernetes DNS spec that the zone follows',
    source: 'Kubernetes DNS spec 2.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const reply = await ask(lane, asked(`dns-version.${ZONE}`, 'TXT'));
        expectEqual('the texts', rdatas(reply.answer, 'TXT'), ['"1.1.0"']);
      }),
  },
  {
    id: 'C36',
    title: 'names of the zone are answered alike with and without RD',
    source: 'RFC 1034 section 4.3.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const [name, type] of [
          [WEB, 'A'],
          [DB, 'A'],
          [ALIAS, 'AAAA'],
          [DANGLING, 'A'],
          [service('nope'), 'A'],
        ] as const) {
          const [with_, without] = [await ask(lane, asked(name, type)), await ask(lane, norec(name, type))];
          expectEqual('rcode without RD', without.rcode, with_.rcode);
          expectEqual('answer without RD', lines(without.answer), lines(with_.answer));
        }
      }),
  },
  {
    id: 'C37',
    title: 'names with underscores, a digit in front, 63 octets in a label or `xn--` are names like any other',
    source: 'RFC 2181 section 11, RFC 1035 section 2.3.4, RFC 5891 section 4.4, Kubernetes KEP-5311',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const [front, address] of ODD_NAMES) {
          const reply = await ask(lane, asked(service(front), 'A'));
          expectEqual(`rcode of ${front}`, reply.rcode, 'NOERROR');
          expectEqual(`the answer for ${front}`, lines(reply.answer), [`${service(front)}. 30 A ${address}`]);
        }
        const srv = await ask(lane, asked(`_postgres._tcp.${DB}`, 'SRV'));
        expectEqual('SRV records', srv.answer.length, DB_ADDRESSES.length);
      }),
  },
  {
    id: 'C38',
    title: 'labels of any octets are names: NXDOMAIN, and echoed octet by octet',
    source: 'RFC 2181 section 11, RFC 4343 section 2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const label of ['\0', '\xff\xff', 'web ', ' web', 'w\\eb', 'w\xc9b', 'w\xe9b', '\n', '*', '"', '@']) {
          const asks = question(wireLabels(label, 'default', 'svc', 'cluster', 'local'), RRType.A);
          const reply = await sendExpecting(lane, message({ id: randomId() }, asks), 'NXDOMAIN');
          expectEqual('the question', reply.question, asks);
          expectFlags(reply, { aa: true });
        }
      }),
  },
];

/** Questions of C28, over all lanes. */
const ROTATIONS: Count = 1_000;
/** Chance alone exceeds it once in a million runs, with three members. */
const CHI_SQUARE_MAX = 27.6;
/** Longest chain of CNAMEs that a resolver builds; two would do here. */
const CHAIN_MAX: Count = 11;

/** What the upstream says of the names that aliases lead to. */
const TARGETS = {
  [EXTERNAL.ext]: { rcode: 'NOERROR', addresses: ['192.0.2.1'] },
  [EXTERNAL['ext-gone']]: { rcode: 'NXDOMAIN', addresses: [] },
  [EXTERNAL['ext-bare']]: { rcode: 'NOERROR', addresses: [] },
} as const;

/** RFC 2308 section 2: no answer, and the SOA of a zone above the name. */
async function denies(lane: Lane, name: string, type: string, rcode: 'NOERROR' | 'NXDOMAIN'): Promise<Reply> {
  const reply = await ask(lane, asked(name, type));
  expectEqual(`rcode of ${name} ${type}`, reply.rcode, rcode);
  expectFlags(reply, { aa: true });
  expectEqual('records in the answer', reply.answer.length, 0);
  const types = reply.authority.map((record) => record.type);
  expectEqual('types in the authority section', types, ['SOA']);
  return reply;
}

function ownedBy(records: readonly ReplyRecord[], name: string): readonly ReplyRecord[] {
  const owner = name.endsWith('.') ? name : `${name}.`;
  return records.filter((record) => record.owner.toLowerCase() === owner.toLowerCase());
}
