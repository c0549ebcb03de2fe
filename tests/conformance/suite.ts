/** All checks, and what comes of running them against a server. Knows no check and no server by name. */

import type { Count } from '../../zones/units.ts';
import type { Check, Need, Subject } from './check.ts';
import { EDNS } from './edns.ts';
import { FORWARDING } from './forwarding.ts';
import { HEADER } from './header.ts';
import { TCP } from './tcp.ts';
import { ZONE_DATA } from './zone-data.ts';

/** In the order of their ids. */
export const CHECKS: readonly Check[] = [...HEADER, ...ZONE_DATA, ...EDNS, ...TCP, ...FORWARDING].toSorted((a, b) =>
  a.id < b.id ? -1 : 1,
);

/** What a check found. */
export type Verdict =
  | { readonly verdict: 'pass' }
  /** `seen`: what the server did instead. */
  | { readonly verdict: 'FAIL'; readonly seen: string }
  /** `lacks`: what the server does not offer and the check needs. */
  | { readonly verdict: 'n/a'; readonly lacks: readonly Need[] };

/** Runs one check; whatever goes wrong is the server's doing. */
export async function verdictOf(check: Check, subject: Subject): Promise<Verdict> {
  const lacks = check.needs.filter((need) => !subject.offers.has(need));
  if (lacks.length > 0) return { verdict: 'n/a', lacks };
  try {
    await check.run(subject);
    return { verdict: 'pass' };
  } catch (error) {
    return { verdict: 'FAIL', seen: error instanceof Error ? error.message : String(error) };
  }
}

/** Checks that run side by side: enough that those who wait hold nobody up, and few enough that no socket's buffer runs over. */
const AT_ONCE: Count = 8;

/** Has what it is given run when its turn comes. */
export class Turns {
  #running: Count = 0;
  readonly #waiting: (() => void)[] = [];

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** Runs all checks, or some, in turns; the verdicts in their order. */
export function verdictsOf(checks: readonly Check[], subject: Subject): Promise<readonly Verdict[]> {
  const turns = new Turns();
  return Promise.all(checks.map((check) => turns.take(() => verdictOf(check, subject))));
}
