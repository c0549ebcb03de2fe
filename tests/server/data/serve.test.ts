import test from 'ava';

import type { Block, Routes } from '../../../server/data/block.ts';
import { Server, TRANSFERS_MAX, WAITING_MAX, type Messages } from '../../../server/data/serve.ts';
import { decodeUpstreamReply, type UpstreamReply } from '../../../server/wire/upstream-message.ts';
import type { Exchange, Handler, Observer } from '../../../server/pipeline.ts';
import { emptyReply, type Reply } from '../../../server/query.ts';
import { nameFrom, ROOT } from '../../../zones/name.ts';
import { soaRdata } from '../../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../../zones/rr.ts';
import { TEST_PEER, testContext } from '../../support/plugin-context.ts';
import { decodeReply } from '../../support/present.ts';
import { asked, encodeQuery } from '../../support/query.ts';

const EDNS = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
const ADDRESS: RRset = {
  owner: nameFrom('web.example.org'),
  type: RRType.A,
  ttl: 5,
  rdatas: [Uint8Array.of(192, 0, 2, 7)],
};
const SOA: RRset = {
  owner: nameFrom('example.org'),
  type: RRType.SOA,
  ttl: 5,
  rdatas: [soaRdata({ mname: ROOT, rname: ROOT, serial: 7, refresh: 7200, retry: 1800, expire: 86_400, minimum: 5 })],
};
const GOOD: Reply = { ...emptyReply(Rcode.NOERROR, 'test'), answer: [ADDRESS] };
const UNWRITABLE: Reply = { ...GOOD, answer: [{ ...ADDRESS, ttl: -1 }] };

function served(handler: Handler, ...observers: Observer[]) {
  const { context, lines, series } = testContext();
  const server = new Server(context.clock, context.log, context.counters);
  const block: Block = { handler, transfers: undefined, express: undefined, observers, unrouted: observers[0] };
  const routes: Routes = {
    zones: new Map([[nameFrom('example.org'), { zone: 'example.org.', block }]]),
    unrouted: observers.slice(0, 1),
  };
  const ask = (packet: Buffer): ReturnType<Server['serve']> => server.serve(packet, TEST_PEER, routes);
  return { ask, lines, count: (row: string): number | undefined => series().get(row)?.[0] };
}

function query(name = 'web.example.org', changes: Partial<Parameters<typeof asked>[2]> = {}): Buffer {
  return encodeQuery(1, asked(name, 'A', { edns: EDNS, ...changes }));
}

async function read(reply: ReturnType<Server['serve']>): Promise<UpstreamReply> {
  return decodeUpstreamReply(await onlyReply(reply));
}

async function onlyReply(reply: ReturnType<Server['serve']>): Promise<Buffer> {
  const octets = await reply;
  if (!Buffer.isBuffer(octets)) throw new Error('not one reply');
  return octets;
}

const faults: readonly { name: string; handler: Handler }[] = [
  {
    name: 'a handler that throws',
    handler: () => {
      throw new Error('oh');
    },
  },
  { name: 'a handler whose promise is broken', handler: async () => Promise.reject(new Error('oh')) },
  {
    name: 'a reply that cannot be written',
    handler: () => UNWRITABLE,
  },
  {
    name: 'a late reply that cannot be written',
    handler: async () => UNWRITABLE,
  },
];

for (const { name, handler } of faults) {
  test(`a fault is one SERVFAIL, counted and logged, and the next query is answered: ${name}`, async (t) => {
    let isFaulty = true;
    const { ask, lines, count } = served((asked) => (isFaulty ? handler(asked) : GOOD));
    const reply = await read(ask(query()));
    t.is(reply.rcode, Rcode.SERVFAIL);
    t.deepEqual(reply.extendedError, { code: 0, text: 'internal fault' });
    t.is(count('coredns_panics_total{}'), 1);
    t.is(lines.length, 1);
    isFaulty = false;
    t.is((await read(ask(query()))).answer.length, 1);
  });
}

for (const handler of [(): Reply => GOOD, async (): Promise<Reply> => GOOD]) {
  test(`an observer that throws takes neither the ${handler() === GOOD ? 'reply' : 'late reply'} nor what other observers are told`, async (t) => {
    const told: Exchange[] = [];
    const { ask, count } = served(
      handler,
      () => {
        throw new Error('oh');
      },
      (exchange) => told.push(exchange),
    );
    t.is((await read(ask(query()))).answer.length, 1);
    t.is(told.length, 1);
    t.is(count('coredns_panics_total{}'), 1);
  });
}

const refusals: readonly { name: string; packet: Buffer; code: number; zone?: string }[] = [
  { name: 'a name in no zone', packet: query('www.example.net'), code: 20 },
  { name: 'another class', packet: query('web.example.org', { class: 3 }), code: 21 },
  {
    name: 'a zone transfer from a block that offers none',
    packet: query('example.org', { type: RRType.AXFR }),
    code: 21,
    zone: 'example.org.',
  },
];

for (const { name, packet, code, zone = 'dropped' } of refusals) {
  test(`refused, with the reason (RFC 8914), and told to the observer of such queries: ${name}`, async (t) => {
    const told: Exchange[] = [];
    const { ask } = served(
      () => GOOD,
      (exchange) => told.push(exchange),
    );
    const reply = await read(ask(packet));
    t.is(reply.rcode, Rcode.REFUSED);
    t.is(reply.extendedError?.code, code);
    t.deepEqual(
      told.map((exchange) => exchange.zone),
      [zone],
    );
  });
}

test('observers are told the reply that went out, not the one that was too large to go', async (t) => {
  const told: Exchange[] = [];
  const huge = { ...GOOD, answer: [{ ...ADDRESS, type: 65_280, rdatas: [new Uint8Array(65_530)] }] };
  const { context } = testContext();
  const server = new Server(context.clock, context.log, context.counters);
  const block: Block = {
    handler: () => huge,
    transfers: undefined,
    express: undefined,
    observers: [(exchange) => told.push(exchange)],
    unrouted: undefined,
  };
  const zones = new Map([[nameFrom('.'), { zone: '.', block }]]);
  const reply = await read(server.serve(query(), { ...TEST_PEER, protocol: 'tcp' }, { zones, unrouted: [] }));
  t.is(reply.rcode, Rcode.SERVFAIL);
  t.is(told[0]?.reply.rcode, Rcode.SERVFAIL);
});

test('a message is silently dropped or refused before any block, and counted by the reason', async (t) => {
  const { ask, count } = served(() => GOOD);
  t.is(ask(Buffer.alloc(11)), undefined);
  t.is(count('fivedots_dropped_messages_total{reason="short"}'), 1);
  const update = query();
  update.writeUInt8(0x28, 2);
  t.is((await read(withoutOpcode(ask(update)))).rcode, Rcode.NOTIMP);
  t.is(count('fivedots_rejected_messages_total{reason="opcode"}'), 1);
  t.is((await read(ask(Buffer.concat([query(), Buffer.alloc(1)])))).rcode, Rcode.FORMERR);
  t.is(count('fivedots_rejected_messages_total{reason="malformed"}'), 1);
});

test('when as many queries wait as may wait, the next fails at once and is counted; then there is room again', async (t) => {
  const late = Promise.withResolvers<Reply>();
  const { ask, count } = served(() => late.promise);
  const waiting = Array.from({ length: WAITING_MAX }, async () => ask(query()));
  t.is((await read(ask(query()))).rcode, Rcode.SERVFAIL);
  t.is(count('fivedots_rejected_messages_total{reason="waiting"}'), 1);
  late.resolve(GOOD);
  await Promise.all(waiting);
  t.is((await read(ask(query()))).rcode, Rcode.NOERROR);
});

const ZONE: readonly RRset[] = [SOA, ...Array.from({ length: 2_000 }, (_, i) => addressOf(`a${i}.example.org`)), SOA];

test('a zone transfer is many messages, and to observers one exchange', async (t) => {
  const told: Exchange[] = [];
  const { transfer } = transferring(() => ZONE, told);
  const messages = await all(transfer());
  t.true(messages.length > 1);
  const records = messages.flatMap((message) => decodeReply(message).answer);
  t.is(records.length, ZONE.length);
  t.deepEqual([records[0]?.type, records.at(-1)?.type], ['SOA', 'SOA']);
  t.is(told.length, 1);
  t.is(
    told[0]?.size,
    messages.reduce((size, message) => size + message.length, 0),
  );
  t.is(told[0]?.reply.rcode, Rcode.NOERROR);
});

test('a zone goes over TCP only, whatever its plugin says', async (t) => {
  const { transfer } = transferring(() => ZONE);
  t.is((await read(transfer('udp'))).answer.length, 0);
});

test('as many transfers as may be at once; the next is SERVFAIL and counted, and there is room when one is broken off', async (t) => {
  const told: Exchange[] = [];
  const { transfer, count } = transferring(() => ZONE, told);
  const running = Array.from({ length: TRANSFERS_MAX }, () => messagesOf(transfer()));
  await Promise.all(running.map(async (messages) => messages.next()));
  const refused = await read(transfer());
  t.is(refused.rcode, Rcode.SERVFAIL);
  t.is(refused.extendedError?.text, 'too many zone transfers');
  t.is(count('fivedots_rejected_messages_total{reason="transfers"}'), 1);
  await running[0]?.return();
  t.is(told.length, 2, 'who breaks off has asked, too');
  t.true((await all(transfer())).length > 1);
});

test('a fault in the middle of a zone breaks the transfer off; it is counted and logged, and told to observers', async (t) => {
  const told: Exchange[] = [];
  const { transfer, count } = transferring(function* () {
    yield* ZONE.slice(0, 1_000);
    throw new Error('oh');
  }, told);
  const messages = messagesOf(transfer());
  t.false((await messages.next()).done);
  await t.throwsAsync(async () => all(messages), { message: 'oh' });
  t.is(count('coredns_panics_total{}'), 1);
  t.is(told.length, 1);
  t.true((await all(transferring(() => ZONE).transfer())).length > 1);
});

test('a fault before a zone begins is one SERVFAIL', async (t) => {
  const { transfer, count } = transferring(() => {
    throw new Error('oh');
  });
  t.is((await read(transfer())).rcode, Rcode.SERVFAIL);
  t.is(count('coredns_panics_total{}'), 1);
});

test('others have their turn between two messages, and where a zone takes its time', async (t) => {
  const turns: string[] = [];
  const { transfer } = transferring(() => [SOA, undefined, undefined, undefined, SOA]);
  const reading = all(transfer()).then((messages) => turns.push(`${messages.length} messages`));
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    turns.push('turn');
  }
  await reading;
  t.deepEqual(turns, ['turn', 'turn', 'turn', '2 messages']);
});

/** A server with one block, whose zone is what `records` gives. */
function transferring(records: () => Iterable<RRset | undefined>, told: Exchange[] = []) {
  const { context, series } = testContext();
  const server = new Server(context.clock, context.log, context.counters);
  const block: Block = {
    handler: () => GOOD,
    transfers: () => ({ reply: { ...GOOD, answer: [], authoritative: true }, rrsets: records() }),
    observers: [(exchange) => told.push(exchange)],
    unrouted: undefined,
    express: undefined,
  };
  const zones = new Map([[nameFrom('example.org'), { zone: 'example.org.', block }]]);
  const packet = query('example.org', { type: RRType.AXFR });
  return {
    transfer: (protocol: 'udp' | 'tcp' = 'tcp') =>
      server.serve(packet, { ...TEST_PEER, protocol }, { zones, unrouted: [] }),
    count: (row: string): number | undefined => series().get(row)?.[0],
  };
}

function addressOf(name: string): RRset {
  return { ...ADDRESS, owner: nameFrom(name) };
}

async function all(reply: ReturnType<Server['serve']>): Promise<Buffer[]> {
  return Array.fromAsync(messagesOf(reply));
}

function messagesOf(reply: ReturnType<Server['serve']>): Messages {
  if (reply === undefined || reply instanceof Promise || Buffer.isBuffer(reply)) throw new Error('one reply, not many');
  return reply;
}

/** The reader of upstream replies knows opcode QUERY only. */
async function withoutOpcode(reply: ReturnType<Server['serve']>): Promise<Buffer> {
  const octets = Buffer.from(await onlyReply(reply));
  octets.writeUInt8(octets.readUInt8(2) & 0x87, 2);
  return octets;
}
