/** Messages that nobody should send, and ordinary ones changed octet by octet: the same octets or silence from both lanes. */

import test, { type ExecutionContext } from 'ava';

import { BothLanes } from '../../../support/both-lanes.ts';
import { framed, TcpConnection } from '../../../support/client.ts';
import { readFixtures } from '../../../support/golden-servers.ts';
import { parsePackets } from '../../../support/packet-file.ts';
import { asked, encodeQuery } from '../../../support/query.ts';
import { Random } from '../../../support/random.ts';

const COREFILE = `.:0 {
  bind 127.0.0.1
  any
  local
  loadbalance
  kubernetes cluster.local in-addr.arpa ip6.arpa
}`;

const EDNS = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

/** What the express lane knows: an address, more than one RRset, a denial; with and without an OPT record. */
const ORDINARY: readonly Buffer[] = [
  encodeQuery(7, asked('web.prod.svc.cluster.local', 'A')),
  encodeQuery(7, asked('web.prod.svc.cluster.local', 'AAAA', { edns: EDNS, authenticData: true })),
  encodeQuery(7, asked('_pg._tcp.db.prod.svc.cluster.local', 'SRV', { edns: { ...EDNS, payloadSize: 512 } })),
  encodeQuery(7, asked('a.dns.cluster.local', 'A', { edns: EDNS })),
  encodeQuery(7, asked('1.1.96.10.in-addr.arpa', 'PTR')),
];

/** Messages that are sent before the replies are read: no more than any socket's buffer takes. */
const BURST = 128;

async function sameFor(t: ExecutionContext, both: BothLanes, messages: readonly Buffer[]): Promise<void> {
  for (let from = 0; from < messages.length; from += BURST) {
    const burst = messages.slice(from, from + BURST);
    const { express, plain } = await both.converse(burst);
    const [said, expected] = [express, plain].map((replies) => replies.map((reply) => reply.toString('hex')));
    // AVA compares long lists slowly.
    if (said?.join() === expected?.join()) t.pass();
    else return void t.deepEqual(said, expected, burst.map((message) => message.toString('hex')).join('\n'));
  }
}

/** Both with all ordinary replies prepared. */
async function prepared(t: ExecutionContext): Promise<BothLanes> {
  const both = await BothLanes.start(t, { corefile: COREFILE });
  for (const query of ORDINARY) await both.agree(t, query, '', 1);
  return both;
}

for (const i of [1, 3, 4]) {
  const query = ORDINARY[i] ?? Buffer.alloc(0);
  test(`every change of one octet of ordinary query ${i + 1}`, async (t) => {
    const both = await prepared(t);
    const messages: Buffer[] = [];
    for (let at = 0; at < query.length; at++) {
      for (let octet = 0; octet < 256; octet++) {
        // Another id is no other question, and the last one is the sign for the end.
        if (octet === query[at] || (at < 2 && octet > 3)) continue;
        const changed = Buffer.from(query);
        changed[at] = octet;
        messages.push(changed);
      }
    }
    await sameFor(t, both, messages);
    t.true(both.expressReplies > 500, String(both.expressReplies));
  });
}

test('ordinary queries cut short or with more behind them', async (t) => {
  const both = await prepared(t);
  const messages = ORDINARY.flatMap((query) => [
    ...Array.from({ length: query.length - 1 }, (_, size) => query.subarray(0, size + 1)),
    ...[1, 11, 12, 100].map((more) => Buffer.concat([query, Buffer.alloc(more)])),
    ...[1, 11, 12, 100].map((more) => Buffer.concat([query, Buffer.alloc(more, 0xff)])),
    Buffer.concat([query, query]),
  ]);
  await sameFor(t, both, messages);
});

test('ordinary queries with several octets changed at once', async (t) => {
  const both = await prepared(t);
  const random = new Random(5);
  const INTERESTING = [0, 1, 2, 41, 63, 64, 0x41, 0x5a, 0x5b, 0x7f, 0x80, 0xc0, 0xff];
  const messages = Array.from({ length: 6000 }, () => {
    const changed = Buffer.from(random.of(ORDINARY));
    for (let n = 1 + random.below(3); n > 0; n--) {
      changed[2 + random.below(changed.length - 2)] = random.once(2) ? random.of(INTERESTING) : random.below(256);
    }
    return changed;
  });
  await sameFor(t, both, messages);
  t.true(both.expressReplies > 200, String(both.expressReplies));
});

test('names of every length, with letters of both cases and octets that are none', async (t) => {
  const both = await prepared(t);
  const zone = Buffer.from('\x07cluster\x05local\0', 'latin1');
  const random = new Random(9);
  const messages = Array.from({ length: 500 }, (_, i): Buffer => {
    const labels: Buffer[] = [];
    for (let left = 1 + (i % 260); left > 1;) {
      const size = Math.min(left - 1, 1 + random.below(63));
      labels.push(
        Buffer.from([
          size,
          ...Array.from({ length: size }, () => random.of([random.below(256), 0x41 + random.below(58)])),
        ]),
      );
      left -= 1 + size;
    }
    const head = Buffer.from('000701000001000000000000', 'hex');
    return Buffer.concat([head, ...labels, zone, Buffer.from('00010001', 'hex')]);
  });
  await sameFor(t, both, [...messages, ...messages]);
  t.true(both.expressReplies > 500, String(both.expressReplies));
});

for (const { name, path, text } of readFixtures('fixtures/packets')) {
  test(`the messages of ${name}, over both transports`, async (t) => {
    const both = await prepared(t);
    const messages = parsePackets(text, path).cases.map(({ octets }) => octets);
    await sameFor(t, both, messages);
    await sameFor(t, both, messages);
    for (const message of messages) {
      const [express, plain] = await Promise.all(
        both.sides.map(async ({ addresses: [address] }) => {
          if (address === undefined) throw new Error('nobody listens');
          const connection = await TcpConnection.open(address);
          connection.socket.end(Buffer.concat([framed(message), framed(message)]));
          await connection.closed();
          return connection.replies.map((reply) => reply.toString('hex'));
        }),
      );
      t.deepEqual(express, plain, message.toString('hex'));
    }
  });
}
