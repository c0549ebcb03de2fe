/** What a verdict on a name rests on, and whether it would be the same now. Knows nothing of what the verdict is. */

import type { Life } from '../../zones/life.ts';
import { Rcode } from '../../zones/rr.ts';
import type { Milliseconds } from '../../zones/units.ts';
import { LEASE_OVER, type Lease, type Reply } from '../query.ts';
import type { ClusterNames } from './cluster-names.ts';
import type { Plan } from './plan.ts';

export class Grounds {
  readonly #leases: readonly Lease[];
  readonly #life: Life | undefined;
  readonly #isOvertaken: () => boolean;

  private constructor(leases: readonly Lease[], life: Life | undefined, isOvertaken: () => boolean) {
    this.#leases = leases;
    this.#life = life;
    this.#isOvertaken = isOvertaken;
  }

  /**
   * Undefined if it is not known for how long the replies hold.
   * @param asked what was said on the walk; the cluster's own denials hold until a namespace or an absent service comes
   */
  static of(plan: Plan, asked: readonly Reply[], cluster: ClusterNames | undefined): Grounds | undefined {
    const leased = asked.filter((reply) => !isClustersDenial(reply));
    const leases = leased.flatMap(({ lease }) => lease ?? []);
    if (leases.length < leased.length || !plan.isLasting) return undefined;
    const isOvertaken = (): boolean => plan.absent.some((service) => cluster?.hasService(service) === true);
    return new Grounds(leases, plan.life, isOvertaken);
  }

  isOver(now: Milliseconds): boolean {
    return this.#life?.isOver === true || this.#leases.some((lease) => lease.isOver(now)) || this.#isOvertaken();
  }

  /** The same walk is made once more, and each reply counted where it came from; false if one of them has to be asked for. */
  repeat(now: Milliseconds): boolean {
    if (this.isOver(now)) return false;
    for (const lease of this.#leases) if (lease.renew(now) === LEASE_OVER) return false;
    return true;
  }
}

/** What an alias leads to is somebody else's to say. */
function isClustersDenial({ fresh, rcode, answer }: Reply): boolean {
  return fresh && rcode === Rcode.NXDOMAIN && answer.length === 0;
}
