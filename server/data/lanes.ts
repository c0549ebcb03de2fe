/** The two ways from the octets of a query to those of its reply, as sockets see them. Knows nothing of sockets or of what is said. */

import type { Bytes, Milliseconds } from '../../zones/units.ts';
import type { Peer, Protocol } from '../query.ts';

/** The plain lane: a reply of its own octets, now or later, or silence. The packet is only read during the call. */
export type PlainAnswer = (packet: Buffer, peer: Peer) => Buffer | Promise<Buffer> | undefined;

/**
 * The express lane: writes the reply to the query that stands from `start` to `end` of `query` into `reply`, from `at` on, and returns how
 * many octets that are; 0 where it does not know, and the plain lane has to be asked. Keeps neither array, and never throws. Over UDP a
 * reply has at most `UDP_PAYLOAD` octets (wire/edns.ts), over TCP at most `MESSAGE_MAX` (wire/pack.ts). Who calls it has seen that the
 * asker can be answered (`isAnswerable`, wire/gate.ts).
 */
export type ExpressAnswer = (
  query: Uint8Array,
  start: number,
  end: number,
  reply: Uint8Array,
  at: number,
  asker: Asker,
) => Bytes;

/** Who asks, for a lane that has no use for words: one object may stand for one asker after the other. */
export type Asker = {
  readonly protocol: Protocol;
  readonly family: 4 | 6;
  /** When the query came, on the monotonic clock. */
  readonly received: Milliseconds;
  /** The same asker in words, for a log line. */
  readonly peer: () => Peer;
};

/** What a datagram socket is given to answer with. */
export type Lanes = { readonly plain: PlainAnswer; readonly express: ExpressAnswer };
