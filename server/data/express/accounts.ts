/** Who is told of what the express lane says, and how it is counted. Knows nothing of what is said. */

import type { Bytes, Count, Milliseconds } from '../../../zones/units.ts';
import type { Observer, Tally } from '../../pipeline.ts';
import type { Asker } from '../lanes.ts';

/** What the exchanges of one account have in common. */
type Common = { readonly zone: string; readonly type: number; readonly plugin: string; readonly rcode: number };

/** Types and rcodes of ordinary exchanges are below these. */
const TYPES: Count = 128;
const RCODES: Count = 16;

/** The exchanges of one zone of a listener. */
export class Accounts {
  readonly #zone: string;
  readonly #observers: readonly Observer[];
  /** By plugin, then by type and rcode: no key is made for a query. */
  readonly #accounts = new Map<string, (Account | undefined)[]>();

  constructor(zone: string, observers: readonly Observer[]) {
    this.#zone = zone;
    this.#observers = observers;
  }

  of(type: number, plugin: string, rcode: number): Account {
    let accounts = this.#accounts.get(plugin);
    if (accounts === undefined) {
      accounts = Array.from<Account | undefined>({ length: TYPES * RCODES });
      this.#accounts.set(plugin, accounts);
    }
    return (accounts[type * RCODES + rcode] ??= new Account(
      { zone: this.#zone, type, plugin, rcode },
      this.#observers,
    ));
  }
}

/** Tallies are made when the first exchange is counted: no series shows what never happened. */
export class Account {
  /** Those that no tally can take the place of: they are told of each exchange. */
  readonly told: readonly Observer[];
  readonly #common: Common;
  readonly #observers: readonly Observer[];
  /** By protocol and family. */
  readonly #tallies: (readonly Tally[] | undefined)[] = [undefined, undefined, undefined, undefined];

  constructor(common: Common, observers: readonly Observer[]) {
    this.told = observers.filter(({ tally }) => tally === undefined);
    this.#common = common;
    this.#observers = observers;
  }

  get zone(): string {
    return this.#common.zone;
  }

  count({ protocol, family }: Asker, querySize: Bytes, size: Bytes, duration: Milliseconds): void {
    const index = (protocol === 'udp' ? 0 : 2) + (family === 4 ? 0 : 1);
    const tallies = (this.#tallies[index] ??= this.#observers.flatMap(
      ({ tally }) => tally?.({ ...this.#common, protocol, family }) ?? [],
    ));
    for (let i = 0; i < tallies.length; i++) tallies[i]?.(querySize, size, duration);
  }
}
