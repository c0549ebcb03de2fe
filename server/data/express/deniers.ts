/** Which zones of a listener can deny a name at once, and as whose exchanges that counts. Knows nothing of octets. */

import type { Answer } from '../../../zones/answer.ts';
import { isWithin, type Name, type Spelling } from '../../../zones/name.ts';
import { RRType } from '../../../zones/rr.ts';
import type { RoutedZone } from '../block.ts';
import { route } from '../route.ts';
import { Accounts, type Account } from './accounts.ts';

/** A zone that denies what it does not have. */
export class Denier {
  readonly apex: Name;
  readonly plugin: string;
  readonly #deny: (name: Name, spelling: Spelling, type: number) => Answer | undefined;
  readonly #takers: readonly ((name: Name) => boolean)[];
  readonly #witnesses: readonly ((name: Name) => void)[];
  readonly #accounts: Accounts;

  constructor(apex: Name, { zone, block }: RoutedZone) {
    const { takers = [], witnesses = [], denials } = block.express ?? {};
    this.apex = apex;
    this.plugin = denials?.plugin ?? '';
    this.#deny = denials?.deny ?? (() => undefined);
    this.#takers = takers;
    this.#witnesses = witnesses;
    this.#accounts = new Accounts(zone, block.observers);
  }

  /** `nodata` or `nxdomain`, or undefined where the plain lane has to be asked. */
  deny(name: Name, spelling: Spelling, type: number): Answer | undefined {
    for (let i = 0; i < this.#takers.length; i++) if (this.#takers[i]?.(name) === true) return undefined;
    return this.#deny(name, spelling, type);
  }

  /** The answer that `deny` gave for that name goes out. */
  denied(name: Name): void {
    for (let i = 0; i < this.#witnesses.length; i++) this.#witnesses[i]?.(name);
  }

  account(type: number, rcode: number): Account {
    return this.#accounts.of(type, this.plugin, rcode);
  }
}

/** Longest apex first. Left out are zones below which another block begins. */
export function deniersOf(zones: ReadonlyMap<Name, RoutedZone>): readonly Denier[] {
  const deniers: Denier[] = [];
  for (const block of new Set(Array.from(zones.values(), (routed) => routed.block))) {
    for (const apex of block.express?.denials?.apexes ?? []) {
      const routed = route(zones, apex, RRType.SOA);
      const isBlocksOwn = [...zones].every(([zone, other]) => other === routed || !isWithin(zone, apex));
      if (routed?.block === block && isBlocksOwn) deniers.push(new Denier(apex, routed));
    }
  }
  return deniers.toSorted((a, b) => b.apex.length - a.apex.length);
}
