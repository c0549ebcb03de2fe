/** What a client is told of what came from upstream, or did not. Knows nothing of how upstreams are asked. */

import { Rcode } from '../../zones/rr.ts';
import { UpstreamError } from '../errors.ts';
import { emptyReply, ExtendedErrorCode, type Query, type Reply, servfail } from '../query.ts';
import type { UpstreamReply } from '../wire/upstream-message.ts';

/** Over TCP nobody asks again for the rest: without records it would look like NODATA. */
const ONLY_A_PART =
  'the answer is too large for UDP, and no upstream gave it over TCP; may this pod reach their port over TCP?';

/** As the upstream said it; but AD goes to those only who asked for it (RFC 6840 section 5.8). */
export function replyOf(reply: UpstreamReply, upstream: string, query: Query): Reply {
  if (reply.truncated && query.peer.protocol === 'tcp') return servfail('forward', ONLY_A_PART);
  return {
    rcode: reply.rcode,
    authoritative: reply.authoritative,
    recursionAvailable: reply.recursionAvailable,
    authenticData: reply.authenticData && (query.authenticData || (query.edns?.dnssecOk ?? false)),
    truncated: reply.truncated,
    answer: reply.answer,
    authority: reply.authority,
    additional: reply.additional,
    extendedError: reply.extendedError,
    options: [],
    plugin: 'forward',
    upstream,
    fresh: false,
    fault: undefined,
    lease: undefined,
  };
}

/** What was not even asked is refused, not failed: nothing is known of the name, so nothing of it may be remembered. */
export function refused(fault: string): Reply {
  return { ...emptyReply(Rcode.REFUSED, 'forward'), fault };
}

/** Every upstream leads back here. */
export function stopped(why = 'there is no upstream'): Reply {
  return servfail('forward', why, { code: ExtendedErrorCode.NETWORK_ERROR, text: why });
}

/** No upstream gave a usable reply. A fault of ours is not one of them and is thrown on. */
export function failure(error: unknown): Reply {
  if (!(error instanceof UpstreamError)) throw error;
  if (error.code === 'limit') return refused(error.message);
  const code = error.code === 'timeout' ? ExtendedErrorCode.NO_REACHABLE_AUTHORITY : ExtendedErrorCode.NETWORK_ERROR;
  return servfail('forward', error.message, { code, text: error.message });
}
