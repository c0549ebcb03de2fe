/** `loadbalance` in the express lane: each order of the addresses as often as any other. */

import test from 'ava';

import { seededChance } from '../../../../server/plugins/shuffle.ts';
import { emptyReply, type Query, type Reply } from '../../../../server/query.ts';
import { nameFrom } from '../../../../zones/name.ts';
import { nameRdata } from '../../../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../../../zones/rr.ts';
import { storeOf } from '../../../support/cluster-zone.ts';
import { endpoint, namespace, service, slice } from '../../../support/example-cluster.ts';
import { lanesInPlace } from '../../../support/lanes-in-place.ts';
import { asked, encodeQuery } from '../../../support/query.ts';
import { readReply } from '../../../support/reply.ts';

const COREFILE = '. {\n loadbalance\n cache 30\n kubernetes cluster.local\n forward . 192.0.2.1\n}';

const LAST = [1, 2, 3, 4];
const STORE = storeOf([
  namespace('a'),
  service('a/four', ['None']),
  slice(
    'a/four',
    'v4',
    [],
    LAST.map((last) => endpoint(`10.0.0.${last}`)),
  ),
  slice(
    'a/four',
    'v6',
    [],
    LAST.map((last) => endpoint(`fd00::${last}`)),
  ),
]);

/** Four addresses, behind as many aliases as the name says. */
function upstream({ question: { name, spelling, type } }: Query): Reply {
  const aliases = name.startsWith('\x03one') ? 1 : name.startsWith('\x03two') ? 2 : 0;
  const names = [spelling, nameFrom('first.example.net'), nameFrom('second.example.net')].slice(0, aliases + 1);
  const chain = names.slice(1).map((target, i): RRset => ({
    owner: names[i] ?? spelling,
    type: RRType.CNAME,
    ttl: 60,
    rdatas: [nameRdata(target)],
  }));
  const rdatas = LAST.map((last) => {
    const head = type === RRType.A ? [192, 0, 2] : [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0)];
    return Uint8Array.of(...head, last);
  });
  const addresses: RRset = { owner: names.at(-1) ?? spelling, type, ttl: 60, rdatas };
  return { ...emptyReply(Rcode.NOERROR, 'forward'), answer: [...chain, addresses] };
}

const ROUNDS = 12_000;
/** Of a chi-square distribution with 23 degrees of freedom, one in 10,000 is above 54; the seeds are fixed. */
const CHI_SQUARE_MAX = 54;

for (const name of ['four.a.svc.cluster.local', 'none.example.org', 'one.example.org', 'two.example.org']) {
  for (const type of ['A', 'AAAA']) {
    for (const seed of [11, 12]) {
      test(`all orders of four are equally likely: ${name} ${type}, seed ${seed}`, (t) => {
        const lanes = lanesInPlace({ corefile: COREFILE, store: STORE, upstream, chance: seededChance(seed) });
        const query = encodeQuery(1, asked(name, type));
        lanes.ask(query);
        lanes.ask(query);
        const first = readReply(lanes.ask(query));
        const records = first.answer.map(({ rdata }) => rdata).toSorted();
        const counts = new Map<string, number>();
        for (let round = 0; round < ROUNDS; round++) {
          const reply = lanes.ask(query);
          const order = orderOf(reply, type === 'A' ? 4 : 16);
          counts.set(order, (counts.get(order) ?? 0) + 1);
          if (round % 1000 !== 0) continue;
          // Whatever the order, it is the same records, and aliases lead.
          const { answer } = readReply(reply);
          t.deepEqual(answer.map(({ rdata }) => rdata).toSorted(), records);
          t.true(answer.slice(0, -LAST.length).every((record) => record.type === 'CNAME'));
        }
        t.true(lanes.total('fivedots_express_replies_total') >= ROUNDS);
        t.is(counts.size, 24);
        const expected = ROUNDS / 24;
        let chiSquare = 0;
        for (const count of counts.values()) chiSquare += (count - expected) ** 2 / expected;
        t.true(chiSquare < CHI_SQUARE_MAX, `${chiSquare}`);
      });
    }
  }
}

/** The last octets of the four addresses at the end of a reply without OPT: their owners are pointers. */
function orderOf(reply: Buffer, size: number): string {
  return LAST.map((_, i) => reply[reply.length - 1 - i * (12 + size)]).join();
}

test('one address, and other records than addresses, stay as they are', (t) => {
  let drawn = 0;
  const lanes = lanesInPlace({
    corefile: COREFILE,
    upstream: ({ question: { spelling, type } }) => ({
      ...emptyReply(Rcode.NOERROR, 'forward'),
      answer: [
        {
          owner: spelling,
          type,
          ttl: 60,
          rdatas: type === RRType.A ? [Uint8Array.of(192, 0, 2, 1)] : [Uint8Array.of(1, 0x61), Uint8Array.of(1, 0x62)],
        },
      ],
    }),
    store: STORE,
    chance: (below) => {
      drawn++;
      return below - 1;
    },
  });
  for (const type of ['A', 'TXT']) {
    const [query, ...same] = Array.from({ length: 5 }, () => encodeQuery(1, asked('x.example.org', type)));
    const first = query === undefined ? undefined : lanes.ask(query).subarray(12);
    for (const each of same) t.deepEqual(lanes.ask(each).subarray(12), first);
  }
  t.is(drawn, 0);
  t.true(lanes.total('fivedots_express_replies_total') > 0);
});
