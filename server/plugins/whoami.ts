/** `whoami`: tells the client its own address and port. Knows nothing of zones. */

import { addressFrom } from '../../zones/ip.ts';
import { NAME_MAX, ROOT, under, type Spelling } from '../../zones/name.ts';
import { addressRdata, srvRdata } from '../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import { noArguments, noBody } from '../corefile/values.ts';
import { transparent, type Plugin } from '../pipeline.ts';
import { emptyReply, type Peer, type Query, type Reply } from '../query.ts';

/** It has none. */
export type WhoamiOptions = Readonly<Record<string, never>>;

/** Answers everything that reaches it, whatever the type (CoreDNS plugin/whoami). */
export const whoami: Plugin<WhoamiOptions> = {
  name: 'whoami',
  parse(directives) {
    for (const directive of directives) {
      noArguments(directive);
      noBody(directive);
    }
    return {};
  },
  layer: () => transparent(() => reply),
};

/** Nothing is in the answer section, for nothing of what was asked is known; the facts travel in the additional section. */
function reply(query: Query): Reply {
  const { question, peer } = query;
  const additional = [addressSet(question.spelling, peer), portSet(question.spelling, peer)].filter(
    (set) => set !== undefined,
  );
  // Another client's address must not come out of the cache.
  return { ...emptyReply(Rcode.NOERROR, 'whoami'), authoritative: true, fresh: true, additional };
}

function addressSet(owner: Spelling, peer: Peer): RRset | undefined {
  const address = addressFrom(peer.address);
  if (address === undefined) return undefined;
  const type = address.length === 4 ? RRType.A : RRType.AAAA;
  return { owner, type, ttl: 0, rdatas: [addressRdata(address)] };
}

/** Absent where `_udp` or `_tcp` in front makes the name longer than a name may be. */
function portSet(name: Spelling, peer: Peer): RRset | undefined {
  const label = `_${peer.protocol}`;
  if (1 + label.length + name.length > NAME_MAX) return undefined;
  return { owner: under([label], name), type: RRType.SRV, ttl: 0, rdatas: [srvRdata(0, 0, peer.port, ROOT)] };
}
