/** How large a UDP reply a client must be able to take for a name to be completed for it. Knows nothing of how names are found. */

import type { Bytes } from '../../zones/units.ts';
import type { Query, Reply } from '../query.ts';
import { OPT_SIZE, UDP_PAYLOAD_MIN } from '../wire/edns.ts';
import { encode } from '../wire/encode.ts';
import { HEADER_SIZE } from '../wire/gate.ts';

/** Octets of a question behind its name, of a record behind its owner. */
const TYPE_AND_CLASS: Bytes = 4;
const RECORD_FIXED: Bytes = 10;

/**
 * The largest of the replies, with an OPT record and without what may be left out of them; 0 if every client takes them all. Some resolvers do
 * not come again over TCP (musl before 1.2.4), and one kind of addresses without the other would be an answer too.
 */
export function leastSizeFor(query: Query, replies: readonly Reply[]): Bytes {
  return Math.max(...replies.map((reply) => leastSizeOf(query, reply)));
}

function leastSizeOf(query: Query, reply: Reply): Bytes {
  if (boundOf(query, reply) <= UDP_PAYLOAD_MIN) return 0;
  const whole = { ...query, edns: undefined, peer: { ...query.peer, protocol: 'tcp' as const } };
  return encode(whole, { ...reply, authority: [], additional: [] }).packet.length + OPT_SIZE;
}

/** As if names were not compressed. */
function boundOf({ question }: Query, { answer }: Reply): Bytes {
  let size = HEADER_SIZE + question.spelling.length + TYPE_AND_CLASS + OPT_SIZE;
  for (const { owner, rdatas } of answer) {
    for (const rdata of rdatas) size += owner.length + RECORD_FIXED + rdata.length;
  }
  return size;
}
