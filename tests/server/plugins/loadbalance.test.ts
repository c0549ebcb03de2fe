import test from 'ava';
import fc from 'fast-check';

import { loadbalance } from '../../../server/plugins/loadbalance.ts';
import { emptyReply, type Reply } from '../../../server/query.ts';
import { addressFrom, presentAddress } from '../../../zones/ip.ts';
import { nameFrom, present } from '../../../zones/name.ts';
import { RRType, typeName, type RRset } from '../../../zones/rr.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';

/** A function that sends a reply up through the layer that the directive makes. */
function through(text: string, type = 'A'): (reply: Reply) => Reply {
  const layer = loadbalance.layer?.(optionsFrom(loadbalance, text), testContext().context);
  return (reply) => {
    const balanced = layer?.(() => reply)(testQuery('example.org', type));
    if (balanced === undefined || balanced instanceof Promise)
      throw new Error('the reply was there, so it stays there');
    return balanced;
  };
}

function set(owner: string, type: number, ...rdatas: readonly Uint8Array[]): RRset {
  return { owner: nameFrom(owner), type, ttl: 30, rdatas };
}

function addresses(owner: string, ...texts: readonly string[]): RRset {
  const rdatas = texts.map((text) => addressFrom(text) ?? new Uint8Array());
  return set(owner, texts[0]?.includes(':') === true ? RRType.AAAA : RRType.A, ...rdatas);
}

function noerror(answer: readonly RRset[]): Reply {
  return { ...emptyReply(0, 'forward'), answer };
}

function shown(sets: readonly RRset[]): readonly string[] {
  return sets.map(({ owner, type }) => `${typeName(type)} ${present(owner)}`);
}

function shownAddresses(sets: readonly RRset[]): readonly string[] {
  return sets.flatMap(({ rdatas }) => rdatas.map(presentAddress));
}

const octet = (value: number): Uint8Array => Uint8Array.of(value);

// CoreDNS plugin/loadbalance: CNAME, the rest, addresses, MX.
for (const { text, expected } of [
  { text: 'loadbalance', expected: ['CNAME b', 'CNAME a', 'TXT t', 'SRV s', 'A x', 'MX m'] },
  { text: 'loadbalance round_robin', expected: ['CNAME b', 'CNAME a', 'TXT t', 'SRV s', 'A x', 'MX m'] },
  { text: 'loadbalance {\n  prefer 10.0.0.0/8\n}', expected: ['CNAME b', 'CNAME a', 'A x', 'MX m', 'TXT t', 'SRV s'] },
]) {
  for (const section of ['answer', 'authority', 'additional'] as const) {
    test(`${JSON.stringify(text)} puts the ${section} section in the order ${expected.join(', ')}`, (t) => {
      const sets = [
        set('m', RRType.MX, octet(1)),
        addresses('x', '192.0.2.1'),
        set('t', RRType.TXT, octet(2)),
        set('b', RRType.CNAME, octet(3)),
        set('s', RRType.SRV, octet(4)),
        set('a', RRType.CNAME, octet(5)),
      ];
      const reply = through(text)({ ...emptyReply(0), [section]: sets });
      t.deepEqual(
        shown(reply[section]),
        expected.map((each) => `${each}.`),
      );
    });
  }
}

for (const { name, reply, type } of [
  { name: 'NXDOMAIN', reply: { ...emptyReply(3), answer: [addresses('x', '192.0.2.1', '192.0.2.2')] }, type: 'A' },
  { name: 'SERVFAIL', reply: emptyReply(2), type: 'A' },
  { name: 'one address', reply: noerror([addresses('x', '192.0.2.1')]), type: 'A' },
  { name: 'an empty reply', reply: noerror([]), type: 'A' },
  { name: 'one RRset of texts', reply: noerror([set('x', RRType.TXT, octet(1), octet(2), octet(3))]), type: 'TXT' },
]) {
  test(`${name} goes through untouched`, (t) => {
    t.is(through('loadbalance', type)(reply), reply);
  });
}

test('a reply that is still to come is put in order when it comes', async (t) => {
  const layer = loadbalance.layer?.(optionsFrom(loadbalance, 'loadbalance'), testContext().context);
  const later = noerror([set('m', RRType.MX, octet(1)), set('a', RRType.CNAME, octet(2))]);
  const reply = layer?.(() => Promise.resolve(later))(testQuery('example.org'));
  t.true(reply instanceof Promise);
  t.deepEqual(shown((await reply)?.answer ?? []), ['CNAME a.', 'MX m.']);
});

const anySet: fc.Arbitrary<RRset> = fc
  .record({
    owner: fc.constantFrom('a', 'b', 'c'),
    type: fc.constantFrom(RRType.A, RRType.AAAA, RRType.CNAME, RRType.MX, RRType.TXT, RRType.SRV),
    values: fc.array(fc.nat({ max: 255 }), { minLength: 1, maxLength: 6 }),
  })
  .map(({ owner, type, values }) => {
    const length = type === RRType.A ? 4 : type === RRType.AAAA ? 16 : 2;
    return set(owner, type, ...values.map((value) => new Uint8Array(length).fill(value)));
  });

for (const text of ['loadbalance', 'loadbalance {\n  prefer 0.0.0.0/1 ::/1 128.0.0.0/2\n}']) {
  test(`${JSON.stringify(text)} loses, makes and changes no record`, (t) => {
    const balance = through(text);
    const records = (sets: readonly RRset[]): readonly string[] =>
      sets
        .flatMap(({ owner, type, ttl, rdatas }) =>
          rdatas.map((rdata) => `${present(owner)} ${type} ${ttl} ${rdata.join()}`),
        )
        .toSorted();
    fc.assert(
      fc.property(fc.array(anySet, { maxLength: 8 }), (sets) => {
        const given = structuredClone(sets);
        const reply = balance(noerror(sets));
        t.deepEqual(records(reply.answer), records(given));
        t.is(reply.answer.length, given.length);
        t.deepEqual(sets, given); // what was given away may be in a cache
      }),
    );
  });
}

const ROUNDS = 6_000;

/** Pearson's statistic of observed counts against equal shares; with 5 to 23 degrees of freedom 70 comes up once in 10^6 runs at most. */
function chiSquare(counts: readonly number[], cells: number): number {
  const share = ROUNDS / cells;
  return counts.reduce((sum, count) => sum + (count - share) ** 2 / share, 0) + (cells - counts.length) * share;
}

for (const { name, sets, shownAs, cells } of [
  { name: 'two addresses', sets: [addresses('x', '192.0.2.1', '192.0.2.2')], shownAs: shownAddresses, cells: 2 },
  {
    name: 'four IPv6 addresses',
    sets: [addresses('x', '2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4')],
    shownAs: shownAddresses,
    cells: 24,
  },
  {
    name: 'three mail exchanges',
    sets: [set('x', RRType.MX, octet(1), octet(2), octet(3))],
    shownAs: (each: readonly RRset[]) => each.flatMap(({ rdatas }) => rdatas.map(String)),
    cells: 6,
  },
  {
    name: 'four owners with one address each',
    sets: ['a', 'b', 'c', 'd'].map((owner) => addresses(owner, '192.0.2.1')),
    shownAs: shown,
    cells: 24,
  },
]) {
  test(`every order of ${name} is equally likely`, (t) => {
    const balance = through('loadbalance');
    const seen = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const order = shownAs(balance(noerror(sets)).answer).join(' ');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    t.is(seen.size, cells);
    t.true(chiSquare([...seen.values()], cells) < 70, JSON.stringify([...seen]));
  });
}

test('prefer: addresses of the first network come first, then the second, then the others', (t) => {
  const balance = through('loadbalance {\n  prefer 10.0.0.0/8 192.168.0.0/16\n  prefer 2001:db8::/32\n}');
  const first = new Set<string | undefined>();
  for (let round = 0; round < 100; round++) {
    const [one, two, ...others] = shownAddresses(
      balance(noerror([addresses('x', '203.0.113.1', '192.168.1.1', '10.1.1.1', '10.2.2.2', '203.0.113.2')])).answer,
    );
    t.true(one !== two && [one, two].every((each) => each?.startsWith('10.')));
    t.is(others[0], '192.168.1.1');
    first.add(one);
  }
  t.is(first.size, 2); // equal ones are still shuffled
});

test('prefer: an RRset stands where its best address does', (t) => {
  const balance = through('loadbalance {\n  prefer 10.0.0.0/8 2001:db8::/32\n}');
  const sets = [
    addresses('none', '203.0.113.1'),
    addresses('second', '2001:db8::1', '2001:dead::1'),
    addresses('first', '203.0.113.9', '10.0.0.1'),
  ];
  t.deepEqual(shown(balance(noerror(sets)).answer), ['A first.', 'AAAA second.', 'A none.']);
});

for (const { text, fault } of [
  { text: 'loadbalance', fault: undefined },
  { text: 'loadbalance round_robin {\n  prefer 10.0.0.0/8 2001:db8::/32\n}', fault: undefined },
  { text: 'loadbalance random', fault: /^Corefile:2:13: found "random", expected round_robin/ },
  { text: 'loadbalance round_robin now', fault: /^Corefile:2:25: found "now", expected the end of the line/ },
  { text: 'loadbalance weighted /w.txt', fault: /^Corefile:2:13: weighted is not supported yet: write round_robin/ },
  { text: 'loadbalance {\n  prefer\n}', fault: /^Corefile:3:3: .*expected: prefer NETWORK…$/ },
  {
    text: 'loadbalance {\n  prefer 10.0.0.0/8 10.0.0.1\n}',
    fault: /^Corefile:3:21: found "10.0.0.1", expected a network/,
  },
  { text: 'loadbalance {\n  prefers 10.0.0.0/8\n}', fault: /^Corefile:3:3: found "prefers".*did you mean "prefer"\?$/ },
]) {
  test(`loadbalance: ${JSON.stringify(text)} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    if (fault === undefined) t.is(faultOf(loadbalance, text), undefined);
    else t.regex(faultOf(loadbalance, text) ?? 'taken', fault);
  });
}
