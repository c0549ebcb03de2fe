/** How glibc (2.36) asks for both types of one name: together from one socket, and what it does about faults and silence. */

import type { Bytes, Count } from '../../../zones/units.ts';
import type { AddressType, Machine, Question, Rcode, ResolvConf, Said } from './resolver.ts';

const TRIES: Count = 2;
/** With `edns0`. */
const PAYLOAD_SIZE: Bytes = 1200;

/** What one program keeps from one name to the next. */
export type Habits = {
  readonly conf: ResolvConf;
  readonly types: readonly AddressType[];
  /** A, and only when that is answered AAAA: once one of two was answered and the other was not. */
  isSequential: boolean;
  /** The same from a new socket, the last thing that is tried. */
  reopens: boolean;
};

/** `a` is the reply that came first; the other one is left out where it was no answer. */
export type Answers = { readonly a: Said; readonly aaaa: Said | undefined };

export type Exchanged = Answers | { readonly lastRcode: Rcode | undefined };

export function* exchange(habits: Habits, name: string): Machine<Exchanged> {
  let lastRcode: Rcode | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    for (let server = 0; server < habits.conf.servers; server++) {
      const tried = habits.conf.options.has('use-vc')
        ? yield* overTcp(habits, name, server)
        : yield* overUdp(habits, name, server);
      if ('a' in tried) return tried;
      lastRcode = tried.lastRcode ?? lastRcode;
    }
  }
  return { lastRcode };
}

function* overUdp(habits: Habits, name: string, server: Count): Machine<Exchanged> {
  for (;;) {
    const said = habits.isSequential
      ? yield* oneByOne(habits, name, server)
      : yield questions(habits, name, server, 'udp');
    const came = said.filter((each) => each !== undefined);
    if (came.some((each) => each.truncated && !isFault(each))) return yield* overTcp(habits, name, server);
    const [first, second] = came;
    // A first reply that is a fault takes the second one with it.
    if (first === undefined || isFault(first)) return { lastRcode: first?.rcode };
    if (habits.types.length > 1 && second === undefined && grewCareful(habits)) continue;
    return { a: first, aaaa: isFault(second) ? undefined : second };
  }
}

/** A fault instead of A, or silence, and AAAA is not asked for. */
function* oneByOne(habits: Habits, name: string, server: Count): Machine<readonly (Said | undefined)[]> {
  const said: (Said | undefined)[] = [];
  for (const question of questions(habits, name, server, 'udp')) {
    const [reply] = yield [question];
    said.push(reply);
    if (isFault(reply) || reply === undefined || reply.truncated) break;
  }
  return said;
}

function* overTcp(habits: Habits, name: string, server: Count): Machine<Exchanged> {
  const [a, aaaa] = yield questions(habits, name, server, 'tcp');
  return a === undefined ? { lastRcode: undefined } : { a, aaaa };
}

/** False where all has been tried. */
function grewCareful(habits: Habits): boolean {
  if (habits.reopens) return false;
  if (habits.isSequential) habits.reopens = true;
  habits.isSequential = true;
  return true;
}

function isFault(said: Said | undefined): boolean {
  return said?.rcode === 'SERVFAIL' || said?.rcode === 'REFUSED';
}

function questions(habits: Habits, name: string, server: Count, protocol: Question['protocol']): readonly Question[] {
  const payloadSize = habits.conf.options.has('edns0') ? PAYLOAD_SIZE : undefined;
  return habits.types.map((type) => ({ name, type, protocol, server, payloadSize }));
}
