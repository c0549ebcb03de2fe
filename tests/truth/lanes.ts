/** Asks the server with an express lane and the one without the same questions, and compares octets. Knows nothing of what is right. */

import { presentLabels } from '../support/presentation.ts';
import type { Completed } from '../support/model/completion.ts';
import type { Count } from '../../zones/units.ts';
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

/** What is asked of both lanes. */
export type Rounds = {
  /** What was asked of the express lane just now, and what came back. */
  readonly exchanged: readonly Exchanged[];
  /** Questions that replies may have been prepared for earlier. */
  readonly before: readonly AskedQuestion[];
  /** What search completion has to do with a question; `plain` for all without it. */
  readonly outcomeOf: (asked: AskedQuestion) => Completed['outcome'];
};

export type LaneReport = {
  readonly differences: readonly LaneDifference[];
  /** Completed replies that were the express lane's own. */
  readonly expressCompletions: Count;
};

/**
 * Every other question is asked as stubs ask, which is what the express lane is for: once of the plain lane and three times of the express lane, for
 * the first reply may have been learnt from, and the others are then its own. The rest is asked of the plain lane as it was before.
 */
export async function compareLanes(subject: Subject, rounds: Rounds): Promise<LaneReport> {
  const { exchanged, outcomeOf } = rounds;
  const isLate = (asked: AskedQuestion): boolean => outcomeOf(asked) === 'late';
  const old = rounds.before.map(asStubsAsk);
  const now = exchanged.filter((_, i) => isForExpress(i)).map(({ asked }) => asStubsAsk(asked));
  const others = exchanged.filter((_, i) => !isForExpress(i));
  const usual = [...old, ...now];
  const said = others.map(({ replies }) => replies);
  const plain = [...usual, ...others.map(({ asked }) => asked)];
  const first = {
    plain: await askAll((...query) => subject.askPlain(...query), plain, isLate),
    express: await askAll((...query) => subject.ask(...query), usual, isLate),
  };
  const again = await askAll((...query) => subject.ask(...query), now, isLate);
  const completed = now.filter((asked) => outcomeOf(asked) === 'completed');
  const before = subject.expressReplies;
  const third = await askAll((...query) => subject.ask(...query), completed, isLate);
  const expressCompletions = subject.expressReplies - before;
  const plainOf = new Map(plain.map((asked, i) => [asked, first.plain[i]?.replies]));
  const compared = [
    ...plain.map((asked, i) => ({ asked, express: [...first.express.map(({ replies }) => replies), ...said][i] })),
    ...now.map((asked, i) => ({ asked, express: again[i]?.replies })),
    ...completed.map((asked, i) => ({ asked, express: third[i]?.replies })),
  ];
  const differences = compared.flatMap(({ asked, express: actual }): readonly LaneDifference[] => {
    const expected = plainOf.get(asked);
    const over = (['udp', 'tcp'] as const).find((each) => !isSame(expected?.[each], actual?.[each]));
    if (over === undefined) return [];
    const { question, manner } = asked;
    const words = `${presentLabels(question.labels)} ${question.type} ${JSON.stringify(manner)} over ${over}`;
    const index = exchanged.findIndex((each) => each.asked.question === question);
    return [
      {
        question: index === -1 ? undefined : index,
        expected: [...linesOf(expected, over), words],
        actual: [...linesOf(actual, over), words],
      },
    ];
  });
  return { differences, expressCompletions };
}

/** Asks; what waits for somebody silent is asked by itself, for then nobody is waited for. */
export async function askAll(
  ask: Subject['ask'],
  asked: readonly AskedQuestion[],
  isLate: (asked: AskedQuestion) => boolean,
): Promise<readonly Exchanged[]> {
  const exchanged: Exchanged[] = [];
  for (const patience of ['endless', 'none'] as const) {
    const chosen = asked.flatMap((each, i) =>
      isLate(each) === (patience === 'none') ? [{ asked: each, i, query: octetsOf(each) }] : [],
    );
    if (chosen.length === 0) continue;
    const got = await ask(
      chosen.map(({ query }) => query),
      patience,
    );
    for (const [n, { i, ...sent }] of chosen.entries()) {
      exchanged[i] = { ...sent, replies: got[n] ?? { udp: undefined, tcp: undefined } };
    }
  }
  return exchanged;
}

/** Is the exchange with that index asked as stubs ask? */
export function isForExpress(index: number): boolean {
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
