/**
 * Golden answers: every case of fixtures/answers, over UDP and over TCP, asked from outside of a server that was started as
 * an operator starts it.
 */

import test, { type ExecutionContext } from 'ava';

import type { Protocol } from '../server/query.ts';
import { expandLocal, lacksLocal, type GoldenCase } from './support/golden-file.ts';
import { askCase, GoldenServers, readGoldenFiles } from './support/golden-servers.ts';
import { decodeReply, presentRecord, presentReply, type DecodedRecord, type DecodedReply } from './support/present.ts';

const servers = new GoldenServers();
test.after.always('servers end', async () => servers.close());

for (const file of readGoldenFiles()) {
  for (const golden of file.cases) {
    // What this machine has no address for cannot be asked of it.
    const run = lacksLocal(golden.expected) ? test.skip : test;
    for (const protocol of golden.protocols) {
      run(`${file.name}: ${golden.title} over ${protocol}`, async (t) => {
        const { query, reply } = await askCase(await servers.addressOf(file), golden, protocol);
        const decoded = decodeReply(reply);
        t.deepEqual(presentReply(decoded), expandLocal(golden.expected));
        hasTheShapeOfAReply(t, query, reply, decoded);
        fitsItsTransport(t, reply, golden, protocol);
      });
    }
  }
}

/** What is true of every reply, whatever it says. */
function hasTheShapeOfAReply(t: ExecutionContext, query: Buffer, reply: Buffer, decoded: DecodedReply): void {
  const questionEnd = query.indexOf(0, 12) + 5;
  t.true(decoded.isReply);
  t.is(decoded.id, query.readUInt16BE(0));
  t.deepEqual(
    reply.subarray(12, questionEnd),
    query.subarray(12, questionEnd),
    'the question is echoed, octet by octet',
  );
  for (const section of [decoded.answer, decoded.authority, decoded.additional]) {
    const records = section.map(presentRecord);
    t.is(new Set(records).size, records.length, 'no record twice (RFC 2181 section 5)');
    for (const set of Map.groupBy(section, (record) => `${record.name} ${record.type}`).values()) {
      t.is(new Set(set.map((record) => record.ttl)).size, 1, 'one TTL in an RRset (RFC 2181 section 5.2)');
    }
  }
  t.true(aliasesLead(decoded.answer), 'a CNAME comes before what it points to');
}

/** Does each record's owner follow from the ones before it, the first from the question? */
function aliasesLead(answer: readonly DecodedRecord[]): boolean {
  let owner = answer[0]?.name.toLowerCase();
  return answer.every((record) => {
    const follows = record.name.toLowerCase() === owner;
    if (record.type === 'CNAME') owner = record.data.toLowerCase();
    return follows;
  });
}

/** RFC 1035 section 4.2.1, RFC 6891 section 6.2.3; and never more than the 1232 octets of RFC 9715. */
function fitsItsTransport(t: ExecutionContext, reply: Buffer, golden: GoldenCase, protocol: Protocol): void {
  const offered = Math.max(512, golden.asked.edns?.payloadSize ?? 512);
  if (protocol === 'udp') t.true(reply.length <= Math.min(offered, 1232), `${reply.length} octets`);
}
