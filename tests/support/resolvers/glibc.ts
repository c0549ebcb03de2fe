/** glibc's getaddrinfo (2.36), which most images have: how it walks its search list. `glibc-exchange.ts` asks for one name. */

import { followedAddresses } from './answer-addresses.ts';
import { exchange, type Answers, type Exchanged, type Habits } from './glibc-exchange.ts';
import type { Machine, Outcome, Resolver, Said } from './resolver.ts';
import { dotsIn, isName, isRooted, under } from './search-names.ts';

/** h_errno, by what getaddrinfo makes of it. */
type Fault = 'EAI_NONAME' | 'EAI_NODATA' | 'EAI_AGAIN';

/** How the name was asked for, and what came. */
type Queried =
  { readonly name: string; readonly answers: Answers } | { readonly fault: Fault; readonly endsList: boolean };

export const GLIBC: Resolver = {
  name: 'glibc',
  *lookUp(conf, name, wanted) {
    const types = wanted.filter((type) => type === 'A' || !conf.options.has('no-aaaa'));
    const habits: Habits = { conf, types, isSequential: conf.options.has('single-request'), reopens: false };
    if (isRooted(name)) return outcomeOf(yield* query(habits, name.slice(0, -1)));
    const asIs = dotsIn(name) >= conf.ndots ? yield* query(habits, name) : undefined;
    if (asIs !== undefined && 'answers' in asIs) return outcomeOf(asIs);
    const list = yield* searchList(habits, name);
    if (list.last !== undefined && 'answers' in list.last) return outcomeOf(list.last);
    if (asIs !== undefined) return outcomeOf(asIs);
    const last = list.hadRoot ? list.last : yield* query(habits, name);
    if (last !== undefined && 'answers' in last) return outcomeOf(last);
    return { error: list.fault ?? last?.fault ?? 'EAI_NONAME' };
  },
};

type Walked = { readonly last: Queried | undefined; readonly fault: Fault | undefined; readonly hadRoot: boolean };

/** Up to the first name with an answer, or the first fault that is neither a denial nor a SERVFAIL. */
function* searchList(habits: Habits, name: string): Machine<Walked> {
  let last: Queried | undefined;
  let hadNodata = false;
  let hadServfail = false;
  let hadRoot = false;
  for (const domain of habits.conf.search) {
    hadRoot ||= domain === '.';
    const candidate = under(name, domain);
    if (!isName(candidate)) continue;
    last = yield* query(habits, candidate);
    if ('answers' in last || last.endsList) break;
    hadNodata ||= last.fault === 'EAI_NODATA';
    hadServfail ||= last.fault === 'EAI_AGAIN';
  }
  const fault = hadNodata ? 'EAI_NODATA' : hadServfail ? 'EAI_AGAIN' : undefined;
  return { last, fault, hadRoot };
}

/** One answer will do, even an alias that leads nowhere. */
function* query(habits: Habits, name: string): Machine<Queried> {
  const exchanged: Exchanged = yield* exchange(habits, name);
  if (!('a' in exchanged)) return { fault: 'EAI_AGAIN', endsList: exchanged.lastRcode !== 'SERVFAIL' };
  const { a, aaaa } = exchanged;
  if (hasAnswer(a) || hasAnswer(aaaa)) return { name, answers: exchanged };
  const rcode = a.rcode === 'NOERROR' ? (aaaa?.rcode ?? 'NOERROR') : a.rcode;
  if (rcode === 'NOERROR') return { fault: 'EAI_NODATA', endsList: false };
  if (rcode === 'SERVFAIL') return { fault: 'EAI_AGAIN', endsList: a.rcode !== 'SERVFAIL' };
  return { fault: 'EAI_NONAME', endsList: rcode !== 'NXDOMAIN' };
}

function hasAnswer(said: Said | undefined): boolean {
  return said?.rcode === 'NOERROR' && said.answer.length > 0;
}

function outcomeOf(queried: Queried): Outcome {
  if (!('answers' in queried)) return { error: queried.fault };
  const { name, answers } = queried;
  const usable = [answers.a, answers.aaaa].filter(hasAnswer);
  const addresses = usable.flatMap((said) => [
    ...followedAddresses(said, name, 'A'),
    ...followedAddresses(said, name, 'AAAA'),
  ]);
  return addresses.length === 0 ? { error: 'EAI_NODATA' } : { addresses: new Set(addresses) };
}
