/** The ready addresses of an EndpointSlice and what each of them is called. Knows nothing of services or records. */

import { addressFrom, addressKey } from '../../ip.ts';
import { isLabel } from '../api-values.ts';
import type { Endpoint, EndpointSlice } from '../objects.ts';

/** A slice with its addresses understood. */
export type ReadySlice = {
  readonly slice: EndpointSlice;
  /** Every address of every endpoint, in order; texts that are no address are left out. */
  readonly addresses: readonly ReadyAddress[];
};

/**
 * One address of an endpoint of a slice. An object for each costs 60 octets, and saves a question for the names of one
 * address in a thousand slices from looking through all the addresses of each of them.
 */
export type ReadyAddress = {
  /** `addressKey` */
  readonly key: string;
  /** As the slice writes it. */
  readonly text: string;
  readonly endpoint: Endpoint;
  readonly ready: ReadySlice;
};

export function readySliceFrom(slice: EndpointSlice): ReadySlice {
  const addresses: ReadyAddress[] = [];
  const ready: ReadySlice = { slice, addresses };
  for (const endpoint of slice.endpoints) {
    for (const text of endpoint.addresses) {
      const key = keyOf(text);
      if (key !== undefined) addresses.push({ key, text, endpoint, ready });
    }
  }
  return ready;
}

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
export function endpointLabel(endpoint: Endpoint, text: string, usesPodNames: boolean): string {
  if (isLabel(endpoint.hostname)) return endpoint.hostname;
  if (usesPodNames && isLabel(endpoint.podName)) return endpoint.podName;
  const label = text.replace(/[.:]/g, '-').toLowerCase();
  // A label must not end in a dash (RFC 1123 section 2.1); `fd00::` and `fd00::0` are the same address.
  return label.endsWith('-') ? `${label}0` : label;
}
