/**
 * How well a source keeps up with its API server, as figures for people: what is counted, and how fresh each kind is.
 * Knows nothing of how a server is followed.
 */

import type { Count, Seconds } from '../units.ts';
import type { Kind } from './objects.ts';

/**
 * What ended a list or a watch.
 * - `ended`: the server, because the watch's time was up. Everyday life.
 * - `overdue`: we, because it should have ended long ago.
 * - `stalled`: we, because it had gone silent.
 * - `silence`: watches that said nothing at all, several in a row: the server may know less than we do.
 * - `timeout`: there was a connection, but no reply.
 * - `cut`: the reply broke off, or ended as soon as it had begun.
 * - `unreachable`: there was no connection.
 * - `credentials`: our own files or programs gave none.
 * - `refused`: the reply was another than 200.
 * - `expired`: the server has forgotten the version that was to be gone on from (410).
 * - `future-version`: the server has not come to that version, as after a restore.
 * - `error-event`: another error in the middle of a watch.
 * - `protocol`: something that the API never says.
 * - `unmarked`: a watch that should have begun with a list and did not.
 * - `shrunk`: a list that lacked so much of what was known that it was not believed at once.
 * - `internal`: a fault in fivedots.
 */
export type Interruption = (typeof RECONNECT_REASONS)[number] | (typeof RELIST_REASONS)[number];

/** After which a watch may go on from where the one before was. */
export const RECONNECT_REASONS = [
  'ended',
  'overdue',
  'stalled',
  'timeout',
  'cut',
  'unreachable',
  'credentials',
  'refused',
  'error-event',
  'protocol',
] as const;

/** After which a kind may have to be listed again. */
export const RELIST_REASONS = [
  'overdue',
  'stalled',
  'silence',
  'timeout',
  'cut',
  'unreachable',
  'credentials',
  'refused',
  'expired',
  'future-version',
  'error-event',
  'protocol',
  'unmarked',
  'shrunk',
  'internal',
] as const;

/**
 * - `events`: changes that a watch told after its list.
 * - `dropped-events`: changes that were older than what was known, and left aside.
 * - `stalls`: replies that went silent.
 * - `protocol-errors`: replies that the API never gives.
 * - `gaps`: objects that a list taken aside showed otherwise than the watch had told them.
 */
export type Tally = 'events' | 'dropped-events' | 'stalls' | 'protocol-errors' | 'gaps';

/**
 * What became of a list taken aside.
 * - `compared`: with what the watch had told at the same version.
 * - `dropped`: the watch broke before it came to that version, or told too much meanwhile, or the versions cannot be compared.
 * - `failed`: the server did not give it.
 */
export type ResyncOutcome = (typeof RESYNC_OUTCOMES)[number];

export const RESYNC_OUTCOMES = ['compared', 'dropped', 'failed'] as const;

/** Something to count. */
export type Happening =
  | { readonly what: Tally; readonly kind: Kind; readonly count: Count }
  | { readonly what: 'relists' | 'reconnects'; readonly kind: Kind; readonly reason: Interruption }
  | { readonly what: 'resyncs'; readonly kind: Kind; readonly outcome: ResyncOutcome };

/** How fresh a kind is, at the moment of asking. */
export type Freshness = {
  readonly kind: Kind;
  /** 0 while a watch of it is open, else the time since one was, or since a list; before the first list, since it was first asked for. */
  readonly staleness: Seconds;
  /** Since the server last said anything of it; undefined if it never did. */
  readonly sinceByte: Seconds | undefined;
  readonly sinceBookmark: Seconds | undefined;
  /** Why it is not followed, as people were told; undefined if it is. */
  readonly trouble: string | undefined;
};

/** One for each kind: what is read over several watches is as fresh as the one that is furthest behind. */
export function oldestOfEach(all: readonly Freshness[]): readonly Freshness[] {
  const kinds = new Map<Kind, Freshness>();
  for (const one of all) {
    const other = kinds.get(one.kind);
    kinds.set(one.kind, other === undefined ? one : oldestOf(other, one));
  }
  return [...kinds.values()];
}

function oldestOf(one: Freshness, other: Freshness): Freshness {
  return {
    kind: one.kind,
    staleness: Math.max(one.staleness, other.staleness),
    sinceByte: longest(one.sinceByte, other.sinceByte),
    sinceBookmark: longest(one.sinceBookmark, other.sinceBookmark),
    trouble: one.trouble ?? other.trouble,
  };
}

/** Never is longer ago than any time. */
function longest(one: Seconds | undefined, other: Seconds | undefined): Seconds | undefined {
  return one === undefined || other === undefined ? undefined : Math.max(one, other);
}
