/**
 * The fast part of `npm run truth`: a few thousand pairs of a cluster's state and a question, and proof that a server that is
 * wrong is found out, for each kind of difference there is.
 */

import test, { type ExecutionContext } from 'ava';

import type { Count } from '../../zones/units.ts';
import type { DifferenceKind } from './case.ts';
import { caseOf, PAIRS_PER_CASE } from './cases.ts';
import { report } from './report.ts';
import { shrink, type Found } from './shrink.ts';
import { Fivedots, type Subject } from './subject.ts';
import { play } from './trial.ts';
import {
  beginningAnew,
  believing,
  complaining,
  losing,
  pointingElsewhere,
  remembering,
  tearing,
  withholding,
  withOtherAddresses,
  withOtherTtls,
} from './wrong-servers.ts';

/** Any numbers; each gives other clusters, histories and questions. */
const SEEDS: readonly number[] = [1, 2, 4, 6];
/** Of each seed; in every other one there is search completion. */
const CASES = 8;
/** Less than a tenth of what there are. */
const COMPLETIONS_MIN: Count = 20;
/** The same of the express lane's own. */
const EXPRESS_COMPLETIONS_MIN: Count = 5;

for (const seed of SEEDS) {
  test.serial(
    `${CASES * PAIRS_PER_CASE} pairs of a state and a question, as the model has them: seed ${seed}`,
    async (t) => {
      const subject = await started(t);
      let completions: Count = 0;
      let expressCompletions: Count = 0;
      for (let number = 0; number < CASES; number++) {
        const played = caseOf(seed, number);
        const { pairs, differences, ...completed } = await play(subject, played);
        t.is(pairs, PAIRS_PER_CASE);
        completions += completed.completions;
        expressCompletions += completed.expressCompletions;
        const [difference] = differences;
        if (difference === undefined) continue;
        const found = await shrink(subject, { played, difference });
        t.fail(report(found, subject.corefile(found.played.setting), `case ${number} of seed ${seed}`));
        break;
      }
      t.true(subject.expressReplies > CASES * PAIRS_PER_CASE, `only ${subject.expressReplies} from the express lane`);
      t.true(completions > COMPLETIONS_MIN, `only ${completions} completed`);
      t.true(
        expressCompletions > EXPRESS_COMPLETIONS_MIN,
        `only ${expressCompletions} completed from the express lane`,
      );
    },
  );
}

/** What a server could get wrong, and the kind of difference that it then has. */
const WRONG: readonly {
  readonly title: string;
  readonly kind: DifferenceKind;
  readonly make: (subject: Subject) => Subject;
}[] = [
  { title: 'sees another address in a cluster IP', kind: 'answer', make: withOtherAddresses },
  { title: 'shows the changes of a batch one by one', kind: 'torn', make: tearing },
  { title: 'begins anew with each batch, and so with its serial', kind: 'serial', make: beginningAnew },
  { title: 'loses an object when all are listed again', kind: 'again', make: losing },
  { title: 'believes the first that it hears of an object', kind: 'order', make: believing },
  { title: 'leaves a record out of a zone', kind: 'transfer', make: withholding },
  { title: 'says once more what was prepared, whatever came between', kind: 'lane', make: remembering },
  { title: 'points from a denial to another place in the message', kind: 'lane', make: pointingElsewhere },
  { title: 'writes other TTLs in the express lane', kind: 'lane', make: withOtherTtls },
  { title: 'logs a fault', kind: 'fault', make: complaining },
];

for (const { title, kind, make } of WRONG) {
  test.serial(`found out: a server that ${title}`, async (t) => {
    const subject = make(await started(t));
    for (let number = 0; number < CASES_MAX; number++) {
      const { differences } = await play(subject, caseOf(1, number));
      if (differences.some((each) => each.kind === kind)) return t.pass();
    }
    return t.fail(`no difference of the kind "${kind}" in ${CASES_MAX} cases`);
  });
}

/** A wrong server that is not found out in so many is not found out. */
const CASES_MAX = 40;

test('equal numbers give equal cases, others give others', (t) => {
  t.deepEqual(caseOf(3, 5), caseOf(3, 5));
  t.notDeepEqual(caseOf(3, 5), caseOf(3, 6));
  t.notDeepEqual(caseOf(3, 5), caseOf(4, 5));
});

test('what fails is made small: the cluster that is left is what the difference needs', async (t) => {
  const subject = withOtherAddresses(await started(t));
  const { played, difference } = await firstDifference(subject, 'another answer section');
  const { moments } = (await shrink(subject, { played, difference })).played;
  t.is(moments.length, 1);
  t.is(moments[0]?.questions.length, 1);
  const objects = moments.flatMap(({ deliveries }) =>
    deliveries.flatMap((delivery) => (delivery.verb === 'list' ? delivery.objects : [delivery.object])),
  );
  // A Service and its namespace, and perhaps an endpoint that has the address too, with its own.
  t.true(objects.length <= 4, JSON.stringify(objects));
  t.true(objects.some(({ kind }) => kind === 'Service'));
});

async function firstDifference(subject: Subject, title: string): Promise<Found> {
  for (let number = 0; ; number++) {
    const played = caseOf(1, number);
    const { differences } = await play(subject, played);
    const difference = differences.find((each) => each.title === title);
    if (difference !== undefined) return { played, difference };
  }
}

async function started(t: ExecutionContext): Promise<Fivedots> {
  const subject = await Fivedots.start();
  t.teardown(() => subject.close());
  return subject;
}
