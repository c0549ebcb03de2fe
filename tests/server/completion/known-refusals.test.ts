import test from 'ava';

import { Grounds } from '../../../server/completion/grounds.ts';
import { KNOWN_REFUSALS_MAX, KnownRefusals } from '../../../server/completion/known-refusals.ts';
import type { Plan } from '../../../server/completion/plan.ts';
import { emptyReply, type Lease } from '../../../server/query.ts';
import { Life } from '../../../zones/life.ts';
import { nameFrom } from '../../../zones/name.ts';
import { Rcode } from '../../../zones/rr.ts';

const life = new Life();
const plan: Plan = { candidates: [], end: 'nowhere', absent: [], isLasting: true, life };

/** Rests on one reply that holds until then. */
function groundsUntil(until: number): Grounds {
  const lease: Lease = { isAuthentic: false, isOver: (now) => now >= until, renew: () => 7 };
  const grounds = Grounds.of(plan, [{ ...emptyReply(Rcode.NXDOMAIN), lease }], undefined);
  if (grounds === undefined) throw new Error('a reply with a lease is a ground');
  return grounds;
}

test(`${KNOWN_REFUSALS_MAX} names are known, and the oldest makes room`, (t) => {
  let count = 0;
  const refusals = new KnownRefusals({ set: (value) => void (count = value) });
  const nameOf = (i: number) => nameFrom(`n${i}.example.com`);
  for (let i = 0; i < KNOWN_REFUSALS_MAX; i++) refusals.keep(nameOf(i), 'nowhere', groundsUntil(10), 0);
  refusals.keep(nameOf(0), 'nowhere', groundsUntil(20), 0);
  t.is(refusals.find(nameOf(0), 15)?.reason, 'nowhere');
  refusals.keep(nameOf(-1 + KNOWN_REFUSALS_MAX + 1), 'nowhere', groundsUntil(10), 0);
  t.is(count, KNOWN_REFUSALS_MAX);
  t.is(refusals.find(nameOf(1), 0), undefined);
  t.not(refusals.find(nameOf(0), 0), undefined);
  t.not(refusals.find(nameOf(2), 0), undefined);
});

test('a refusal holds as long as what it rests on', (t) => {
  const refusals = new KnownRefusals({ set: () => {} });
  const name = nameFrom('missing.example.com');
  refusals.keep(name, 'nowhere', groundsUntil(10), 0);
  t.not(refusals.find(name, 9), undefined);
  t.is(refusals.find(name, 10), undefined);
  t.is(refusals.find(name, 9), undefined, 'and is forgotten then');
  refusals.keep(name, 'nowhere', groundsUntil(Infinity), 0);
  t.not(refusals.find(name, 4_999), undefined);
  t.is(refusals.find(name, 5_000), undefined, 'it is looked at again');
  refusals.keep(name, 'nowhere', groundsUntil(Infinity), 0);
  life.end();
  t.is(refusals.find(name, 0), undefined);
});

for (const [title, changes] of [
  ['a reply without a lease', {}],
  [
    'what an alias of the cluster leads to',
    { fresh: true, answer: [{ owner: nameFrom('a'), type: 5, ttl: 5, rdatas: [] }] },
  ],
  ['what the cluster has', { fresh: true, rcode: Rcode.NOERROR }],
] as const) {
  test(`nothing rests on ${title}`, (t) => {
    t.is(Grounds.of(plan, [{ ...emptyReply(Rcode.NXDOMAIN), ...changes }], undefined), undefined);
  });
}

test('the cluster’s own denial needs no lease, but what decides beside it must be known', (t) => {
  const denial = { ...emptyReply(Rcode.NXDOMAIN), fresh: true };
  t.not(Grounds.of(plan, [denial], undefined), undefined);
  t.is(Grounds.of({ ...plan, isLasting: false }, [denial], undefined), undefined);
});
