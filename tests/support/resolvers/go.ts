/** Go's own resolver (net, 1.19), as statically linked programs have it. */

import type { Bytes, Count } from '../../../zones/units.ts';
import { addressesIn } from './answer-addresses.ts';
import { together, type AddressType, type Machine, type Resolver, type ResolvConf } from './resolver.ts';
import { namesFor } from './search-names.ts';

const ATTEMPTS: Count = 2;
const PAYLOAD_SIZE: Bytes = 1232;

/** Addresses of one type of one name, or why there are none. */
type Found = { readonly addresses: readonly string[]; readonly error: string };

export const GO: Resolver = {
  name: 'Go',
  *lookUp(conf, name, types) {
    // The root in a list is passed over.
    const search = conf.search.filter((domain) => domain !== '.');
    let error: string | undefined;
    for (const candidate of namesFor(name, search, conf.ndots)) {
      const found = yield* eachType(conf, candidate, types);
      const addresses = found.flatMap((each) => each.addresses);
      if (addresses.length > 0) return { addresses: new Set(addresses) };
      // What is said of the name itself counts most, and the first fault else.
      for (const each of found) if (error === undefined || candidate === name) error = each.error;
    }
    return { error: error ?? NO_SUCH_HOST };
  },
};

const NO_SUCH_HOST = 'no such host';
const MISBEHAVING = 'server misbehaving';
const TIMEOUT = 'timeout';

/** From two sockets at once, or one after the other. */
function* eachType(conf: ResolvConf, name: string, types: readonly AddressType[]): Machine<readonly Found[]> {
  if (!conf.options.has('single-request')) return yield* together(types.map((type) => oneType(conf, name, type)));
  const found: Found[] = [];
  for (const type of types) found.push(yield* oneType(conf, name, type));
  return found;
}

function* oneType({ servers, options }: ResolvConf, name: string, type: AddressType): Machine<Found> {
  let error = TIMEOUT;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (let server = 0; server < servers; server++) {
      const question = { name, type, server, payloadSize: PAYLOAD_SIZE };
      let [said] = yield [{ ...question, protocol: options.has('use-vc') ? 'tcp' : 'udp' }];
      if (said?.truncated === true) [said] = yield [{ ...question, protocol: 'tcp' }];
      if (said === undefined) error = TIMEOUT;
      else if (said.rcode === 'NXDOMAIN') return { addresses: [], error: NO_SUCH_HOST };
      else if (said.rcode === 'NOERROR' && !(said.isReferral && said.answer.length === 0)) {
        return { addresses: addressesIn(said, type), error: NO_SUCH_HOST };
      } else error = MISBEHAVING;
    }
  }
  return { addresses: [], error };
}
