/**
 * The addresses at which this server can be asked, as far as others know them. Knows nothing of clusters and of what the
 * addresses are for.
 */

import { networkInterfaces } from 'node:os';

import { addressFrom, type Address } from '../../zones/ip.ts';

/** Where a block listens: addresses, or the wildcard of a family; an empty text is the wildcard of both. */
type Hosts = readonly string[];

/**
 * What a block's `bind` names, and of the machine's interfaces what a wildcard stands for. Loopback and link-local addresses
 * mean nothing to clients elsewhere (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.6): the latter never count, the former
 * only where a block has nothing else, for then its clients are here too.
 */
export function localAddresses(hosts: Hosts, interfaces: readonly Address[]): readonly Address[] {
  const bound = hosts.flatMap((host) => {
    const address = addressFrom(host);
    if (host !== '' && (address === undefined || isLinkLocal(address))) return [];
    return address === undefined || isWildcard(address) ? ofFamily(interfaces, address) : [address];
  });
  const others = bound.filter((address) => !isLoopback(address));
  return others.length === 0 ? bound : others;
}

/** The addresses of this machine's interfaces. */
export function interfaceAddresses(): readonly Address[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ address, internal }) => {
      const octets = internal ? undefined : addressFrom(address);
      return octets === undefined || isLinkLocal(octets) ? [] : [octets];
    }),
  );
}

function ofFamily(addresses: readonly Address[], wildcard: Address | undefined): readonly Address[] {
  return wildcard === undefined ? addresses : addresses.filter(({ length }) => length === wildcard.length);
}

function isWildcard(address: Address): boolean {
  return address.every((octet) => octet === 0);
}

function isLoopback(address: Address): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((octet, i) => octet === (i === 15 ? 1 : 0));
}

/** fe80::/10. 169.254.0.0/16 counts: node-local caches listen there on purpose. */
function isLinkLocal(address: Address): boolean {
  return address.length === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}
