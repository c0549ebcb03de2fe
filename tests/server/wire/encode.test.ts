import test from 'ava';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';

import { encode, encodeRejection, encodeTransfer } from '../../../server/wire/encode.ts';
import { decodeUpstreamReply } from '../../../server/wire/upstream-message.ts';
import { emptyReply, type Query, type QueryEdns, type Reply } from '../../../server/query.ts';
import { lowerCase, nameFrom, present, spellingFrom, type Spelling } from '../../../zones/name.ts';
import { nameRdata, soaRdata, srvRdata } from '../../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../../zones/rr.ts';

function queryFor(
  options: { name?: string; type?: number; protocol?: 'udp' | 'tcp'; edns?: QueryEdns; rd?: boolean } = {},
): Query {
  const spelling = spellingFrom(options.name ?? 'web.example.org');
  return {
    id: 0xabcd,
    recursionDesired: options.rd ?? true,
    checkingDisabled: true,
    authenticData: false,
    question: { name: lowerCase(spelling), spelling, type: options.type ?? RRType.A, class: 1 },
    edns: options.edns,
    serial: undefined,
    peer: {
      address: '192.0.2.1',
      port: 4242,
      family: 4,
      protocol: options.protocol ?? 'udp',
      localAddress: '192.0.2.53',
      localPort: 53,
    },
    size: 40,
    received: 0,
    aliasDepth: 0,
  };
}

function addresses(owner: string, count: number): RRset {
  const rdatas = Array.from({ length: count }, (_, i) => Uint8Array.of(192, 0, i >> 8, i & 255));
  return { owner: spellingFrom(owner), type: RRType.A, ttl: 5, rdatas };
}

const soa: RRset = {
  owner: nameFrom('example.org'),
  type: RRType.SOA,
  ttl: 5,
  rdatas: [
    soaRdata({
      mname: nameFrom('ns.example.org'),
      rname: nameFrom('hostmaster.example.org'),
      serial: 7,
      refresh: 7200,
      retry: 1800,
      expire: 86400,
      minimum: 5,
    }),
  ],
};

const EDNS: QueryEdns = { payloadSize: 1232, dnssecOk: false, wantsNsid: false };

function replyWith(sections: Partial<Reply>): Reply {
  return { ...emptyReply(Rcode.NOERROR), authoritative: true, ...sections };
}

test('the header copies id, RD and CD, and says AA, RA, AD and the rcode of the reply', (t) => {
  const { packet } = encode(
    queryFor(),
    replyWith({ rcode: Rcode.NXDOMAIN, recursionAvailable: true, authenticData: true }),
  );
  t.is(packet.readUInt16BE(0), 0xabcd);
  t.is(packet.readUInt16BE(2), 0x8000 | 0x0400 | 0x0100 | 0x0080 | 0x0020 | 0x0010 | 3);
});

test('no OPT in the query, no OPT in the reply, and no extended error', (t) => {
  const { packet } = encode(queryFor(), replyWith({ extendedError: { code: 14, text: 'not ready' } }));
  t.is(packet.readUInt16BE(10), 0);
});

test('an OPT in the query gives one of ours: version 0, 1232 octets, DO copied, the extended error and no other option', (t) => {
  const { packet } = encode(
    queryFor({ edns: { payloadSize: 4096, dnssecOk: true, wantsNsid: false } }),
    replyWith({ extendedError: { code: 14, text: 'not ready' } }),
  );
  t.is(
    packet.subarray(-26).toString('hex'),
    `00002904d000008000000f000f000b000e${Buffer.from('not ready').toString('hex')}`,
  );
});

test('options of the reply stand behind the extended error, and only where the query had an OPT record', (t) => {
  const options = [
    { code: 3, data: Buffer.from('ns1') },
    { code: 65001, data: new Uint8Array() },
  ];
  const reply = replyWith({ extendedError: { code: 14, text: '' }, options });
  const { packet } = encode(queryFor({ edns: EDNS }), reply);
  t.is(packet.subarray(-28).toString('hex'), '00002904d0000000000011000f0002000e000300036e7331fde90000');
  t.is(encode(queryFor(), reply).packet.readUInt16BE(10), 0);
});

test('options take their room from the records: the whole is never longer than the client takes', (t) => {
  const options = [{ code: 3, data: Buffer.alloc(128, 'x') }];
  for (let count = 1; count < 100; count++) {
    const reply = replyWith({ answer: [addresses('web.example.org', count)], options });
    const { packet, truncated } = encode(queryFor({ edns: { ...EDNS, payloadSize: 512 } }), reply);
    t.true(packet.length <= 512);
    // Header, question, OPT record with the option, and 16 octets for each address.
    t.is(truncated, 12 + 21 + 11 + 132 + 16 * count > 512);
    t.is(decodeUpstreamReply(packet).answer.length, truncated ? 0 : 1);
  }
});

test('where there is room for it a long extended error is cut, not left out', (t) => {
  const query = queryFor({ edns: EDNS });
  const { packet } = encode(query, replyWith({ rcode: 2, extendedError: { code: 22, text: 'x'.repeat(1_000) } }));
  t.deepEqual(decodeUpstreamReply(packet).extendedError, { code: 22, text: 'x'.repeat(128) });
});

test('an extended error that is too long loses its text, then nothing else', (t) => {
  const query = queryFor({
    name: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(60)}`,
    edns: { payloadSize: 512, dnssecOk: false, wantsNsid: false },
  });
  const { packet, truncated } = encode(
    query,
    replyWith({ rcode: 3, authority: [soa], extendedError: { code: 3, text: 'é'.repeat(200) } }),
  );
  const reply = decodeUpstreamReply(packet);
  t.false(truncated);
  t.true(packet.length <= 512);
  t.is(reply.extendedError?.code, 3);
});

const truncations: readonly {
  name: string;
  query: Query;
  reply: Reply;
  truncated: boolean;
  counts: readonly [number, number, number];
}[] = [
  {
    name: 'without EDNS a reply has at most 512 octets: 29 addresses fit',
    query: queryFor(),
    reply: replyWith({ answer: [addresses('web.example.org', 29)] }),
    truncated: false,
    counts: [29, 0, 0],
  },
  {
    name: 'the RRset goes whole or not at all (RFC 2181 section 9)',
    query: queryFor(),
    reply: replyWith({ answer: [addresses('web.example.org', 40)], authority: [soa] }),
    truncated: true,
    counts: [0, 0, 0],
  },
  {
    name: 'RRsets before the one that does not fit stay',
    query: queryFor(),
    reply: replyWith({
      answer: [
        {
          owner: nameFrom('web.example.org'),
          type: RRType.CNAME,
          ttl: 5,
          rdatas: [nameRdata(nameFrom('big.example.org'))],
        },
        addresses('big.example.org', 40),
      ],
    }),
    truncated: true,
    counts: [1, 0, 0],
  },
  {
    name: 'additional records are left out without TC',
    query: queryFor(),
    reply: replyWith({ answer: [addresses('web.example.org', 10)], additional: [addresses('big.example.org', 40)] }),
    truncated: false,
    counts: [10, 0, 0],
  },
  {
    name: 'authority records beside answers are left out without TC',
    query: queryFor(),
    reply: replyWith({ answer: [addresses('web.example.org', 29)], authority: [soa] }),
    truncated: false,
    counts: [29, 0, 0],
  },
  {
    name: 'a payload size of 65535 means 1232 here (DNS flag day 2020)',
    query: queryFor({ edns: { payloadSize: 65535, dnssecOk: false, wantsNsid: false } }),
    reply: replyWith({ answer: [addresses('web.example.org', 75)] }),
    truncated: true,
    counts: [0, 0, 1],
  },
  {
    name: 'a payload size of 100 means 512 (RFC 6891 section 6.2.3)',
    query: queryFor({ edns: { payloadSize: 100, dnssecOk: false, wantsNsid: false } }),
    reply: replyWith({ answer: [addresses('web.example.org', 28)] }),
    truncated: false,
    counts: [28, 0, 1],
  },
  {
    name: 'over TCP 200 addresses are one reply',
    query: queryFor({ protocol: 'tcp' }),
    reply: replyWith({ answer: [addresses('web.example.org', 200)] }),
    truncated: false,
    counts: [200, 0, 0],
  },
  {
    name: 'an upstream reply that was cut short stays cut short',
    query: queryFor({ protocol: 'tcp' }),
    reply: replyWith({ truncated: true }),
    truncated: true,
    counts: [0, 0, 0],
  },
];

for (const { name, query, reply, truncated, counts } of truncations) {
  test(`size: ${name}`, (t) => {
    const encoded = encode(query, reply);
    t.is(encoded.truncated, truncated);
    t.is((encoded.packet.readUInt8(2) & 2) !== 0, truncated);
    t.deepEqual(
      [6, 8, 10].map((at) => encoded.packet.readUInt16BE(at)),
      [...counts],
    );
    t.notThrows(() => decodeUpstreamReply(encoded.packet));
  });
}

test('an RRset larger than any message is sent over TCP as far as it fits, with TC', (t) => {
  const { packet, truncated } = encode(
    queryFor({ protocol: 'tcp', edns: EDNS }),
    replyWith({ answer: [addresses('web.example.org', 5000)], additional: [addresses('other.example.org', 1)] }),
  );
  const reply = decodeUpstreamReply(packet);
  t.true(truncated && reply.truncated);
  t.is(reply.rcode, Rcode.NOERROR);
  t.true((reply.answer[0]?.rdatas.length ?? 0) > 4000);
  t.is(reply.additional.length, 0);
  t.true(packet.length <= 65_535);
});

test('where not one record fits a message it is SERVFAIL over TCP', (t) => {
  const rdata = new Uint8Array(65_530);
  const { packet } = encode(
    queryFor({ protocol: 'tcp' }),
    replyWith({ answer: [{ owner: nameFrom('web.example.org'), type: 65280, ttl: 1, rdatas: [rdata] }] }),
  );
  t.is(decodeUpstreamReply(packet).rcode, Rcode.SERVFAIL);
});

test('what goes out instead of an answer that is too large is told as well', (t) => {
  const rdatas = [new Uint8Array(65_530)];
  const { sent } = encode(
    queryFor({ protocol: 'tcp' }),
    replyWith({ plugin: 'forward', answer: [{ owner: nameFrom('web.example.org'), type: 65280, ttl: 1, rdatas }] }),
  );
  t.like(sent, { rcode: Rcode.SERVFAIL, plugin: 'forward', authoritative: false, answer: [] });
});

test('an rcode that needs an OPT record is SERVFAIL without one: its low bits mean something else (RFC 6891 section 6.1.3)', (t) => {
  const badCookie = 23;
  const { packet, sent } = encode(queryFor(), replyWith({ rcode: badCookie }));
  t.is(packet.readUInt8(3) & 15, Rcode.SERVFAIL);
  t.is(sent.rcode, Rcode.SERVFAIL);
  t.is(decodeUpstreamReply(encode(queryFor({ edns: EDNS }), replyWith({ rcode: badCookie })).packet).rcode, badCookie);
});

test('a message may have 65535 octets over TCP', (t) => {
  const header = 12 + 'web.example.org'.length + 2 + 4;
  const rdata = new Uint8Array(65535 - header - 12);
  const { packet } = encode(
    queryFor({ protocol: 'tcp' }),
    replyWith({ answer: [{ owner: nameFrom('web.example.org'), type: 65280, ttl: 1, rdatas: [rdata] }] }),
  );
  t.is(packet.length, 65535);
  t.is(decodeUpstreamReply(packet).answer.length, 1);
});

test('owner names are spelled as the question is, names in rdata as they are', (t) => {
  const query = queryFor({ name: 'WeB.eXaMpLe.OrG' });
  const answer: RRset[] = [
    {
      owner: nameFrom('web.example.org'),
      type: RRType.CNAME,
      ttl: 5,
      rdatas: [nameRdata(spellingFrom('Other.example.org'))],
    },
    addresses('other.example.org', 1),
  ];
  const reply = decodeUpstreamReply(encode(query, replyWith({ answer })).packet);
  t.is(present(reply.answer[0]?.owner as Spelling), 'WeB.eXaMpLe.OrG.');
  const cname = dnsPacket.decode(encode(query, replyWith({ answer })).packet).answers?.[0];
  t.is(cname?.type === 'CNAME' ? cname.data : undefined, 'Other.example.org');
});

test('an SRV target is not compressed (RFC 2782)', (t) => {
  const target = nameFrom('web.example.org');
  const answer = [
    { owner: nameFrom('web.example.org'), type: RRType.SRV, ttl: 5, rdatas: [srvRdata(0, 100, 80, target)] },
  ];
  const { packet } = encode(queryFor({ type: RRType.SRV }), replyWith({ answer }));
  t.true(packet.subarray(-target.length).equals(Buffer.from(target, 'latin1')));
});

test('a rejection echoes id, opcode, RD and CD and nothing else', (t) => {
  const packet = Buffer.from('beef79ff0001000000000000', 'hex');
  t.is(encodeRejection(packet, Rcode.NOTIMP, undefined, undefined).toString('hex'), 'beeff9140000000000000000');
});

test('BADVERS goes out in two parts: 0 in the header, 1 in the OPT record (RFC 6891 section 6.1.3)', (t) => {
  const packet = encodeRejection(
    Buffer.from('beef01000001000000000001', 'hex'),
    Rcode.BADVERS,
    queryFor().question,
    EDNS,
  );
  t.is(packet.readUInt8(3) & 15, 0);
  t.is(packet.subarray(-11).toString('hex'), '00002904d0010000000000');
});

const label = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .map((octets) => String.fromCharCode(octets.length, ...octets));
const anyName = fc.array(label, { maxLength: 5 }).map((parts) => `${parts.join('')}\0` as Spelling);
const rdataFor = new Map<number, fc.Arbitrary<Uint8Array>>([
  [RRType.A, fc.uint8Array({ minLength: 4, maxLength: 4 })],
  [RRType.AAAA, fc.uint8Array({ minLength: 16, maxLength: 16 })],
  [RRType.CNAME, anyName.map(nameRdata)],
  [RRType.NS, anyName.map(nameRdata)],
  [RRType.PTR, anyName.map(nameRdata)],
  [RRType.MX, anyName.map((name) => Uint8Array.of(0, 10, ...nameRdata(name)))],
  [RRType.SRV, anyName.map((name) => srvRdata(1, 2, 3, name))],
  [
    RRType.SOA,
    fc
      .tuple(anyName, anyName)
      .map(([mname, rname]) => soaRdata({ mname, rname, serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 })),
  ],
  [RRType.TXT, fc.uint8Array({ maxLength: 20 }).map((octets) => Uint8Array.of(octets.length, ...octets))],
  [65280, fc.uint8Array({ maxLength: 30 })],
]);
const rrset: fc.Arbitrary<RRset> = fc
  .tuple(anyName, fc.constantFrom(...rdataFor.keys()), fc.nat(0x7fffffff))
  .chain(([owner, type, ttl]) =>
    fc
      .array(rdataFor.get(type) ?? fc.constant(Uint8Array.of()), { minLength: 1, maxLength: 3 })
      .map((rdatas) => ({ owner, type, ttl, rdatas })),
  );
const section = fc.uniqueArray(rrset, { maxLength: 6, selector: ({ owner, type }) => `${type} ${lowerCase(owner)}` });

test('what is encoded is decoded with the same meaning: names any octets, types known and unknown', (t) => {
  fc.assert(
    fc.property(anyName, section, section, section, (asked, answer, authority, additional) => {
      const query: Query = {
        ...queryFor({ protocol: 'tcp', edns: EDNS }),
        question: { name: lowerCase(asked), spelling: asked, type: 1, class: 1 },
      };
      const reply = decodeUpstreamReply(encode(query, replyWith({ answer, authority, additional })).packet);
      t.is(reply.question?.spelling, asked);
      t.deepEqual(reply.answer.map(meaning), answer.map(meaning));
      t.deepEqual(reply.authority.map(meaning), authority.map(meaning));
      t.deepEqual(reply.additional.map(meaning), additional.map(meaning));
    }),
    { numRuns: 2000 },
  );
});

test('a name that is read from text has octets only, or is refused: nothing wider reaches a message', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '\\', '1', 'é', 'Ł', '😀'), maxLength: 12 }), (text) => {
      let name: Spelling;
      try {
        name = spellingFrom(text);
      } catch {
        return;
      }
      t.is(Buffer.from(name, 'latin1').toString('latin1'), name);
    }),
    { numRuns: 2000 },
  );
});

test('dns-packet reads the same addresses and targets', (t) => {
  const plain = fc
    .array(fc.stringMatching(/^[a-z0-9-]{1,10}$/), { minLength: 1, maxLength: 4 })
    .map((parts) => nameFrom(parts.join('.')));
  fc.assert(
    fc.property(plain, fc.array(plain, { minLength: 1, maxLength: 5 }), (owner, targets) => {
      const answer = [{ owner, type: RRType.SRV, ttl: 5, rdatas: targets.map((target) => srvRdata(0, 1, 2, target)) }];
      const { packet } = encode(queryFor({ protocol: 'tcp' }), replyWith({ answer }));
      const read = dnsPacket
        .decode(packet)
        .answers?.map((record) => (record.type === 'SRV' ? `${record.name} ${record.data.target}` : ''));
      t.deepEqual(
        read,
        targets.map((target) => `${present(owner).slice(0, -1)} ${present(target).slice(0, -1)}`),
      );
    }),
  );
});

/** Owners compare in any case: they may be spelled as an earlier name is. */
function meaning({ owner, type, ttl, rdatas }: RRset): unknown {
  return [lowerCase(owner), type, ttl, rdatas.map((rdata) => Buffer.from(rdata).toString('hex'))];
}

/** A zone: its SOA, RRsets, and the SOA again. */
function messagesOf(rrsets: readonly (RRset | undefined)[], query: Query): (Buffer | undefined)[] {
  return [...encodeTransfer(query, replyWith({}), rrsets)];
}

function transferQuery(edns?: QueryEdns, name = 'example.org'): Query {
  const options = { name, type: RRType.AXFR, protocol: 'tcp', rd: false } as const;
  return queryFor(edns === undefined ? options : { ...options, edns });
}

/** The records of all messages, one `owner` each. */
function ownersOf(messages: readonly (Buffer | undefined)[]): string[] {
  return messages.flatMap((message) =>
    (message === undefined ? [] : (dnsPacket.decode(message).answers ?? [])).map(({ name }) => name),
  );
}

test('a zone of a few records is one message: question, AA, the records in their order (RFC 5936 section 2.2)', (t) => {
  const [message, ...others] = messagesOf(
    [soa, addresses('b.example.org', 2), addresses('a.example.org', 1), soa],
    transferQuery(),
  );
  if (message === undefined) return t.fail('no message');
  t.deepEqual(others, []);
  t.is(message.readUInt16BE(0), 0xabcd);
  t.is(message.readUInt16BE(2), 0x8000 | 0x0400 | 0x0010, 'QR, AA, CD as it came');
  t.deepEqual(
    [4, 6, 8, 10].map((at) => message.readUInt16BE(at)),
    [1, 5, 0, 0],
  );
  t.deepEqual(ownersOf([message]), ['example.org', 'b.example.org', 'b.example.org', 'a.example.org', 'example.org']);
});

test('a large zone is messages of at most 16 KiB, each whole, with its question and OPT record, none of them truncated', (t) => {
  const rrsets = [soa, ...Array.from({ length: 5_000 }, (_, i) => addresses(`a${i}.example.org`, 1)), soa];
  const messages = messagesOf(rrsets, transferQuery(EDNS));
  t.true(messages.length > 5);
  for (const message of messages) {
    if (message === undefined) return t.fail('nobody asked for a turn');
    t.true(message.length <= 16_384, `${message.length} octets`);
    t.true(message.length > 16_000 || message === messages.at(-1), 'it is full');
    const { questions = [], additionals = [], flag_tc, flag_aa } = dnsPacket.decode(message);
    t.deepEqual([questions.length, additionals.length, flag_tc, flag_aa], [1, 1, false, true]);
  }
  t.deepEqual(ownersOf(messages), [
    'example.org',
    ...Array.from({ length: 5_000 }, (_, i) => `a${i}.example.org`),
    'example.org',
  ]);
});

test('an RRset that no message can hold goes on in the next ones', (t) => {
  const huge = addresses('a.example.org', 6_000);
  const messages = messagesOf([soa, huge, soa], transferQuery());
  const answers = messages.flatMap((message) => dnsPacket.decode(message ?? Buffer.alloc(12)).answers ?? []);
  t.deepEqual(
    answers.flatMap((record) => (record.type === 'A' ? [record.data] : [])),
    huge.rdatas.map((rdata) => rdata.join('.')),
  );
});

test('a turn for others ends a message that has begun, and nothing of it is lost while they use the packer', (t) => {
  const transfer = encodeTransfer(transferQuery(), replyWith({}), [undefined, soa, undefined, undefined, soa]);
  const messages: (Buffer | undefined)[] = [];
  for (const message of transfer) {
    messages.push(message);
    encode(queryFor({ name: 'other.example.net' }), replyWith({ answer: [addresses('other.example.net', 1)] }));
  }
  t.deepEqual(
    messages.map((message) => message !== undefined),
    [false, true, false, true],
  );
  t.deepEqual(ownersOf(messages), ['example.org', 'example.org']);
});

test('a zone keeps its own letters, however it was asked for (RFC 5936 section 3.4)', (t) => {
  const messages = messagesOf([soa, soa], transferQuery(undefined, 'eXAMPLE.oRG'));
  t.deepEqual(ownersOf(messages), ['example.org', 'example.org']);
  t.is(dnsPacket.decode(messages[0] ?? Buffer.alloc(12)).questions?.[0]?.name, 'eXAMPLE.oRG');
});

test('a record that no message can hold is a fault, not an endless transfer', (t) => {
  const text: RRset = { owner: nameFrom('a.example.org'), type: RRType.TXT, ttl: 5, rdatas: [new Uint8Array(20_000)] };
  t.throws(() => messagesOf([soa, text, soa], transferQuery()), { instanceOf: RangeError });
});
