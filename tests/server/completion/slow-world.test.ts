/** Walks that have to wait: how long, for whom, and how many at once. Replies come when the test says so. */

import { setImmediate } from 'node:timers/promises';

import test from 'ava';

import { Completion } from '../../../server/completion/completion.ts';
import { podSearchLists } from '../../../server/completion/search-list.ts';
import { WALKS_MAX } from '../../../server/completion/walks.ts';
import type { ClusterNames } from '../../../server/completion/cluster-names.ts';
import { emptyReply, servfail, type Query, type Reply } from '../../../server/query.ts';
import { Life } from '../../../zones/life.ts';
import { addressRdata } from '../../../zones/rdata.ts';
import { isWithin, nameFrom, present } from '../../../zones/name.ts';
import { Rcode, RRType, typeName } from '../../../zones/rr.ts';
import type { Count } from '../../../zones/units.ts';
import { FakeTimers } from '../../support/fake-timers.ts';
import { testContext, testQuery } from '../../support/plugin-context.ts';

const ZONE = nameFrom('cluster.local');
const NXDOMAIN: Reply = { ...emptyReply(Rcode.NXDOMAIN, 'kubernetes'), authoritative: true, fresh: true };

/** A cluster with nothing but one namespace. */
const cluster: ClusterNames = {
  apexes: [ZONE],
  holds: (name) => isWithin(name, ZONE),
  exists: () => false,
  mayExist: () => false,
  hasNamespace: (namespace) => namespace === 'default',
  refusesCompletion: () => false,
  hasService: () => false,
  podAt: () => undefined,
  serial: () => 1,
  decides: () => true,
  isSynced: () => true,
  knowsPods: false,
  isNamespace: (namespace) => namespace === 'default',
  life: () => new Life(),
};

type Outside = { readonly question: string; readonly answer: (reply: Reply) => void };

function scene(nodeDomains: readonly string[] = [], tlds: readonly string[] = ['com']) {
  const timers = new FakeTimers();
  const { context, series } = testContext();
  const waiting: Outside[] = [];
  const logged: string[] = [];
  const next = (query: Query): Reply | Promise<Reply> => {
    const { name, type } = query.question;
    if (isWithin(name, ZONE)) return NXDOMAIN;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    waiting.push({ question: `${typeName(type)} ${present(name)}`, answer: resolve });
    return promise;
  };
  const { handle } = new Completion(
    {
      zones: [ZONE],
      lists: podSearchLists(nodeDomains.map(nameFrom)),
      nodeDomains: [],
      refused: new Set(),
      publicNames: { tlds: new Set(tlds), suffixes: [] },
      aliasTtlMax: 5,
      usesPods: false,
      patience: 500,
    },
    {
      server: '',
      counters: context.counters,
      schedule: timers.after,
      clock: timers.now,
      log: (_level, _source, text) => void logged.push(text),
      cluster: () => cluster,
      isOwn: () => true,
      resolve: next,
    },
    next,
  );
  /** RCODE of what comes, or that it has not come yet. */
  const ask = (question: string, changes: Partial<Query> = {}): { said: string; fault?: string | undefined } => {
    const [type = '', base = ''] = question.split(' ');
    const outcome: { said: string; fault?: string | undefined } = { said: 'waits' };
    void Promise.resolve(handle(testQuery(`${base}.default.svc.cluster.local`, type, changes))).then(
      ({ rcode, answer, fault }) => {
        outcome.fault = fault;
        outcome.said = `${rcode === Rcode.NOERROR ? 'NOERROR' : 'NXDOMAIN'} ${answer.length}`;
      },
    );
    return outcome;
  };
  const count = (row: string): Count => [...series()].find(([key]) => key.includes(row))?.[1][0] ?? 0;
  return { timers, waiting, logged, ask, count };
}

const NODATA: Reply = { ...emptyReply(Rcode.NOERROR, 'forward'), upstream: '192.0.2.1:53' };
const MISSING: Reply = { ...NODATA, rcode: Rcode.NXDOMAIN };
const ADDRESS: Reply = {
  ...NODATA,
  answer: [{ owner: nameFrom('a.com'), type: RRType.A, ttl: 9, rdatas: [addressRdata(Uint8Array.of(192, 0, 2, 1))] }],
};

test('A and AAAA of one name are one walk, and get one verdict', async (t) => {
  const { waiting, ask, count, timers } = scene();
  const [a, aaaa, other] = [ask('A a.com'), ask('AAAA a.com'), ask('A a.com', { checkingDisabled: true })];
  t.deepEqual(
    waiting.map(({ question }) => question),
    ['A a.com.', 'AAAA a.com.', 'A a.com.', 'AAAA a.com.'], // with CD it is another question
  );
  waiting[0]?.answer(ADDRESS);
  await setImmediate();
  t.deepEqual([a.said, aaaa.said], ['waits', 'waits']);
  waiting[1]?.answer(NODATA);
  await setImmediate();
  t.deepEqual([a.said, aaaa.said, other.said], ['NOERROR 2', 'NOERROR 0', 'waits']);
  t.is(count('saved_queries_total{server="",by="upstream"'), 2);
  waiting[2]?.answer(MISSING);
  waiting[3]?.answer(MISSING);
  await setImmediate();
  t.is(other.said, 'NXDOMAIN 0');
  t.is(timers.pending, 0);
});

test('nobody waits longer than the patience, and who comes later does not wait at all, until the look-ups have ended', async (t) => {
  const { timers, waiting, ask, count } = scene();
  const first = ask('A a.com');
  await timers.advance(400);
  const second = ask('AAAA a.com');
  t.is(first.said, 'waits');
  await timers.advance(100);
  t.deepEqual([first.said, second.said], ['NXDOMAIN 0', 'NXDOMAIN 0']);
  const third = ask('A a.com');
  await setImmediate();
  t.is(third.said, 'NXDOMAIN 0');
  t.is(count('reason="late"'), 3);
  t.is(waiting.length, 2);
  for (const { answer } of waiting) answer(ADDRESS);
  await setImmediate();
  const fourth = ask('A a.com');
  t.is(waiting.length, 4);
  for (const { answer } of waiting) answer(ADDRESS);
  await setImmediate();
  t.is(fourth.said, 'NOERROR 2');
  t.is(timers.pending, 0);
});

test('the patience is for the whole walk, not for each candidate', async (t) => {
  const { timers, waiting, ask } = scene(['corp.example', 'lab.example']);
  const outcome = ask('A a.com');
  for (const known of [2, 4]) {
    t.is(waiting.length, known);
    await timers.advance(240);
    for (const { answer } of waiting) answer(MISSING);
    await setImmediate();
  }
  t.is(waiting.length, 6);
  t.is(outcome.said, 'waits');
  await timers.advance(20);
  t.is(outcome.said, 'NXDOMAIN 0');
});

test('a walk that nobody waits for any more begins no further look-up', async (t) => {
  const { timers, waiting, ask } = scene(['corp.example', 'lab.example']);
  ask('A a.com');
  await timers.advance(500);
  for (const { answer } of waiting) answer(MISSING);
  await setImmediate();
  t.is(waiting.length, 2);
  ask('A a.com');
  t.is(waiting.length, 4, 'and the next one begins anew');
});

test('what comes too late fails alike for all types', async (t) => {
  const { timers, ask, count } = scene();
  const outcomes = ['A', 'AAAA', 'HTTPS', 'SVCB', 'MX', 'CNAME'].map((type) => ask(`${type} a.com`));
  await timers.advance(500);
  t.true(outcomes.every(({ said }) => said === 'NXDOMAIN 0'));
  t.is(count('reason="late"'), 6);
});

test(`at most ${WALKS_MAX} walks wait at once; the next name is left to its client, and cluster names are not held up`, async (t) => {
  const { ask, count, waiting } = scene();
  for (let i = 0; i < WALKS_MAX; i++) ask(`A a${i}.com`);
  const [one, known, local] = [ask('A one.com'), ask('AAAA a0.com'), ask('A nosuch')];
  await setImmediate();
  t.deepEqual([one.said, known.said, local.said], ['NXDOMAIN 0', 'NXDOMAIN 0', 'NXDOMAIN 0']);
  t.is(count('reason="busy"'), 2);
  t.is(waiting.length, 2 * WALKS_MAX);
});

test('what went wrong is told to the log once, by the one who asked', async (t) => {
  const { waiting, ask } = scene();
  const outcomes = [ask('AAAA a.com'), ask('A a.com')];
  waiting[0]?.answer(ADDRESS);
  waiting[1]?.answer(servfail('forward', 'the upstream is silent'));
  await setImmediate();
  t.deepEqual(
    outcomes.map(({ said, fault }) => [said, fault]),
    [
      ['NXDOMAIN 0', 'a.com. the upstream is silent'],
      ['NXDOMAIN 0', undefined],
    ],
  );
});

test('another type is asked for at the same time, and shares the patience', async (t) => {
  const { timers, waiting, ask } = scene();
  const outcome = ask('HTTPS a.com');
  t.deepEqual(
    waiting.map(({ question }) => question),
    ['A a.com.', 'AAAA a.com.', 'HTTPS a.com.'],
  );
  for (const { answer } of waiting.slice(0, 2)) answer(ADDRESS);
  await setImmediate();
  t.is(outcome.said, 'waits');
  await timers.advance(500);
  t.is(outcome.said, 'NXDOMAIN 0');
});

test('what went wrong with a late walk is logged all the same', async (t) => {
  const { timers, waiting, logged, ask } = scene();
  const outcome = ask('A a.com');
  await timers.advance(500);
  t.deepEqual([outcome.said, outcome.fault, logged], ['NXDOMAIN 0', undefined, []]);
  for (const { answer } of waiting) answer(servfail('forward', 'the upstream is silent'));
  await setImmediate();
  t.deepEqual(logged, ['a.com. the upstream is silent']);
});

test('a rival is asked for at the same time as the name', async (t) => {
  const { waiting, ask } = scene([], ['com', 'default']);
  const outcome = ask('A a.com');
  t.deepEqual(
    waiting.map(({ question }) => question),
    ['A a.com.default.', 'AAAA a.com.default.', 'A a.com.', 'AAAA a.com.'],
  );
  for (const { answer } of waiting.slice(2)) answer(ADDRESS);
  await setImmediate();
  t.is(outcome.said, 'waits');
  for (const { answer } of waiting.slice(0, 2)) answer(MISSING);
  await setImmediate();
  t.is(outcome.said, 'NOERROR 2');
});

test(`at most ${WALKS_MAX} clients wait, however few walks they wait for`, async (t) => {
  const { ask, count, timers } = scene();
  const outcomes = Array.from({ length: WALKS_MAX + 3 }, () => ask('A a.com'));
  await setImmediate();
  t.deepEqual(
    outcomes.slice(-4).map(({ said }) => said),
    ['waits', 'NXDOMAIN 0', 'NXDOMAIN 0', 'NXDOMAIN 0'],
  );
  t.is(count('reason="busy"'), 3);
  await timers.advance(500);
  const later = ask('A b.com');
  await setImmediate();
  t.is(later.said, 'waits');
});
