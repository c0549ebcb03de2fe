/**
 * Asking a server in every way it can be reached, and saying what it should have said. Knows messages and sockets, no check and no
 * server.
 */

import { randomBytes, randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import type { Protocol } from '../../server/query.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { exchange, REPLY_DEADLINE, type ServerAddress } from '../support/client.ts';
import { asked, encodeQuery, type Asked } from '../support/query.ts';
import { readReply, type Flag, type Reply } from '../support/reply.ts';
import { rrsetFaults } from '../support/rrset-faults.ts';
import { ConformanceError, type Subject } from './check.ts';
import { ZONE } from './cluster.ts';
import { converse } from './conversation.ts';

/** One way to a server. */
export type Lane = { readonly server: ServerAddress; readonly protocol: Protocol };

/** UDP and TCP over an address of each family that the subject has. */
export function lanesOf({ addresses }: Subject, ...protocols: readonly Protocol[]): readonly Lane[] {
  const all: readonly Protocol[] = protocols.length === 0 ? ['udp', 'tcp'] : protocols;
  const servers = [...Map.groupBy(addresses, ({ host }) => isIPv6(host)).values()].flatMap((same) => same.slice(0, 1));
  return servers.flatMap((server) => all.map((protocol) => ({ server, protocol })));
}

/**
 * Does the same on every lane, or on those of some protocols, at the same time.
 * @throws ConformanceError that says on which lanes something went wrong, if not on all, and what on the first of them
 */
export async function onEveryLane(
  subject: Subject,
  run: (lane: Lane) => Promise<unknown>,
  ...protocols: readonly Protocol[]
): Promise<void> {
  const lanes = lanesOf(subject, ...protocols);
  // Silence and closed connections are the server's doing too, and are told like a wrong answer.
  const outcomes = await Promise.all(
    lanes.map((lane) =>
      run(lane).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      ),
    ),
  );
  const failed = lanes.flatMap((lane, i) => (outcomes[i] === undefined ? [] : [presentLane(lane)]));
  const cause = outcomes.find((outcome) => outcome !== undefined);
  if (cause === undefined) return;
  const where = failed.length === lanes.length ? '' : `${failed.join(', ')}: `;
  throw new ConformanceError(`${where}${cause.message}`, { cause });
}

/** Does it on the first of a subject's lanes only: what a cache does is the same on all of them. */
export async function onFirstLane(
  { addresses, ...subject }: Subject,
  protocol: Protocol,
  run: (lane: Lane) => Promise<unknown>,
): Promise<void> {
  await onEveryLane({ ...subject, addresses: addresses.slice(0, 1) }, run, protocol);
}

/** Names what a failure is about, where a check asks many things. */
export async function about<T>(what: string, asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw new ConformanceError(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

function presentLane({ protocol, server }: Lane): string {
  return `${protocol.toUpperCase()} over IPv${isIPv6(server.host) ? 6 : 4}`;
}

/**
 * Asks a well-formed question and gives the reply, of which everything holds that holds of each: QR is set, opcode, id and question are
 * those of the query, Z and AD are clear (nobody here validates), an OPT record is there if and only if the query had one, and the
 * records of each section are proper RRsets.
 */
export async function ask(lane: Lane, query: Asked): Promise<Reply> {
  const octets = encodeQuery(randomId(), query);
  const reply = readReply(await exchange(lane.server, lane.protocol, octets));
  isReplyTo(octets, reply);
  const sent = questionOf(octets).toString('hex');
  const echoed = reply.question.toString('hex');
  expectThat(echoed === sent, `the question as it was sent, ${sent}`, echoed === '' ? 'none' : echoed);
  expectEqual('an OPT record', reply.edns !== undefined, query.edns !== undefined);
  for (const section of [reply.answer, reply.authority, reply.additional]) {
    expectEqual('faults of RRsets', rrsetFaults(section), []);
  }
  return reply;
}

/** Asks, and takes any message for a reply: where AD may be set, or an OPT record that cannot be read is not answered with one. */
export async function askFreely({ server, protocol }: Lane, query: Asked): Promise<Reply> {
  return readReply(await exchange(server, protocol, encodeQuery(randomId(), query)));
}

/** The question of a stub that asks an authority: RD clear, no EDNS. */
export function norec(name: string, type: string, changes: Partial<Asked> = {}): Asked {
  return asked(name, type, { recursionDesired: false, ...changes });
}

/** `asked`, the question of a stub: RD set, no EDNS. */
export { asked };

/**
 * Sends any octets and gives the reply, or undefined if there is none. What proves silence is the reply to a second message, sent behind
 * them: servers read a socket in order, and the second question is about the cluster's zone, which takes nobody time. Those who answer
 * side by side may overtake themselves and are given a moment more.
 */
export async function send(lane: Lane, octets: Buffer): Promise<Reply | undefined> {
  const id = octets.length < 2 ? randomId() : (octets.readUInt16BE(0) + 1) & 0xffff;
  const sentinel = encodeQuery(id, asked(ZONE, 'SOA'));
  const isOther = (reply: Buffer): boolean => !reply.subarray(0, 2).equals(sentinel.subarray(0, 2));
  const { replies, send: sendAll, until, close } = await converse(lane.server, lane.protocol);
  try {
    sendAll(octets, sentinel);
    const isProven = await until(() => !replies.every(isOther), REPLY_DEADLINE);
    await until(() => replies.some(isOther), OVERTAKING);
    const reply = replies.find(isOther);
    if (reply !== undefined) return readReply(isReturned(reply, octets) ? bareHeader(reply) : reply);
    // Over TCP a server may close the connection over such a message.
    if (isProven || lane.protocol === 'tcp') return undefined;
    throw new ConformanceError(
      `waited ${REPLY_DEADLINE} ms for a reply to an SOA query that was sent behind ${octets.toString('hex')}`,
    );
  } finally {
    close();
  }
}

/** How long a reply may come behind one that was asked for later. */
const OVERTAKING: Milliseconds = 200;

/** Some servers send a message that they cannot read back with nothing but its header changed: it says no more than the header does. */
function isReturned(reply: Buffer, query: Buffer): boolean {
  return reply.length >= 12 && (reply.readUInt8(3) & 15) !== 0 && reply.subarray(4).equals(query.subarray(4));
}

function bareHeader(reply: Buffer): Buffer {
  return Buffer.concat([reply.subarray(0, 4), Buffer.alloc(8)]);
}

/** NSD and Unbound send at most 100 error replies a second: silence is taken for an answer only when it lasts. */
const SILENT_TRIES: Count = 6;
const SILENCE_PAUSE: Milliseconds = 1_100;

/** `send`, where there should be a reply. */
export async function sendPatiently(lane: Lane, octets: Buffer): Promise<Reply | undefined> {
  let reply = await send(lane, octets);
  for (let tries = 1; reply === undefined && tries < SILENT_TRIES; tries++) {
    await pause(SILENCE_PAUSE);
    reply = await send(lane, octets);
  }
  return reply;
}

/** `send`, where there must be a reply: to this message, with one of these rcodes. */
export async function sendExpecting(lane: Lane, octets: Buffer, ...rcodes: readonly string[]): Promise<Reply> {
  const reply = await sendPatiently(lane, octets);
  if (reply === undefined) throw new ConformanceError(`expected ${rcodes.join(' or ')}, got no reply`);
  isReplyTo(octets, reply);
  expectOneOf('rcode', reply.rcode, ...rcodes);
  return reply;
}

function isReplyTo(query: Buffer, reply: Reply): void {
  expectEqual('id', reply.id, query.readUInt16BE(0));
  expectEqual('opcode', reply.opcode, (query.readUInt8(2) >> 3) & 15);
  expectFlags(reply, { qr: true, z: false, ad: false });
}

/** The question section of a query with one question. */
function questionOf(query: Buffer): Buffer {
  return query.subarray(12, query.indexOf(0, 12) + 5);
}

/** Most characters of a value that are shown: what a server said must fit on a line. */
const SHOWN_MAX: Count = 400;

/** @throws ConformanceError unless both are deeply equal */
export function expectEqual(what: string, got: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(got, expected)) fail(`${what} ${show(expected)}`, show(got));
}

/** @throws ConformanceError unless it is one of these */
export function expectOneOf(what: string, got: string, ...expected: readonly string[]): void {
  if (!expected.includes(got)) fail(`${what} ${expected.join(' or ')}`, got);
}

/** @throws ConformanceError if not; `expected` and `got` in words */
export function expectThat(holds: boolean, expected: string, got: unknown): asserts holds {
  if (!holds) fail(expected, show(got));
}

/** @throws ConformanceError unless the flags are so; others may be as they like */
export function expectFlags(reply: Reply, expected: Partial<Readonly<Record<Flag, boolean>>>): void {
  for (const [flag, isSet] of Object.entries(expected) as [Flag, boolean][]) {
    if (reply.flags.has(flag) !== isSet) fail(`${flag.toUpperCase()}=${Number(isSet)}`, presentHead(reply));
  }
}

/** Records as sorted lines `owner TTL type rdata`: order means nothing in an RRset. */
export function lines(records: Reply['answer']): readonly string[] {
  return records.map(({ owner, ttl, type, rdata }) => `${owner} ${ttl} ${type} ${rdata}`).toSorted();
}

/** Only what the records of a type say. */
export function rdatas(records: Reply['answer'], type: string): readonly string[] {
  return records.filter((record) => record.type === type).map(({ rdata }) => rdata);
}

/** A name that nobody has asked for yet: a reply to it comes from no cache. */
export function freshName(suffix: string): string {
  return `x${randomBytes(6).toString('hex')}.${suffix}`;
}

export function randomId(): number {
  return randomInt(0x10000);
}

/** `NXDOMAIN qr aa rd, 0 answer, 1 authority, 0 additional` */
export function presentHead({ rcode, flags, answer, authority, additional, edns }: Reply): string {
  const sections = `${answer.length} answer, ${authority.length} authority, ${additional.length} additional`;
  return `${[rcode, ...flags].join(' ')}, ${sections}${edns === undefined ? '' : ', OPT'}`;
}

function fail(expected: string, got: string): never {
  throw new ConformanceError(`expected ${expected}, got ${got}`);
}

/** JSON with octets in hex. */
function show(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(hexFrom(value));
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function hexFrom(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(hexFrom);
  if (typeof value !== 'object' || value === null) return value ?? 'nothing';
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, hexFrom(each)]));
}
