/**
 * A stub resolver as a step machine: which questions go out together, and what it makes of the replies. Time is known as silence only. Knows
 * no particular resolver, and nothing of messages.
 */

import type { Protocol } from '../../../server/query.ts';
import type { Bytes, Count } from '../../../zones/units.ts';

/** resolv.conf(5), as it was read. */
export type ResolvConf = {
  /** Without final dots, but for the root. */
  readonly search: readonly string[];
  readonly ndots: Count;
  /** `nameserver` lines. */
  readonly servers: Count;
  /** Words of the `options` line, but for ndots. */
  readonly options: ReadonlySet<string>;
};

export type AddressType = 'A' | 'AAAA';

export const BOTH_TYPES: readonly AddressType[] = ['A', 'AAAA'];

/** One message to one server. */
export type Question = {
  /** Without a final dot. */
  readonly name: string;
  readonly type: AddressType;
  readonly protocol: Protocol;
  /** Place among the servers. */
  readonly server: Count;
  /** What the client takes over UDP; undefined if it does not say (512 octets). */
  readonly payloadSize: Bytes | undefined;
};

export type Rcode = 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';

/** A record of an answer section, names in lower case and without a final dot. */
export type AnswerRecord = { readonly owner: string; readonly type: string; readonly rdata: string };

export type Said = {
  readonly rcode: Rcode;
  readonly truncated: boolean;
  /** Neither authoritative nor recursive. */
  readonly isReferral: boolean;
  readonly answer: readonly AnswerRecord[];
};

/** What the program that looked a name up is told. */
export type Outcome = { readonly addresses: ReadonlySet<string> } | { readonly error: string };

/** Gives questions that go out together and is told what was said to each, undefined being silence. */
export type Machine<Result> = Generator<readonly Question[], Result, readonly (Said | undefined)[]>;

export type Resolver = {
  readonly name: string;
  /** @param types that the program asks for; tools have their own */
  readonly lookUp: (conf: ResolvConf, name: string, types: readonly AddressType[]) => Machine<Outcome>;
};

/** Several at once, step by step; those that need fewer steps wait for the others. */
export function* together<Result>(machines: readonly Machine<Result>[]): Machine<readonly Result[]> {
  const steps = machines.map((machine) => machine.next([]));
  for (;;) {
    const asked = steps.flatMap((step) => (step.done === true ? [] : step.value));
    if (asked.length === 0) return steps.flatMap((step) => (step.done === true ? [step.value] : []));
    const said = yield asked;
    let at = 0;
    for (const [i, machine] of machines.entries()) {
      const step = steps[i];
      if (step === undefined || step.done === true) continue;
      const end = at + step.value.length;
      steps[i] = machine.next(said.slice(at, end));
      at = end;
    }
  }
}

/** What remembers what was asked, and asks for it. */
export type Ask = (questions: readonly Question[]) => Promise<readonly (Said | undefined)[]>;

export type LookUp = { readonly outcome: Outcome; readonly asked: readonly Question[] };

/** Runs the machine to its end. */
export async function play(machine: Machine<Outcome>, ask: Ask): Promise<LookUp> {
  const asked: Question[] = [];
  let step = machine.next([]);
  while (step.done !== true) {
    asked.push(...step.value);
    step = machine.next(await ask(step.value));
  }
  return { outcome: step.value, asked };
}
