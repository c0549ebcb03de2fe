/** A source's limits when none are set. */

import type { RequestLimits } from '../../zones/kubernetes/source.ts';

export const NO_LIMITS: RequestLimits = { perSecond: undefined, burst: undefined, inFlight: undefined };
