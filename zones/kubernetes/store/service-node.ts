/**
 * The records at one name of a Service: its addresses, and SRV records with the addresses of their targets. Knows which
 * endpoints and ports it stands for, not how it was found.
 */

import { addressOfKey } from '../../ip.ts';
import { nameUnder, type Spelling } from '../../name.ts';
import { addressRdata, srvRdata } from '../../rdata.ts';
import { RRType, type RRset } from '../../rr.ts';
import type { Bytes, Count, Seconds } from '../../units.ts';
import { isPortNumber } from '../api-values.ts';
import type { Member } from './members.ts';
import type { Port } from '../objects.ts';

/** A port as it is asked for, in lower case. */
export type AskedPort = { readonly name: string; readonly protocol: string };

/** The undefined fields are filled in by the first question for them. */
export type ServiceNode = {
  readonly front: string;
  readonly members: readonly Member[];
  /** Only this port of the members; undefined for all. */
  readonly port: AskedPort | undefined;
  addresses: Addresses | undefined;
  targets: Targets | undefined;
  services: ServiceRRs | undefined;
};

/** Rdata of A and AAAA, each address once (RFC 2181 section 5). */
export type Addresses = { readonly ipv4: readonly Uint8Array[]; readonly ipv6: readonly Uint8Array[] };

/** SRV records and the addresses that go with them, for one spelling of the zone. */
export type ServiceRRs = {
  readonly suffix: Spelling;
  readonly ttl: Seconds;
  readonly rdatas: readonly Uint8Array[];
  readonly glue: readonly RRset[];
};

/**
 * RRsets in the additional section of an SRV answer. They save a question and are never needed (RFC 2782); a message of
 * 64 KiB has no room for more beside the SRV records that they belong to.
 */
export const GLUE_MAX: Count = 512;
/**
 * Octets of an SRV RRset. With one record more no message can hold it (RFC 1035 section 4.2.2), so the rest of thousands of
 * endpoints times a hundred ports is never made.
 */
export const SERVICES_MAX: Bytes = 65_535;

export function serviceNode(front: string, members: readonly Member[], port: AskedPort | undefined): ServiceNode {
  return { front, members, port, addresses: undefined, targets: undefined, services: undefined };
}

/** A and AAAA at the node. */
export function addressesOf(node: ServiceNode): Addresses {
  node.addresses ??= addressesFrom(keysOf(membersOf(node, askedPorts(node))));
  return node.addresses;
}

/**
 * SRV at the node, with targets below `suffix`, the zone as it was spelled. The last spelling is remembered: nearly every
 * client asks in lower case, and one that does not costs no memory.
 */
export function servicesOf(node: ServiceNode, suffix: Spelling, ttl: Seconds): ServiceRRs {
  const { services } = node;
  if (services !== undefined && services.suffix === suffix && services.ttl === ttl) return services;
  node.targets ??= targetsFrom(node);
  node.services = servicesFrom(node.targets, suffix, ttl);
  return node.services;
}

type Target = { readonly front: string; readonly ports: ReadonlySet<number>; readonly keys: readonly string[] };
type Targets = { readonly weight: number; readonly targets: readonly Target[] };

/** The addresses behind some `addressKey`s, each once. */
export function addressesFrom(keys: Iterable<string>): Addresses {
  const ipv4: Uint8Array[] = [];
  const ipv6: Uint8Array[] = [];
  for (const key of new Set(keys)) {
    (key.length === 4 ? ipv4 : ipv6).push(addressRdata(addressOfKey(key)));
  }
  return { ipv4, ipv6 };
}

/** The weight counts addresses times ports before duplicates are dropped, as in CoreDNS (plugin/backend_lookup.go). */
function targetsFrom(node: ServiceNode): Targets {
  const asked = askedPorts(node);
  const groups = Map.groupBy(membersOf(node, asked), (member) => member.labels);
  let items = 0;
  const targets = Array.from(groups, ([labels, group]): Target => {
    let ports: ReadonlySet<number> = NO_NUMBERS;
    for (const member of group) {
      const { count, numbers } = asked.get(member.ports) ?? NO_PORTS;
      items += count;
      ports = ports.size === 0 || ports === numbers ? numbers : ports.union(numbers);
    }
    return { front: labels + node.front, ports, keys: keysOf(group) };
  });
  return { weight: Math.max(1, Math.floor(100 / items)), targets: targets.filter((target) => target.ports.size > 0) };
}

/** RFC 2782: priority, weight, port, target; the target is never compressed. */
function servicesFrom({ weight, targets }: Targets, suffix: Spelling, ttl: Seconds): ServiceRRs {
  const rdatas: Uint8Array[] = [];
  const glue: RRset[] = [];
  let octets: Bytes = 0;
  for (const { front, ports, keys } of targets) {
    if (octets > SERVICES_MAX) break;
    const target = nameUnder(front, suffix);
    if (target === undefined) continue;
    for (const port of ports) {
      if (octets > SERVICES_MAX) break;
      const rdata = srvRdata(0, weight, port, target);
      octets += RECORD_HEAD + rdata.length;
      rdatas.push(rdata);
    }
    if (glue.length < GLUE_MAX) glue.push(...addressSets(target, addressesFrom(keys), ttl));
  }
  return { suffix, ttl, rdatas, glue: glue.slice(0, GLUE_MAX) };
}

/** What stands before the rdata: a pointer to the owner, type, class, TTL and length. */
const RECORD_HEAD: Bytes = 12;

/** A and AAAA RRsets of an owner, without the empty ones. */
export function addressSets(owner: Spelling, { ipv4, ipv6 }: Addresses, ttl: Seconds): RRset[] {
  const sets: RRset[] = [];
  if (ipv4.length > 0) sets.push({ owner, type: RRType.A, ttl, rdatas: ipv4 });
  if (ipv6.length > 0) sets.push({ owner, type: RRType.AAAA, ttl, rdatas: ipv6 });
  return sets;
}

/** Of one list of ports those that are asked for; `numbers` are those that an SRV record can say. */
type AskedPorts = { readonly count: Count; readonly numbers: ReadonlySet<number> };

/** By the list itself: the endpoints of a slice share theirs, so that it is looked at once and not for each of them. */
function askedPorts({ members, port }: ServiceNode): ReadonlyMap<readonly Port[], AskedPorts> {
  const asked = new Map<readonly Port[], AskedPorts>();
  for (const { ports } of members) if (!asked.has(ports)) asked.set(ports, askedOf(ports, port));
  return asked;
}

/** No ports count as one where any port will do. In a slice a port without a number means every port: nothing to say. */
function askedOf(ports: readonly Port[], asked: AskedPort | undefined): AskedPorts {
  const found = asked === undefined ? ports : ports.filter((port) => isAsked(port, asked));
  const count = asked === undefined ? Math.max(1, ports.length) : found.length;
  return { count, numbers: new Set(found.map(({ number }) => number).filter(isPortNumber)) };
}

function isAsked(port: Port, asked: AskedPort): boolean {
  return port.name.toLowerCase() === asked.name && port.protocol.toLowerCase() === asked.protocol;
}

function membersOf({ members, port }: ServiceNode, asked: ReadonlyMap<readonly Port[], AskedPorts>): readonly Member[] {
  return port === undefined ? members : members.filter(({ ports }) => (asked.get(ports) ?? NO_PORTS).count > 0);
}

function keysOf(members: readonly Member[]): readonly string[] {
  return members.map((member) => member.key);
}

const NO_NUMBERS: ReadonlySet<number> = new Set();
const NO_PORTS: AskedPorts = { count: 0, numbers: NO_NUMBERS };
