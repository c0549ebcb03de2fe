/** What the express lane keeps is bounded, whoever asks for whatever. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import test from 'ava';

import { Account } from '../../../../server/data/express/accounts.ts';
import { OrdinaryQuestion } from '../../../../server/data/express/ordinary-question.ts';
import { PreparedReplies } from '../../../../server/data/express/prepared-replies.ts';
import { prepare } from '../../../../server/data/express/prepared-reply.ts';
import { emptyReply, replyFrom, type Query, type Reply } from '../../../../server/query.ts';
import { HEADER_SIZE } from '../../../../server/wire/gate.ts';
import { decode, isRejected } from '../../../../server/wire/decode.ts';
import { Life } from '../../../../zones/life.ts';
import { Rcode, RRType } from '../../../../zones/rr.ts';
import type { Bytes, Count } from '../../../../zones/units.ts';
import { storeOf } from '../../../support/cluster-zone.ts';
import { EXAMPLE_OBJECTS } from '../../../support/example-cluster.ts';
import { lanesInPlace } from '../../../support/lanes-in-place.ts';
import { TEST_PEER } from '../../../support/plugin-context.ts';
import { asked, encodeQuery } from '../../../support/query.ts';
import { Random } from '../../../support/random.ts';

const UNKNOWN_NAMES: Count = 1_000_000;
/** A byte for each of those names would be a quarter of it. */
const GROWTH_MAX: Bytes = 4 * 1024 * 1024;

test.serial('a million denials of names that are not there leave nothing behind', (t) => {
  const lanes = lanesInPlace({
    corefile: '. {\n loadbalance\n cache 30\n kubernetes cluster.local in-addr.arpa ip6.arpa\n forward . 192.0.2.1\n}',
    store: storeOf(EXAMPLE_OBJECTS),
    upstream: () => emptyReply(Rcode.REFUSED, 'forward'),
  });
  const query = encodeQuery(1, asked('xxxxxxxx.prod.svc.cluster.local', 'A'));
  const denied = (from: Count, to: Count): void => {
    for (let i = from; i < to; i++) {
      query.write(i.toString(36).padStart(8, '0'), 13, 'latin1');
      const reply = lanes.ask(query);
      if ((reply.readUInt8(3) & 15) !== Rcode.NXDOMAIN) t.fail(`${i}`);
    }
  };
  denied(0, 20_000);
  const before = usedMemory();
  denied(20_000, UNKNOWN_NAMES);
  const after = usedMemory();
  t.true(after - before < GROWTH_MAX, `${after - before} octets more`);
  t.is(lanes.total('fivedots_express_prepared_replies'), 0);
  t.is(lanes.total('fivedots_express_replies_total'), UNKNOWN_NAMES);
});

/** Of this process's JavaScript, after what is not needed any more was collected. */
function usedMemory(): Bytes {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test.serial('more cached names than are prepared: generations turn, and every answer is right', (t) => {
  const upstream = ({ question: { name, spelling, type } }: Query): Reply => ({
    ...emptyReply(Rcode.NOERROR, 'forward'),
    answer: [{ owner: spelling, type, ttl: 60, rdatas: [Buffer.from(name.slice(1, 5), 'latin1')] }],
  });
  const lanes = lanesInPlace({
    corefile: '. {\n cache {\n success 100000\n }\n forward . 192.0.2.1\n}',
    upstream,
  });
  const query = encodeQuery(1, asked('xxxx.example.org', 'A'));
  const names: Count = 50_000;
  let kept: Count = 0;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < names; i++) {
      const label = i.toString(36).padStart(4, '0');
      query.write(label, 13, 'latin1');
      const reply = lanes.ask(query);
      if (reply.toString('latin1', reply.length - 4) !== label) return t.fail(`${label} in round ${round}`);
      if (i % 5000 === 0) kept = Math.max(kept, lanes.total('fivedots_express_prepared_replies'));
    }
  }
  t.true(kept > 16_384 && kept <= 2 * 16_384, `${kept}`);
  t.true(lanes.total('fivedots_express_generations_total') > 3);
});

test.serial('names that are asked for again and again stay prepared, however many others come', (t) => {
  const lanes = lanesInPlace({
    corefile: '. {\n cache {\n success 100000\n }\n forward . 192.0.2.1\n}',
    upstream: ({ question: { spelling, type } }) => ({
      ...emptyReply(Rcode.NOERROR, 'forward'),
      answer: [{ owner: spelling, type, ttl: 600, rdatas: [Uint8Array.of(192, 0, 2, 1)] }],
    }),
  });
  const popular = encodeQuery(1, asked('www.example.net', 'A'));
  for (let i = 0; i < 2; i++) lanes.ask(popular);
  const query = encodeQuery(1, asked('xxxx.example.org', 'A'));
  let said: Count = 0;
  for (let i = 0; i < 60_000; i++) {
    query.write(i.toString(36).padStart(4, '0'), 13, 'latin1');
    lanes.ask(query);
    lanes.ask(query);
    const before = i % 100 === 0 ? lanes.total('fivedots_express_replies_total') : 0;
    lanes.ask(popular);
    if (i % 100 === 0) said += lanes.total('fivedots_express_replies_total') - before;
  }
  t.is(said, 600);
  t.true(lanes.total('fivedots_express_generations_total') > 2);
});

/** How the hashes of a table are made, from those that it would get. */
const HASHES: Readonly<Record<string, (hash: number) => number>> = {
  'as they are': (hash) => hash,
  'all the same': () => 0x1234_5678,
  'of four kinds': (hash) => hash & 3,
  'with equal low bits': (hash) => hash & 0x7fff_0000,
};

for (const [title, change] of Object.entries(HASHES)) {
  test(`a table finds what it was given last or nothing, never anything else: hashes ${title}`, (t) => {
    const random = new Random(4);
    let turns: Count = 0;
    const table = new PreparedReplies({ replies: 64, octets: 256 * 1024 }, { add: () => void turns++ });
    const newest = new Map<string, Buffer>();
    const question = new OrdinaryQuestion();
    let found: Count = 0;
    for (let step = 0; step < 20_000; step++) {
      const name = `n${random.below(200)}.example.org`;
      const packet = encodeQuery(1, asked(random.once(2) ? name : name.toUpperCase(), random.of(['A', 'AAAA'])));
      t.true(question.read(packet, 0, packet.length));
      question.hash = change(question.hash);
      const key = `${name} ${question.type}`;
      const prepared = table.find(packet, question);
      if (prepared !== undefined) {
        found++;
        const { octets, at, question: size, records } = prepared;
        const said = Buffer.from(octets.subarray(at + HEADER_SIZE + size, at + HEADER_SIZE + size + records));
        if (newest.get(key)?.equals(said) !== true) return t.fail(`${key} at step ${step}`);
      }
      if (random.once(3)) {
        if (prepared !== undefined) table.forget(prepared);
        newest.delete(key);
      } else {
        const rdata = Uint8Array.of(192, 0, random.below(256), random.below(256));
        newest.set(key, keep(table, packet, question, rdata));
      }
    }
    t.true(table.size <= 2 * 64, `${table.size}`);
    t.true(found > 500, `${found}`);
    if (title === 'as they are') t.true(turns > 10);
  });
}

test('a table of long replies is full before it has too many octets', (t) => {
  const octets: Bytes = 256 * 1024;
  let turns: Count = 0;
  const table = new PreparedReplies({ replies: 10_000, octets }, { add: () => void turns++ });
  const question = new OrdinaryQuestion();
  const rdata = Buffer.alloc(7000);
  let most: Count = 0;
  for (let i = 0; i < 500; i++) {
    const packet = encodeQuery(1, asked(`n${i}.example.org`, 'TXT'));
    t.true(question.read(packet, 0, packet.length));
    keep(table, packet, question, rdata);
    most = Math.max(most, table.size);
  }
  t.true(most * rdata.length <= 2 * octets, `${most}`);
  t.true(turns > 5);
});

/** Gives the records as they are kept. */
function keep(table: PreparedReplies, packet: Buffer, question: OrdinaryQuestion, rdata: Uint8Array): Buffer {
  const lower = Buffer.from(packet.toString('latin1').toLowerCase(), 'latin1');
  const query = decode(lower, TEST_PEER, 0);
  if (isRejected(query)) throw new Error('no query');
  const type = question.type === RRType.AAAA ? RRType.TXT : question.type;
  const answer = [{ owner: query.question.spelling, type, ttl: 60, rdatas: [rdata] }];
  const lives = { own: new Life(), whole: new Life() };
  const reply = replyFrom({ outcome: 'data', answer, authority: [], additional: [], lives }, 'kubernetes');
  const made = prepare(query, reply, undefined);
  if (made === undefined) throw new Error('it cannot be prepared');
  const account = new Account({ zone: '.', type, plugin: 'kubernetes', rcode: 0 }, []);
  table.keep(lower, question, made, account, undefined);
  return Buffer.from(made.message.subarray(made.message.length - made.records));
}
