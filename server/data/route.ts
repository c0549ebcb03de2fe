/** Which block answers a question on a listener: the one with the longest zone that holds the name. Knows nothing of blocks. */

import { parentOf, ROOT, type Name } from '../../zones/name.ts';
import { RRType } from '../../zones/rr.ts';

/**
 * The target of the longest zone that is an ancestor of the name or the name itself. A DS question at a zone's own apex belongs to the parent
 * (RFC 4035 section 3.1.4.1), if that is served here too.
 */
export function route<Target>(zones: ReadonlyMap<Name, Target>, name: Name, type: number): Target | undefined {
  let own: Target | undefined;
  for (let zone = name; ; zone = parentOf(zone)) {
    const target = zones.get(zone);
    if (target !== undefined) {
      if (type !== RRType.DS || zone !== name) return target;
      own = target;
    }
    if (zone === ROOT) return own;
  }
}
