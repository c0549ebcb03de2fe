/** What zones read of a cluster: its state now, or as it was at one instant. Knows nothing of how it is kept. */

import type { ReverseDigits } from '../../ip.ts';
import type { Life } from '../../life.ts';
import type { Service } from '../objects.ts';
import type { ReadyAddress } from './endpoints.ts';
import type { ServiceRecords } from './records.ts';

export type ClusterView = {
  /** Serial of the zones made from this cluster. */
  readonly serial: number;
  readonly hasNamespace: (name: string) => boolean;
  readonly service: (namespace: string, name: string) => NamedService | undefined;
  /** The records of a service; undefined if there is no such service. */
  readonly records: (namespace: string, name: string, usesPodNames: boolean) => ServiceRecords | undefined;
  /** The records of a service of the clusterset; undefined if there is no such import. */
  readonly importRecords: (namespace: string, name: string, usesPodNames: boolean) => ServiceRecords | undefined;
  /** Services with that cluster IP, by `addressKey`; one at most in a healthy cluster. In no order. */
  readonly servicesByClusterIP: (key: string) => readonly NamedService[];
  /** Where in the slices that address is a ready one, by `addressKey`. In no order. */
  readonly readyAddresses: (key: string) => readonly ReadyAddress[];
  /**
   * Of the namespaces and of all that is not any single service's or address's; undefined where nothing changes, and so nobody is told.
   * Every answer with data ends with it.
   */
  readonly life: Life | undefined;
  /** Of the names of an address that has some, by `addressKey`. */
  readonly lifeOfAddress: (key: string) => Life | undefined;
  /** Is there a cluster IP or ready address that begins with these digits, and whose key `isShown` is true of? */
  readonly hasAddressUnder: (digits: ReverseDigits, isShown: (key: string) => boolean) => boolean;
  /** Has a pod of the namespace this address, in the text that the API has for it? */
  readonly hasPod: (namespace: string, address: string) => boolean;
};

/** A service, or the name of one that is only known by its slices. */
export type NamedService = {
  readonly namespace: string;
  readonly name: string;
  readonly service: Service | undefined;
};
