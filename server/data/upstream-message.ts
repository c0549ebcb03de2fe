/** Messages to and from upstream servers. Placeholder signature; bodies follow. */

import type { Spelling } from '../../zones/name.ts';
import type { RRset } from '../../zones/rr.ts';
import type { ExtendedError, Question } from '../query.ts';

export type UpstreamQuery = {
  readonly id: number;
  readonly spelling: Spelling;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly dnssecOk: boolean;
};

export type UpstreamReply = {
  readonly id: number;
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly question: Question | undefined;
  readonly answer: readonly RRset[];
  readonly authority: readonly RRset[];
  readonly additional: readonly RRset[];
  readonly extendedError: ExtendedError | undefined;
};

/** Built new; with our own OPT (1232), never a client's octets. */
export function encodeUpstreamQuery(_query: UpstreamQuery): Uint8Array {
  throw new Error('placeholder');
}

/** @throws MessageError if the octets are not a reply (QR=0 included) */
export function decodeUpstreamReply(_packet: Uint8Array): UpstreamReply {
  throw new Error('placeholder');
}
