/** Records before they have an owner, and their lines. Knows nothing of where they come from. */

import { addressType, canonical } from './address.ts';
import { isEncodable, textOf, type Name } from './name.ts';

/** A record of the name that was asked for. */
export type ModelRecord = {
  readonly type: string;
  readonly ttl: number;
  readonly rdata: string;
  /** Lines that help whoever gets this record. */
  readonly glue: readonly string[];
};

export function line(owner: Name, { ttl, type, rdata }: Omit<ModelRecord, 'glue'>): string {
  return `${textOf(owner)} ${ttl} IN ${type} ${rdata}`;
}

export function addressRecord(address: string, ttl: number): ModelRecord {
  return { type: addressType(address), ttl, rdata: canonical(address), glue: [] };
}

/** A record that points at a name, such as `PTR` or `0 50 80` of an SRV; none if the name fits no message. */
export function pointingRecord(
  type: string,
  words: string,
  target: Name,
  ttl: number,
  addresses: readonly string[],
): readonly ModelRecord[] {
  if (!isEncodable(target)) return [];
  const glue = addresses.map((address) => line(target, addressRecord(address, ttl)));
  return [{ type, ttl, rdata: `${words} ${textOf(target)}`.trimStart(), glue }];
}
