/**
 * Checks C01 to C22 and C66: headers, questions and messages that are none (RFC 1034, 1035, 2181, 8906 section 8.1, 9619). Knows no
 * records but those it asks for.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { RRType } from '../../zones/rr.ts';
import { REPLY_DEADLINE } from '../support/client.ts';
import { FLAG, header, message, question, record, wireLabels, wireName } from '../support/message-octets.ts';
import { encodeQuery, type Asked } from '../support/query.ts';
import type { Reply } from '../support/reply.ts';
import {
  about,
  ask,
  asked,
  expectEqual,
  expectFlags,
  expectOneOf,
  expectThat,
  freshName,
  norec,
  onEveryLane,
  presentHead,
  randomId,
  rdatas,
  send,
  sendExpecting,
  type Lane,
} from './asking.ts';
import { upstreamOf, type Check, type Subject } from './check.ts';
import { WEB, WEB_ADDRESSES, ZONE } from './cluster.ts';

/** A question that has an answer, as octets. */
const QUESTION = question(wireName(WEB), RRType.A);

export const HEADER: readonly Check[] = [
  {
    id: 'C01',
    title: 'a plain question: NOERROR, AA, RD clear, one SOA, no OPT',
    source: 'RFC 8906 section 8.1.1',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => hasSoa(lane, {})),
  },
  {
    id: 'C02',
    title: 'a type that nobody knows: NOERROR without answer, SOA, AA',
    source: 'RFC 8906 section 8.1.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const reply = await ask(lane, norec(WEB, 'TYPE1000'));
        expectEqual('rcode', reply.rcode, 'NOERROR');
        expectFlags(reply, { aa: true, rd: false });
        expectEqual('records in the answer', reply.answer.length, 0);
        expectEqual('types in the authority section', types(reply.authority), ['SOA']);
      }),
  },
  {
    id: 'C03',
    title: 'CD set: as without',
    source: 'RFC 8906 section 8.1.3.1',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => hasSoa(lane, { checkingDisabled: true })),
  },
  {
    id: 'C04',
    title: 'AD set: as without, and AD clear in the reply of a server that does not validate',
    source: 'RFC 8906 section 8.1.3.2, RFC 6840 section 5.8',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => hasSoa(lane, { authenticData: true })),
  },
  {
    id: 'C05',
    title: 'Z set: as without, and Z clear in the reply',
    source: 'RFC 8906 section 8.1.3.3, RFC 1035 section 4.1.1',
    needs: ['cluster'],
    run: (subject) => onEveryLane(subject, (lane) => hasSoa(lane, { reserved: true })),
  },
  {
    id: 'C06',
    title: 'RD is copied; a name of others is recursed for with RD only, and refused without',
    source: 'RFC 1035 section 4.1.1, RFC 8906 section 8.1.3.4',
    needs: ['cluster', 'upstream'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const recursionDesired of [true, false]) {
          expectFlags(await ask(lane, asked(WEB, 'A', { recursionDesired })), { rd: recursionDesired });
        }
        const name = freshName('example.test');
        const refused = await ask(lane, norec(name, 'A'));
        expectEqual('rcode without RD', refused.rcode, 'REFUSED');
        expectFlags(refused, { rd: false });
        expectNothingUpstream(subject, name);
        const recursed = await ask(lane, asked(name, 'A'));
        expectEqual('rcode with RD', recursed.rcode, 'NOERROR');
        expectFlags(recursed, { rd: true, ra: true });
      }),
  },
  {
    id: 'C07',
    title: 'opcode 15, with and without a question: NOTIMP, the opcode echoed, no records, no OPT, AA clear',
    source: 'RFC 8906 section 8.1.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const parts of [[], [QUESTION]]) {
          const head = { id: randomId(), flags: opcode(15), questions: parts.length };
          const reply = await sendExpecting(lane, message(head, ...parts), 'NOTIMP');
          expectFlags(reply, { aa: false });
          expectNoRecords(reply);
          expectEqual('an OPT record', reply.edns, undefined);
        }
      }),
  },
  {
    id: 'C08',
    title:
      'every opcode but QUERY: NOTIMP (NOTIFY and UPDATE may be refused), and nothing of it goes upstream or into a cache',
    source: 'RFC 1035 section 4.1.1, RFC 8906 section 3.1.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (let code = 1; code < 16; code++) {
          const name = freshName('example.test');
          const head = { id: randomId(), flags: opcode(code) | FLAG.RD };
          const refusals = code === NOTIFY || code === UPDATE ? ['REFUSED', 'NOTAUTH'] : [];
          const octets = message(head, question(wireName(name), RRType.SOA));
          expectNoRecords(await about(`opcode ${code}`, sendExpecting(lane, octets, 'NOTIMP', ...refusals)));
          if (!subject.offers.has('upstream')) continue;
          expectNothingUpstream(subject, name);
          expectEqual('rcode of a query after it', (await ask(lane, asked(name, 'A'))).rcode, 'NOERROR');
        }
      }),
  },
  {
    id: 'C09',
    title: 'a reply (QR set) is not answered',
    source: 'RFC 1035 section 4.1.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const flags of [FLAG.QR, FLAG.QR | FLAG.RD, FLAG.QR | opcode(NOTIFY)]) {
          await expectSilence(lane, message({ id: randomId(), flags }, QUESTION));
        }
      }),
  },
  {
    id: 'C10',
    title: 'two questions: FORMERR, in no more octets than were sent',
    source: 'RFC 9619 section 4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const octets = message({ id: randomId(), questions: 2 }, QUESTION, question(wireName(WEB), RRType.AAAA));
        const reply = await sendExpecting(lane, octets, 'FORMERR');
        expectNoRecords(reply);
        expectThat(reply.octets.length <= octets.length, `at most ${octets.length} octets`, reply.octets.length);
      }),
  },
  {
    id: 'C11',
    title: 'no question and no OPT: FORMERR',
    source: 'RFC 9619 section 4, RFC 7873 section 5.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        expectNoRecords(await sendExpecting(lane, header({ id: randomId(), questions: 0 }), 'FORMERR'));
      }),
  },
  {
    id: 'C12',
    title: 'a header that promises 65,535 records of each section: FORMERR or silence',
    source: 'RFC 1035 section 4.1.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const all = { questions: 65_535, answers: 65_535, authorities: 65_535, additionals: 65_535 };
        for (const counts of [all, { answers: 65_535 }, { authorities: 65_535 }, { additionals: 65_535 }]) {
          const parts = counts === all ? [] : [QUESTION];
          const reply = await send(lane, message({ id: randomId(), ...counts }, ...parts));
          if (reply === undefined) continue;
          expectEqual('rcode', reply.rcode, 'FORMERR');
          expectNoRecords(reply);
        }
      }),
  },
  {
    id: 'C13',
    title: 'records in the answer or authority section of a query, or three additional ones: FORMERR',
    source: 'RFC 1035 section 4.1.1 (a query has none); miekg/dns acceptfunc.go',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const address = record(wireName(WEB), RRType.A, Buffer.of(192, 0, 2, 1));
        for (const [counts, records] of [
          [{ answers: 1 }, [address]],
          [{ authorities: 1 }, [address]],
          [{ additionals: 3 }, [address, address, address]],
        ] as const) {
          const octets = message({ id: randomId(), ...counts }, QUESTION, ...records);
          expectNoRecords(await about(JSON.stringify(counts), sendExpecting(lane, octets, 'FORMERR')));
        }
      }),
  },
  {
    id: 'C14',
    title: 'less than a header: silence; a question cut off: FORMERR with the id',
    source: 'RFC 1035 section 4.1.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        const octets = message({ id: randomId() }, QUESTION);
        for (let size = lane.protocol === 'tcp' ? 1 : 0; size < 12; size++) {
          await about(`${size} octets`, expectSilence(lane, octets.subarray(0, size)));
        }
        for (const size of [12, 13, 16, octets.length - 4, octets.length - 1]) {
          const cut = sendExpecting(lane, octets.subarray(0, size), 'FORMERR');
          expectNoRecords(await about(`${size} of ${octets.length} octets`, cut));
        }
      }),
  },
  {
    id: 'C15',
    title: 'label types 0x40 and 0x80 in the question: FORMERR',
    source: 'RFC 1035 section 4.1.4, RFC 6891 section 5',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const type of [0x40, 0x41, 0x80, 0xbf]) {
          const name = Buffer.concat([Buffer.of(type), Buffer.alloc(type & 0x3f, 'a'), wireName(WEB)]);
          await expectMalformed(lane, `0x${type.toString(16)}`, name);
        }
      }),
  },
  {
    id: 'C16',
    title: 'a compression pointer in the question, to itself, forwards or into the header: FORMERR',
    source: 'RFC 1035 section 4.1.4 (a prior occurrence of a name)',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const target of [12, 14, 15, 18, 4, 0, 0x3fff]) {
          const behindLabel = Buffer.concat([wireName('web').subarray(0, -1), pointer(target)]);
          await expectMalformed(lane, `a pointer to octet ${target}`, pointer(target));
          await expectMalformed(lane, `a label and a pointer to octet ${target}`, behindLabel);
        }
      }),
  },
  {
    id: 'C17',
    title: 'names of 255 octets and labels of 63 are names, 256 and 64 are FORMERR',
    source: 'RFC 1035 section 2.3.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const name of [
          nameOfSize(254),
          nameOfSize(255),
          wireLabels('a'.repeat(63), 'default', 'svc', 'cluster', 'local'),
        ]) {
          const reply = await sendExpecting(lane, message({ id: randomId() }, question(name, RRType.A)), 'NXDOMAIN');
          expectEqual('the question', reply.question, question(name, RRType.A));
        }
        for (const size of [256, 300]) await expectMalformed(lane, `a name of ${size} octets`, nameOfSize(size));
        const longLabel = wireLabels('a'.repeat(64), 'default', 'svc', 'cluster', 'local');
        await expectMalformed(lane, 'a label of 64 octets', longLabel);
      }),
  },
  {
    id: 'C18',
    title: 'octets behind the message: FORMERR',
    source: 'RFC 1035 section 4.1 (a message is its sections)',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const size of [1, 2, 11, 100]) {
          for (const octet of [0, 0xff]) {
            const octets = message({ id: randomId() }, QUESTION, Buffer.alloc(size, octet));
            expectNoRecords(await about(`${size} octets`, sendExpecting(lane, octets, 'FORMERR')));
          }
        }
      }),
  },
  {
    id: 'C19',
    title: 'classes other than IN have no data of class IN: refused or not implemented; QCLASS ANY may be answered',
    source: 'RFC 1035 sections 3.2.4 and 3.2.5, RFC 4892; CoreDNS issue 8272',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const rrclass of [CLASS.CH, CLASS.HS, CLASS.NONE, CLASS.ANY, 1000]) {
          const reply = await about(`class ${rrclass}`, ask(lane, asked(WEB, 'A', { class: rrclass })));
          if (rrclass !== CLASS.ANY || reply.rcode !== 'NOERROR') {
            expectOneOf(`rcode for class ${rrclass}`, reply.rcode, 'REFUSED', 'NOTIMP');
            expectNoRecords(reply);
          }
          const afterwards = await ask(lane, asked(WEB, 'A'));
          expectEqual('the answer in class IN after it', rdatas(afterwards.answer, 'A'), [WEB_ADDRESSES.A]);
        }
        // RFC 4892: who wants to may say what it is, in class CH.
        for (const name of ['version.bind', 'id.server']) {
          const reply = await ask(lane, asked(name, 'TXT', { class: CLASS.CH }));
          if (reply.rcode !== 'NOERROR') expectOneOf(`rcode for ${name}`, reply.rcode, 'REFUSED', 'NOTIMP');
          expectEqual(
            'records of class IN',
            reply.answer.filter((each) => each.class !== CLASS.CH),
            [],
          );
        }
      }),
  },
  {
    id: 'C20',
    title: 'transfers are refused; types that are no question have no data; none of them goes upstream',
    source: 'RFC 5936 section 2.2.1, RFC 1995 section 2, RFC 6895 section 3.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const name of [ZONE, freshName('example.test')]) {
          for (const type of TRANSFERS) {
            const octets = encodeQuery(randomId(), asked(name, type));
            const refusal = sendExpecting(lane, octets, 'REFUSED', 'NOTAUTH', 'NOTIMP', 'FORMERR');
            const reply = await about(`${type} of ${name}`, refusal);
            expectEqual('records in the answer', reply.answer.length, 0);
          }
          for (const type of META_TYPES) {
            const octets = encodeQuery(randomId(), asked(name, type));
            const denials = name === ZONE ? ['NOERROR', 'NXDOMAIN'] : [];
            const denial = sendExpecting(lane, octets, 'FORMERR', 'NOTIMP', 'REFUSED', ...denials);
            const reply = await about(`${type} of ${name}`, denial);
            expectEqual('records in the answer', reply.answer.length, 0);
          }
          expectNothingUpstream(subject, name);
        }
      }),
  },
  {
    id: 'C21',
    title: 'letters of either case ask for the same name, and the question comes back as it was sent',
    source: 'RFC 4343 section 4, RFC 1035 section 2.3.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const name of ['WeB.DeFaUlT.sVc.ClUsTeR.lOcAl', WEB.toUpperCase()]) {
          for (const type of ['A', 'AAAA'] as const) {
            const reply = await ask(lane, asked(name, type));
            const answer = reply.answer.map(({ owner, rdata }) => `${owner.toLowerCase()} ${rdata}`);
            expectEqual('the answer', answer, [`${WEB}. ${WEB_ADDRESSES[type]}`]);
          }
        }
      }),
  },
  {
    id: 'C22',
    title: 'a dot inside a label is not a dot between labels: NXDOMAIN',
    source: 'RFC 2181 section 11, RFC 1035 section 3.1',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(subject, async (lane) => {
        for (const labels of [
          ['web.default', 'svc', 'cluster', 'local'],
          ['web', 'default.svc', 'cluster', 'local'],
          ['web\0default', 'svc', 'cluster', 'local'],
          ['db-0.db', 'default', 'svc', 'cluster', 'local'],
        ]) {
          const asks = question(wireLabels(...labels), RRType.A);
          const reply = await sendExpecting(lane, message({ id: randomId() }, asks), 'NXDOMAIN');
          expectEqual('the question', reply.question, asks);
          expectEqual('records in the answer', reply.answer.length, 0);
        }
      }),
  },
  {
    id: 'C66',
    title: 'a reply comes from the address that was asked',
    source: 'RFC 2181 section 4.1',
    needs: ['cluster', 'addresses'],
    async run({ addresses }) {
      for (const { host, port } of addresses) {
        const isIPv6 = host.includes(':');
        // Unlike a connected socket it takes what comes from anywhere.
        const socket = createSocket(isIPv6 ? 'udp6' : 'udp4');
        try {
          socket.send(encodeQuery(randomId(), asked(WEB, 'A')), port, host);
          const signal = AbortSignal.timeout(REPLY_DEADLINE);
          const [, from] = await once(socket, 'message', { signal });
          expectEqual('a reply from', [from.address, from.port], [host, port]);
        } finally {
          socket.close();
        }
      }
    },
  },
];

const NOTIFY = 4;
const UPDATE = 5;
/** IXFR and AXFR. */
const TRANSFERS = ['TYPE251', 'TYPE252'];
/** 0, OPT, TSIG, TKEY, MAILB and MAILA. */
const META_TYPES = ['TYPE0', 'TYPE41', 'TYPE250', 'TYPE249', 'TYPE253', 'TYPE254'];
const CLASS = { CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

function opcode(code: number): number {
  return code << 11;
}

async function hasSoa(lane: Lane, changes: Partial<Asked>): Promise<void> {
  const reply = await ask(lane, norec(ZONE, 'SOA', changes));
  expectEqual('rcode', reply.rcode, 'NOERROR');
  expectFlags(reply, { aa: true, rd: false });
  expectEqual('types in the answer', types(reply.answer), ['SOA']);
}

/** A question with this name must be FORMERR. */
async function expectMalformed(lane: Lane, what: string, name: Buffer): Promise<void> {
  const octets = message({ id: randomId() }, question(name, RRType.A));
  expectNoRecords(await about(what, sendExpecting(lane, octets, 'FORMERR')));
}

async function expectSilence(lane: Lane, octets: Buffer): Promise<void> {
  const reply = await send(lane, octets);
  expectThat(reply === undefined, 'no reply', reply === undefined ? '' : presentHead(reply));
}

function expectNoRecords(reply: Reply): void {
  const { answer, authority, additional } = reply;
  expectThat(answer.length + authority.length + additional.length === 0, 'no records', presentHead(reply));
}

/** The upstream of a subject that has one was not asked for the name. */
function expectNothingUpstream(subject: Subject, name: string): void {
  if (!subject.offers.has('upstream')) return;
  const asks = upstreamOf(subject).seen.filter((query) => query.name.toLowerCase() === name.toLowerCase());
  expectEqual('queries upstream', asks.length, 0);
}

function types(records: Reply['answer']): readonly string[] {
  return records.map(({ type }) => type);
}

function pointer(target: number): Buffer {
  return Buffer.of(0xc0 | (target >> 8), target & 0xff);
}

/** A name of so many octets below the cluster's zone, which does not exist. */
function nameOfSize(size: number): Buffer {
  const zone = ['default', 'svc', 'cluster', 'local'];
  let left = size - wireLabels(...zone).length;
  const labels: string[] = [];
  while (left > 0) {
    const length = Math.min(left === 65 ? 62 : 63, left - 1);
    labels.push('a'.repeat(length));
    left -= length + 1;
  }
  return wireLabels(...labels, ...zone);
}
