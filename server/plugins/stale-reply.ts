/** What is said of a cluster that is only known from a snapshot (RFC 8767). Knows no cluster. */

import { Rcode, type RRset } from '../../zones/rr.ts';
import type { Seconds } from '../../zones/units.ts';
import { ExtendedErrorCode, type ExtendedError, type Reply } from '../query.ts';

/** RFC 8767 section 4: who has a stale answer asks again soon. */
const STALE_TTL_MAX: Seconds = 30;

/** The reply with the error that calls it stale (RFC 8914 sections 4.4 and 4.20), unless it has another one, and to be kept for a short time only. */
export function staleReply(reply: Reply): Reply {
  const error = ERRORS.get(reply.rcode);
  if (error === undefined) return reply;
  return {
    ...reply,
    answer: reply.answer.map(shortened),
    authority: reply.authority.map(shortened),
    additional: reply.additional.map(shortened),
    extendedError: reply.extendedError ?? error,
  };
}

const TEXT = 'from a snapshot; the API server has not been read yet';
const ERRORS: ReadonlyMap<number, ExtendedError> = new Map([
  [Rcode.NOERROR, { code: ExtendedErrorCode.STALE_ANSWER, text: TEXT }],
  [Rcode.NXDOMAIN, { code: ExtendedErrorCode.STALE_NXDOMAIN_ANSWER, text: TEXT }],
]);

function shortened(rrset: RRset): RRset {
  return rrset.ttl <= STALE_TTL_MAX ? rrset : { ...rrset, ttl: STALE_TTL_MAX };
}
