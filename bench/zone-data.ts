/** What fivedots answers from a cluster and from its upstream, as zones for servers that know no Kubernetes. */

import type { Count } from '../zones/units.ts';
import { outsideAddress, outsideName, OUTSIDE } from './outside.ts';
import { addressesOf, HTTP_PORT, nameOf, ZONE, type BenchService } from './services.ts';

export type ZoneData = {
  /** Without the final dot. */
  readonly origin: string;
  /** One a line, in presentation format (RFC 1035 section 5), SOA and NS first. */
  readonly records: readonly string[];
};

/** All addresses of a bench cluster are below it. */
export const REVERSE_ZONE = '10.in-addr.arpa';

/** The cluster's zone: the names of the services, of their ports and of their endpoints. */
export function clusterZoneOf(services: readonly BenchService[]): ZoneData {
  const glue = `ns.dns.${ZONE}. 30 IN A 10.96.0.10`;
  return { origin: ZONE, records: [...apexOf(ZONE), glue, ...services.flatMap(recordsOf)] };
}

/** The reverse zone: the addresses of the services. */
export function reverseZoneOf(services: readonly BenchService[]): ZoneData {
  const pointers = services.flatMap((service) =>
    service.clusterIP === undefined ? [] : [`${reverseNameOf(service.clusterIP)}. 30 IN PTR ${nameOf(service)}.`],
  );
  return { origin: REVERSE_ZONE, records: [...apexOf(REVERSE_ZONE), ...pointers] };
}

/** What the upstream says of so many outside names. */
export function outsideZoneOf(names: Count): ZoneData {
  const hosts = Array.from({ length: names }, (_, i) => `${outsideName(i)}. 3600 IN A ${outsideAddress(i)}`);
  return { origin: OUTSIDE, records: [...apexOf(OUTSIDE), ...hosts] };
}

export function zoneFileOf({ records }: ZoneData): string {
  return `${records.join('\n')}\n`;
}

/** `1.0.96.10.in-addr.arpa` (RFC 1035 section 3.5). */
export function reverseNameOf(address: string): string {
  return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
}

/** The name of the service's port. */
export function portNameOf(service: BenchService): string {
  return `_http._tcp.${nameOf(service)}`;
}

function recordsOf(service: BenchService): readonly string[] {
  const owner = nameOf(service);
  const ofPort = `${portNameOf(service)}. 30 IN SRV 0 100 ${HTTP_PORT} ${owner}.`;
  return [
    ...addressesOf(service).map((address) => `${owner}. 30 IN A ${address}`),
    ...service.endpoints.map((address) => `${address.replaceAll('.', '-')}.${owner}. 30 IN A ${address}`),
    ...(service.clusterIP === undefined ? [] : [ofPort]),
  ];
}

function apexOf(origin: string): readonly string[] {
  return [
    `${origin}. 30 IN SOA ns.dns.${ZONE}. hostmaster.${ZONE}. 1 7200 1800 86400 30`,
    `${origin}. 30 IN NS ns.dns.${ZONE}.`,
  ];
}
