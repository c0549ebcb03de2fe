/**
 * RRsets as lines of presentation format (RFC 1035 section 5.1), their rdata read by dns-packet, which shares no code with
 * the server. Knows nothing of messages.
 */

import dnsPacket from 'dns-packet';

import { octetsOf } from '../../zones/rdata.ts';
import { typeName, type RRset } from '../../zones/rr.ts';
import { presentName, presentRecord, type DecodedRecord } from './present.ts';

/** One line for each record, in the order they stand: `owner ttl IN type rdata`. */
export function presentSets(sets: readonly RRset[]): readonly string[] {
  return sets.flatMap(({ owner, type, ttl, rdatas }) =>
    rdatas.map((rdata) => {
      const name = presentName(codecs.name.decode(Buffer.from(octetsOf(owner))));
      const data = codecs.record(typeName(type)).decode(Buffer.concat([lengthOf(rdata), rdata]));
      return presentRecord({ name, type: typeName(type), ttl, class: 'IN', data } as DecodedRecord);
    }),
  );
}

/** dns-packet has them, its declared types do not. */
const codecs = dnsPacket as unknown as {
  readonly name: { decode(octets: Buffer): string };
  readonly record: (type: string) => { decode(octets: Buffer): unknown };
};

function lengthOf(rdata: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(rdata.length);
  return length;
}
