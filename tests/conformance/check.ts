/** What a conformance check is. Knows nothing of any one server, ours included. */

import type { ServerAddress } from '../support/client.ts';
import type { EvilUpstream } from '../support/evil-upstream.ts';

/** One row of the table: a statement about a server that speaks DNS, and how it is tried from outside. */
export type Check = {
  /** `C01` */
  readonly id: string;
  /** What must be true, as a sentence. */
  readonly title: string;
  /** Where that is written: RFC and section. */
  readonly source: string;
  /** What the server must have been set up with; without all of it the row does not apply. */
  readonly needs: readonly Need[];
  /** Asks and compares. @throws ConformanceError where the server does something else */
  readonly run: (subject: Subject) => Promise<void>;
};

/**
 * - `cluster`: the cluster of fixtures/conformance, as a zone or from its objects.
 * - `upstream`: forwards other names to our upstream, whose log the check reads; names under `spare.test` to a second one.
 * - `cache`: remembers what upstreams say, for as long as they say, and failures; `stale`: beyond that as RFC 8767 section 5 recommends.
 * - `addresses`: listens at two addresses of one family. `rotation`: mixes the records of an RRset.
 * - `any`: answers QTYPE ANY in one of the ways of RFC 8482.
 * - `nsid`: calls itself `conformance`. `unsynced`: the zone `unsynced.test` of a cluster that cannot be reached.
 * - the rest: what only some servers offer.
 */
export type Need = (typeof NEEDS)[number];
export const NEEDS = [
  'cluster',
  'upstream',
  'cache',
  'stale',
  'addresses',
  'rotation',
  'any',
  'nsid',
  'local',
  'unsynced',
] as const;

/** A server under test. */
export type Subject = {
  readonly name: string;
  /** At least one; checks ask at the first of each family. */
  readonly addresses: readonly ServerAddress[];
  readonly offers: ReadonlySet<Need>;
  /** Where it forwards to; there if it offers `upstream`. Checks run side by side: each asks names of its own (`freshName`) and looks for them. */
  readonly upstream: EvilUpstream | undefined;
  /** Where it forwards names under `spare.test` to: for checks that teach the server something about its upstream. There if `upstream` is. */
  readonly spareUpstream: EvilUpstream | undefined;
};

/** A server did not do what a check says. The message says what it did instead. */
export class ConformanceError extends Error {}

/** The upstream of a subject that offers one. */
export function upstreamOf({ name, upstream }: Subject): EvilUpstream {
  if (upstream === undefined) throw new Error(`${name} offers an upstream and has none`);
  return upstream;
}

/** The upstream for names under `spare.test`. */
export function spareUpstreamOf({ name, spareUpstream }: Subject): EvilUpstream {
  if (spareUpstream === undefined) throw new Error(`${name} offers an upstream and has no spare one`);
  return spareUpstream;
}
