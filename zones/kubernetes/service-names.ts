/**
 * The names below a service's own: endpoints, ports, and topology zones where they have names. Knows where the labels of a
 * name begin, not what is below any particular service.
 */

import { labelAt, wireLabel, type Name } from '../name.ts';
import type { Count } from '../units.ts';
import {
  endpointNames,
  endpointNode,
  isBetween,
  portNames,
  portNode,
  topologyZoneNames,
  topologyZoneNode,
  type ServiceRecords,
} from './store/records.ts';
import { serviceNode, type ServiceNode } from './store/service-node.ts';

/**
 * What stands at a name of more than three labels; undefined if it does not exist. `third`, `fourth` and `fifth` say where
 * the labels begin that are counted from the zone, the service's own being the third.
 */
export function nodeBelow(
  records: ServiceRecords,
  isZonal: boolean,
  name: Name,
  count: Count,
  fifth: number,
  fourth: number,
  third: number,
): ServiceNode | undefined {
  if (isZonal && labelAt(name, fourth) === ZONE_LABEL) return zonalNode(records, name, count, fifth);
  if (count === 4) {
    const endpoint = endpointNode(records, name.slice(fourth, third));
    return endpoint ?? (isBetween(records, labelAt(name, fourth)) ? EMPTY_NON_TERMINAL : undefined);
  }
  if (count > 5) return undefined;
  const port = labelAt(name, fifth);
  const protocol = labelAt(name, fourth);
  // Endpoints of an import stand under their clusters: there an underscore tells a port from an endpoint, as in CoreDNS.
  const isPort = !records.isImport || port.startsWith('_') || protocol.startsWith('_');
  return isPort ? portNode(records, port, protocol) : endpointNode(records, name.slice(fifth, third));
}

/**
 * The names below a service that have records, in wire form up to the service's own, in order. Not among them are names that
 * say the same as one of these: ports without an underscore, and `prefer` of topology zones without endpoints.
 */
export function namesBelow(records: ServiceRecords, isZonal: boolean): readonly string[] {
  const ports = portNames(records).flatMap(({ name, protocol }) => {
    const labels = [`_${name}`, `_${protocol}`];
    // What is no label with its underscore can only be asked for without it.
    return labels.every((label) => IS_LABEL.test(label)) ? [labels.map(wireLabel).join('')] : [];
  });
  const zones = isZonal && records.isHeadless ? topologyZoneNames(records) : [];
  const zonal = ['pin', 'prefer'].flatMap((directive) =>
    zones.map((zone) => zone + wireLabel(directive) + wireLabel(ZONE_LABEL)),
  );
  return [...[...endpointNames(records)].toSorted(), ...ports.toSorted(), ...zonal.toSorted()];
}

/** Octets, of which a label has at most 63 (RFC 1035 section 2.3.4). */
// oxlint-disable-next-line no-control-regex -- any octet may stand in a label.
const IS_LABEL = /^[\0-\xff]{1,63}$/;

/** Stands between a service and the names of its topology zones. */
const ZONE_LABEL = '_zone';

/**
 * `ZONE.pin._zone` below a headless service: its endpoints in a topology zone, whose name has as many labels as it likes.
 * `prefer` instead of `pin` means all endpoints where that zone has none (CoreDNS plugin/kubernetes `zonal`).
 */
function zonalNode(records: ServiceRecords, name: Name, count: Count, fifth: number): ServiceNode | undefined {
  // What is below a name that does not exist does not exist (RFC 8020).
  if (!records.isHeadless || records.own === undefined) return undefined;
  if (count === 4) return EMPTY_NON_TERMINAL;
  const directive = labelAt(name, fifth);
  if (directive !== 'pin' && directive !== 'prefer') return undefined;
  if (count === 5) return EMPTY_NON_TERMINAL;
  const fallback = directive === 'prefer' ? records.own : EMPTY_NON_TERMINAL;
  return topologyZoneNode(records, name.slice(0, fifth)) ?? fallback;
}

/** A name that exists and has no records, for there are names below it. */
const EMPTY_NON_TERMINAL: ServiceNode = serviceNode('', [], undefined);
