/** What a zone found for a question. Knows nothing of messages: turning it into octets is the server's business. */

import type { Life } from './life.ts';
import type { RRset } from './rr.ts';

/**
 * - `data`: RRsets of the asked type.
 * - `alias`: a CNAME whose target must still be asked for (RFC 1034 section 3.6.2); the CNAMEs so far are in `answer`.
 * - `nodata`: the name exists, the type does not (RFC 2308 section 2.2).
 * - `nxdomain`: the name does not exist, and nothing exists below it (RFC 8020).
 */
type Outcome = 'data' | 'alias' | 'nodata' | 'nxdomain';

/** `own`: of what the answer's names stand for. `whole`: of everything else that there is in the zone. */
export type Lives = { readonly own: Life; readonly whole: Life };

/** Immutable once made: nothing that has been given away is changed. */
export type Answer = {
  readonly outcome: Outcome;
  readonly answer: readonly RRset[];
  readonly authority: readonly RRset[];
  readonly additional: readonly RRset[];
  /** Of everything that it was made from, where that is known: the question gets the same answer until one of them ends. */
  readonly lives?: Lives | undefined;
};
