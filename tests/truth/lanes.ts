/** Asks the server with an express lane and the one without the same questions, and compares octets. Knows nothing of what is right. */

import { presentLabels } from '../support/presentation.ts';
import type { Replies } from './asker.ts';
import { linesOfOctets } from './lines.ts';
import { queryOctets, type Manner } from './query.ts';
import type { AskedQuestion } from './questions.ts';
import type { Subject } from './subject.ts';
import type { Exchanged } from './trial.ts';

export type LaneDifference = {
  /** Index of the question; undefined if it is one of those that were asked before. */
  readonly question: number | undefined;
  /** The plain lane's reply, then the octets. */
  readonly expected: readonly string[];
  readonly actual: readonly string[];
};

/**
 * Every other question is asked as stubs ask, which is what the express lane is for: once of the plain lane and twice of the express lane, for
 * the first reply may have been learnt from, and the second is then its own. The others are asked of the plain lane as they were before.
 * @param before questions that replies may have been prepared for earlier
 */
export async function laneDifferences(
  subject: Subject,
  exchanged: readonly Exchanged[],
  before: readonly Exchanged[],
): Promise<readonly LaneDifference[]> {
  const old = before.filter(isForExpress).map(({ asked }) => asStubsAsk(asked));
  const now = exchanged.filter(isForExpress).map(({ asked }) => asStubsAsk(asked));
  const others = exchanged.filter((each, i) => !isForExpress(each, i));
  const usual = [...old, ...now];
  const [plain, express] = await Promise.all([
    subject.askPlain([...usual.map(octetsOf), ...others.map(({ query }) => Buffer.from(query))]),
    subject.ask([...usual.map(octetsOf), ...now.map(octetsOf)]),
  ]);
  const indexOf = ({ question }: AskedQuestion): number =>
    exchanged.findIndex(({ asked }) => asked.question === question);
  const compared = [
    ...usual.map((asked, i) => ({ asked, plain: plain[i], express: express[i] })),
    ...now.map((asked, i) => ({ asked, plain: plain[old.length + i], express: express[usual.length + i] })),
    ...others.map(({ asked, replies }, i) => ({ asked, plain: plain[usual.length + i], express: replies })),
  ];
  return compared.flatMap(({ asked, plain: expected, express: actual }) => {
    const over = (['udp', 'tcp'] as const).find((each) => !isSame(expected?.[each], actual?.[each]));
    if (over === undefined) return [];
    const { question, manner } = asked;
    const words = `${presentLabels(question.labels)} ${question.type} ${JSON.stringify(manner)} over ${over}`;
    const index = indexOf(asked);
    return {
      question: index === -1 ? undefined : index,
      expected: [...linesOf(expected, over), words],
      actual: [...linesOf(actual, over), words],
    };
  });
}

function isForExpress(_: Exchanged, index: number): boolean {
  return index % 2 === 0;
}

/** RD, and neither CD nor DO; AD if CD was there. */
function asStubsAsk({ question, manner }: AskedQuestion): AskedQuestion {
  const usual: Manner = {
    payloadSize: manner.payloadSize,
    dnssecOk: false,
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: manner.checkingDisabled,
  };
  return { question, manner: usual };
}

function octetsOf({ question, manner }: AskedQuestion): Buffer {
  return queryOctets(question, manner);
}

/** All but the ids. */
function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.subarray(2).equals(b.subarray(2));
}

function linesOf(replies: Replies | undefined, over: 'udp' | 'tcp'): readonly string[] {
  const octets = replies?.[over];
  return [...linesOfOctets(octets), octets?.toString('hex', 2) ?? ''];
}
