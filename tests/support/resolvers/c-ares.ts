/** c-ares 1.34, `ares_getaddrinfo`: Envoy, gRPC, some builds of curl. Without its cache of replies. */

import type { Bytes, Count } from '../../../zones/units.ts';
import { addressesIn } from './answer-addresses.ts';
import { together, type AddressType, type Machine, type Resolver, type Said } from './resolver.ts';
import { dotsIn, namesFor } from './search-names.ts';

const TRIES: Count = 3;
const PAYLOAD_SIZE: Bytes = 1232;

const ERRORS = { SERVFAIL: 'ESERVFAIL', REFUSED: 'EREFUSED', NXDOMAIN: 'ENOTFOUND', NOERROR: 'ENODATA' } as const;

export const C_ARES: Resolver = {
  name: 'c-ares',
  *lookUp(conf, name, types) {
    let hasNodata = false;
    let error: string = ERRORS.NXDOMAIN;
    for (const candidate of namesFor(name, conf.search, conf.ndots)) {
      const shared: Shared = { addresses: new Set(), last: undefined, lastStep: -1 };
      yield* together(types.map((type) => oneType(conf.servers, candidate, type, shared)));
      if (shared.addresses.size > 0) return { addresses: shared.addresses };
      error = shared.last === undefined ? 'ETIMEOUT' : ERRORS[shared.last.rcode];
      hasNodata ||= shared.hasNodata === true;
      const goesOn = error === ERRORS.NXDOMAIN || error === ERRORS.NOERROR || shared.hasNodata === true;
      // Servers of machines answer so for single labels.
      if (!goesOn && (shared.last === undefined || dotsIn(candidate) > 0)) return { error };
    }
    return { error: hasNodata ? ERRORS.NOERROR : error };
  },
};

/** What the look-ups of both types of one name know of each other. */
type Shared = {
  readonly addresses: Set<string>;
  hasNodata?: boolean;
  /** What ended the look-up that took longer; undefined for silence. */
  last: Said | undefined;
  lastStep: Count;
};

/** Tries again until there is something to say, or the other type has addresses. */
function* oneType(servers: Count, name: string, type: AddressType, shared: Shared): Machine<undefined> {
  let said: Said | undefined;
  let step: Count = 0;
  for (; step < TRIES * servers; step++) {
    const question = { name, type, server: step % servers, payloadSize: PAYLOAD_SIZE };
    [said] = yield [{ ...question, protocol: 'udp' }];
    if (said?.truncated === true) [said] = yield [{ ...question, protocol: 'tcp' }];
    if (said?.rcode === 'NOERROR' || said?.rcode === 'NXDOMAIN') break;
    if (shared.addresses.size > 0) break;
  }
  const found = said?.rcode === 'NOERROR' ? addressesIn(said, type) : [];
  for (const address of found) shared.addresses.add(address);
  if (said?.rcode === 'NOERROR' && found.length === 0) shared.hasNodata = true;
  if (step >= shared.lastStep) {
    shared.last = said;
    shared.lastStep = step;
  }
  return undefined;
}
