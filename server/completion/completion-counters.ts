/** The series of search completion. Knows what is counted, not when. */

import type { Count } from '../../zones/units.ts';
import type { Counter, Counters } from '../counters.ts';
import type { Place } from './search-list.ts';
import type { Refusal } from './walk.ts';

const PLACES: readonly Place[] = ['svc', 'cluster', 'node', 'pod', 'name'];
const REASONS: readonly Refusal[] = [
  'pod',
  'namespace',
  'underscore',
  'ambiguous',
  'endpoint',
  'private',
  'nowhere',
  'no_address',
  'disagreement',
  'size',
  'failure',
  'late',
  'busy',
];
/** The domains of search lists that questions are told by. */
export type Suffix = 'namespace' | 'svc' | 'cluster' | 'node';
const SUFFIXES: readonly Suffix[] = ['namespace', 'svc', 'cluster', 'node'];

/** What is counted of a completed reply. */
export type Completed = {
  readonly place: Place;
  /** Candidates before the one that was found. */
  readonly before: Count;
  /** Questions that the cluster alone does not answer. */
  readonly lookUps: Count;
  /** Where the question stands in its client's list. */
  readonly suffix: Suffix | undefined;
};

export class CompletionCounters {
  readonly upstreamSaved: Counter;
  readonly #successes: Counter;
  readonly #clientSaved: Counter;
  readonly #completions: ReadonlyMap<Place, Counter>;
  readonly #refusals: ReadonlyMap<Refusal, Counter>;
  readonly #suffixes: ReadonlyMap<Suffix, Counter>;

  constructor(counters: Counters, server: string) {
    const by = <Key extends string>(metric: string, label: string, keys: readonly Key[]): ReadonlyMap<Key, Counter> =>
      new Map(keys.map((key) => [key, counters.counter(metric, { server, [label]: key })]));
    this.#successes = counters.counter('coredns_autopath_success_total', { server });
    this.#completions = by('fivedots_autopath_completions_total', 'result', PLACES);
    this.#refusals = by('fivedots_autopath_refused_total', 'reason', REASONS);
    this.#suffixes = by('fivedots_autopath_search_queries_total', 'suffix', SUFFIXES);
    this.#clientSaved = counters.counter('fivedots_autopath_saved_queries_total', { server, by: 'client' });
    this.upstreamSaved = counters.counter('fivedots_autopath_saved_queries_total', { server, by: 'upstream' });
  }

  /** `saved`: look-ups that no upstream was asked for just now. */
  completed({ place, before }: Completed, saved: Count): void {
    this.#successes.add();
    this.#completions.get(place)?.add();
    // The client's own next question would have been for the first candidate.
    this.#clientSaved.add(before + 1);
    this.upstreamSaved.add(saved);
  }

  /** The same was said once more, and nothing else has counted the question. */
  completedAgain(completed: Completed): void {
    if (completed.suffix !== undefined) this.searched(completed.suffix);
    this.completed(completed, completed.lookUps);
  }

  refused(reason: Refusal): void {
    this.#refusals.get(reason)?.add();
  }

  searched(suffix: Suffix): void {
    this.#suffixes.get(suffix)?.add();
  }
}
