/** Lanes for a listener without a server behind it. Knows no DNS. */

import { eitherLane, type ExpressAnswer, type Lanes, type PlainAnswer } from '../../server/data/lanes.ts';

/** An express lane that never knows, if none is given. */
export function lanesOf(plain: PlainAnswer, express: ExpressAnswer = () => 0): Lanes {
  return { plain, express, either: eitherLane({ express, plain, clock: () => performance.now() }) };
}
