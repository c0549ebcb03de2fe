/** Denials that hold for whole names, said by both lanes while names come and go, at random. */

import test from 'ava';

import { cacheAt } from '../../../../server/plugins/cache.ts';
import type { AnyPlugin } from '../../../../server/plugins/order.ts';
import { emptyReply, type Query, type Reply } from '../../../../server/query.ts';
import { lowerCase, nameFrom } from '../../../../zones/name.ts';
import { addressRdata, nameRdata, soaRdata } from '../../../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../../../zones/rr.ts';
import type { Count, Seconds } from '../../../../zones/units.ts';
import { BothLanes, type Side } from '../../../support/both-lanes.ts';
import { asked } from '../../../support/query.ts';
import { Random } from '../../../support/random.ts';

const STEPS: Count = 300;
const SEED = 8020;
/** The first is the domain; each of the others is below, above or beside many of them. */
const NAMES = 'corp.example a.corp.example b.a.corp.example c.b.a.corp.example d.b.a.corp.example e.corp.example'.split(
  ' ',
);
const TYPES = ['A', 'AAAA', 'TXT', 'HTTPS'];

const SOA: RRset = {
  owner: nameFrom('corp.example'),
  type: RRType.SOA,
  ttl: 40,
  rdatas: [
    soaRdata({
      mname: nameFrom('ns.example'),
      rname: nameFrom('mail.example'),
      serial: 1,
      refresh: 2,
      retry: 3,
      expire: 4,
      minimum: 25,
    }),
  ],
};

/** Servers that are not of one mind: for each name and type another answer, by chance, every ten seconds. */
function answerOf({ question: { name, spelling, type } }: Query, time: Seconds): Reply {
  let seed = Math.floor(time / 10) * 65_536 + type;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) | 0;
  const random = new Random(seed);
  random.below(2);
  const good = { ...emptyReply(Rcode.NOERROR, 'forward'), recursionAvailable: true, authenticData: random.once(3) };
  const denied = { ...good, rcode: Rcode.NXDOMAIN, authority: [SOA] };
  const alias: RRset = { owner: spelling, type: RRType.CNAME, ttl: 9, rdatas: [nameRdata(nameFrom('gone.example'))] };
  const address: RRset = {
    owner: lowerCase(spelling),
    type: RRType.A,
    ttl: 7 + random.below(20),
    rdatas: [addressRdata(Uint8Array.of(192, 0, 2, random.below(256)))],
  };
  return random.weighted<Reply>([
    [8, denied],
    [2, type === RRType.A ? { ...good, answer: [address] } : { ...good, authority: [SOA] }],
    [1, { ...good, authority: [SOA] }],
    [1, { ...denied, answer: [alias] }],
    [1, { ...denied, authority: [] }],
    [1, { ...emptyReply(Rcode.SERVFAIL, 'forward'), fault: 'it failed' }],
  ]);
}

function cacheSeries({ test: { series } }: Side): readonly string[] {
  return [...series()].filter(([row]) => row.includes('_cache_')).map(([row, values]) => `${row} ${values.join()}`);
}

for (const options of [
  '',
  'keepttl',
  'serve_stale 20s',
  'serve_stale 20s verify 0s',
  'serve_stale 20s\n serve_stale_policy prefer_positive',
  'prefetch 1 1m 50%',
  'success 3\n denial 4',
  'disable denial b.a.corp.example',
]) {
  test(`both lanes say the same of names that come and go: ${JSON.stringify(options)}`, async (t) => {
    const random = new Random(SEED);
    let time: Seconds = 0;
    const both = await BothLanes.start(t, {
      corefile: `.:0 {\n bind 127.0.0.1\n cache {\n ${options}\n }\n forward . 192.0.2.1\n}`,
      upstream: (query) => answerOf(query, time),
      plugins: [cacheAt(() => [nameFrom('corp.example')]) as AnyPlugin],
    });
    for (let step = 0; step < STEPS; step++) {
      const name = random.of(NAMES);
      await both.agree(t, asked(name, random.of(TYPES), { authenticData: random.once(4) }), `${time} s:`, 1);
      if (!random.once(3)) continue;
      const span = random.weighted([
        [8, 1],
        [2, 5],
        [1, 30],
      ]);
      time += span;
      both.pass(span * 1000);
    }
    t.true(both.total('fivedots_cache_cut_hits_total') > STEPS / 10);
    t.true(both.expressReplies > 0);
    const [express, plain] = both.sides.map(cacheSeries);
    t.deepEqual(express, plain);
  });
}
