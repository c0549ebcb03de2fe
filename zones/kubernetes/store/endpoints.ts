/** The ready addresses of an EndpointSlice and what each of them is called. Knows nothing of services or records. */

import { addressKeyFrom, addressOfKey } from '../../ip.ts';
import { isLabel } from '../api-values.ts';
import type { EndpointSlice, ImportedFrom, Port } from '../objects.ts';

/** What all addresses of a slice have in common. */
export type SliceHead = {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly imported: ImportedFrom | undefined;
  readonly ports: readonly Port[];
  readonly topologyZones: readonly string[] | undefined;
};

/** A slice with its addresses understood. */
export type ReadySlice = {
  readonly head: SliceHead;
  /** Every address of every endpoint, in order; texts that are no address are left out. */
  readonly addresses: readonly ReadyAddress[];
};

/**
 * One address of an endpoint of a slice. An object for each saves a question for the names of one address in a thousand
 * slices from looking through all the addresses of each of them.
 */
export type ReadyAddress = {
  /** `addressKey` */
  readonly key: string;
  /** As the slice writes it; undefined for IPv4, which has one text only. */
  readonly ipv6?: string | undefined;
  readonly hostname?: string | undefined;
  readonly podName?: string | undefined;
  /** Where in the slice's `topologyZones` its topology zone stands. */
  readonly topologyZone?: number | undefined;
  readonly head: SliceHead;
};

/**
 * `before` is the slice that it takes the place of. An address that still stands in its order stays the object that it is: a
 * slice of a hundred endpoints that loses one makes a hundred less that live long and then have to be collected.
 */
export function readySliceFrom(slice: EndpointSlice, before: ReadySlice | undefined): ReadySlice {
  const head = headFrom(slice, before?.head);
  const known = before !== undefined && before.head === head ? before.addresses : NO_ADDRESSES;
  const addresses: ReadyAddress[] = [];
  let next = 0;
  for (const { addresses: texts, hostname, podName, topologyZone } of slice.endpoints) {
    for (const text of texts) {
      const key = addressKeyFrom(text);
      if (key === undefined) continue;
      if (known[next]?.key !== key && known[next + 1]?.key === key) next++;
      const ipv6 = text.includes(':') ? text : undefined;
      const address = addressWith({ key, head, ipv6, hostname, podName, topologyZone });
      const old = known[next];
      addresses.push(old !== undefined && isSameAddress(old, address) ? old : address);
      if (old?.key === key) next++;
    }
  }
  return { head, addresses };
}

/** Most have nothing but key and slice: four fields less are 3 MB less for 100,000 of them. */
function addressWith(full: ReadyAddress): ReadyAddress {
  const { key, head, ipv6, hostname, podName, topologyZone } = full;
  const isPlain = (ipv6 ?? hostname ?? podName ?? topologyZone) === undefined;
  return isPlain ? { key, head } : full;
}

const NO_ADDRESSES: readonly ReadyAddress[] = [];

function headFrom(slice: EndpointSlice, before: SliceHead | undefined): SliceHead {
  const { namespace, name, service, imported, ports, topologyZones } = slice;
  const head: SliceHead = { namespace, name, service, imported, ports, topologyZones };
  return before !== undefined && JSON.stringify(before) === JSON.stringify(head) ? before : head;
}

/** Of two with one head. */
function isSameAddress(a: ReadyAddress, b: ReadyAddress): boolean {
  return (
    a.key === b.key &&
    a.ipv6 === b.ipv6 &&
    a.hostname === b.hostname &&
    a.podName === b.podName &&
    a.topologyZone === b.topologyZone
  );
}

/** What an endpoint can be called after. */
type EndpointNames = Pick<ReadyAddress, 'key' | 'ipv6' | 'hostname' | 'podName'>;

/**
 * The label under which an endpoint's address stands below its service (Kubernetes DNS spec 2.4.1): the first that there is
 * of host name, pod name (only with `endpoint_pod_names`), and the address with dashes (CoreDNS plugin/kubernetes). A name
 * that is not one label would be two names to a client, so it counts as absent.
 */
export function endpointLabel({ key, ipv6, hostname, podName }: EndpointNames, usesPodNames: boolean): string {
  if (isLabel(hostname)) return hostname;
  if (usesPodNames && isLabel(podName)) return podName;
  if (ipv6 === undefined) return addressOfKey(key).join('-');
  const label = ipv6.replace(/[.:]/g, '-').toLowerCase();
  // A label must not end in a dash (RFC 1123 section 2.1); `fd00::` and `fd00::0` are the same address.
  return label.endsWith('-') ? `${label}0` : label;
}
