/** The ready addresses of an EndpointSlice and what each of them is called. Knows nothing of services or records. */

import { addressFrom, addressKey } from '../../ip.ts';
import { isLabel } from '../api-values.ts';
import type { EndpointSlice, ImportedFrom, Port } from '../objects.ts';

/** A slice with its addresses understood. It keeps nothing of the object that it was made from twice. */
export type ReadySlice = {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly imported: ImportedFrom | undefined;
  readonly ports: readonly Port[];
  readonly topologyZones: readonly string[] | undefined;
  /** Every address of every endpoint, in order; texts that are no address are left out. */
  readonly addresses: readonly ReadyAddress[];
};

/** What an endpoint can be called after. */
export type EndpointNames = {
  /** One of its addresses, as the slice writes it. */
  readonly text: string;
  readonly hostname: string | undefined;
  readonly podName: string | undefined;
};

/**
 * One address of an endpoint of a slice. An object for each saves a question for the names of one address in a thousand
 * slices from looking through all the addresses of each of them.
 */
export type ReadyAddress = EndpointNames & {
  /** `addressKey` */
  readonly key: string;
  /** Where in the slice's `topologyZones` its topology zone stands. */
  readonly topologyZone: number | undefined;
  readonly ready: ReadySlice;
};

/**
 * `before` is the slice that it takes the place of: an address that still stands in its order is not read again, which is most
 * of the work for a slice of a hundred endpoints that has lost one.
 */
export function readySliceFrom(slice: EndpointSlice, before: ReadySlice | undefined): ReadySlice {
  const { namespace, name, service, imported, ports, topologyZones } = slice;
  const addresses: ReadyAddress[] = [];
  const known = before?.addresses ?? NO_ADDRESSES;
  let next = 0;
  const keyAgain = (text: string): string | undefined => {
    if (known[next]?.text !== text && known[next + 1]?.text === text) next++;
    return known[next]?.text === text ? known[next++]?.key : keyOf(text);
  };
  const ready: ReadySlice = { namespace, name, service, imported, ports, topologyZones, addresses };
  for (const { addresses: texts, hostname, podName, topologyZone } of slice.endpoints) {
    for (const text of texts) {
      const key = keyAgain(text);
      if (key !== undefined) addresses.push({ key, text, hostname, podName, topologyZone, ready });
    }
  }
  return ready;
}

const NO_ADDRESSES: readonly ReadyAddress[] = [];

/** The `addressKey` of an address in text; undefined if it is none. */
export function keyOf(text: string): string | undefined {
  const address = addressFrom(text);
  return address === undefined ? undefined : addressKey(address);
}

/**
 * The label under which an endpoint's address stands below its service (Kubernetes DNS spec 2.4.1): the first that there is
 * of host name, pod name (only with `endpoint_pod_names`), and the address with dashes (CoreDNS plugin/kubernetes). A name
 * that is not one label would be two names to a client, so it counts as absent.
 */
export function endpointLabel({ text, hostname, podName }: EndpointNames, usesPodNames: boolean): string {
  if (isLabel(hostname)) return hostname;
  if (usesPodNames && isLabel(podName)) return podName;
  const label = text.replace(/[.:]/g, '-').toLowerCase();
  // A label must not end in a dash (RFC 1123 section 2.1); `fd00::` and `fd00::0` are the same address.
  return label.endsWith('-') ? `${label}0` : label;
}
