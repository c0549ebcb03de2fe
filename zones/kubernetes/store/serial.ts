/** Serial numbers of a zone that changes by itself. Knows nothing of what changed. */

import type { Seconds } from '../../units.ts';

/**
 * The serial after `last`: the time in seconds since 1970, or one more than the last where the clock is not ahead of it, so
 * that it grows with every change and goes on growing after a restart. Ahead and behind are those of RFC 1982 section 3.2.
 */
export function serialAfter(last: number, now: Seconds): number {
  const serial = Math.floor(now) >>> 0;
  const isAhead = ((serial - last) | 0) > 0;
  return isAhead ? serial : (last + 1) >>> 0;
}
