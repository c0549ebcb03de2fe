/**
 * Truncation from outside: whole RRsets, TC only when the answer itself is cut, for every size a client may offer. The
 * whole reply over TCP is the measure.
 */

import test from 'ava';

import type { Bytes } from '../zones/units.ts';
import { exchange, type ServerAddress } from './support/client.ts';
import { GoldenServers } from './support/golden-servers.ts';
import { decodeReply, presentReply, type PresentedReply } from './support/present.ts';
import { asked, encodeQuery, type AskedEdns } from './support/query.ts';

const servers = new GoldenServers();
test.after.always('servers end', async () => servers.close());

const BIG = { cluster: 'fixtures/clusters/big', corefile: 'fixtures/corefiles/golden-default.corefile' };
/** What the server takes and sends at most: RFC 9715 section 3. */
const UDP_PAYLOAD: Bytes = 1232;

test('TCP carries all 200 addresses of a service, once each', async (t) => {
  const reply = await overTcp(await servers.addressOf(BIG), 'many.big.svc.cluster.local', 'A');
  t.is(reply.reply, 'reply NOERROR aa rd');
  t.deepEqual(
    reply.answer,
    [10, 11]
      .flatMap((net) => Array.from({ length: 100 }, (_, i) => `10.244.${net}.${i + 1}`))
      .map((address) => `many.big.svc.cluster.local. 5 IN A ${address}`)
      .toSorted(),
  );
});

test('TCP carries the SRV records and the addresses of all 200 targets', async (t) => {
  const reply = await overTcp(await servers.addressOf(BIG), '_http._tcp.many.big.svc.cluster.local', 'SRV');
  t.is(reply.reply, 'reply NOERROR aa rd');
  t.is(reply.answer.length, 200);
  t.is(reply.additional.length, 200);
});

for (const [name, type] of [
  ['many.big.svc.cluster.local', 'A'],
  ['many.big.svc.cluster.local', 'SRV'],
  ['few.big.svc.cluster.local', 'A'],
  ['few.big.svc.cluster.local', 'SRV'],
] as const) {
  test(`UDP at every size: ${name} ${type} is whole or empty with TC, and addresses of targets may go`, async (t) => {
    const server = await servers.addressOf(BIG);
    const whole = await overTcp(server, name, type);
    for (let size = 512; size <= UDP_PAYLOAD + 100; size += 20) {
      const octets = await exchange(server, 'udp', encodeQuery(size, asked(name, type, { edns: edns(size) })));
      const reply = presentReply(decodeReply(octets));
      t.true(octets.length <= Math.min(size, UDP_PAYLOAD), `${octets.length} octets at ${size}`);
      if (reply.reply === 'reply NOERROR aa tc rd') {
        t.deepEqual(reply.answer, [], `half an RRset is none, at ${size}`);
      } else {
        t.is(reply.reply, 'reply NOERROR aa rd');
        t.deepEqual(reply.answer, whole.answer, `no TC, so the answer is whole, at ${size}`);
        t.true(new Set(whole.additional).isSupersetOf(new Set(reply.additional)));
      }
      t.is(reply.edns, 'edns version=0 size=1232', 'the OPT record is kept');
    }
  });
}

test('UDP: additional records that do not fit are left out without TC (RFC 2181 section 9)', async (t) => {
  const server = await servers.addressOf(BIG);
  const query = encodeQuery(1, asked('few.big.svc.cluster.local', 'SRV', { edns: edns(760) }));
  const reply = presentReply(decodeReply(await exchange(server, 'udp', query)));
  t.is(reply.reply, 'reply NOERROR aa rd');
  t.is(reply.answer.length, 12);
  t.true(reply.additional.length < 12);
});

async function overTcp(server: ServerAddress, name: string, type: string): Promise<PresentedReply> {
  return presentReply(decodeReply(await exchange(server, 'tcp', encodeQuery(1, asked(name, type)))));
}

function edns(payloadSize: Bytes): AskedEdns {
  return { payloadSize, version: 0, dnssecOk: false, reserved: 0, options: [] };
}
