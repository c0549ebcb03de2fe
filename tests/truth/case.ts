/** A history of a cluster with its questions, and in what ways a server can be wrong about it. Knows no server. */

import type { Batch } from './events.ts';
import type { AskedQuestion } from './questions.ts';
import type { Setting } from './settings.ts';

/** A step of a history, and what is asked after it. */
export type Moment = Batch & {
  readonly questions: readonly AskedQuestion[];
  /** Is everything listed once more, without a change? */
  readonly isListedAgain: boolean;
};

/** A history with its questions. Plain data, so that a smaller one can be made of it. */
export type Case = {
  readonly setting: Setting;
  readonly moments: readonly Moment[];
  /** Is each zone transferred at the end? */
  readonly isTransferred: boolean;
  /** Is the last state reached once more on another way? */
  readonly isReordered: boolean;
};

/**
 * - `answer`: a reply is not what the model says, or no proper reply.
 * - `torn`: a reply while a batch arrived is neither that before nor that after it.
 * - `serial`: one state has two serials, or an answer changed and the serial did not grow (RFC 1982 section 3.2).
 * - `again`: a list that changed nothing changed an answer.
 * - `order`: the order of events shows in an answer.
 * - `transfer`: a whole zone is not what single answers are.
 * - `lane`: the express lane says other octets than the plain one.
 * - `fault`: the server's log tells of a fault.
 */
export const DIFFERENCE_KINDS = ['answer', 'torn', 'serial', 'again', 'order', 'transfer', 'lane', 'fault'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export type Difference = {
  readonly kind: DifferenceKind;
  /** What is wrong, without the particulars. */
  readonly title: string;
  /** Index of the moment, and of the question there. */
  readonly moment: number;
  readonly question: number | undefined;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
};
