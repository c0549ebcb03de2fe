/** musl's getaddrinfo (Alpine): 1.2.5, and 1.2.3, which has no TCP. */

import type { Bytes, Count } from '../../../zones/units.ts';
import { addressesIn } from './answer-addresses.ts';
import type { AddressType, Machine, Outcome, Question, Resolver, ResolvConf, Said } from './resolver.ts';
import { dotsIn, isName, isRooted, under } from './search-names.ts';

/** Times that a question goes out while nothing is said to it. */
const ATTEMPTS: Count = 2;
/** SERVFAILs for each type, for which questions go out again at once, in each of these. */
const SERVFAILS_MAX: Count = 2;
/** Of a line of resolv.conf, its end included; a longer one does not count. */
const LINE_MAX: Bytes = 255;
const ADDRESSES_MAX: Count = 48;

export const MUSL: Resolver = muslOf({ name: 'musl 1.2.5', hasTcp: true, nodata: 'EAI_NODATA' });
export const OLD_MUSL: Resolver = muslOf({ name: 'musl 1.2.3', hasTcp: false, nodata: 'EAI_NONAME' });

type Wanted = { readonly version: Version; readonly conf: ResolvConf; readonly types: readonly AddressType[] };

type Version = { readonly name: string; readonly hasTcp: boolean; readonly nodata: string };

function muslOf(version: Version): Resolver {
  return {
    name: version.name,
    *lookUp(conf, name, types) {
      const wanted = { version, conf, types };
      const searches = !isRooted(name) && dotsIn(name) < conf.ndots;
      for (const domain of searches ? searchOf(conf) : []) {
        if (domain === '.' && !version.hasTcp) return { error: 'EAI_AGAIN' };
        const candidate = under(name, domain);
        if (domain === '.' || !isName(candidate)) continue;
        const outcome = yield* one(wanted, candidate);
        if (outcome !== undefined) return outcome;
      }
      const outcome = yield* one(wanted, isRooted(name) ? name.slice(0, -1) : name);
      return outcome ?? { error: 'EAI_NONAME' };
    },
  };
}

function searchOf({ search }: ResolvConf): readonly string[] {
  return `search ${search.join(' ')}\n`.length > LINE_MAX ? [] : search;
}

/** Undefined if either type says that there is no such name. */
function* one(wanted: Wanted, name: string): Machine<Outcome | undefined> {
  const both = yield* exchange(wanted, name);
  for (const said of both) {
    if (said === undefined || said.rcode === 'SERVFAIL') return { error: 'EAI_AGAIN' };
    if (said.rcode === 'NXDOMAIN') return undefined;
    if (said.rcode !== 'NOERROR') return { error: 'EAI_FAIL' };
  }
  const addresses = wanted.types
    .map((type, i) => addressesIn(both[i], type))
    .toReversed()
    .flat()
    .slice(0, ADDRESSES_MAX);
  return addresses.length === 0 ? { error: wanted.version.nodata } : { addresses: new Set(addresses) };
}

/** All servers at once; what is neither NOERROR nor NXDOMAIN is no answer. */
function* exchange({ version, conf, types }: Wanted, name: string): Machine<readonly (Said | undefined)[]> {
  const answers = new Map<AddressType, Said>();
  const unanswered = (): readonly AddressType[] => types.filter((type) => !answers.has(type));
  for (let attempt = 0; attempt < ATTEMPTS && unanswered().length > 0; attempt++) {
    let servfailsLeft = SERVFAILS_MAX * types.length;
    let asked: readonly Question[] = unanswered().flatMap((type) => questionsTo(conf.servers, name, type));
    while (asked.length > 0) {
      const again: Question[] = [];
      const said = yield asked;
      for (const [i, question] of asked.entries()) {
        const reply = said[i];
        if (answers.has(question.type)) continue;
        if (reply?.rcode === 'NOERROR' || reply?.rcode === 'NXDOMAIN') answers.set(question.type, reply);
        if (reply?.rcode === 'SERVFAIL' && servfailsLeft-- > 0) again.push(question);
      }
      asked = again;
    }
  }
  for (const [type, said] of version.hasTcp ? answers : []) {
    if (!said.truncated) continue;
    const [whole] = yield [{ name, type, protocol: 'tcp', server: 0, payloadSize: undefined }];
    if (whole === undefined) answers.delete(type);
    else answers.set(type, whole);
  }
  return types.map((type) => answers.get(type));
}

function questionsTo(servers: Count, name: string, type: AddressType): readonly Question[] {
  return Array.from({ length: servers }, (_, server) => ({
    name,
    type,
    protocol: 'udp' as const,
    server,
    payloadSize: undefined,
  }));
}
