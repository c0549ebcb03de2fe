/**
 * Hostile and broken messages: every case of fixtures/packets, as octets, over UDP and over TCP. Silence is proved by the
 * reply to a good query that is sent behind the bad message, not by waiting.
 */

import test from 'ava';

import { rcodeName } from '../zones/rr.ts';
import { datagramsUntilLastReply, exchange, TcpConnection, type ServerAddress } from './support/client.ts';
import { GoldenServers, readFixtures } from './support/golden-servers.ts';
import { parsePackets, type PacketCase } from './support/packet-file.ts';
import { asked, encodeQuery } from './support/query.ts';

const servers = new GoldenServers();
test.after.always('servers end', async () => servers.close());

/** No packet of the fixtures has it. */
const GOOD_ID = 0x7777;
const GOOD_QUERY = encodeQuery(GOOD_ID, asked('web.prod.svc.cluster.local', 'A'));

for (const { name, path, text } of readFixtures('fixtures/packets')) {
  const file = parsePackets(text, path);
  for (const packet of file.cases) {
    for (const protocol of packet.protocols) {
      test(`${name}: ${packet.title} over ${protocol}`, async (t) => {
        const server = await servers.addressOf(file);
        const replies = await (protocol === 'udp' ? overUdp(server, packet) : overTcp(server, packet));
        t.is(replies.map(presentHeader).join(' and ') || 'silence', packet.expected);
        for (const reply of replies) {
          t.is(reply.readUInt16BE(0), packet.octets.readUInt16BE(0));
          if (reply.readUInt16BE(4) === 1) t.deepEqual(questionOf(reply), questionOf(packet.octets));
        }
        t.is((await exchange(server, protocol, GOOD_QUERY)).readUInt16BE(0), GOOD_ID, 'the server goes on answering');
      });
    }
  }
}

/** Every reply but the one to the good query. */
async function overUdp(server: ServerAddress, packet: PacketCase): Promise<Buffer[]> {
  return withoutGood(await datagramsUntilLastReply(server, [packet.octets, GOOD_QUERY]));
}

/** A server may end a connection instead of passing a message by, so the end of it proves silence as well. */
async function overTcp(server: ServerAddress, packet: PacketCase): Promise<Buffer[]> {
  const connection = await TcpConnection.open(server);
  try {
    connection.send(packet.octets, GOOD_QUERY);
    if (packet.expected !== 'silence') await connection.replyTo(packet.octets.readUInt16BE(0));
    await connection.replyTo(GOOD_ID).catch(() => connection.closed());
    return withoutGood(connection.replies);
  } finally {
    connection.close();
  }
}

function withoutGood(replies: readonly Buffer[]): Buffer[] {
  return replies.filter((reply) => reply.readUInt16BE(0) !== GOOD_ID);
}

/** `FORMERR rd opcode=0 sections=1,0,0,0` */
function presentHeader(reply: Buffer): string {
  const flags = reply.readUInt16BE(2);
  const names = FLAGS.filter(([, mask]) => (flags & mask) !== 0).map(([name]) => name);
  const counts = [4, 6, 8, 10].map((at) => reply.readUInt16BE(at)).join(',');
  return [rcodeName(flags & 15), ...names, `opcode=${(flags >> 11) & 15}`, `sections=${counts}`].join(' ');
}

const FLAGS: readonly (readonly [string, number])[] = [
  ['aa', 0x0400],
  ['tc', 0x0200],
  ['rd', 0x0100],
  ['ra', 0x0080],
  ['z', 0x0040],
  ['ad', 0x0020],
  ['cd', 0x0010],
];

function questionOf(message: Buffer): Buffer {
  let at = 12;
  while (message.readUInt8(at) !== 0) at += 1 + message.readUInt8(at);
  return message.subarray(12, at + 5);
}
