/** What of a reply must be the same whoever answers, as text. Knows nothing of who did. */

import { rcodeName } from '../../zones/rr.ts';
import { decodeReply, presentRecord, type DecodedRecord } from '../support/present.ts';

/** Names in lower case, records sorted: their order and spelling are each server's own. */
export type Seen = {
  readonly rcode: string;
  readonly isAuthoritative: boolean;
  /** `owner ttl class type rdata` */
  readonly answer: readonly string[];
  /** SOA records of the authority section, `owner ttl minimum`: how long a denial may be kept (RFC 2308 section 5). */
  readonly denial: readonly string[];
};

export function seenIn(octets: Buffer): Seen {
  const { rcode, flags, answer, authority } = decodeReply(octets);
  return {
    rcode: rcodeName(rcode),
    isAuthoritative: flags.includes('aa'),
    answer: answer.map((record) => presentRecord(record).toLowerCase()).toSorted(),
    denial: authority.flatMap(denialOf),
  };
}

export function areSame(a: Seen, b: Seen): boolean {
  return textOf(a) === textOf(b);
}

/** On one line. */
export function textOf({ rcode, isAuthoritative, answer, denial }: Seen): string {
  const words = [rcode, ...(isAuthoritative ? ['aa'] : []), ...denial.map((soa) => `denied by ${soa}`)];
  return `${words.join(' ')} [${answer.join('; ')}]`;
}

function denialOf(record: DecodedRecord): readonly string[] {
  if (record.type !== 'SOA') return [];
  return [`${record.name.toLowerCase()} ${record.ttl ?? 0} ${record.data.minimum}`];
}
