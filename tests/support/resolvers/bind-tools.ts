/** `dig +search` and `nslookup` of BIND 9.18, which people try things out with. */

import type { Count } from '../../../zones/units.ts';
import { addressesIn } from './answer-addresses.ts';
import type { AddressType, Machine, Outcome, Resolver, ResolvConf, Said } from './resolver.ts';
import { dotsIn, isRooted, namesFor } from './search-names.ts';

const TRIES: Count = 3;

export const DIG_SEARCH: Resolver = {
  name: 'dig +search',
  *lookUp(conf, name) {
    const { said } = yield* firstThere(conf, name);
    return outcomeOf(addressesIn(said, 'A'), said);
  },
};

/** A decides which name it is; AAAA is asked of that name only. */
export const NSLOOKUP: Resolver = {
  name: 'nslookup',
  *lookUp(conf, name) {
    const { candidate, said, overTcp } = yield* firstThere(conf, name);
    if (said?.rcode !== 'NOERROR') return outcomeOf([], said);
    const other = yield* oneQuestion(conf, candidate, 'AAAA', overTcp);
    return outcomeOf([...addressesIn(said, 'A'), ...addressesIn(other.said, 'AAAA')], other.said);
  },
};

type Answered = { readonly said: Said | undefined; readonly overTcp: boolean };

/** The first name for which anything but NXDOMAIN is said. With dots enough the list is left alone. */
function* firstThere(conf: ResolvConf, name: string): Machine<Answered & { readonly candidate: string }> {
  const isAsIs = !isRooted(name) && dotsIn(name) >= conf.ndots;
  const names = namesFor(name, isAsIs ? [] : conf.search, conf.ndots);
  for (const [i, candidate] of names.entries()) {
    const answered = yield* oneQuestion(conf, candidate, 'A', false);
    if (answered.said?.rcode !== 'NXDOMAIN' || i === names.length - 1) return { ...answered, candidate };
  }
  return { candidate: name, said: undefined, overTcp: false };
}

function* oneQuestion({ servers }: ResolvConf, name: string, type: AddressType, overTcp: boolean): Machine<Answered> {
  for (let server = 0; server < servers; server++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const question = { name, type, server, payloadSize: undefined };
      const [said] = yield [{ ...question, protocol: overTcp ? 'tcp' : 'udp' }];
      if (said === undefined) continue;
      if (!said.truncated) return { said, overTcp };
      const [whole] = yield [{ ...question, protocol: 'tcp' }];
      return { said: whole, overTcp: true };
    }
  }
  return { said: undefined, overTcp };
}

function outcomeOf(addresses: readonly string[], said: Said | undefined): Outcome {
  if (addresses.length > 0) return { addresses: new Set(addresses) };
  return { error: said === undefined ? 'no servers could be reached' : said.rcode };
}
