/** Addresses in replies, as strict resolvers read them and as others do. Knows nothing of what is asked. */

import type { AddressType, Said } from './resolver.ts';

/** All of the type, whoever owns them. */
export function addressesIn(said: Said | undefined, type: AddressType): readonly string[] {
  return said?.answer.filter((record) => record.type === type).map(({ rdata }) => rdata) ?? [];
}

/** Those that the question's name leads to, one record after the other: aliases have to stand in their order, before what they lead to. */
export function followedAddresses(said: Said | undefined, name: string, type: AddressType): readonly string[] {
  let wanted = name;
  return (
    said?.answer.flatMap((record) => {
      if (record.owner !== wanted) return [];
      if (record.type === 'CNAME') wanted = record.rdata;
      return record.type === type ? [record.rdata] : [];
    }) ?? []
  );
}
