/**
 * One history of one cluster, played to the server: after every step its answers are compared with the model's, and what must
 * hold from step to step is looked at. Knows nothing of how cases are made, or made smaller.
 */

import { KINDS, type Kind } from '../../zones/kubernetes/objects.ts';
import type { Count, Seconds } from '../../zones/units.ts';
import type { Completed } from '../support/model/completion.ts';
import type { ModelQuestion, World } from '../support/model/world.ts';
import { judge, judgeUnaskable } from './agreement.ts';
import type { Replies } from './asker.ts';
import type { Case, Difference, DifferenceKind, Moment } from './case.ts';
import { ClusterState, type Delivery } from './events.ts';
import { expectedOf, isAskable, isSameReply, replyOf, worldOf } from './expectation.ts';
import { linesOfModel, linesOfOctets, linesOfReply } from './lines.ts';
import { askAll, compareLanes, isForExpress } from './lanes.ts';
import type { AskedQuestion } from './questions.ts';
import type { Setting } from './settings.ts';
import { tornReplies } from './races.ts';
import type { Subject } from './subject.ts';
import { transferFaults, type TransferFault } from './transfers.ts';

export type Outcome = {
  readonly pairs: Count;
  /** Pairs of which the reply is a completed one. */
  readonly completions: Count;
  /** Completed replies that came from the express lane. */
  readonly expressCompletions: Count;
  readonly differences: readonly Difference[];
};

/** Questions that are asked again, or whose answers are looked at for a change. */
const PROBES: Count = 12;
/** Completed questions of earlier moments that are asked of both lanes again, the last ones. */
const COMPLETED_MAX: Count = 24;
/** Seconds that pass after a moment, by its index. */
const PASSES: readonly Seconds[] = [0, 1];
/** The same where there are caches: longer than some of what they hold lasts. */
const LONGER_PASSES: readonly Seconds[] = [0, 2, 0, 5, 1, 9];
/** Questions of each burst that is on its way while a batch arrives, of those that it matters to. */
const RACERS: Count = 6;

/** Plays a case. @param pairsMax no more pairs of a state and a question than this */
export async function play(
  subject: Subject,
  { setting, moments, isTransferred, isReordered }: Case,
  pairsMax: Count = Infinity,
): Promise<Outcome> {
  await subject.configure(setting);
  const trial = new Trial(subject, setting);
  for (const [index, moment] of moments.entries()) await trial.step(index, moment, pairsMax);
  if (isTransferred) await trial.transfer();
  if (isReordered) await trial.reorder();
  trial.listen();
  const { pairs, completions, expressCompletions, differences } = trial;
  return { pairs, completions, expressCompletions, differences };
}

/** A question with its octets, and what came back. */
export type Exchanged = { readonly asked: AskedQuestion; readonly query: Buffer; readonly replies: Replies };

class Trial {
  readonly differences: Difference[] = [];
  pairs: Count = 0;
  completions: Count = 0;
  expressCompletions: Count = 0;
  readonly #subject: Subject;
  readonly #setting: Setting;
  readonly #state = new ClusterState();
  #world: World;
  #serial: number | undefined;
  #index = 0;
  #exchanged: readonly Exchanged[] = [];
  /** Of the step before: those that are asked again. */
  #remembered: readonly AskedQuestion[] = [];
  /** Completed ones of earlier steps. */
  #completed: readonly AskedQuestion[] = [];
  /** Time that has passed for caches. */
  #passed: Seconds = 0;

  constructor(subject: Subject, setting: Setting) {
    this.#subject = subject;
    this.#setting = setting;
    this.#world = worldOf(setting, this.#state);
  }

  async step(index: number, moment: Moment, pairsMax: Count): Promise<void> {
    const questions = moment.questions.slice(0, pairsMax - this.pairs);
    if (questions.length < moment.questions.length && questions.length === 0) return;
    this.#index = index;
    const before = this.#world;
    this.#state.apply(moment.deliveries);
    this.#world = worldOf(this.#setting, this.#state);
    if (moment.isRaced) await this.#race(moment.deliveries, questions, before);
    else await this.#subject.deliver(moment.deliveries);
    this.#exchanged = await this.#exchange(questions);
    this.#compare(before);
    await this.#compareLanes();
    if (moment.isListedAgain) await this.#listAgain();
    this.#pass(index);
  }

  #pass(index: number): void {
    const isCached = this.#setting.cache !== undefined;
    const passes = isCached ? LONGER_PASSES : PASSES;
    const span = passes[index % passes.length] ?? 0;
    this.#subject.pass(span);
    if (isCached) this.#passed += span;
  }

  /** The last state once more: objects one by one from the last to the first, and what was listed is listed at the end. */
  async reorder(): Promise<void> {
    const first = this.#exchanged.filter(isAnswered);
    await this.#subject.configure(this.#setting);
    for (const object of this.#state.objects.toReversed()) await this.#subject.deliver([{ verb: 'put', object }]);
    await this.#subject.deliver(listsOf(this.#state));
    const second = await this.#exchange(first.map(({ asked }) => asked));
    for (const [i, { replies }] of second.entries()) {
      const expected = linesOfOctets(first[i]?.replies.tcp);
      const actual = linesOfOctets(replies.tcp);
      if (expected.join('\n') !== actual.join('\n'))
        this.#differ('order', 'the order of events shows', i, expected, actual);
    }
  }

  /** Every zone whole, beside what was asked for last. */
  async transfer(): Promise<void> {
    const asked = this.#exchanged.filter(isAnswered).map(({ asked: { question } }) => question);
    for (const zone of this.#setting.options.zones) {
      for (const { title, expected, actual } of await this.#transferFaults(zone, asked)) {
        this.#differ('transfer', title, undefined, expected, actual);
      }
    }
  }

  async #transferFaults(zone: string, asked: readonly ModelQuestion[]): Promise<readonly TransferFault[]> {
    try {
      const messages = await this.#subject.transfer(zone.split('.').filter((label) => label !== ''));
      return transferFaults(this.#world, zone, messages, asked);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // It did not come to an end, or its octets are no messages.
      return [{ title: 'no transfer that can be read', expected: [zone], actual: [error.message] }];
    }
  }

  /** What a server logs is a part of what it says. */
  listen(): void {
    const [line] = this.#subject.complaints;
    if (line !== undefined) this.#differ('fault', 'the log tells of a fault', undefined, [], [line]);
  }

  #compare(before: World): void {
    const serials = new Set<number>();
    let hasChanged = false;
    for (const [i, { asked, query, replies }] of this.#exchanged.entries()) {
      this.pairs++;
      if (!isAskable(asked)) {
        for (const fault of judgeUnaskable(query, replies)) this.#differ('answer', fault, i, ['FORMERR'], []);
        continue;
      }
      const whole = expectedOf(this.#world, asked);
      const { reply: expected, outcome } = whole;
      if (outcome === 'completed') this.completions++;
      const { faults, serials: seen, reply } = judge(query, asked.manner, whole, replies, this.#passed);
      for (const serial of seen) serials.add(serial);
      const [fault] = faults;
      if (fault !== undefined) {
        const actual = reply === undefined ? faults : linesOfReply(reply);
        this.#differ('answer', fault, i, linesOfModel(expected), actual);
      }
      // That all is known now is no change of what is known.
      const isComparable = before.unlisted.size === this.#world.unlisted.size;
      if (!hasChanged && isComparable && i < PROBES) {
        hasChanged = !isSameReply(expected, replyOf(before, asked));
      }
    }
    this.#compareSerials(serials, hasChanged);
  }

  #compareSerials(serials: ReadonlySet<number>, hasChanged: boolean): void {
    const [serial] = serials;
    if (serial === undefined) return;
    if (serials.size > 1)
      this.#differ('serial', 'one state has two serials', undefined, [], Array.from(serials, String));
    const last = this.#serial;
    this.#serial = serial;
    if (last === undefined) return;
    const ahead = (serial - last) | 0;
    if (hasChanged && ahead <= 0) {
      this.#differ(
        'serial',
        'an answer changed and the serial did not grow',
        undefined,
        [`more than ${last}`],
        [`${serial}`],
      );
    }
    if (ahead < 0) this.#differ('serial', 'the serial went back', undefined, [`${last} or more`], [`${serial}`]);
  }

  /** What was prepared after the step before is asked for as well: it may not be said any more. */
  async #compareLanes(): Promise<void> {
    const exchanged = this.#exchanged;
    const before = [...this.#remembered, ...this.#completed];
    const report = await compareLanes(this.#subject, {
      exchanged,
      before,
      outcomeOf: (asked) => this.#outcomeOf(asked),
    });
    this.expressCompletions += report.expressCompletions;
    for (const { question, expected, actual } of report.differences) {
      this.#differ('lane', 'the express lane says something else', question, expected, actual);
    }
    const learnt = exchanged.filter((_, i) => isForExpress(i)).map(({ asked }) => asked);
    const completed = this.#remembered.filter((asked) => this.#outcomeOf(asked) === 'completed');
    this.#completed = [...this.#completed, ...completed].slice(-COMPLETED_MAX);
    this.#remembered = learnt;
  }

  #outcomeOf(asked: AskedQuestion): Completed['outcome'] {
    if (this.#setting.completion === undefined || !isAskable(asked)) return 'plain';
    return expectedOf(this.#world, asked).outcome;
  }

  /** Questions whose answers change are sent before the batch arrives, while it does, and after it. */
  async #race(deliveries: readonly Delivery[], questions: readonly AskedQuestion[], before: World): Promise<void> {
    const racers = questions
      .filter(isAskable)
      .map((asked) => ({ asked, either: [expectedOf(before, asked), expectedOf(this.#world, asked)] as const }))
      .filter(({ either: [old, young] }) => !isSameReply(old.reply, young.reply))
      .filter(({ either }) => either.every(({ outcome }) => outcome !== 'late'))
      .slice(0, RACERS);
    const torn = await tornReplies(
      racers,
      (asked) => this.#exchange(asked),
      () => this.#subject.deliver(deliveries),
    );
    for (const { asked, expected, actual } of torn) {
      const title = 'a reply in the middle of a change is neither the old nor the new one';
      this.#differ('torn', title, questions.indexOf(asked), expected, actual);
    }
  }

  async #listAgain(): Promise<void> {
    const first = this.#exchanged.slice(0, PROBES).filter(isAnswered);
    await this.#subject.deliver(listsOf(this.#state).map((list) => ({ ...list, objects: list.objects.toReversed() })));
    const second = await this.#exchange(first.map(({ asked }) => asked));
    for (const [i, { replies }] of second.entries()) {
      const [expected, actual] = [first[i]?.replies.tcp, replies.tcp];
      // All but the id, the serial too.
      if (expected === undefined || actual?.subarray(2).equals(expected.subarray(2)) === true) continue;
      this.#differ('again', 'a list without news changed a reply', i, linesOfOctets(expected), linesOfOctets(actual));
    }
  }

  async #exchange(questions: readonly AskedQuestion[]): Promise<readonly Exchanged[]> {
    const isLate = (asked: AskedQuestion): boolean => this.#outcomeOf(asked) === 'late';
    const exchanged = await askAll((...query) => this.#subject.ask(...query), questions, isLate);
    // Caches of both lanes are to hold the same.
    if (this.#setting.cache !== undefined)
      await askAll((...query) => this.#subject.askPlain(...query), questions, isLate);
    return exchanged;
  }

  #differ(
    kind: DifferenceKind,
    title: string,
    question: number | undefined,
    expected: readonly string[],
    actual: readonly string[],
  ): void {
    this.differences.push({ kind, title, moment: this.#index, question, expected, actual });
  }
}

/** Lists of all that was listed before, without news. */
function listsOf(
  state: ClusterState,
): readonly { readonly verb: 'list'; readonly kind: Kind; readonly objects: ReturnType<ClusterState['ofKind']> }[] {
  return KINDS.filter((kind) => state.isListed(kind)).map((kind) => ({
    verb: 'list',
    kind,
    objects: state.ofKind(kind),
  }));
}

function isAnswered({ asked, replies }: Exchanged): boolean {
  return isAskable(asked) && replies.tcp !== undefined;
}
