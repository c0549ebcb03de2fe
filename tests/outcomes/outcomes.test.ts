/** The fast part of `npm run outcomes`, and proof that a server that completes too much, or too dearly, is found out. */

import test from 'ava';

import { Random } from '../support/random.ts';
import { BOTH_TYPES, type Said } from '../support/resolvers/resolver.ts';
import { randomScenario } from './random-scenario.ts';
import { report } from './report.ts';
import type { Scenario } from './scenario.ts';
import type { Subject } from './subject.ts';
import { playScenario, type Difference, type Make } from './trial.ts';

/** Any numbers; each is the first seed of so many scenarios. */
const SEEDS: readonly number[] = [1, 1_000_000, 2_000_000];
const SCENARIOS = 30;

for (const seed of SEEDS) {
  test.serial(
    `every look-up ends as it would without completion, with no more queries: seeds from ${seed}`,
    async (t) => {
      let completions = 0;
      for (let number = seed; number < seed + SCENARIOS; number++) {
        const scenario = randomScenario(new Random(number));
        const trial = await playScenario(scenario);
        completions += trial.completions;
        const [difference] = trial.differences;
        if (difference !== undefined) t.fail(await report(scenario, difference, `seed ${number}`));
      }
      t.true(completions > 0, 'no question was completed');
    },
  );
}

/** A pod looks up what exists outside, with both kinds of addresses. */
const PLAIN: Scenario = {
  zone: 'cluster.local',
  objects: [{ kind: 'Namespace', namespace: '', name: 'shop' }],
  outside: [{ name: 'www.example.com', ttl: 30, a: 1, aaaa: 1, alias: undefined, isSlow: false }],
  nodeDomains: [],
  source: '@kubernetes',
  autopath: [],
  kubernetes: [],
  block: [],
  otherBlock: undefined,
  namespace: 'shop',
  name: 'www.example.com',
  ndots: 5,
  types: BOTH_TYPES,
  words: [],
  pause: 0,
  event: [],
  outsideLater: undefined,
};

test('a walk of eight questions is one of two', async (t) => {
  const { differences, lookUps, completions } = await playScenario(PLAIN);
  t.deepEqual(differences, []);
  t.is(lookUps, 14);
  // Both types, cold and warm, of five resolvers and nslookup; `dig` asks for one.
  t.is(completions, 26);
});

/** What a server could get wrong, and who suffers. */
const WRONG: readonly {
  readonly title: string;
  readonly make: Make;
  readonly kind: Difference['kind'];
  readonly suffers: readonly string[];
}[] = [
  {
    title: 'completes A and denies AAAA',
    make: (subject) =>
      saying(subject, (said, type) => (type === 'AAAA' ? { ...said, rcode: 'NXDOMAIN', answer: [] } : said)),
    kind: 'outcome',
    suffers: ['glibc', 'Go', 'c-ares', 'nslookup'],
  },
  {
    title: 'cuts replies over UDP',
    make: (subject) => saying(subject, (said) => ({ ...said, truncated: true, answer: [] })),
    kind: 'outcome',
    suffers: ['musl 1.2.3'],
  },
  {
    title: 'names the found name before the alias to it',
    make: (subject) => saying(subject, (said) => ({ ...said, answer: said.answer.toReversed() })),
    kind: 'outcome',
    suffers: ['glibc'],
  },
  {
    title: 'fails',
    make: (subject) => saying(subject, (said) => ({ ...said, rcode: 'SERVFAIL', answer: [] })),
    kind: 'outcome',
    suffers: ['musl 1.2.5', 'musl 1.2.3', 'c-ares', 'dig +search', 'nslookup'],
  },
  {
    title: 'fails',
    make: (subject) => saying(subject, (said) => ({ ...said, rcode: 'SERVFAIL', answer: [] })),
    kind: 'queries',
    suffers: ['glibc', 'Go'],
  },
];

for (const { title, make, kind, suffers } of WRONG) {
  test(`a server that ${title} is found out: ${kind}`, async (t) => {
    const { differences } = await playScenario(PLAIN, { make });
    const found = differences.filter((difference) => difference.kind === kind);
    t.deepEqual(
      found.map(({ resolver }) => resolver),
      suffers,
    );
  });
}

test('a difference is reported small', async (t) => {
  const make: Make = (subject) => saying(subject, (said) => ({ ...said, rcode: 'SERVFAIL', answer: [] }));
  const scenario = { ...PLAIN, autopath: ['ttl 7', 'suffix corp.internal'], words: ['edns0'], pause: 40_000 };
  const [difference] = (await playScenario(scenario, { make })).differences;
  if (difference === undefined) return t.fail('there is none');
  const text = await report(scenario, difference, 'a test', make);
  t.regex(text, /^glibc: more queries with completion, a test, cold\n/);
  t.regex(text, /^looked up: www\.example\.com A AAAA, again after 0 ms$/m);
  t.notRegex(text, /ttl 7|corp\.internal|edns0/);
});

/** The server with other replies in place of its completed ones, over UDP. */
function saying(subject: Subject, other: (said: Said, type: string) => Said): Subject {
  return {
    ...subject,
    async ask(questions) {
      const replies = await subject.ask(questions);
      return replies.map((said, i) => {
        const question = questions[i];
        const isCompleted = said?.answer[0]?.type === 'CNAME' && question?.protocol === 'udp';
        return said !== undefined && isCompleted ? other(said, question.type) : said;
      });
    },
  };
}
