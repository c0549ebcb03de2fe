/**
 * Differences to CoreDNS that are meant: what it does, what the standards say, what we do. A rule recognises its class by
 * the whole of both replies, never by the question alone. Knows no server's address.
 */

import { seenIn, type Difference, type Seen } from './difference.ts';
import {
  isEmptyNonTerminal,
  isNameOfOneType,
  isOtherTypeAtReverseName,
  isServiceOfReverseZone,
  isSoaAtNoName,
  isTextAtExistingName,
} from './existence-rules.ts';
import {
  isAliasInsideDenied,
  isAliasOfOtherType,
  isAliasOutsideDenied,
  isAnyPort,
  isBelowPod,
  isServiceOfPod,
  isServiceWithoutAddress,
  isSliceOfNames,
} from './service-rules.ts';
import { isBelowAddress, isMisspelt, isPointerOutOfSight, isSilence } from './address-rules.ts';
import { isNameServerBehindBind, isNameServerElsewhere, isNameServerInCapitals } from './name-server-rules.ts';
import { isSameReply, SILENCE, withoutRepetition } from './reply.ts';

export type Departure = {
  readonly name: string;
  /** What CoreDNS does, what a standard says, and what we do. */
  readonly reason: string;
  readonly explains: (difference: Seen) => boolean | Promise<boolean>;
};

export const DEPARTURES: readonly Departure[] = [
  {
    name: 'TXT at a name without records',
    reason:
      'CoreDNS says NXDOMAIN to TXT at the apex, at `svc`, `pod` and namespaces, and NODATA to other types; a name exists or does not whatever is asked (RFC 8020), so we say NODATA',
    explains: isTextAtExistingName,
  },
  {
    name: 'SOA at a name that does not exist',
    reason:
      'CoreDNS says NODATA to SOA at any name below the apex; RFC 1034 section 4.3.2 wants NXDOMAIN, which we say',
    explains: isSoaAtNoName,
  },
  {
    name: 'names of one type',
    reason:
      'CoreDNS says NXDOMAIN to types other than TXT at `dns-version`, to TXT at `ns.dns`, and at `dns` above it; the names exist (RFC 8020), so we say NODATA',
    explains: isNameOfOneType,
  },
  {
    name: 'empty non-terminal',
    reason:
      'CoreDNS says NXDOMAIN to a name without records above names with some, as `_tcp.<service>` and `10.in-addr.arpa`; it exists (RFC 8020), so we say NODATA',
    explains: isEmptyNonTerminal,
  },
  {
    name: 'other types at a reverse name',
    reason:
      'CoreDNS says NXDOMAIN, or asks the upstream, when a name with PTR records is asked for another type; that is NODATA (RFC 2308 section 2.2)',
    explains: isOtherTypeAtReverseName,
  },
  {
    name: 'names of services in a reverse zone',
    reason:
      'CoreDNS lets `svc` and `pod` exist below reverse zones, where no service has a name; we say NXDOMAIN (RFC 8020)',
    explains: isServiceOfReverseZone,
  },
  {
    name: 'any port',
    reason:
      'CoreDNS takes an underscore alone for any port or protocol; in the Kubernetes DNS spec 2.3.2 it is a name of none, so we say NXDOMAIN',
    explains: isAnyPort,
  },
  {
    name: 'labels in front of a pod',
    reason: 'CoreDNS ignores one or two labels in front of the name of a pod; nothing is there, so we say NXDOMAIN',
    explains: isBelowPod,
  },
  {
    name: 'SRV of a pod',
    reason: 'CoreDNS gives pods SRV records with port 0; the Kubernetes DNS spec 2.6 has none, so we say NODATA',
    explains: isServiceOfPod,
  },
  {
    name: 'alias asked for another type',
    reason:
      'CoreDNS says NODATA when an ExternalName is asked for a type that is no address; a CNAME answers every type (RFC 1034 section 3.6.2), so we follow it',
    explains: isAliasOfOtherType,
  },
  {
    name: 'alias that ends outside without records',
    reason:
      'CoreDNS says NOERROR and shows the CNAME alone whatever the upstream said of its target; the rcode and SOA record are of the last name (RFC 6604, RFC 2308 section 2.1), so we say those, or SERVFAIL',
    explains: isAliasOutsideDenied,
  },
  {
    name: 'alias that ends inside without records',
    reason:
      'CoreDNS hides a CNAME whose target in the zone has no records, and says NODATA; we show it, with the rcode of the target (RFC 1034 section 4.3.2, RFC 6604)',
    explains: isAliasInsideDenied,
  },
  {
    name: 'labels in front of an IPv6 address',
    reason:
      'CoreDNS ignores up to three labels in front of the 32 of an IPv6 address; nothing is there, so we say NXDOMAIN',
    explains: isBelowAddress,
  },
  {
    name: 'pointers into namespaces that are not shown',
    reason:
      'CoreDNS applies `namespace_labels`, and that a namespace is gone, to names but not to addresses; we give no address a name that does not exist',
    explains: isPointerOutOfSight,
  },
  {
    name: 'addresses in another spelling',
    reason:
      'CoreDNS finds an address only as RFC 5952 spells it; one that the API has as `fd00::0` has no PTR record there, but one here',
    explains: isMisspelt,
  },
  {
    name: 'name servers behind bind',
    reason:
      'CoreDNS knows none of its addresses when there is a `bind`, and a zone has no NS records; RFC 1034 section 4.2.1 wants some, and we have those of the addresses that `bind` names',
    explains: isNameServerBehindBind,
  },
  {
    name: 'name servers of a zone without services',
    reason:
      'CoreDNS puts the names of the servers of a reverse zone, or of a clusterset, into that zone, where they do not exist; we name them in the zone that has them (RFC 2181 section 10.3)',
    explains: isNameServerElsewhere,
  },
  {
    name: 'name servers in capitals',
    reason:
      'CoreDNS has NS records at the apex and addresses at `ns.dns` only for a question in lower case; case does not matter (RFC 4343)',
    explains: isNameServerInCapitals,
  },
  {
    name: 'records twice',
    reason:
      'CoreDNS repeats name servers’ addresses, one for each slice; an RRset has a record once (RFC 2181 section 5)',
    explains: ({ ours, theirs }) => isSameReply(ours, withoutRepetition(theirs)),
  },
  {
    name: 'service without an address',
    reason:
      'CoreDNS makes an alias for the root of a Service that has no cluster IP yet, and asks the upstream for it; we say NODATA',
    explains: isServiceWithoutAddress,
  },
  {
    name: 'slice of names',
    reason:
      'CoreDNS makes aliases, several at one name (against RFC 2181 section 10.1), of an EndpointSlice of type FQDN, which the Kubernetes DNS spec does not know; we leave it aside',
    explains: isSliceOfNames,
  },
  {
    name: 'slice of no service',
    reason:
      'CoreDNS makes a PTR record of an EndpointSlice of no Service, written by hand or imported from another cluster, cannot write it, and never replies; we have no record of it',
    explains: isSilence,
  },
];

/** The first that explains it; undefined if none does. */
export async function departureOf(difference: Difference): Promise<Departure | undefined> {
  // That we say nothing is never meant.
  if (isSameReply(difference.ours, difference.theirs) || difference.ours.rcode === SILENCE.rcode) return undefined;
  const seen = await seenIn(difference);
  if (seen === undefined) return undefined;
  for (const departure of DEPARTURES) if (await departure.explains(seen)) return departure;
  return undefined;
}
