import test from 'ava';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';

import { decode, isRejected, type Rejected } from '../../../server/wire/decode.ts';
import { gate } from '../../../server/wire/gate.ts';
import type { Peer, Query } from '../../../server/query.ts';
import { present } from '../../../zones/name.ts';

const peer: Peer = {
  address: '192.0.2.1',
  port: 4242,
  family: 4,
  protocol: 'udp',
  localAddress: '192.0.2.53',
  localPort: 53,
};

/** A header with one question's octets behind it; spaces are for the reader. */
function packetOf(hex: string, counts: { authority?: number; additional?: number } = {}): Buffer {
  const header = Buffer.from('123401000001000000000000', 'hex');
  header.writeUInt16BE(counts.authority ?? 0, 8);
  header.writeUInt16BE(counts.additional ?? 0, 10);
  return Buffer.concat([header, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
}

function labels(count: number, length: number): string {
  return (length.toString(16).padStart(2, '0') + '61'.repeat(length)).repeat(count);
}

/** Pointers that lead to each other, the first to two octets before `at`, where it stands. */
function chain(at: number, count: number): string {
  return Array.from({ length: count }, (_, i) => (0xc000 + at - 2 + 2 * i).toString(16)).join('');
}

const QUESTION = '0161 00 0001 0001'; // a. A IN
const OPT = '00 0029 04d0 00000000';
const IXFR = '0161 00 00fb 0001'; // a. IXFR IN
/** Behind the owner: mname is the question's name, rname the root. */
const SOA = '0006 0001 00000000 0017 c00c 00 fffffffe 00000001 00000002 00000003 00000004';

const good: readonly { name: string; packet: Buffer; expect: Partial<Record<string, unknown>> }[] = [
  {
    name: 'a name of 255 octets',
    packet: packetOf(`${labels(3, 63)} ${labels(1, 61)} 00 0001 0001`),
    expect: { edns: undefined },
  },
  {
    name: 'a plain OPT',
    packet: packetOf(`${QUESTION} ${OPT} 0000`, { additional: 1 }),
    expect: { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: false } },
  },
  {
    name: 'DO and unknown flags',
    packet: packetOf(`${QUESTION} 00 0029 ffff 0000ffff 0000`, { additional: 1 }),
    expect: { edns: { payloadSize: 65535, dnssecOk: true, wantsNsid: false } },
  },
  {
    name: 'an unknown option is ignored (RFC 6891 section 6.1.2)',
    packet: packetOf(`${QUESTION} ${OPT} 0006 0064 0002 abcd`, { additional: 1 }),
    expect: { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: false } },
  },
  {
    name: 'NSID behind another option (RFC 5001 section 2.1)',
    packet: packetOf(`${QUESTION} ${OPT} 000a 0064 0002 abcd 0003 0000`, { additional: 1 }),
    expect: { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: true } },
  },
  {
    name: 'NSID twice, once with data that a query should not have',
    packet: packetOf(`${QUESTION} ${OPT} 000a 0003 0002 abcd 0003 0000`, { additional: 1 }),
    expect: { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: true } },
  },
  {
    name: 'a record before the OPT is walked over',
    packet: packetOf(`${QUESTION} c00c 0001 0001 00000000 0004 01020304 ${OPT} 0000`, { additional: 2 }),
    expect: { edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: false } },
  },
  {
    name: 'IXFR with its SOA (RFC 1995 section 3)',
    packet: packetOf(`${IXFR} c00c ${SOA}`, { authority: 1 }),
    expect: { edns: undefined, serial: 0xfffffffe },
  },
  {
    name: 'IXFR with its SOA in other letters',
    packet: packetOf(`${IXFR} 0141 00 ${SOA}`, { authority: 1 }),
    expect: { serial: 0xfffffffe },
  },
  { name: 'IXFR without SOA', packet: packetOf(IXFR), expect: { serial: undefined } },
  {
    name: 'IXFR with the SOA of another zone, which says nothing of this one',
    packet: packetOf(`${IXFR} 0162 00 ${SOA}`, { authority: 1 }),
    expect: { serial: undefined },
  },
  {
    name: 'IXFR with its SOA in the additional section, where it means nothing',
    packet: packetOf(`${IXFR} c00c ${SOA}`, { additional: 1 }),
    expect: { serial: undefined },
  },
];

for (const { name, packet, expect } of good) {
  test(`taken: ${name}`, (t) => {
    const decoded = decode(packet, peer, 7);
    t.false(isRejected(decoded));
    for (const [key, value] of Object.entries(expect)) t.deepEqual((decoded as Record<string, unknown>)[key], value);
  });
}

const bad: readonly { name: string; packet: Buffer; rcode: number }[] = [
  { name: 'nothing behind the header', packet: packetOf(''), rcode: 1 },
  { name: 'a name that is cut off', packet: packetOf('0361'), rcode: 1 },
  { name: 'no room for type and class', packet: packetOf('0161 00 0001 00'), rcode: 1 },
  { name: 'label type 0x40', packet: packetOf('4161 00 0001 0001'), rcode: 1 },
  { name: 'label type 0x80', packet: packetOf('8161 00 0001 0001'), rcode: 1 },
  { name: 'a pointer to itself as name', packet: packetOf('c00c 0001 0001'), rcode: 1 },
  { name: 'a pointer into the header as name', packet: packetOf('c000 0001 0001'), rcode: 1 },
  { name: 'a name of 256 octets', packet: packetOf(`${labels(3, 63)} ${labels(1, 62)} 00 0001 0001`), rcode: 1 },
  { name: 'a label of 64 octets', packet: packetOf(`${labels(1, 64)} 00 0001 0001`), rcode: 1 },
  { name: 'one octet behind the question', packet: packetOf(`${QUESTION} 00`), rcode: 1 },
  {
    name: 'two OPT records (RFC 6891 section 6.1.1)',
    packet: packetOf(`${QUESTION} ${OPT} 0000 ${OPT} 0000`, { additional: 2 }),
    rcode: 1,
  },
  {
    name: 'an OPT record below the root',
    packet: packetOf(`${QUESTION} c00c 0029 04d0 00000000 0000`, { additional: 1 }),
    rcode: 1,
  },
  {
    name: 'an OPT record in the authority section',
    packet: packetOf(`0161 00 00fb 0001 ${OPT} 0000`, { authority: 1 }),
    rcode: 1,
  },
  {
    name: 'an IXFR whose SOA is empty',
    packet: packetOf(`${IXFR} c00c 0006 0001 00000000 0000`, { authority: 1 }),
    rcode: 1,
  },
  {
    name: 'an IXFR whose SOA has an octet too many',
    packet: packetOf(`${IXFR} c00c ${SOA.replace('0017', '0018')} 00`, { authority: 1 }),
    rcode: 1,
  },
  {
    name: 'an IXFR whose SOA ends in its names',
    packet: packetOf(`${IXFR} c00c 0006 0001 00000000 0002 c00c`, { authority: 1 }),
    rcode: 1,
  },
  { name: 'OPT rdata shorter than said', packet: packetOf(`${QUESTION} ${OPT} 0004`, { additional: 1 }), rcode: 1 },
  {
    name: 'an option longer than the rdata',
    packet: packetOf(`${QUESTION} ${OPT} 0004 000a 0001`, { additional: 1 }),
    rcode: 1,
  },
  {
    name: 'three stray octets of an option',
    packet: packetOf(`${QUESTION} ${OPT} 0003 000a00`, { additional: 1 }),
    rcode: 1,
  },
  {
    name: '101 options',
    packet: packetOf(`${QUESTION} ${OPT} 0194 ${'00640000'.repeat(101)}`, { additional: 1 }),
    rcode: 1,
  },
  {
    name: 'an authority record beside an A question',
    packet: packetOf(`${QUESTION} c00c 0006 0001 00000000 0000`, { authority: 1 }),
    rcode: 1,
  },
  {
    name: 'EDNS version 1 is BADVERS',
    packet: packetOf(`${QUESTION} 00 0029 04d0 00010000 0000`, { additional: 1 }),
    rcode: 16,
  },
  {
    name: 'EDNS version 1 is BADVERS, whatever its rdata looks like (RFC 6891 section 6.1.3)',
    packet: packetOf(`${QUESTION} 00 0029 04d0 00010000 0003 ffffff`, { additional: 1 }),
    rcode: 16,
  },
  {
    name: 'an owner behind more pointers than a name has labels',
    packet: packetOf(`${QUESTION} 00 ff00 0001 00000000 0102 0000 ${chain(32, 128)} c11e ff00 0001 00000000 0000`, {
      additional: 2,
    }),
    rcode: 1,
  },
  { name: 'question type 0', packet: packetOf('0161 00 0000 0001'), rcode: 1 },
  { name: 'question type OPT', packet: packetOf('0161 00 0029 0001'), rcode: 1 },
  { name: 'question type TSIG', packet: packetOf('0161 00 00fa 0001'), rcode: 1 },
  { name: 'question type MAILA', packet: packetOf('0161 00 00fe 0001'), rcode: 4 },
];

for (const { name, packet, rcode } of bad) {
  test(`rejected: ${name}`, (t) => {
    const decoded = decode(packet, peer, 7);
    t.true(isRejected(decoded));
    t.is((decoded as Rejected).rcode, rcode);
  });
}

test('who asks with an OPT record for a type that is no question is answered with one (RFC 6891 section 6.1.1)', (t) => {
  const decoded = decode(packetOf(`0161 00 00f9 0001 ${OPT} 0000`, { additional: 1 }), peer, 0);
  t.like(decoded, { rcode: 1, edns: { payloadSize: 1232, dnssecOk: false, wantsNsid: false } });
});

test('the spelling is kept and the name is lower case; octets above 127 are no letters', (t) => {
  const decoded = decode(packetOf('04 57c0e0 5a 00 0001 0001'), peer, 0) as Query;
  t.is(present(decoded.question.spelling), 'W\\192\\224Z.');
  t.is(present(decoded.question.name), 'w\\192\\224z.');
});

test('a label with a dot in it is not two labels', (t) => {
  const decoded = decode(packetOf('03 612e62 00 0001 0001'), peer, 0) as Query;
  t.is(present(decoded.question.name), 'a\\.b.');
});

const valid = [QUESTION, `${QUESTION} ${OPT} 0006 0064 0002 abcd`].map((hex, i) => packetOf(hex, { additional: i }));

test('random octets are a query or a rejection, never an exception, and nothing behind the message is read', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 40, maxLength: 40 }), (octets, behind) => {
      t.deepEqual(outcome(alone(octets)), outcome(followedBy(octets, behind)));
    }),
    { numRuns: 3000 },
  );
});

test('mutated queries are a query or a rejection, never an exception, and nothing behind the message is read', (t) => {
  const mutation = fc.record({ at: fc.nat(60), value: fc.integer({ min: 0, max: 255 }), cut: fc.nat(60) });
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.array(mutation, { maxLength: 4 }), (packet, mutations) => {
      const octets = Uint8Array.from(packet);
      for (const { at, value } of mutations) octets[at % octets.length] = value;
      const cut = octets.subarray(0, octets.length - ((mutations[0]?.cut ?? 0) % 8));
      t.deepEqual(outcome(alone(cut)), outcome(followedBy(cut, Uint8Array.of(0, 1, 0, 1, 0xc0, 12))));
    }),
    { numRuns: 5000 },
  );
});

test('what dns-packet encodes is read as it was meant', (t) => {
  const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(
      fc.array(label, { minLength: 1, maxLength: 6 }),
      fc.nat(0xffff),
      fc.boolean(),
      (parts, id, dnssecOk) => {
        const packet = dnsPacket.encode({
          type: 'query',
          id,
          flags: dnsPacket.RECURSION_DESIRED,
          questions: [{ name: parts.join('.'), type: 'AAAA', class: 'IN' }],
          additionals: [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: 4096,
              flags: dnssecOk ? dnsPacket.DNSSEC_OK : 0,
              options: [],
            } as never,
          ],
        });
        const decoded = decode(packet, peer, 0) as Query;
        t.is(present(decoded.question.spelling), `${parts.join('.')}.`);
        t.is(decoded.question.type, 28);
        t.is(decoded.id, id);
        t.true(decoded.recursionDesired);
        t.deepEqual(decoded.edns, { payloadSize: 4096, dnssecOk, wantsNsid: false });
      },
    ),
  );
});

function alone(octets: Uint8Array): Buffer {
  return Buffer.from(octets);
}

/** The same message at the beginning of a larger buffer, as a socket's chunk is. */
function followedBy(octets: Uint8Array, behind: Uint8Array): Buffer {
  return Buffer.concat([octets, behind]).subarray(0, octets.length);
}

function outcome(packet: Buffer): unknown {
  const verdict = gate(packet, peer);
  return verdict.verdict === 'pass' ? decode(packet, peer, 0) : verdict;
}
