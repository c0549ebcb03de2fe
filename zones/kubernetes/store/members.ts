/** Which addresses a service has, each with its name and ports. Knows no records. */

import { addressKeyFrom } from '../../ip.ts';
import { wireLabel } from '../../name.ts';
import { endpointLabel, type ReadySlice } from './endpoints.ts';
import type { Port, Service, ServiceImport } from '../objects.ts';

/** An address and the ports behind it. */
export type Member = {
  /** Labels before the service's name, in wire form; empty for a cluster IP, which has the service's own name. */
  readonly labels: string;
  /** `addressKey` */
  readonly key: string;
  readonly ports: readonly Port[];
  /** Its topology zone as labels in wire form; empty if it has none or nobody asks for them. */
  readonly topologyZone: string;
};

export function clusterIPMembers(service: Service | ServiceImport): readonly Member[] {
  return service.clusterIPs.flatMap((text) => {
    const key = addressKeyFrom(text);
    return key === undefined ? [] : [{ labels: '', key, ports: service.ports, topologyZone: '' }];
  });
}

/** Every ready address of the slices. `usesPodNames` is the option `endpoint_pod_names`. */
export function endpointMembers(slices: readonly ReadySlice[], usesPodNames: boolean): readonly Member[] {
  const members: Member[] = [];
  for (const { head, addresses } of slices) {
    const { ports, topologyZones } = head;
    const zoneLabels = topologyZones?.map(wireLabelsOf);
    for (const address of addresses) {
      const labels = wireLabel(endpointLabel(address, usesPodNames));
      members.push({ labels, key: address.key, ports, topologyZone: zoneLabels?.[address.topologyZone ?? -1] ?? '' });
    }
  }
  return members;
}

/**
 * Every ready address of slices that come from other clusters: its name stands under its cluster's. Whose cluster is not
 * known adds its addresses to the service's own, but has no name, and so nothing that an SRV record could say.
 */
export function importedMembers(slices: readonly ReadySlice[], usesPodNames: boolean): readonly Member[] {
  return slices.flatMap((ready) => {
    const members = endpointMembers([ready], usesPodNames);
    const cluster = ready.head.imported?.cluster ?? '';
    if (cluster === '') return members.map(({ key }) => ({ labels: '', key, ports: NO_PORTS, topologyZone: '' }));
    return members.map((member) => ({ ...member, labels: member.labels + wireLabel(cluster) }));
  });
}

/** Labels with dots between them, in wire form. */
function wireLabelsOf(text: string): string {
  return text.split('.').map(wireLabel).join('');
}

const NO_PORTS: readonly Port[] = [];
