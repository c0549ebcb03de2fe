/** What is counted and logged does not tell which lane a reply came from. */

import test from 'ava';

import { emptyReply, type Query, type Reply } from '../../../../server/query.ts';
import { nameFrom } from '../../../../zones/name.ts';
import { nameRdata } from '../../../../zones/rdata.ts';
import { Rcode, RRType } from '../../../../zones/rr.ts';
import { BothLanes, type Side } from '../../../support/both-lanes.ts';
import { asked, type Asked } from '../../../support/query.ts';
import { startStaticUpstream } from '../../../support/static-upstream.ts';

const EDNS = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };
const NAMES =
  'web.prod.svc.cluster.local WEB.prod.svc.cluster.local db.prod.svc.cluster.local nosuch.prod.svc.cluster.local ext.prod.svc.cluster.local 1.1.96.10.in-addr.arpa 9.9.9.9.in-addr.arpa cluster.local www.example.org alias.example.org many.example.org nosuch.example.org localhost'.split(
    ' ',
  );
const TYPES = ['A', 'AAAA', 'SRV', 'PTR', 'TXT', 'HTTPS', 'TYPE99', 'SOA', 'DS', 'ANY'];
const MANNERS: readonly Partial<Asked>[] = [
  {},
  { edns: EDNS },
  { edns: { ...EDNS, payloadSize: 512 }, authenticData: true },
  { edns: { ...EDNS, dnssecOk: true } },
  { recursionDesired: false },
  { checkingDisabled: true },
  { class: 3 },
];

const ZONE = `
  example.org 60 IN SOA ns.example.org admin.example.org 1 2 3 4 30
  www.example.org 60 IN A 192.0.2.1
  alias.example.org 60 IN CNAME www.example.org
  ${Array.from({ length: 60 }, (_, i) => `many.example.org 60 IN A 192.0.2.${i + 1}`).join('\n  ')}
`;

const corefile = (observers: string, upstream: string, hosts = '127.0.0.1'): string => `.:0 {
  bind ${hosts}
  ${observers}
  errors
  local
  loadbalance
  cache 30
  kubernetes cluster.local in-addr.arpa ip6.arpa
  forward . ${upstream}
}`;

/** Counters that say something of the way, not of what went it. */
const OF_LANES = /^fivedots_express_/;

/** Rows of all series, durations only with how many there were. */
function rowsOf({ test: { series } }: Side): readonly string[] {
  return Array.from(series(), ([row, values]): string => {
    if (!row.includes('_seconds')) return `${row} ${values.join(' ')}`;
    return `${row} ${values.slice(0, -1).reduce((sum, value) => sum + value, 0)}`;
  })
    .filter((row) => !OF_LANES.test(row))
    .toSorted();
}

for (const observers of ['prometheus', 'prometheus\n  log', 'prometheus\n  metadata\n  log . {combined}']) {
  test(`series and lines are the same: ${observers.replaceAll('\n', ',')}`, async (t) => {
    const upstream = await startStaticUpstream(ZONE);
    t.teardown(() => upstream.close());
    const both = await BothLanes.start(t, { corefile: corefile(observers, upstream.address) });
    for (const name of NAMES) {
      for (const type of TYPES) {
        for (const manner of MANNERS) await both.agree(t, asked(name, type, manner));
      }
    }
    t.true(both.expressReplies > 500, String(both.expressReplies));
    t.deepEqual(rowsOf(both.express), rowsOf(both.plain));
    const [express = [], plain = []] = both.sides.map(({ test: { lines } }) => lines.map(withoutChance));
    t.deepEqual(express, plain);
    t.is(express.length > 1000, observers.includes('log'));
  });
}

/** Ports, and how long it took. */
function withoutChance(line: string): string {
  return line.replace(/(127\.0\.0\.1):[0-9]+/g, '$1:PORT').replace(/ [0-9.]+s\b/g, ' DURATIONs');
}

test('each lane counts queries over IPv6 as such', async (t) => {
  const upstream = await startStaticUpstream(ZONE);
  t.teardown(() => upstream.close());
  const both = await BothLanes.start(t, { corefile: corefile('prometheus', upstream.address, '127.0.0.1 ::1') });
  for (const listener of [0, 1]) {
    for (const name of ['web.prod.svc.cluster.local', 'nosuch.cluster.local', 'www.example.org']) {
      await both.agree(t, asked(name, 'A'), '', 3, listener);
    }
  }
  t.deepEqual(rowsOf(both.express), rowsOf(both.plain));
  t.true(rowsOf(both.express).some((row) => row.includes('family="2"')));
  t.true(both.expressReplies > 20);
});

test('the flags of a line are those of the reply, whoever asked first for authentic data', async (t) => {
  const authentic = ({ question: { spelling } }: Query): Reply => ({
    ...emptyReply(Rcode.NOERROR, 'forward'),
    authenticData: true,
    recursionAvailable: true,
    answer: [
      { owner: spelling, type: RRType.CNAME, ttl: 60, rdatas: [nameRdata(nameFrom('edge.example.net'))] },
      { owner: nameFrom('edge.example.net'), type: RRType.A, ttl: 60, rdatas: [Uint8Array.of(192, 0, 2, 1)] },
    ],
  });
  for (const first of [true, false]) {
    const both = await BothLanes.start(t, {
      corefile: '.:0 {\n  bind 127.0.0.1\n  log . "{name} {>rflags}"\n  cache 30\n  forward . 192.0.2.1\n}',
      upstream: authentic,
    });
    for (const authenticData of [first, first, !first, first, !first]) {
      await both.agree(t, asked('www.example.org', 'A', { authenticData }));
    }
    const [express, plain] = both.sides.map(({ test: { lines } }) => lines);
    t.true(both.expressReplies > 10);
    t.deepEqual(express, plain, `first with${first ? '' : 'out'} AD`);
  }
});

test('the flags of a line say that the reply was cut', async (t) => {
  const both = await BothLanes.start(t, {
    corefile:
      '.:0 {\n  bind 127.0.0.1\n  log . "{name} {>rflags} {rsize}" {\n class success\n }\n  cache 30\n  forward . 192.0.2.1\n}',
    upstream: ({ question: { spelling } }) => ({
      ...emptyReply(Rcode.NOERROR, 'forward'),
      answer: [
        {
          owner: spelling,
          type: RRType.A,
          ttl: 60,
          rdatas: Array.from({ length: 90 }, (_, i) => Uint8Array.of(192, 0, 2, i)),
        },
      ],
    }),
  });
  for (let n = 0; n < 4; n++) await both.agree(t, asked('www.example.org', 'A'));
  const [express, plain] = both.sides.map(({ test: { lines } }) => lines);
  t.true(both.expressReplies > 4);
  t.deepEqual(express, plain);
});
