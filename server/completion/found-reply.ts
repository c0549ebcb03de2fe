/** What is said where a walk has found something, or why it is not: for all types of a name, or for none. Knows nothing of how it was found. */

import { RRType } from '../../zones/rr.ts';
import type { Seconds } from '../../zones/units.ts';
import { ENDLESS, type Query, type Reply } from '../query.ts';
import { udpLimit } from '../wire/edns.ts';
import type { ClusterNames } from './cluster-names.ts';
import { completedReply, isForAlias, saysMoreOf } from './completed-reply.ts';
import type { Completed, CompletionCounters } from './completion-counters.ts';
import { CompletionLease } from './completion-lease.ts';
import { Grounds } from './grounds.ts';
import { leastSizeFor } from './least-size.ts';
import type { Plan } from './plan.ts';
import { placeAsked } from './search-list.ts';
import type { Found, Refusal } from './walk.ts';

export type FoundSettings = {
  readonly aliasTtlMax: Seconds;
  /** Is the same said to everybody? */
  readonly isForAll: boolean;
  readonly cluster: ClusterNames | undefined;
  readonly counters: CompletionCounters;
};

/** @param plain the reply without completion */
export function foundReply(
  query: Query,
  plain: Reply,
  plan: Plan,
  found: Found,
  settings: FoundSettings,
): Reply | Refusal {
  const { candidate, a, aaaa, other } = found;
  const { name, type } = query.question;
  const { aliasTtlMax, cluster, counters } = settings;
  const winner = other ?? (type === RRType.AAAA || (isForAlias(type) && a.answer.length === 0) ? aaaa : a);
  if ([a, aaaa, winner].some((reply) => saysMoreOf(name, reply))) return 'failure';
  const forAddresses = { ...query, question: { ...query.question, type: RRType.A } };
  const both = [a, aaaa].map((reply) => completedReply(forAddresses, plain, candidate, reply, aliasTtlMax));
  const leastSize = leastSizeFor(forAddresses, both);
  if (query.peer.protocol === 'udp' && leastSize > udpLimit(query.edns)) return 'size';
  const outside = found.asked.filter(({ fresh }) => !fresh);
  const completed: Completed = {
    place: candidate.place,
    before: found.before,
    lookUps: outside.length,
    suffix: cluster === undefined ? undefined : placeAsked(name, cluster),
  };
  counters.completed(completed, outside.filter(({ upstream }) => upstream === '').length);
  const reply = completedReply(query, plain, candidate, winner, aliasTtlMax);
  const source = isEmpty(winner) ? plain : winner;
  const said = source.lease ?? (isEmpty(winner) && plain.fresh ? ENDLESS : undefined);
  const decided = [plain, ...found.asked].filter((each) => each !== source);
  const grounds = settings.isForAll ? groundsOf(plan, decided, found, winner, cluster) : undefined;
  if (said === undefined || grounds === undefined) return reply;
  const lease = new CompletionLease({
    said,
    grounds,
    aliasTtlMax: isEmpty(reply) ? undefined : aliasTtlMax,
    leastSize,
    completed,
    counters,
  });
  return { ...reply, lease };
}

/**
 * What the cluster has for one type of a name lasts as long as what it has for another, but what it lacks is said with its serial; the lease of what
 * is said ends by itself.
 */
function groundsOf(
  plan: Plan,
  decided: readonly Reply[],
  { a, aaaa }: Found,
  winner: Reply,
  cluster: ClusterNames | undefined,
): Grounds | undefined {
  if (a.fresh && a.lease === undefined && aaaa.lease === undefined) return undefined;
  const isCovered = (reply: Reply): boolean =>
    reply.fresh && reply.lease === undefined && (reply === a || reply === aaaa || (reply === winner && isEmpty(reply)));
  return Grounds.of(
    plan,
    decided.filter((reply) => !isCovered(reply)),
    cluster,
    isEmpty(winner),
  );
}

function isEmpty({ answer }: Reply): boolean {
  return answer.length === 0;
}
