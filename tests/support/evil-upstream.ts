/**
 * A real DNS server on a loopback port that misbehaves as the first label of the name, or the test, tells it to. Speaks with
 * dns-packet, knows nothing of the server under test.
 */

import { createSocket, type RemoteInfo } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import dnsPacket, { type Answer, type Packet, type Question } from 'dns-packet';

import type { Protocol } from '../../server/query.ts';
import { framed, REPLY_DEADLINE } from './client.ts';
import { freePort } from './server.ts';

/** A query that came. */
export type SeenQuery = {
  readonly protocol: Protocol;
  readonly id: number;
  /** Source port. */
  readonly port: number;
  /** As spelled. */
  readonly name: string;
  readonly type: string;
  readonly hasEdns: boolean;
  readonly recursionDesired: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
};

export type EvilUpstream = {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly seen: readonly SeenQuery[];
  /** TCP connections accepted so far. */
  readonly connections: () => number;
  /** Resolves when so many TCP connections have ended, all in all. */
  closed: (count: number) => Promise<void>;
  /** A program for every name, or undefined for the name's own. */
  behave: (program: string | undefined) => void;
  /** Resolves when so many queries that pass have come, all in all. */
  asked: (count: number, passes?: (query: SeenQuery) => boolean) => Promise<void>;
  /** Lets replies to `held` names go; until then they wait. */
  release: () => void;
  /** Ends all TCP connections, as an upstream that restarts does. */
  hangUp: () => void;
  close: () => Promise<void>;
};

/**
 * `tcp: false` refuses TCP. Programs, with N for a number:
 * `ok` · `ttl-N` · `chain-N` (CNAMEs) · `big-N` (A records) · `rcode-N` · `nxdomain-N-M` and `nodata-N-M` (SOA TTL and MINIMUM) · `nosoa` ·
 * `empty` · `extra` (records of other names) · `unknown` (TYPE65280) · `authentic` · `explained-N` (EDE) · `held`
 * UDP only, the truth over TCP: `wrongid-N` `wrongq-N` `wrongclass-N` `qr0-N` `garbage-N` `short-N` `bare-N` (N of these, then the truth) ·
 * `wrongcase` · `cutoff` (the question, then rubbish) · `dup-N` · `tc` (part of the answer) · `silent`
 * Both: `mute` · `lowercase` · `tcloop` · `plainonly` and `plainonlybare` (FORMERR to EDNS) · `badvers`
 * TCP only: `hangup` (closes instead of answering)
 */
export async function startEvilUpstream(options: { readonly tcp?: boolean } = {}): Promise<EvilUpstream> {
  const seen: SeenQuery[] = [];
  const events = new EventEmitter();
  const held: (() => void)[] = [];
  let behaviour: string | undefined;
  let isHolding = true;

  const take = (
    octets: Buffer,
    protocol: Protocol,
    port: number,
    send: (reply: Buffer) => void,
    hangUp: () => void,
  ): void => {
    const query = dnsPacket.decode(octets);
    const question = query.questions?.[0];
    if (question === undefined) return;
    seen.push(seenFrom(query, question, protocol, port));
    const program = behaviour ?? question.name.split('.')[0]?.toLowerCase() ?? '';
    if (program.startsWith('held') && isHolding) held.push(() => send(truth(octets, question, 'ok')));
    else if (program.startsWith('hangup') && protocol === 'tcp') hangUp();
    else for (const reply of repliesTo(octets, question, program, protocol)) send(reply);
    events.emit('query');
  };

  const port = await freePort();
  const udp = createSocket('udp4');
  udp.on('message', (octets: Buffer, from: RemoteInfo) => {
    take(
      octets,
      'udp',
      from.port,
      (reply) => udp.send(reply, from.port, from.address),
      () => {},
    );
  });
  udp.bind(port, '127.0.0.1');
  await once(udp, 'listening');

  const sockets = new Set<Socket>();
  let accepted = 0;
  let ended = 0;
  const tcp = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      ended++;
      events.emit('closed');
    });
    let received = Buffer.alloc(0);
    socket.on('data', (octets: Buffer) => {
      received = Buffer.concat([received, octets]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const message = received.subarray(2, end);
        received = received.subarray(end);
        take(
          message,
          'tcp',
          socket.remotePort ?? 0,
          (reply) => socket.write(framed(reply)),
          () => socket.end(),
        );
      }
    });
  });
  if (options.tcp !== false) {
    tcp.listen(port, '127.0.0.1');
    await once(tcp, 'listening');
  }

  return {
    port,
    address: `127.0.0.1:${port}`,
    seen,
    connections: () => accepted,
    async closed(count) {
      const signal = AbortSignal.timeout(REPLY_DEADLINE);
      while (ended < count) await once(events, 'closed', { signal });
    },
    behave: (program) => void (behaviour = program),
    async asked(count, passes = () => true) {
      const signal = AbortSignal.timeout(REPLY_DEADLINE);
      while (seen.filter(passes).length < count) await once(events, 'query', { signal });
    },
    release() {
      isHolding = false;
      for (const send of held.splice(0)) send();
    },
    hangUp() {
      for (const socket of sockets) socket.end();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void udp.close(resolve));
      if (tcp.listening) await new Promise<void>((resolve) => void tcp.close(() => resolve()));
    },
  };
}

function seenFrom(query: Packet, question: Question, protocol: Protocol, port: number): SeenQuery {
  const flags = query.flags ?? 0;
  return {
    protocol,
    id: query.id ?? 0,
    port,
    name: question.name,
    type: question.type,
    hasEdns: (query.additionals ?? []).some((record) => record.type === 'OPT'),
    recursionDesired: (flags & dnsPacket.RECURSION_DESIRED) !== 0,
    authenticData: (flags & dnsPacket.AUTHENTIC_DATA) !== 0,
    checkingDisabled: (flags & dnsPacket.CHECKING_DISABLED) !== 0,
  };
}

const TC = 0x0200;

function repliesTo(query: Buffer, question: Question, program: string, protocol: Protocol): readonly Buffer[] {
  const [word = '', number] = program.split('-');
  const count = Number(number ?? 1);
  const reply = truth(query, question, program);
  const hasEdns = (dnsPacket.decode(query).additionals ?? []).some((record) => record.type === 'OPT');
  switch (word) {
    case 'mute':
      return [];
    case 'lowercase':
      return [
        withQuestion(reply, (octets) => octets.map((octet) => (octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet))),
      ];
    case 'tcloop':
      return [withFlags(reply, (flags) => flags | TC)];
    case 'plainonly':
      return [hasEdns ? withoutRecords(withFlags(reply, (flags) => flags | 1)) : reply];
    case 'plainonlybare':
      return [hasEdns ? bareError(query) : reply];
    case 'badvers':
      return [hasEdns ? badVersion(query, question) : reply];
  }
  if (protocol === 'tcp') return [reply];
  const lies = (lie: (index: number) => Buffer): readonly Buffer[] => [
    ...Array.from({ length: count }, (_, i) => lie(i)),
    reply,
  ];
  switch (word) {
    case 'wrongid':
      return lies((i) => withId(reply, (reply.readUInt16BE(0) + 1 + i) & 0xffff));
    case 'wrongq':
      return lies(() =>
        withQuestion(reply, (octets) => octets.with(octets.length - 6, octets.at(-6) === 0x7a ? 0x79 : 0x7a)),
      );
    case 'wrongclass':
      return lies(() => withQuestion(reply, (octets) => octets.with(octets.length - 1, 3)));
    case 'qr0':
      return lies(() => withFlags(reply, (flags) => flags & 0x7fff));
    case 'garbage':
      return lies((i) => Buffer.concat([reply.subarray(0, 2), Buffer.alloc(20 + i, 0xff)]));
    case 'short':
      return lies((i) => reply.subarray(0, i % 12));
    case 'bare':
      return lies(() => bareError(query));
    case 'wrongcase':
      return [withQuestion(reply, (octets) => octets.map((octet) => (isLetter(octet) ? octet ^ 0x20 : octet)))];
    case 'cutoff':
      return [reply.subarray(0, reply.length - 3)];
    case 'dup':
      return [...Array.from({ length: count - 1 }, () => reply), reply];
    case 'tc':
      return [withFlags(reply, (flags) => flags | TC)];
    case 'silent':
      return [];
    default:
      return [reply];
  }
}

/** What an honest server would say. */
function truth(query: Buffer, question: Question, program: string): Buffer {
  const { id = 0, flags = 0 } = dnsPacket.decode(query);
  const content = contentOf(question, program, flags);
  return dnsPacket.encode({
    type: 'response',
    id,
    flags: (flags & dnsPacket.RECURSION_DESIRED) | dnsPacket.RECURSION_AVAILABLE | (content.flags ?? 0),
    questions: [question],
    ...content,
  });
}

function contentOf(question: Question, program: string, flags: number): Partial<Packet> {
  const [word = '', first, second] = program.split('-');
  const { name } = question;
  const number = Number(first ?? 1);
  const address = (owner: string, ttl = 300, data = '192.0.2.1'): Answer => ({ name: owner, type: 'A', ttl, data });
  switch (word) {
    case 'ttl':
      return { answers: [address(name, number)] };
    case 'big':
      return {
        answers: Array.from({ length: number }, (_, i) => address(name, 300, `192.0.${2 + (i >> 8)}.${i & 255}`)),
      };
    case 'chain':
      return {
        answers: [
          ...Array.from({ length: number }, (_, i): Answer => {
            const owner = i === 0 ? name : `link${i}.example.org`;
            return { name: owner, type: 'CNAME', ttl: 300, data: `link${i + 1}.example.org` };
          }),
          address(`link${number}.example.org`),
        ],
      };
    case 'rcode':
      return { flags: number };
    case 'nxdomain':
      return { flags: 3, authorities: [soa(number, Number(second ?? number))] };
    case 'nodata':
      return { authorities: [soa(number, Number(second ?? number))] };
    case 'nosoa':
      return { flags: 3 };
    case 'empty':
      return {};
    case 'extra':
      return {
        answers: [address(name), address('victim.example.org', 300, '203.0.113.66')],
        authorities: [{ name: 'example.org', type: 'NS', ttl: 300, data: 'ns.evil.example' }],
        additionals: [address('victim.example.org', 300, '203.0.113.66')],
      };
    case 'unknown':
      return {
        answers: [{ name, type: 'UNKNOWN_65280', ttl: 300, data: Buffer.from('c00c0304', 'hex') } as unknown as Answer],
      };
    case 'authentic':
      return {
        flags: (flags & dnsPacket.AUTHENTIC_DATA) !== 0 ? dnsPacket.AUTHENTIC_DATA : 0,
        answers: [address(name)],
      };
    case 'explained': {
      const data = Buffer.concat([Buffer.from([number >> 8, number & 255]), Buffer.from('because')]);
      const opt = {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        flags: 0,
        options: [{ code: 15, data }],
      } as unknown as Answer;
      return { flags: 2, additionals: [opt] };
    }
    default:
      return { answers: [address(name)] };
  }
}

function soa(ttl: number, minimum: number): Answer {
  const data = {
    mname: 'ns.example.org',
    rname: 'mail.example.org',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum,
  };
  return { name: 'example.org', type: 'SOA', ttl, data };
}

function withId(reply: Buffer, id: number): Buffer {
  const copy = Buffer.from(reply);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function withFlags(reply: Buffer, change: (flags: number) => number): Buffer {
  const copy = Buffer.from(reply);
  copy.writeUInt16BE(change(copy.readUInt16BE(2)), 2);
  return copy;
}

/** Header and question only. */
function withoutRecords(reply: Buffer): Buffer {
  const copy = Buffer.from(reply.subarray(0, questionEnd(reply)));
  copy.fill(0, 6, 12);
  return copy;
}

function bareError(query: Buffer): Buffer {
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8001, 2);
  return header;
}

/** RFC 6891 section 6.1.3: rcode 16 is 1 in the OPT record and 0 in the header. */
function badVersion(query: Buffer, question: Question): Buffer {
  const { id = 0 } = dnsPacket.decode(query);
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 1232,
    extendedRcode: 1,
    flags: 0,
    options: [],
  } as unknown as Answer;
  return dnsPacket.encode({ type: 'response', id, flags: 0, questions: [question], additionals: [opt] });
}

function withQuestion(reply: Buffer, change: (octets: Uint8Array) => Uint8Array): Buffer {
  const copy = Buffer.from(reply);
  const end = questionEnd(reply);
  copy.set(change(Uint8Array.from(reply.subarray(12, end))), 12);
  return copy;
}

function questionEnd(reply: Buffer): number {
  let at = 12;
  while ((reply[at] ?? 0) !== 0) at += 1 + (reply[at] ?? 0);
  return at + 5;
}

function isLetter(octet: number): boolean {
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
