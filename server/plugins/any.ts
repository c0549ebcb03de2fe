/** `any`: the shortest answer to queries for all types of a name (RFC 8482). Knows no names. */

import { txtRdata } from '../../zones/rdata.ts';
import { Rcode, RRType, type RRset } from '../../zones/rr.ts';
import type { Seconds } from '../../zones/units.ts';
import { noArguments, noBody } from '../corefile/values.ts';
import { transparent, type Plugin } from '../pipeline.ts';
import { emptyReply, type Query, type Reply } from '../query.ts';

/** It has none. */
export type AnyOptions = Readonly<Record<string, never>>;

/** Whoever wants to know everything of a name mostly wants large replies to somebody else's address. */
export const any: Plugin<AnyOptions> = {
  name: 'any',
  parse(directives) {
    for (const directive of directives) {
      noArguments(directive);
      noBody(directive);
    }
    return {};
  },
  layer: () => transparent((next) => (query) => (query.question.type === RRType.ANY ? minimal(query) : next(query))),
};

/** RFC 8482 section 4.2, in the words of CoreDNS plugin/any. */
function minimal({ question }: Query): Reply {
  const hinfo: RRset = { owner: question.spelling, type: RRType.HINFO, ttl: TTL, rdatas: [OBSOLETED] };
  return { ...emptyReply(Rcode.NOERROR, 'any'), answer: [hinfo] };
}

const TTL: Seconds = 8482;
/** CPU and OS: two character-strings, like those of a TXT record (RFC 1035 section 3.3.2). */
const OBSOLETED = txtRdata(['ANY obsoleted', 'See RFC 8482']);
