/** What a verdict on a name rests on, and whether it would be the same now. Knows nothing of what the verdict is. */

import type { Life } from '../../zones/life.ts';
import { Rcode } from '../../zones/rr.ts';
import type { Count, Milliseconds } from '../../zones/units.ts';
import { LEASE_OVER, type Lease, type Reply } from '../query.ts';
import type { ClusterNames, ServiceKey } from './cluster-names.ts';
import type { Plan } from './plan.ts';

/** A walk through a longer list is made anew each time: each lease takes memory, and time for each reply. */
const LEASES_MAX: Count = 16;

/** Small: there is one for each reply that is kept, and it holds no plan. */
export class Grounds {
  readonly #leases: readonly Lease[];
  readonly #life: Life | undefined;
  readonly #absent: readonly ServiceKey[];
  readonly #cluster: ClusterNames | undefined;
  /** Of the zone whose SOA record is said; undefined if none is. */
  readonly #serial: Count | undefined;

  private constructor(
    leases: readonly Lease[],
    { life, absent }: Plan,
    cluster: ClusterNames | undefined,
    serial: Count | undefined,
  ) {
    this.#leases = leases;
    this.#life = life;
    this.#absent = absent;
    this.#cluster = cluster;
    this.#serial = serial;
  }

  /**
   * Undefined if it is not known for how long the replies hold.
   * @param asked what was said on the walk; the cluster's own denials hold until a namespace or an absent service comes
   * @param saysSerial does the reply say the serial of the cluster's zone?
   */
  static of(
    plan: Plan,
    asked: readonly Reply[],
    cluster: ClusterNames | undefined,
    saysSerial = false,
  ): Grounds | undefined {
    const leased = asked.filter((reply) => !isClustersDenial(reply));
    const leases = leased.flatMap(({ lease }) => lease ?? []);
    if (leases.length < leased.length || leases.length > LEASES_MAX || !plan.isLasting) return undefined;
    return new Grounds(leases, plan, cluster, saysSerial ? cluster?.serial() : undefined);
  }

  isOver(now: Milliseconds): boolean {
    if (this.#life?.isOver === true) return true;
    if (this.#serial !== undefined && this.#serial !== this.#cluster?.serial()) return true;
    for (const lease of this.#leases) if (lease.isOver(now)) return true;
    for (const service of this.#absent) if (this.#cluster?.hasService(service) === true) return true;
    return false;
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
