/** Queries of the truth run: what is asked, and how. Knows nothing of what a reply should say. */

import type { Bytes } from '../../zones/units.ts';
import { FLAG, message, question, record, uint16, wireLabels } from '../support/message-octets.ts';
import type { ModelQuestion } from '../support/model/world.ts';
import { typeNumber } from '../support/presentation.ts';

/** How it is asked. */
export type Manner = {
  /** Payload size of the OPT record; undefined without one. */
  readonly payloadSize: Bytes | undefined;
  readonly dnssecOk: boolean;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** AD; absent where nobody asks whether data is authentic. */
  readonly authenticData?: boolean;
  /** An EDNS option, with eight octets; absent without one, and only where there is an OPT record. */
  readonly option?: number | undefined;
};

/** A query with id 0. */
export function queryOctets({ labels, type }: ModelQuestion, manner: Manner): Buffer {
  const { payloadSize, dnssecOk, recursionDesired, checkingDisabled, authenticData = false, option } = manner;
  const flags = (recursionDesired ? FLAG.RD : 0) | (checkingDisabled ? FLAG.CD : 0) | (authenticData ? FLAG.AD : 0);
  const asks = question(wireLabels(...labels), typeNumber(type));
  if (payloadSize === undefined) return message({ id: 0, flags }, asks);
  const options = option === undefined ? NOTHING : Buffer.concat([uint16(option, 8), Buffer.alloc(8, 7)]);
  const opt = record(ROOT, OPT, options, payloadSize, dnssecOk ? DNSSEC_OK : 0);
  return message({ id: 0, flags, additionals: 1 }, asks, opt);
}

const ROOT: Buffer = wireLabels();
const NOTHING: Buffer = Buffer.alloc(0);
const OPT = typeNumber('OPT');
/** Among what is the TTL of other records (RFC 6891 section 6.1.3). */
const DNSSEC_OK = 0x8000;
