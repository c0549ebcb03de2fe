/** TCP from outside: several queries on one connection, messages in pieces, ends of connections. RFC 1035 section 4.2.2, RFC 7766. */

import test from 'ava';

import { framed, TcpConnection } from './support/client.ts';
import { GoldenServers } from './support/golden-servers.ts';
import { decodeReply, presentReply } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';

const servers = new GoldenServers();
test.after.always('servers end', async () => servers.close());

const EXAMPLE = { cluster: 'fixtures/clusters/example', corefile: 'fixtures/corefiles/golden-default.corefile' };
const WEB = 'web.prod.svc.cluster.local';

test('a slow query does not hold up the ones behind it (RFC 7766 section 6.2.1.1)', async (t) => {
  const connection = await open();
  const upstream = await servers.upstream();
  connection.send(query(1, 'held.example.org'), query(2, WEB), query(3, 'db.prod.svc.cluster.local'));
  await Promise.all([connection.replyTo(2), connection.replyTo(3)]);
  t.deepEqual(idsOf(connection), [2, 3]);
  upstream.release();
  const held = presentReply(decodeReply(await connection.replyTo(1)));
  t.deepEqual(held.answer, ['held.example.org. 300 IN A 93.184.216.35']);
  connection.close();
});

test('a hundred queries in one write are all answered, each with its id', async (t) => {
  const connection = await open();
  const ids = Array.from({ length: 100 }, (_, i) => i + 1);
  connection.send(...ids.map((id) => query(id, WEB)));
  const replies = await Promise.all(ids.map((id) => connection.replyTo(id)));
  for (const reply of replies) {
    t.deepEqual(presentReply(decodeReply(reply)).answer, [`${WEB}. 5 IN A 10.96.1.1`]);
  }
  connection.close();
});

test('a message in pieces of one octet is a message, the next one in the same piece as its end too', async (t) => {
  const connection = await open();
  const octets = Buffer.concat([framed(query(1, WEB)), framed(query(2, WEB))]);
  const lastOfFirst = framed(query(1, WEB)).length - 1;
  for (let at = 0; at < lastOfFirst; at++) {
    await new Promise((resolve) => connection.socket.write(octets.subarray(at, at + 1), resolve));
  }
  connection.socket.write(octets.subarray(lastOfFirst));
  await Promise.all([connection.replyTo(1), connection.replyTo(2)]);
  t.deepEqual(new Set(idsOf(connection)), new Set([1, 2]));
  connection.close();
});

test('a client that has ended its side still gets its reply', async (t) => {
  const connection = await open();
  connection.send(query(1, WEB));
  connection.socket.end();
  t.is(presentReply(decodeReply(await connection.replyTo(1))).reply, 'reply NOERROR aa rd');
  await connection.closed();
});

for (const [what, message] of [
  ['an empty message', Buffer.alloc(0)],
  ['a message of one octet', Buffer.alloc(1)],
  ['a message of eleven octets', Buffer.alloc(11)],
] as const) {
  test(`${what} ends its connection or is skipped, and harms no other`, async (t) => {
    const [bad, good] = await Promise.all([open(), open()]);
    bad.send(message, query(1, WEB));
    await Promise.race([bad.closed(), bad.replyTo(1).catch(() => undefined)]);
    good.send(query(2, WEB));
    t.is(presentReply(decodeReply(await good.replyTo(2))).reply, 'reply NOERROR aa rd');
    bad.close();
    good.close();
  });
}

async function open(): Promise<TcpConnection> {
  return TcpConnection.open(await servers.addressOf(EXAMPLE));
}

function query(id: number, name: string): Buffer {
  return encodeQuery(id, asked(name, 'A'));
}

function idsOf(connection: TcpConnection): number[] {
  return connection.replies.map((reply) => reply.readUInt16BE(0));
}
