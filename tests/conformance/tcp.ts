/**
 * Checks C62 to C65, C67 and C68: queries over TCP (RFC 1035 section 4.2.2, 7766, 9210). Knows connections and frames, no server.
 */

import { once } from 'node:events';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';

import type { Bytes, Milliseconds } from '../../zones/units.ts';
import { framed, TcpConnection, withinDeadline } from '../support/client.ts';
import { uint16 } from '../support/message-octets.ts';
import { encodeQuery } from '../support/query.ts';
import { readReply } from '../support/reply.ts';
import {
  ask,
  asked,
  expectEqual,
  expectThat,
  freshName,
  norec,
  onEveryLane,
  presentHead,
  type Lane,
} from './asking.ts';
import { upstreamOf, type Check, type Subject } from './check.ts';
import { WEB, ZONE } from './cluster.ts';

/** Longer than the 10 s that servers are usually set to. */
const IDLE_MAX: Milliseconds = 20_000;

export const TCP: readonly Check[] = [
  {
    id: 'C62',
    title:
      'three queries in one segment, the first for a slow upstream: the others do not wait for it, and all are answered',
    source: 'RFC 7766 sections 6.2.1.1 and 7',
    needs: ['cluster', 'upstream'],
    run: (subject) =>
      onEveryConnection(subject, async (connection) => {
        const name = `held.${freshName('example.test')}`;
        const slow = encodeQuery(1, asked(name, 'A'));
        try {
          connection.send(slow, encodeQuery(2, norec(WEB, 'A')), encodeQuery(3, norec(ZONE, 'SOA')));
          expectNoerror(await connection.replyTo(2));
          expectNoerror(await connection.replyTo(3));
        } finally {
          upstreamOf(subject).release(name);
        }
        await connection.replyTo(1);
        const order = connection.replies.map((reply) => reply.readUInt16BE(0));
        expectEqual('the slow one at last', order.at(-1), 1);
      }),
  },
  {
    id: 'C63',
    title: 'a query that comes octet by octet is answered, length and message in one segment',
    source: 'RFC 7766 section 8',
    needs: ['cluster'],
    run: (subject) =>
      onEveryConnection(subject, async (connection) => {
        const first = once(connection.socket, 'data');
        const query = encodeQuery(1, norec(ZONE, 'SOA'));
        for (const octet of framed(query)) {
          connection.socket.write(Buffer.of(octet));
          await setImmediate();
        }
        const reply = await connection.replyTo(1);
        expectNoerror(reply);
        const [segment] = (await first) as [Buffer];
        expectEqual('octets of the first segment', segment.length, 2 + reply.length);
      }),
  },
  {
    id: 'C64',
    title: `a connection stays open for another query, and is closed in order when none comes for ${IDLE_MAX / 1000} s`,
    source: 'RFC 7766 sections 6.2.1 and 6.2.3',
    needs: ['cluster'],
    run: (subject) =>
      onEveryConnection(subject, async (connection) => {
        const hasEnded = once(connection.socket, 'end').then(() => true);
        const wasReset = once(connection.socket, 'close').then(() => false);
        for (const id of [1, 2]) {
          connection.send(encodeQuery(id, norec(ZONE, 'SOA')));
          expectNoerror(await connection.replyTo(id));
          if (id === 1) await pause(1_000);
        }
        expectEqual('an end in order', await inTime('the end', Promise.race([hasEnded, wasReset])), true);
      }),
  },
  {
    id: 'C65',
    title: `frames without a query harm nobody else, and half a frame is waited for no longer than ${IDLE_MAX / 1000} s`,
    source: 'RFC 1035 section 4.2.2, RFC 9210 section 4.2',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          for (const length of [0, 1, 11]) {
            await withConnection(lane, async (connection) => {
              connection.send(Buffer.alloc(length, 1), encodeQuery(1, norec(ZONE, 'SOA')));
              await Promise.any([connection.replyTo(1), connection.closed()]);
            });
          }
          await withConnection(lane, async (connection) => {
            const isClosed = once(connection.socket, 'close');
            connection.socket.write(Buffer.concat([uint16(0xffff), Buffer.alloc(100, 1)]));
            expectNoerror((await ask(lane, norec(ZONE, 'SOA'))).octets);
            await inTime('the end', isClosed);
          });
        },
        'tcp',
      ),
  },
  {
    id: 'C67',
    title:
      'a client that ends its side after the query still gets the reply, at once or when the upstream has given it',
    source: 'RFC 7766 section 6.2.4',
    needs: ['cluster'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          const outside = asked(freshName('example.test'), 'A');
          for (const query of [norec(WEB, 'A'), ...(subject.offers.has('upstream') ? [outside] : [])]) {
            await withConnection(lane, async (connection) => {
              connection.socket.end(framed(encodeQuery(1, query)));
              expectNoerror(await connection.replyTo(1));
            });
          }
        },
        'tcp',
      ),
  },
  {
    id: 'C68',
    title:
      'an answer of 65535 octets arrives whole; one that an OPT record makes larger is SERVFAIL or cut, and its length right',
    source: 'RFC 1035 section 4.2.2',
    needs: ['upstream'],
    run: (subject) =>
      onEveryLane(
        subject,
        async (lane) => {
          const name = `max-${MESSAGE_MAX}.${freshName('example.test')}`;
          const largest = await ask(lane, asked(name, 'NULL'));
          expectEqual(
            'head',
            presentHead(largest).replace(' aa', ''),
            'NOERROR qr rd ra, 1 answer, 0 authority, 0 additional',
          );
          expectEqual('octets', largest.octets.length, MESSAGE_MAX);
          const edns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
          const larger = await ask(lane, asked(name, 'NULL', { edns }));
          expectThat(larger.rcode === 'SERVFAIL' || larger.flags.has('tc'), 'SERVFAIL or TC', presentHead(larger));
        },
        'tcp',
      ),
  },
];

const MESSAGE_MAX: Bytes = 65_535;

async function onEveryConnection(subject: Subject, run: (connection: TcpConnection) => Promise<void>): Promise<void> {
  await onEveryLane(subject, (lane) => withConnection(lane, run), 'tcp');
}

async function withConnection({ server }: Lane, run: (connection: TcpConnection) => Promise<void>): Promise<void> {
  const connection = await TcpConnection.open(server);
  try {
    await run(connection);
  } finally {
    connection.close();
  }
}

/** The server is given as long as it may take, and half as long again for a busy machine. */
function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  return withinDeadline(what, (resolve, reject) => void promise.then(resolve, reject), 1.5 * IDLE_MAX);
}

function expectNoerror(octets: Buffer): void {
  expectEqual('rcode', readReply(octets).rcode, 'NOERROR');
}
