/** The two ways from the octets of a query to those of its reply, as sockets see them. Knows nothing of sockets or of what is said. */

import type { Bytes, Milliseconds } from '../../zones/units.ts';
import type { Peer, Protocol } from '../query.ts';
import { MESSAGE_MAX } from '../wire/pack.ts';
import { isAnswerable } from '../wire/gate.ts';

/** The plain lane: a reply of its own octets, now or later, or silence. The packet is only read during the call. */
export type PlainAnswer = (packet: Buffer, peer: Peer) => Buffer | Promise<Buffer> | undefined;

/**
 * The express lane: writes the reply to the query that stands from `start` to `end` of `query` into `reply`, from `at` on, and returns how
 * many octets that are; 0 where it does not know, and the plain lane has to be asked. Keeps neither array, and never throws. Over UDP a
 * reply has at most `UDP_PAYLOAD` octets (wire/edns.ts), over TCP at most `MESSAGE_MAX` (wire/pack.ts). Who calls it has seen that the
 * asker can be answered (`isAnswerable`, wire/gate.ts).
 */
export type ExpressAnswer = (
  query: Buffer,
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
export type Lanes = {
  readonly express: ExpressAnswer;
  readonly plain: PlainAnswer;
  /** `express`, then `plain` where that does not know, for sockets that read one datagram at a time. */
  readonly either: PlainAnswer;
};

/** The express lane first, for transports that read one message at a time; `plain` where it does not know. */
export function eitherLane<Plain>({
  express,
  plain,
  clock,
}: {
  express: ExpressAnswer;
  plain: (packet: Buffer, peer: Peer) => Plain;
  clock: Clock;
}): (packet: Buffer, peer: Peer) => Buffer | Plain {
  const reply = Buffer.allocUnsafeSlow(MESSAGE_MAX);
  return (packet, peer) => {
    if (!isAnswerable(peer)) return plain(packet, peer);
    const asker = { protocol: peer.protocol, family: peer.family, received: clock(), peer: () => peer };
    const size = express(packet, 0, packet.length, reply, 0, asker);
    return size === 0 ? plain(packet, peer) : Buffer.from(reply.subarray(0, size));
  };
}

/** Monotonic. */
type Clock = () => Milliseconds;
