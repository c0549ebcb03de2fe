/**
 * The rules that tell differences to CoreDNS that are meant, on differences recorded with CoreDNS 1.15.0; `npm run
 * differential -- N --coredns COMMAND` meets more of them.
 */

import test, { type ExecutionContext } from 'ava';

import type { Example } from './contest.ts';
import { DEPARTURES, departureOf, type Departure } from './departures.ts';
import { recordedExamples } from './examples.ts';
import { SILENCE, type Reply } from './reply.ts';
import { SETTINGS } from './settings.ts';

const examples = await recordedExamples();

test('examples are of departures that there are, one of each', (t) => {
  const names = examples.map(({ departure }) => departure);
  t.deepEqual([...new Set(names)], names);
  t.deepEqual(
    names.filter((name) => !DEPARTURES.some((departure) => departure.name === name)),
    [],
  );
});

for (const example of examples) {
  test(`${example.departure}: it is told by what was recorded`, async (t) => {
    t.is((await told(t, example))?.name, example.departure);
  });

  test(`${example.departure}: another reply of either side is not explained`, async (t) => {
    for (const side of ['ours', 'theirs'] as const) {
      for (const reply of changesOf(example[side])) {
        t.is((await told(t, { ...example, [side]: reply }))?.name, undefined, `${side}: ${JSON.stringify(reply)}`);
      }
    }
  });
}

/** What no rule allows for: another rcode, AA or TTL, and a record that nobody has. */
function changesOf(reply: Reply): readonly Reply[] {
  const { rcode, flags, answer, authority } = reply;
  return [
    { ...reply, rcode: 'NOTIMP' },
    { ...reply, flags: flags === 'aa' ? '' : 'aa' },
    { ...reply, answer: [...answer, 'nobody.example. 5 in a 192.0.2.1'] },
    { ...reply, authority: authority.length > 0 ? [] : ['nobody.example. 5 in ns nobody.example.'] },
    ...(answer.length > 0 ? [{ ...reply, answer: answer.map((line) => line.replace(/ \d+ in /, ' 77 in ')) }] : []),
    ...(rcode === 'SILENCE' ? [] : [SILENCE]),
  ];
}

/** Asks nothing but what was asked when it was recorded, and says what was said; to other questions there is no reply. */
function told(t: ExecutionContext, example: Example): Promise<Departure | undefined> {
  const setting = SETTINGS.find(({ name }) => name === example.setting);
  if (setting === undefined) return t.fail(`there is no setting ${example.setting}`);
  const { question, ours, theirs, upstream, isMisspelt, isOwnerless, asked } = example;
  const own = [question.name.toLowerCase()];
  return departureOf({
    question,
    ours,
    theirs,
    upstream,
    setting,
    names: new Map(asked.map((each) => [each.question.name, [each.question.type]])),
    oddities: { misspelt: new Set(isMisspelt ? own : []), ownerless: new Set(isOwnerless ? own : []) },
    ask: ({ name, type }) => {
      const found = asked.find((each) => each.question.name === name && each.question.type === type);
      return Promise.resolve(found ?? { ours: SILENCE, theirs: SILENCE, upstream: SILENCE });
    },
  });
}
