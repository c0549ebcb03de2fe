/** Which replies can be said again by their octets alone, and that the others are found out before they cost much. */

import test from 'ava';

import { prepare, shuffleAddresses, type Preparation } from '../../../../server/data/express/prepared-reply.ts';
import type { Chance } from '../../../../server/pipeline.ts';
import { emptyReply, type Lease, type Query, type Reply } from '../../../../server/query.ts';
import { nameRdata } from '../../../../zones/rdata.ts';
import { spellingFrom, type Spelling } from '../../../../zones/name.ts';
import { Rcode, RRType, type RRset } from '../../../../zones/rr.ts';
import type { Count } from '../../../../zones/units.ts';
import { testQuery } from '../../../support/plugin-context.ts';
import { readReply } from '../../../support/reply.ts';

const LEASE: Lease = { isAuthentic: false, isOver: () => false, renew: () => 7 };

function leased(...answer: readonly RRset[]): Reply {
  return { ...emptyReply(Rcode.NOERROR, 'cache'), answer, lease: LEASE };
}

function addresses(owner: Spelling, count: Count): RRset {
  const rdatas = Array.from({ length: count }, (_, i) => Uint8Array.of(192, 0, i >> 8, i & 0xff));
  return { owner, type: RRType.A, ttl: 7, rdatas };
}

/** The addresses of the reply, the last of them first. */
function turned({ message, records, changes }: Preparation): readonly string[] {
  const packet = Buffer.from(message);
  const order = changes?.order;
  if (order === undefined) return [];
  const chance: Chance = (below) => (below === order.count ? 0 : below - 1);
  shuffleAddresses(packet, packet.length - records, { ...order, chance });
  return readReply(packet).answer.flatMap(({ type, rdata }) => (type === 'A' ? [rdata] : []));
}

test('addresses of any owner but the root get a new order in their octets', (t) => {
  for (const name of ['a', 'www.example.org', `${'a.'.repeat(126)}a`]) {
    const query = testQuery(name);
    const made = prepare(query, leased(addresses(query.question.spelling, 40)), () => 0);
    if (made === undefined) return t.fail(name);
    const [first, ...others] = turned(made);
    t.is(first, '192.0.0.39');
    t.is(new Set(others).size, 39);
  }
});

test("the root's own addresses, whose owner is shorter than a pointer, are left to the plain lane", (t) => {
  const query = testQuery('.');
  const { spelling } = query.question;
  t.is(
    prepare(query, leased(addresses(spelling, 2)), () => 0),
    undefined,
  );
  t.not(
    prepare(query, leased(addresses(spelling, 1)), () => 0),
    undefined,
  );
  t.not(prepare(query, leased(addresses(spelling, 2)), undefined), undefined);
});

test('addresses behind more names than can be pointed to are left to the plain lane', (t) => {
  const query = testQuery('www.example.org');
  const chain = (length: Count): readonly RRset[] => {
    const names = [
      query.question.spelling,
      ...Array.from({ length }, (_, i) => spellingFrom(`${'a.'.repeat(120)}n${i}`)),
    ];
    return names.flatMap((owner, i): readonly RRset[] => {
      const target = names[i + 1];
      return target === undefined
        ? [addresses(owner, 3)]
        : [{ owner, type: RRType.CNAME, ttl: 7, rdatas: [nameRdata(target)] }];
    });
  };
  const made = prepare(query, leased(...chain(3)), () => 0);
  if (made === undefined) return t.fail();
  t.is(turned(made)[0], '192.0.0.2');
  t.is(
    prepare(query, leased(...chain(19)), () => 0),
    undefined,
  );
});

test('a reply that is too large is not encoded to find that out', (t) => {
  const query = testQuery('www.example.org');
  const { rdatas, ...rest } = addresses(query.question.spelling, 4000);
  let last: Count = 0;
  const watched = new Proxy(rdatas, {
    get(target, key) {
      last = Math.max(last, Number(typeof key === 'string' && /^[0-9]+$/.test(key) ? key : 0));
      return Reflect.get(target, key) as unknown;
    },
  });
  t.is(prepare(query, leased({ ...rest, rdatas: watched }), undefined), undefined);
  t.true(last < 1000, `${last}`);
});

test('only replies whose TTLs are written anew have few records', (t) => {
  const query: Query = testQuery('www.example.org');
  const reply = leased(addresses(query.question.spelling, 300));
  t.is(prepare(query, reply, undefined), undefined);
  t.is(prepare(query, { ...reply, fresh: true }, undefined)?.changes?.ttls, undefined);
  t.not(prepare(query, { ...reply, fresh: true }, undefined), undefined);
});
