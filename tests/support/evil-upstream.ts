/**
 * A real DNS server on a loopback port that misbehaves as the first label of the name, or the test, tells it to. Speaks with
 * dns-packet, knows nothing of the server under test.
 */

import { createSocket, type RemoteInfo } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';

import dnsPacket, { type Answer, type Packet, type Question } from 'dns-packet';

import type { Protocol } from '../../server/query.ts';
import { framed, onFrames, REPLY_DEADLINE } from './client.ts';
import { freePort } from './server.ts';

/** A query that came. */
export type SeenQuery = {
  /** As it was sent. */
  readonly octets: Buffer;
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
  /** Lets replies to all `held` names go, or to one; until then they wait. */
  release: (name?: string) => void;
  /** Ends all TCP connections, as an upstream that restarts does. */
  hangUp: () => void;
  close: () => Promise<void>;
};

/**
 * `tcp: false` refuses TCP; `port` for one that must be known before. Programs, with N for a number:
 * `ok` · `ttl-N` · `chain-N` (CNAMEs) · `big-N` (A records) · `rcode-N` · `nxdomain-N-M` and `nodata-N-M` (SOA TTL and MINIMUM) · `nosoa` ·
 * `empty` · `extra` (records of other names) · `unknown` (TYPE65280) · `authentic` · `explained-N` (EDE) ·
 * `held` and `held-N` (waits, then says rcode N) ·
 * `mixed-N-M` (two A records, two TTLs) · `stuffed-N` (an A record, N in additional for those with EDNS) · `signed` (RRSIG for those who say DO) ·
 * `max-N` (a NULL record that makes the message N octets long; over UDP only TC) · `A_B` (A for the first query of that name and type, B for all later ones)
 * UDP only, the truth over TCP: `wrongid-N` `wrongq-N` `wrongclass-N` `qr0-N` `garbage-N` `short-N` `bare-N` (N of these, then the truth) ·
 * `wrongcase` · `cutoff` (the question, then rubbish) · `dup-N` · `tc` · `partial` (TC and one of three A records) · `silent`
 * Both: `mute` · `lowercase` · `tcloop` · `plainonly` and `plainonlybare` (FORMERR to EDNS) · `badvers`
 * TCP only: `hangup` (closes instead of answering)
 */
export async function startEvilUpstream(
  options: { readonly tcp?: boolean; readonly port?: number } = {},
): Promise<EvilUpstream> {
  const seen: SeenQuery[] = [];
  const events = new EventEmitter();
  const held: { readonly name: string; readonly send: () => void }[] = [];
  const released = new Set<string>();
  let behaviour: string | undefined;
  let isHolding = true;
  const isHeld = (name: string): boolean => isHolding && !released.has(name.toLowerCase());

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
    const again = seen.some((each) => each.type === question.type && sameName(each.name, question.name));
    seen.push(seenFrom(octets, query, question, protocol, port));
    const program = programFrom(behaviour ?? question.name, again);
    if (program.startsWith('held') && isHeld(question.name)) {
      held.push({ name: question.name, send: () => send(truth(octets, question, program)) });
    } else if (program.startsWith('hangup') && protocol === 'tcp') hangUp();
    else for (const reply of repliesTo(octets, question, program, protocol)) send(reply);
    events.emit('query');
  };

  const port = options.port ?? (await freePort());
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
    onFrames(socket, (message) =>
      take(
        message,
        'tcp',
        socket.remotePort ?? 0,
        (reply) => socket.write(framed(reply)),
        () => socket.end(),
      ),
    );
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
    release(name) {
      if (name === undefined) isHolding = false;
      else released.add(name.toLowerCase());
      for (const each of held.splice(0)) {
        if (isHeld(each.name)) held.push(each);
        else each.send();
      }
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

/** The first label is the program; of two with `_` between them the second is for who asks again. */
function programFrom(name: string, again: boolean): string {
  if (name === '.') return 'root';
  const programs = (name.split('.')[0] ?? '').toLowerCase().split('_');
  return (again ? programs.at(-1) : programs[0]) ?? '';
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function seenFrom(octets: Buffer, query: Packet, question: Question, protocol: Protocol, port: number): SeenQuery {
  const flags = query.flags ?? 0;
  return {
    octets,
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
    case 'max':
      return [protocol === 'tcp' ? padded(reply, count) : withoutRecords(withFlags(reply, (flags) => flags | TC))];
  }
  if (protocol === 'tcp') return [reply];
  const forged = forgery(reply);
  const lies = (lie: (index: number) => Buffer): readonly Buffer[] => [
    ...Array.from({ length: count }, (_, i) => lie(i)),
    reply,
  ];
  switch (word) {
    case 'wrongid':
      return lies((i) => withId(forged, (reply.readUInt16BE(0) + 1 + i) & 0xffff));
    case 'wrongq':
      return lies(() =>
        withQuestion(forged, (octets) => octets.with(octets.length - 6, octets.at(-6) === 0x7a ? 0x79 : 0x7a)),
      );
    case 'wrongclass':
      return lies(() => withQuestion(forged, (octets) => octets.with(octets.length - 1, 3)));
    case 'qr0':
      return lies(() => withFlags(forged, (flags) => flags & 0x7fff));
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
    case 'partial':
      return [withFlags(truth(query, question, 'big-1'), (flags) => flags | TC)];
    case 'silent':
      return [];
    default:
      return [reply];
  }
}

/** What an honest server would say. */
function truth(query: Buffer, question: Question, program: string): Buffer {
  const { id = 0, flags = 0, additionals = [] } = dnsPacket.decode(query);
  const opt = additionals.find((record) => record.type === 'OPT');
  const content = contentOf(question, program, { flags, hasEdns: opt !== undefined, dnssecOk: opt?.flag_do === true });
  return dnsPacket.encode({
    type: 'response',
    id,
    flags: (flags & dnsPacket.RECURSION_DESIRED) | dnsPacket.RECURSION_AVAILABLE | (content.flags ?? 0),
    questions: [question],
    ...content,
  });
}

type Wishes = { readonly flags: number; readonly hasEdns: boolean; readonly dnssecOk: boolean };

function contentOf(question: Question, program: string, wishes: Wishes): Partial<Packet> {
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
    case 'partial':
      return contentOf(question, 'big-3', wishes);
    case 'mixed':
      return { answers: [address(name, number), address(name, Number(second), '192.0.2.2')] };
    case 'stuffed':
      return {
        answers: [address(name)],
        additionals: Array.from({ length: wishes.hasEdns ? number : 0 }, (_, i) =>
          address(`host${i}.example.org`, 300, `192.0.2.${i & 255}`),
        ),
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
    case 'held':
      return first === undefined ? { answers: [address(name)] } : { flags: number };
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
    case 'signed':
      return { answers: [address(name), ...(wishes.dnssecOk ? [signature(name)] : [])] };
    case 'root':
      return { answers: [atRoot(question.type)] };
    case 'authentic':
      return {
        flags: (wishes.flags & dnsPacket.AUTHENTIC_DATA) !== 0 ? dnsPacket.AUTHENTIC_DATA : 0,
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

/** What the root has of that type. */
function atRoot(type: string): Answer {
  if (type !== 'DNSKEY') return { name: '.', type: 'NS', ttl: 300, data: 'a.root-servers.net' };
  return { name: '.', type, ttl: 300, data: { flags: 257, algorithm: 8, key: Buffer.alloc(64, 7) } };
}

/** Of nobody's, in force for an hour: caches look at the dates. */
function signature(owner: string): Answer {
  const now = Math.floor(Date.now() / 1000);
  const data = {
    typeCovered: 'A',
    algorithm: 8,
    labels: owner.split('.').length,
    originalTTL: 300,
    expiration: now + 3_600,
    inception: now - 3_600,
    keyTag: 7,
    signersName: 'example.org',
    signature: Buffer.alloc(64, 7),
  } as const;
  return { name: owner, type: 'RRSIG', ttl: 300, data } as unknown as Answer; // its declared type has strings for numbers
}

/** A reply with one NULL record (RFC 1035 section 3.3.10), so large that the message has `size` octets. */
function padded(reply: Buffer, size: number): Buffer {
  const head = withoutRecords(reply);
  head.writeUInt16BE(1, 6);
  const record = Buffer.from('c00c000a00010000012c0000', 'hex');
  const rdata = Buffer.alloc(size - head.length - record.length, 7);
  record.writeUInt16BE(rdata.length, 10);
  return Buffer.concat([head, record, rdata]);
}

/** The reply with 203.0.113.66 for its last address. */
function forgery(reply: Buffer): Buffer {
  return Buffer.concat([reply.subarray(0, -4), Buffer.of(203, 0, 113, 66)]);
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
