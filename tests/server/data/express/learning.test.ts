/** What the express lane learns from the plain lane: each reply once, for as long as its lease goes on. */

import test from 'ava';

import type { Block, RoutedZone } from '../../../../server/data/block.ts';
import { ExpressLane } from '../../../../server/data/express/express-lane.ts';
import type { Denials } from '../../../../server/pipeline.ts';
import { emptyReply, LEASE_OVER, type Lease, type Reply } from '../../../../server/query.ts';
import { decode, isRejected } from '../../../../server/wire/decode.ts';
import { nameRdata } from '../../../../zones/rdata.ts';
import { nameFrom, ROOT } from '../../../../zones/name.ts';
import { Rcode, RRType } from '../../../../zones/rr.ts';
import type { Count } from '../../../../zones/units.ts';
import { TEST_PEER, testContext } from '../../../support/plugin-context.ts';
import { asked, encodeQuery } from '../../../support/query.ts';
import { readReply } from '../../../support/reply.ts';

const ADDRESSES = Array.from({ length: 40 }, (_, i) => Uint8Array.of(192, 0, 2, i));
const ASKER = { protocol: 'udp', family: 4, received: 0, peer: () => TEST_PEER } as const;

function oneLane(denials?: Denials): { lane: ExpressLane; routed: RoutedZone; total: (metric: string) => Count } {
  const { context, series } = testContext();
  const { counters, clock } = context;
  const block: Block = {
    handler: () => emptyReply(Rcode.REFUSED),
    transfers: undefined,
    observers: [],
    unrouted: undefined,
    express: { takers: [], witnesses: [], denials, chance: undefined },
  };
  const routed: RoutedZone = { zone: '.', block };
  const lane = new ExpressLane({
    zones: new Map([[ROOT, routed]]),
    server: 'dns://:53',
    counters,
    clock,
    tell: () => {},
  });
  const total = (metric: string): Count => series().get(`${metric}{server="dns://:53"}`)?.[0] ?? -1;
  return { lane, routed, total };
}

/** An alias and the addresses behind it: more than a client without EDNS takes. */
function chain(lease: Lease, count: Count): Reply {
  const edge = nameFrom('edge.example.net');
  return {
    ...emptyReply(Rcode.NOERROR, 'cache'),
    answer: [
      { owner: nameFrom('www.example.org'), type: RRType.CNAME, ttl: 7, rdatas: [nameRdata(edge)] },
      { owner: edge, type: RRType.A, ttl: 7, rdatas: ADDRESSES.slice(0, count) },
    ],
    lease,
  };
}

test('a reply that one asker cannot be given is not kept anew each time that he asks', (t) => {
  const { lane, routed, total } = oneLane();
  const packet = encodeQuery(1, asked('www.example.org', 'A'));
  const query = decode(packet, TEST_PEER, 0);
  if (isRejected(query)) return t.fail();
  const octets = new Uint8Array(2048);
  const lease: Lease = { isAuthentic: false, isOver: () => false, renew: () => 7 };
  for (let i = 0; i < 20_000; i++) {
    if (lane.answer(packet, 0, packet.length, octets, 0, ASKER) !== 0) return t.fail(`${i}`);
    lane.learn(packet, query, chain(lease, 40), routed);
  }
  t.is(total('fivedots_express_prepared_replies'), 1);
  t.is(total('fivedots_express_generations_total'), 0);
});

test('a reply takes the place of one whose lease is over, also where that was never asked again', (t) => {
  const { lane, routed } = oneLane();
  const packet = encodeQuery(1, asked('www.example.org', 'A'));
  const query = decode(packet, TEST_PEER, 0);
  if (isRejected(query)) return t.fail();
  const octets = new Uint8Array(2048);
  let isOver = false;
  const first: Lease = {
    isAuthentic: false,
    isOver: () => isOver,
    renew: () => (isOver ? LEASE_OVER : 7),
  };
  lane.learn(packet, query, chain(first, 2), routed);
  lane.learn(packet, query, chain(first, 3), routed);
  const countSaid = (): Count => {
    const size = lane.answer(packet, 0, packet.length, octets, 0, ASKER);
    return size === 0 ? 0 : readReply(Buffer.from(octets.subarray(0, size))).answer.length;
  };
  t.is(countSaid(), 3);
  isOver = true;
  lane.learn(packet, query, chain({ ...first, isOver: () => false, renew: () => 7 }, 4), routed);
  t.is(countSaid(), 5);
});

test('the number of replies that are ready is that of those whose lease is not known to be over', (t) => {
  const { lane, routed, total } = oneLane();
  const octets = new Uint8Array(2048);
  for (let i = 0; i < 1000; i++) {
    const packet = encodeQuery(1, asked('www.example.org', 'A'));
    const query = decode(packet, TEST_PEER, 0);
    if (isRejected(query)) return t.fail();
    let isOver = false;
    const lease: Lease = {
      isAuthentic: false,
      isOver: () => isOver,
      renew: () => (isOver ? LEASE_OVER : 7),
    };
    lane.learn(packet, query, chain(lease, 2), routed);
    if (total('fivedots_express_prepared_replies') !== 1) return t.fail(`${i}`);
    isOver = true;
    t.is(lane.answer(packet, 0, packet.length, octets, 0, ASKER), 0);
    if (total('fivedots_express_prepared_replies') !== 0) return t.fail(`${i}`);
  }
});

test('a fault is counted, and the plain lane is asked', (t) => {
  const { lane, total } = oneLane({
    apexes: [ROOT],
    plugin: 'kubernetes',
    deny: () => {
      throw new Error('a fault');
    },
  });
  const packet = encodeQuery(1, asked('www.example.org', 'A'));
  t.is(lane.answer(packet, 0, packet.length, new Uint8Array(2048), 0, ASKER), 0);
  t.is(total('fivedots_express_faults_total'), 1);
  t.is(total('fivedots_express_replies_total'), 0);
});
