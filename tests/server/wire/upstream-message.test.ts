import test from 'ava';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';

import { decodeUpstreamReply, encodeUpstreamQuery } from '../../../server/wire/upstream-message.ts';
import { MessageError } from '../../../server/errors.ts';
import { present, spellingFrom } from '../../../zones/name.ts';

test('a query is ours alone: RD and CD as asked, one OPT of 1232 octets without options', (t) => {
  const packet = encodeUpstreamQuery(
    {
      spelling: spellingFrom('wWw.Example.ORG'),
      type: 1,
      class: 1,
      recursionDesired: true,
      checkingDisabled: true,
      authenticData: false,
      dnssecOk: true,
    },
    0x1234,
  );
  t.is(
    packet.toString('hex'),
    '12340110000100000000000103775777074578616d706c65034f5247000001000100002904d0000080000000',
  );
});

const reply = Buffer.from(
  dnsPacket.encode({
    type: 'response',
    id: 7,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | dnsPacket.AUTHENTIC_DATA,
    questions: [{ name: 'www.example.org', type: 'A', class: 'IN' }],
    answers: [
      { name: 'www.example.org', type: 'CNAME', ttl: 60, data: 'edge.example.net' },
      { name: 'edge.example.net', type: 'A', ttl: 30, data: '192.0.2.1' },
      { name: 'edge.example.net', type: 'A', ttl: 20, data: '192.0.2.2' },
    ],
    authorities: [{ name: 'example.net', type: 'NS', ttl: 90, data: 'ns1.example.net' }],
    additionals: [{ name: 'ns1.example.net', type: 'AAAA', ttl: 90, data: '2001:db8::1' }],
  }),
);

test('a reply is read into RRsets with the lowest TTL of their records (RFC 2181 section 5.2)', (t) => {
  const read = decodeUpstreamReply(reply);
  t.deepEqual(
    [...read.answer, ...read.authority, ...read.additional].map(({ owner, type, ttl, rdatas }) => [
      present(owner),
      type,
      ttl,
      rdatas.length,
    ]),
    [
      ['www.example.org.', 5, 60, 1],
      ['edge.example.net.', 1, 20, 2],
      ['example.net.', 2, 90, 1],
      ['ns1.example.net.', 28, 90, 1],
    ],
  );
  t.true(read.recursionAvailable && read.authenticData && !read.authoritative && !read.truncated);
});

const faults: readonly { name: string; change: (packet: Buffer) => Buffer }[] = [
  { name: 'a query', change: (packet) => set(packet, 2, 0x01) },
  { name: 'a reply to an UPDATE', change: (packet) => set(packet, 2, 0xa8) },
  { name: 'eleven octets', change: (packet) => packet.subarray(0, 11) },
  { name: 'two questions', change: (packet) => set(packet, 5, 2) },
  { name: 'more answers than there are', change: (packet) => set(packet, 7, 200) },
  { name: 'a cut in the last record', change: (packet) => packet.subarray(0, -1) },
  { name: 'an A record of five octets', change: () => record('0001', '0005 0102030405') },
  { name: 'a CNAME whose name runs past its rdata', change: () => record('0005', '0002 0161 00') },
  { name: 'a CNAME with octets behind its name', change: () => record('0005', '0004 0161 00 00') },
  { name: 'a pointer to itself', change: () => record('0005', '0002 c01f') },
  { name: 'a pointer forwards', change: () => record('0005', '0002 c020 0000') },
  { name: 'an SOA that is too short', change: () => record('0006', '0004 00 00 0001') },
  {
    name: 'an OPT record in the answer section',
    change: () =>
      Buffer.from('00078180 0001000100000000 0161 00 0001 0001 00 0029 04d0 00000000 0000'.replaceAll(' ', ''), 'hex'),
  },
];

for (const { name, change } of faults) {
  test(`no reply: ${name}`, (t) => {
    t.throws(() => decodeUpstreamReply(change(Buffer.from(reply))), { instanceOf: MessageError });
  });
}

test('a TTL with the top bit set is 0 (RFC 2181 section 8)', (t) => {
  const packet = Buffer.from(
    '00078180 0001000100000000 0161 00 0001 0001 c00c 0001 0001 80000000 0004 01020304'.replaceAll(' ', ''),
    'hex',
  );
  t.is(decodeUpstreamReply(packet).answer[0]?.ttl, 0);
});

test('records of another class are left out', (t) => {
  const packet = Buffer.from(
    '00078180 0001000100000000 0161 00 0001 0001 c00c 0001 0003 00000001 0004 01020304'.replaceAll(' ', ''),
    'hex',
  );
  t.is(decodeUpstreamReply(packet).answer.length, 0);
});

test('rdata of an unknown type that looks like a pointer is octets (RFC 3597 section 4)', (t) => {
  const read = decodeUpstreamReply(record('ff00', '0002 c00c'));
  t.deepEqual(read.answer[0]?.rdatas, [Uint8Array.of(0xc0, 0x0c)]);
});

test('64 KiB of pointers to one long name are refused, not expanded to megabytes', (t) => {
  const longName = `${`3f${'61'.repeat(63)}`.repeat(3)}00`;
  const question = Buffer.from(`${longName}00010001`, 'hex');
  const header = Buffer.from('000781800001000000000000', 'hex');
  const one = Buffer.from('c00c00100001000000010000', 'hex');
  const count = 5000;
  header.writeUInt16BE(count, 6);
  const packet = Buffer.concat([header, question, ...Array.from({ length: count }, () => one)]);
  t.throws(() => decodeUpstreamReply(packet), { instanceOf: MessageError, message: /compression pointers/ });
});

test('names behind pointers to pointers are read in full, each time that they are pointed to', (t) => {
  const packet = Buffer.from(
    [
      '000781800001000400000000',
      '076578616d706c65 036f7267 00 0001 0001', // 12: example.org
      'c00c 0005 0001 00000001 0006 03777777 c00c', // rdata at 41: www in front of the name at 12
      '026575 c029 0005 0001 00000001 0004 0161 c00c', // owner at 47: eu in front of the name at 41
      'c029 0001 0001 00000001 0004 01020304',
      'c02f 0001 0001 00000001 0004 01020304',
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  t.deepEqual(
    decodeUpstreamReply(packet).answer.map(({ owner }) => present(owner)),
    ['example.org.', 'eu.www.example.org.', 'www.example.org.', 'eu.www.example.org.'],
  );
});

test('a chain of pointers that is longer than any name is refused, or 64 KiB of them would take a tenth of a second', (t) => {
  const question = Buffer.from('01610000010001', 'hex');
  const start = 12 + question.length + 11;
  const chain = Buffer.alloc(2 * 8_000);
  for (let i = 1; i < 8_000; i++) chain.writeUInt16BE(0xc000 | (start + 2 * i - 2), 2 * i);
  const opaque = Buffer.from('00ff0000010000000000000000'.slice(0, 22), 'hex');
  opaque.writeUInt16BE(chain.length, 9);
  const end = Buffer.from('0000ff000001000000000000', 'hex');
  end.writeUInt16BE(0xc000 | (start + chain.length - 2), 0);
  const header = Buffer.from('000781800001000200000000', 'hex');
  t.throws(() => decodeUpstreamReply(Buffer.concat([header, question, opaque, chain, end])), {
    instanceOf: MessageError,
    message: /compression pointers/,
  });
});

test('random and mutated replies give a reply or a MessageError, and nothing behind the message is read', (t) => {
  const mutated = fc
    .array(fc.tuple(fc.nat(reply.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
    .map((changes) => {
      const octets = Uint8Array.from(reply);
      for (const [at, value] of changes) octets[at] = value;
      return octets;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 100 })), fc.nat(20), (octets, cut) => {
      const packet = octets.subarray(0, Math.max(0, octets.length - cut));
      const behind = Buffer.concat([packet, Buffer.from('0161000001000100000000000401020304', 'hex')]).subarray(
        0,
        packet.length,
      );
      t.deepEqual(outcome(Buffer.from(packet)), outcome(behind));
    }),
    { numRuns: 5000 },
  );
});

function outcome(packet: Buffer): unknown {
  try {
    return decodeUpstreamReply(packet);
  } catch (error) {
    if (error instanceof MessageError) return error.message;
    throw error;
  }
}

function set(packet: Buffer, at: number, value: number): Buffer {
  packet[at] = value;
  return packet;
}

/** A reply to `a. A IN` with one answer; the rdata begins at octet 31. */
function record(type: string, rdata: string): Buffer {
  return Buffer.from(
    `0007818000010001000000000161000001 0001c00c${type}000100000001${rdata}`.replaceAll(' ', ''),
    'hex',
  );
}
