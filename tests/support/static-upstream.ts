/**
 * A small real upstream for tests: the records of a zone text, over UDP and TCP on one loopback port. Speaks with
 * dns-packet, knows nothing of the server under test.
 */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import dnsPacket, { type Answer, type Packet, type Question, type StringAnswer } from 'dns-packet';

import { framed, onFrames } from './client.ts';
import { freePort } from './server.ts';

export type StaticUpstream = {
  /** `127.0.0.1:port`, as `forward` takes it. */
  readonly address: string;
  /** `name type protocol` of each query, in order; the name as it was spelled. */
  readonly queries: readonly string[];
  /** Replies for names that begin with `held.` wait for this; once called, none waits. */
  readonly release: () => void;
  readonly close: () => Promise<void>;
};

/** @throws Error with the line that cannot be read */
export async function startStaticUpstream(zoneText: string): Promise<StaticUpstream> {
  const records = zoneText.split('\n').flatMap(recordsFrom);
  const queries: string[] = [];
  const replyTo = (query: Buffer, protocol: string): Buffer => {
    const { id = 0, flags = 0, questions = [] } = dnsPacket.decode(query);
    const question = questions[0];
    queries.push(`${question?.name} ${question?.type} ${protocol}`);
    const found = question === undefined ? { rcode: FORMERR } : find(records, question);
    return dnsPacket.encode({
      type: 'response',
      id,
      flags: (flags & dnsPacket.RECURSION_DESIRED) | dnsPacket.RECURSION_AVAILABLE | found.rcode,
      questions,
      answers: found.answers ?? [],
      authorities: found.authorities ?? [],
    });
  };

  const held: (() => void)[] = [];
  let isHolding = true;
  const answer = (query: Buffer, protocol: string, send: (reply: Buffer) => void): void => {
    const reply = replyTo(query, protocol);
    if (isHolding && /^held\./i.test(queries.at(-1) ?? '')) held.push(() => send(reply));
    else send(reply);
  };

  const udp = createSocket('udp4');
  udp.on('message', (query, peer) => answer(query, 'udp', (reply) => udp.send(reply, peer.port, peer.address)));
  const port = await bound(udp);

  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => {});
    onFrames(socket, (query) => answer(query, 'tcp', (reply) => void socket.write(framed(reply))));
  });
  await new Promise<void>((resolve) => void tcp.listen(port, '127.0.0.1', resolve));

  return {
    address: `127.0.0.1:${port}`,
    queries,
    release(): void {
      isHolding = false;
      for (const send of held.splice(0)) send();
    },
    async close(): Promise<void> {
      for (const connection of connections) connection.destroy();
      await Promise.all([
        new Promise<void>((resolve) => void udp.close(resolve)),
        new Promise<void>((resolve) => void tcp.close(() => resolve())),
      ]);
    },
  };
}

/** Binds the socket to a port that is free for TCP too; again where a query to somebody's upstream took the port meanwhile. */
async function bound(udp: UdpSocket): Promise<number> {
  for (;;) {
    const port = await freePort();
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening'); // rejects on an error
      return port;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    }
  }
}

type Found = Pick<Packet, 'answers' | 'authorities'> & { readonly rcode: number };

const FORMERR = 1;
const NXDOMAIN = 3;
const REFUSED = 5;

/** RFC 1034 section 4.3.2, with CNAMEs followed inside the text. */
function find(records: readonly Answer[], question: Question): Found {
  const soa = records
    .filter((record) => record.type === 'SOA' && isWithin(question.name, record.name))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (soa === undefined) return { rcode: REFUSED };
  const here = records.filter((record) => same(record.name, question.name));
  const cname = here.find((record): record is StringAnswer => record.type === 'CNAME');
  if (cname !== undefined && question.type !== 'CNAME') {
    const target = find(records, { ...question, name: cname.data });
    return { ...target, answers: [cname, ...(target.answers ?? [])] };
  }
  const answers = here
    .filter((record) => record.type === question.type)
    .map((record) => ({ ...record, name: question.name })); // as servers do whose owner points to the question
  if (answers.length > 0) return { rcode: 0, answers };
  const exists = records.some((record) => isWithin(record.name, question.name));
  return { rcode: exists ? 0 : NXDOMAIN, authorities: [soa] };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function isWithin(name: string, ancestor: string): boolean {
  return same(name, ancestor) || name.toLowerCase().endsWith(`.${ancestor.toLowerCase()}`);
}

/** One line `name ttl IN type rdata`, names absolute; empty lines and `;` comments give nothing. */
function recordsFrom(line: string): Answer[] {
  const text = line.replace(/;.*$/, '').trim();
  if (text === '') return [];
  const [name = '', ttl, , type, ...rdata] = text.split(/\s+/);
  const head = { name: name.replace(/\.$/, ''), ttl: Number(ttl) };
  const [first = '', second = '', ...numbers] = rdata.map((word) => word.replace(/\.$/, ''));
  if (type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'NS' || type === 'PTR') {
    return [{ ...head, type, data: first }];
  }
  if (type === 'TXT') return [{ ...head, type, data: [rdata.join(' ').replace(/^"|"$/g, '')] }];
  if (type === 'SOA') {
    const [serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0] = numbers.map(Number);
    return [{ ...head, type, data: { mname: first, rname: second, serial, refresh, retry, expire, minimum } }];
  }
  throw new Error(`the upstream cannot read "${line}"`);
}
