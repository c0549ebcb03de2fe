/**
 * From a case with a difference to a smaller one with the same: what is left is what the difference needs. Knows which parts
 * a case can do without, not why it differs.
 */

import { KINDS } from '../../zones/kubernetes/objects.ts';
import type { Count } from '../../zones/units.ts';
import type { RawObject } from '../support/raw-objects.ts';
import type { CompletionSetting } from './completion-settings.ts';
import { ClusterState, type Delivery } from './events.ts';
import type { AskedQuestion } from './questions.ts';
import type { Setting } from './settings.ts';
import type { Subject } from './subject.ts';
import type { Case, Difference, Moment } from './case.ts';
import { play } from './trial.ts';

/** A case and a difference in it. */
export type Found = { readonly played: Case; readonly difference: Difference };

/** Cases that are played to make one smaller; each takes a millisecond or two. */
const TRIES_MAX: Count = 10_000;

/** The smallest case that was found; the same one if nothing smaller differs in the same way. */
export async function shrink(subject: Subject, found: Found): Promise<Found> {
  let best = found;
  let tries: Count = 0;
  const isTaken = async (candidate: Case): Promise<boolean> => {
    if (!isListedAlike(candidate, found.played) || ++tries > TRIES_MAX) return false;
    const { differences } = await play(subject, candidate);
    const same = differences.find((each) => isAlike(each, found.difference));
    if (same !== undefined) best = { played: candidate, difference: same };
    return same !== undefined;
  };
  for (const leap of LEAPS) await isTaken(leap(best));
  for (let size = Infinity; size > (size = JSON.stringify(best.played).length);) {
    for (const smaller of STEPS) {
      // What was taken moves the others up: the same place is tried again.
      for (let at = 0; ;) {
        const candidate = smaller(best.played)[at];
        if (candidate === undefined) break;
        if (!(await isTaken(candidate()))) at++;
      }
    }
  }
  return best;
}

/** Without a list nothing is known for certain, which is another matter. */
function isListedAlike(one: Case, other: Case): boolean {
  return JSON.stringify(listedKinds(one)) === JSON.stringify(listedKinds(other));
}

function listedKinds({ moments }: Case): readonly string[] {
  const lists = moments.flatMap(({ deliveries }) => deliveries.filter((delivery) => delivery.verb === 'list'));
  return [...new Set(lists.map(({ kind }) => kind))].toSorted();
}

/** The same thing is wrong: another rcode must not become one that stands for something else. */
function isAlike(one: Difference, other: Difference): boolean {
  return (
    one.kind === other.kind &&
    one.title === other.title &&
    one.expected[0] === other.expected[0] &&
    one.actual[0] === other.actual[0]
  );
}

type Candidate = () => Case;

/** What saves most, tried once. */
const LEAPS: readonly ((found: Found) => Case)[] = [
  ({ played, difference }) => ({
    ...played,
    moments: played.moments.slice(0, difference.moment + 1),
    isTransferred: difference.kind === 'transfer',
    isReordered: difference.kind === 'order',
  }),
  ({ played, difference }) =>
    withMoments(played, (moment, i) => (i === difference.moment ? moment : { ...moment, questions: [] })),
  ({ played, difference }) =>
    withMoments(played, (moment, i) => ({
      ...moment,
      isRaced: moment.isRaced && difference.kind === 'torn' && i === difference.moment,
      isListedAgain: moment.isListedAgain && difference.kind === 'again' && i === difference.moment,
      questions: moment.questions.filter(
        (_, n) => difference.question === undefined || i !== difference.moment || n === difference.question,
      ),
    })),
  ({ played }) => snapshotOf(played),
];

/** Small changes, each tried again and again. */
const STEPS: readonly ((played: Case) => readonly Candidate[])[] = [
  (played) => without(played.moments).map((moments) => () => ({ ...played, moments: moments() })),
  (played) => inMoments(played, (moment) => withoutEach(moment, 'deliveries')),
  (played) => inMoments(played, (moment) => withoutEach(moment, 'questions')),
  (played) => inDeliveries(played, smallerLists),
  (played) => simplerSettings(played.setting).map((setting) => () => ({ ...played, setting })),
  (played) => inDeliveries(played, smallerObjects),
  (played) =>
    inMoments(played, (moment) =>
      moment.questions.flatMap((asked, i) =>
        simplerQuestions(asked).map((simpler) => () => ({ ...moment, questions: moment.questions.with(i, simpler) })),
      ),
    ),
];

/** The state at the end of it, as a cluster that was just listed. */
function snapshotOf(played: Case): Case {
  const last = played.moments.at(-1);
  if (last === undefined) return played;
  const state = new ClusterState();
  for (const { deliveries } of played.moments) state.apply(deliveries);
  const deliveries = KINDS.flatMap((kind): readonly Delivery[] =>
    state.isListed(kind)
      ? [{ verb: 'list', kind, objects: state.ofKind(kind) }]
      : state.ofKind(kind).map((object) => ({ verb: 'put', object })),
  );
  return { ...played, moments: [{ ...last, deliveries, isRaced: false }] };
}

function withMoments(played: Case, change: (moment: Moment, i: number) => Moment): Case {
  return { ...played, moments: played.moments.map(change) };
}

function inMoments(played: Case, candidates: (moment: Moment) => readonly (() => Moment)[]): readonly Candidate[] {
  return played.moments.flatMap((moment, i) =>
    candidates(moment).map((candidate) => () => ({ ...played, moments: played.moments.with(i, candidate()) })),
  );
}

function inDeliveries(
  played: Case,
  candidates: (delivery: Delivery) => readonly (() => Delivery)[],
): readonly Candidate[] {
  return inMoments(played, (moment) =>
    moment.deliveries.flatMap((delivery, i) =>
      candidates(delivery).map((candidate) => () => ({
        ...moment,
        deliveries: moment.deliveries.with(i, candidate()),
      })),
    ),
  );
}

function withoutEach(moment: Moment, field: 'deliveries' | 'questions'): readonly (() => Moment)[] {
  return without<unknown>(moment[field]).map((rest) => () => ({ ...moment, [field]: rest() }));
}

function smallerLists(delivery: Delivery): readonly (() => Delivery)[] {
  if (delivery.verb !== 'list') return [];
  return without(delivery.objects).map((objects) => () => ({ ...delivery, objects: objects() }));
}

function smallerObjects(delivery: Delivery): readonly (() => Delivery)[] {
  if (delivery.verb === 'put')
    return smallerObject(delivery.object).map((object) => () => ({ ...delivery, object: object() }));
  if (delivery.verb !== 'list') return [];
  return delivery.objects.flatMap((each, i) =>
    smallerObject(each).map((object) => () => ({ ...delivery, objects: delivery.objects.with(i, object()) })),
  );
}

/** The object without one of its parts, whichever it can be without. */
function smallerObject(object: RawObject): readonly (() => RawObject)[] {
  return smallerValues(object, '').map((value) => () => value() as RawObject);
}

const NEEDED: ReadonlySet<string> = new Set([
  '/kind',
  '/apiVersion',
  '/metadata',
  '/metadata/name',
  '/metadata/namespace',
  '/addressType',
  '/spec/externalName',
  '/spec/ports/*/port',
]);

function smallerValues(value: unknown, path: string): readonly (() => unknown)[] {
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return [
      ...without(list),
      ...list.flatMap((each, i) => smallerValues(each, `${path}/*`).map((smaller) => () => list.with(i, smaller()))),
    ];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...(NEEDED.has(`${path}/${key}`)
      ? []
      : [() => Object.fromEntries(Object.entries(value).filter(([other]) => other !== key))]),
    ...smallerValues(each, `${path}/${key}`).map((smaller) => () => ({ ...value, [key]: smaller() })),
  ]);
}

/** Without one half, then without each one. */
function without<T>(list: readonly T[]): readonly (() => readonly T[])[] {
  const middle = Math.ceil(list.length / 2);
  const halves = list.length < 4 ? [] : [() => list.slice(middle), () => list.slice(0, middle)];
  return [...halves, ...list.map((_, i) => () => list.toSpliced(i, 1))];
}

function simplerSettings(setting: Setting): readonly Setting[] {
  const { options, localAddresses } = setting;
  const plain: Partial<Setting['options']>[] = [
    { namespaces: [] },
    { namespaceLabels: '' },
    { labels: '' },
    { endpointPodNames: false },
    { noendpoints: false },
    { endpoints: 'all' },
    { ignoreEmptyService: false },
    { zonal: false },
    { multicluster: [] },
    { pods: 'disabled' },
    { pods: 'insecure' },
    { ttl: 5 },
  ];
  const simpler = plain
    .map((each): Setting => ({ ...setting, options: { ...options, ...each } }))
    // A mode of pods must not go back and forth.
    .filter((each) => !(options.pods === 'disabled' && each.options.pods === 'insecure'));
  const standard = { zones: ['cluster.local', 'in-addr.arpa', 'ip6.arpa'], ownBlock: false };
  return [
    ...simpler,
    { ...setting, fallthrough: [], options: { ...options, fallthrough: undefined } },
    {
      ...setting,
      ...standard,
      options: { ...options, zones: standard.zones.map((zone) => `${zone}.`), multicluster: [] },
    },
    { ...setting, ownBlock: false },
    { ...setting, localAddresses: [] },
    ...localAddresses.map((_, i) => ({ ...setting, localAddresses: localAddresses.toSpliced(i, 1) })),
    { ...setting, time: 1_700_000_000 },
    { ...setting, cache: undefined },
    ...simplerCompletions(setting),
  ].filter((each) => JSON.stringify(each) !== JSON.stringify(setting));
}

function simplerCompletions(setting: Setting): readonly Setting[] {
  const { completion } = setting;
  if (completion === undefined) return [];
  const simpler: readonly Partial<CompletionSetting>[] = [
    { zones: [] },
    { except: [] },
    { suffixes: [] },
    { tlds: undefined },
    { ttl: undefined },
    { searches: undefined },
    ...completion.nodeDomains.map((_, i) => ({ nodeDomains: completion.nodeDomains.toSpliced(i, 1) })),
  ];
  return [
    { ...setting, completion: undefined },
    ...simpler.map((each) => ({ ...setting, completion: { ...completion, ...each } })),
  ];
}

function simplerQuestions({ question, manner }: AskedQuestion): readonly AskedQuestion[] {
  const plain = { payloadSize: undefined, dnssecOk: false, recursionDesired: true, checkingDisabled: false };
  const lower = question.labels.map((label) => label.toLowerCase());
  return [
    { question, manner: plain },
    { question: { ...question, labels: lower }, manner },
    { question: { ...question, type: 'A' }, manner },
  ].filter((each) => JSON.stringify(each) !== JSON.stringify({ question, manner }));
}
