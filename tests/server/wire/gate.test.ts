import test from 'ava';

import { gate } from '../../../server/wire/gate.ts';
import type { Peer } from '../../../server/query.ts';

const peer: Peer = {
  address: '192.0.2.1',
  port: 4242,
  family: 4,
  protocol: 'udp',
  localAddress: '192.0.2.53',
  localPort: 53,
};

function header(fields: { flags?: number; counts?: readonly [number, number, number, number] }): Buffer {
  const packet = Buffer.alloc(12);
  packet.writeUInt16BE(0x1234, 0);
  packet.writeUInt16BE(fields.flags ?? 0x0100, 2);
  (fields.counts ?? [1, 0, 0, 0]).forEach((count, i) => packet.writeUInt16BE(count, 4 + 2 * i));
  return packet;
}

const messages: readonly { name: string; packet: Buffer; expect: string }[] = [
  { name: 'an ordinary query passes', packet: header({}), expect: 'pass' },
  { name: 'an OPT and a TSIG record pass', packet: header({ counts: [1, 0, 0, 2] }), expect: 'pass' },
  { name: 'the SOA of an IXFR passes (RFC 1995 section 3)', packet: header({ counts: [1, 0, 1, 0] }), expect: 'pass' },
  { name: 'no octet at all is dropped', packet: Buffer.alloc(0), expect: 'drop short' },
  { name: 'eleven octets are dropped', packet: header({}).subarray(0, 11), expect: 'drop short' },
  {
    name: 'a reply is dropped, or two servers answer each other for ever',
    packet: header({ flags: 0x8100 }),
    expect: 'drop reply',
  },
  ...[1, 2, 3, 4, 5, 6, 15].map((opcode) => ({
    name: `opcode ${opcode} is NOTIMP (RFC 8906 section 3.1.4)`,
    packet: header({ flags: opcode << 11 }),
    expect: 'reject 4 opcode',
  })),
  { name: 'two questions are FORMERR (RFC 9619)', packet: header({ counts: [2, 0, 0, 0] }), expect: 'reject 1 counts' },
  { name: 'no question is FORMERR', packet: header({ counts: [0, 0, 0, 0] }), expect: 'reject 1 counts' },
  { name: 'an answer in a query is FORMERR', packet: header({ counts: [1, 1, 0, 0] }), expect: 'reject 1 counts' },
  { name: 'three additional records are FORMERR', packet: header({ counts: [1, 0, 0, 3] }), expect: 'reject 1 counts' },
  {
    name: 'four counts of 65535 are FORMERR',
    packet: header({ counts: [65535, 65535, 65535, 65535] }),
    expect: 'reject 1 counts',
  },
];

for (const { name, packet, expect } of messages) {
  test(name, (t) => {
    t.is(said(gate(packet, peer)), expect);
  });
}

const sources: readonly { name: string; peer: Partial<Peer>; expect: string }[] = [
  { name: 'port 0 cannot be answered', peer: { port: 0 }, expect: 'drop source' },
  { name: '0.0.0.0', peer: { address: '0.0.0.0' }, expect: 'drop source' },
  { name: 'multicast 224.0.0.1', peer: { address: '224.0.0.1' }, expect: 'drop source' },
  { name: 'multicast 239.255.255.255', peer: { address: '239.255.255.255' }, expect: 'drop source' },
  { name: 'broadcast 255.255.255.255', peer: { address: '255.255.255.255' }, expect: 'drop source' },
  { name: 'broadcast 127.255.255.255', peer: { address: '127.255.255.255' }, expect: 'drop source' },
  { name: 'our own socket', peer: { address: '192.0.2.53', port: 53 }, expect: 'drop source' },
  { name: 'another port of our own address', peer: { address: '192.0.2.53', port: 5353 }, expect: 'pass' },
  { name: 'loopback', peer: { address: '127.0.0.1' }, expect: 'pass' },
  { name: 'multicast ff02::1', peer: { address: 'ff02::1', family: 6 }, expect: 'drop source' },
  { name: '::', peer: { address: '::', family: 6 }, expect: 'drop source' },
  { name: 'link-local fe80::1', peer: { address: 'fe80::1', family: 6 }, expect: 'pass' },
];

for (const { name, peer: source, expect } of sources) {
  test(`source: ${name}`, (t) => {
    t.is(said(gate(header({}), { ...peer, ...source })), expect);
  });
}

function said(verdict: ReturnType<typeof gate>): string {
  switch (verdict.verdict) {
    case 'pass':
      return 'pass';
    case 'drop':
      return `drop ${verdict.reason}`;
    case 'reject':
      return `reject ${verdict.rcode} ${verdict.reason}`;
  }
}
