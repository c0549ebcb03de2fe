/**
 * Real resolvers with a pod's search list and ndots:5, without search completion and with it: the same outcome from fewer packets, counted on the
 * wire. bench/ndots has the stage, the names and the clients; `npm run bench -- ndots` plays all of them.
 */

import test, { type ExecutionContext } from 'ava';

import { clientsHere } from '../../bench/ndots/clients.ts';
import { CROWD_CASES, CROWD_LABEL, crowdFaultsIn, playCrowds } from '../../bench/ndots/crowd.ts';
import { closeStages, openStages, playAll, type Pair, type Played, type Stages } from '../../bench/ndots/lookups.ts';
import { compiled, type Programs } from '../../bench/ndots/programs.ts';
import { faultsIn, presentLookups } from '../../bench/ndots/report.ts';
import type { Lookup } from '../../bench/ndots/stage.ts';
import { CASES } from '../../bench/ndots/world.ts';
import { NAMESPACES, needing } from '../support/needing.ts';

/** Clients, and the programs that they are or are made with. */
const CLIENTS: readonly (readonly [name: string, program: string])[] = [
  ['glibc', 'getent'],
  ['musl', 'musl-gcc'],
  ['nslookup', 'nslookup'],
  ['host', 'host'],
  ['dig', 'dig'],
  ['busybox', 'busybox'],
];

/** What glibc and musl find, if anything, and how many queries that takes them, if that is the same for all versions. */
const EXPECTED: readonly (readonly [title: string, address: string | undefined, before?: number, after?: number])[] = [
  ['outside name, both families', '203.0.113.10', 8, 2],
  ['outside name, IPv4 only', '203.0.113.4', 8, 2],
  ['outside name, IPv6 only', '2001:db8::6', 8, 2],
  ['outside name behind two CNAMEs', '203.0.113.30', 8, 2],
  ['outside name with MX and TXT only', undefined, 8, 8],
  ['outside name, 29 addresses, which 512 octets just hold', '198.51.100.29'],
  ['missing outside name', undefined, 8, 8],
  ['name of an internal zone', '10.20.30.40', 8, 2],
  ['short service name', '10.96.33.30', 2, 2],
  ['service.namespace', '10.96.201.15', 4, 2],
  ['full cluster name, no final dot', '10.96.201.15', 8, 2],
  ['missing service', undefined, 8, 8],
  ['node domain: outside name', '203.0.113.10', 10, 2],
  ['node domain: missing service', undefined, 10, 10],
  ['wildcard node domain: outside name', '203.0.113.99', 8, 2],
  ['wildcard node domain: missing service', '203.0.113.99', 8, 8],
];

const STAGE = [NAMESPACES, 'unbound', 'knotd', 'musl-gcc'];
const STAGE_DEADLINE = 300_000;

type World = { readonly programs: Programs; readonly stages: Stages };

let opened: Promise<World> | undefined;
const world = (): Promise<World> => (opened ??= open());
test.after.always('the stages are left', async () => {
  if (opened === undefined) return;
  const { programs, stages } = await opened;
  await closeStages(stages);
  await programs.remove();
});

async function open(): Promise<World> {
  const programs = await compiled(['capture', 'musl']);
  const capture = programs.paths.get('capture') ?? '';
  const labels = [...CLIENTS.map(([name]) => name), CROWD_LABEL];
  return { programs, stages: await openStages(capture, labels) };
}

let played: Promise<readonly Pair[]> | undefined;
const plays = (): Promise<readonly Pair[]> => (played ??= play());

async function play(): Promise<readonly Pair[]> {
  const { programs, stages } = await world();
  const cases = CASES.filter((what) => EXPECTED.some(([expected]) => expected === what.title));
  return playAll(stages, { cases, clients: clientsHere(programs).clients, warm: 2 });
}

async function pairOf(title: string, client: string): Promise<Pair> {
  const pair = (await plays()).find((one) => one.what.title === title && one.client === client);
  if (pair === undefined) throw new Error(`${client} was not asked: ${title}`);
  return pair;
}

for (const [client, program] of CLIENTS) {
  const asks = needing(...new Set([...STAGE, program]));
  for (const [title, address, before, after] of EXPECTED) {
    const isJudged = client === 'glibc' || client === 'musl';
    const told =
      isJudged && before !== undefined ? `${before} queries, with completion ${after}` : 'the same with completion';
    asks(`${client}, ${title}: ${told}`, async (t) => {
      t.timeout(STAGE_DEADLINE);
      const pair = await pairOf(title, client);
      t.deepEqual(faultsIn([pair]), []);
      if (!isJudged) return;
      for (const [queries, lookups] of [
        [before, pair.before],
        [after, pair.after],
      ] as const) {
        isFound(t, lookups, address);
        if (queries === undefined) continue;
        // A busy machine may have a client ask again.
        t.is(Math.min(...[lookups.cold, ...lookups.warm].map((lookup) => lookup.queries.length)), queries);
      }
    });
  }
}

function isFound(t: ExecutionContext, { cold, warm }: Played, address: string | undefined): void {
  for (const { outcome } of [cold, ...warm]) {
    if (address === undefined) t.notRegex(outcome, /\d\.\d|::/);
    else t.true(outcome.split(' ').includes(address), outcome);
  }
}

/** Of each pod, without completion and with it; and the most upstream of all pods. */
const CROWD_QUERIES: ReadonlyMap<string, readonly [before: number, after: number, upstream: number]> = new Map([
  ['outside name', [8, 2, 2]],
  ['missing outside name', [8, 8, 2]],
  ['service.namespace', [4, 2, 0]],
  ['node domain: outside name', [10, 2, 4]],
  ['node domain: missing outside name', [10, 10, 4]],
  ['node domain: missing service', [10, 10, 4]],
]);

const crowds = needing(...STAGE);

crowds('twenty pods that look a name up at once ask upstream once for each name and type', async (t) => {
  t.timeout(STAGE_DEADLINE);
  await plays(); // a stage has room for one server
  const pods = 20;
  const found = await playCrowds((await world()).stages.before, CROWD_CASES, pods);
  t.deepEqual(crowdFaultsIn(found), []);
  for (const { what, completes, first, second } of found) {
    const [before = 0, after = 0, upstream = 0] = CROWD_QUERIES.get(what.title) ?? [];
    const title = `${what.title}, ${completes ? 'with' : 'without'} completion`;
    // The second crowd's names are in the cache.
    t.is(second.result.queries / pods, completes ? after : before, title);
    t.true(first.upstream.length <= upstream, title);
    t.is(first.upstream.length > 0, upstream > 0, title);
  }
});

const [what] = CASES;
const query = (name: string) =>
  ({ at: 0, isQuery: true, transport: 'udp', from: '', to: '', rcode: 0, type: 1, name }) as const;
const LOOKUP: Lookup = { outcome: '192.0.2.1', queries: [query('a.example.org')], upstream: [], elapsed: 1 };
const SAME: Played = { cold: LOOKUP, warm: [LOOKUP] };

const FAULTS: readonly (readonly [title: string, after: Played, fault: RegExp | undefined])[] = [
  ['the same', SAME, undefined],
  ['a question upstream at first', { ...SAME, cold: { ...LOOKUP, upstream: [query('a.example.org')] } }, undefined],
  ['another address', { ...SAME, cold: { ...LOOKUP, outcome: '192.0.2.2' } }, /"192\.0\.2\.1" has become/],
  ['another address later', { ...SAME, warm: [{ ...LOOKUP, outcome: 'not found' }] }, /or "not found"/],
  ['more queries', { ...SAME, cold: { ...LOOKUP, queries: [query('a'), query('b')] } }, /1 queries have become 2/],
  [
    'a question upstream again',
    { ...SAME, warm: [{ ...LOOKUP, upstream: [query('a')] }] },
    /a was asked upstream again/,
  ],
  [
    "a cluster's name upstream",
    { ...SAME, cold: { ...LOOKUP, upstream: [query('a.svc.cluster.local')] } },
    /a\.svc\.cluster\.local was asked upstream$/,
  ],
];

for (const [title, after, fault] of FAULTS) {
  test(`the report ${fault === undefined ? 'has nothing to say of' : 'tells'} ${title}`, (t) => {
    if (what === undefined) throw new Error('no cases');
    const pairs = [{ what, client: 'glibc', before: SAME, after }];
    const faults = faultsIn(pairs);
    t.is(faults.length, fault === undefined ? 0 : 1);
    t.regex(faults.join('\n'), fault ?? /^$/);
    t.regex(presentLookups(pairs, ['glibc']), new RegExp(`^${what.title} +1`, 'm'));
  });
}
