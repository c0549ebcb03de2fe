/** Zone transfers as a client sees them (RFC 5936 section 2.2): messages until the second SOA record. Knows no zone. */

import { TcpConnection, withinDeadline, type ServerAddress } from './client.ts';
import { decodeReply, type DecodedRecord, type DecodedReply } from './present.ts';
import { asked, encodeQuery } from './query.ts';

/** What came, message by message, and its size in octets. */
export type ReceivedZone = {
  readonly messages: readonly DecodedReply[];
  readonly records: readonly DecodedRecord[];
  readonly size: number;
};

/** @throws Error if the server refuses, or closes the connection before the end */
export async function receiveZone(server: ServerAddress, apex: string): Promise<ReceivedZone> {
  const connection = await TcpConnection.open(server);
  try {
    connection.send(encodeQuery(1, asked(apex, 'AXFR', { recursionDesired: false })));
    return await withinDeadline(`the zone ${apex}`, (resolve, reject) => {
      connection.socket.on('close', () => reject(new Error(`${apex}: the transfer was broken off`)));
      const messages: DecodedReply[] = [];
      const records: DecodedRecord[] = [];
      connection.socket.on('data', () => {
        for (const octets of connection.replies.slice(messages.length)) {
          const message = decodeReply(octets);
          messages.push(message);
          records.push(...message.answer);
          if (message.rcode !== 0) reject(new Error(`${apex}: the transfer was refused with rcode ${message.rcode}`));
        }
        if (records.length < 2 || records.at(-1)?.type !== 'SOA') return;
        resolve({ messages, records, size: connection.replies.reduce((size, { length }) => size + length, 0) });
      });
    });
  } finally {
    connection.close();
  }
}
