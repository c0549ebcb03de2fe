/**
 * The records at one name of a Service: its addresses, and SRV records with the addresses of their targets. Knows which
 * endpoints and ports it stands for, not how it was found.
 */

import { addressOfKey } from '../../ip.ts';
import { nameUnder, wireLabel, type Spelling } from '../../name.ts';
import { addressRdata, srvRdata } from '../../rdata.ts';
import { RRType, type RRset } from '../../rr.ts';
import type { Count, Seconds } from '../../units.ts';
import type { Port } from '../objects.ts';

/** An address and the ports behind it. */
export type Member = {
  /** Name of the endpoint; empty for a cluster IP, which has the service's own name. */
  readonly label: string;
  /** `addressKey` */
  readonly key: string;
  readonly ports: readonly Port[];
};

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

export function serviceNode(front: string, members: readonly Member[], port: AskedPort | undefined): ServiceNode {
  return { front, members, port, addresses: undefined, targets: undefined, services: undefined };
}

/** A and AAAA at the node. */
export function addressesOf(node: ServiceNode): Addresses {
  node.addresses ??= addressesFrom(keysOf(membersOf(node)));
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
  const { front, port } = node;
  const groups = Map.groupBy(membersOf(node), (member) => member.label);
  let items = 0;
  const targets = Array.from(groups, ([label, group]): Target => {
    const ports = new Set<number>();
    for (const member of group) {
      items += matchingPorts(member, port);
      for (const each of member.ports) if (isAsked(each, port) && isPortNumber(each.number)) ports.add(each.number);
    }
    return { front: label === '' ? front : wireLabel(label) + front, ports, keys: keysOf(group) };
  });
  return { weight: Math.max(1, Math.floor(100 / items)), targets: targets.filter((target) => target.ports.size > 0) };
}

/** RFC 2782: priority, weight, port, target; the target is never compressed. */
function servicesFrom({ weight, targets }: Targets, suffix: Spelling, ttl: Seconds): ServiceRRs {
  const rdatas: Uint8Array[] = [];
  const glue: RRset[] = [];
  for (const { front, ports, keys } of targets) {
    const target = nameUnder(front, suffix);
    if (target === undefined) continue;
    for (const port of ports) rdatas.push(srvRdata(0, weight, port, target));
    if (glue.length < GLUE_MAX) glue.push(...addressSets(target, addressesFrom(keys), ttl));
  }
  return { suffix, ttl, rdatas, glue: glue.slice(0, GLUE_MAX) };
}

/** A and AAAA RRsets of an owner, without the empty ones. */
export function addressSets(owner: Spelling, { ipv4, ipv6 }: Addresses, ttl: Seconds): RRset[] {
  const sets: RRset[] = [];
  if (ipv4.length > 0) sets.push({ owner, type: RRType.A, ttl, rdatas: ipv4 });
  if (ipv6.length > 0) sets.push({ owner, type: RRType.AAAA, ttl, rdatas: ipv6 });
  return sets;
}

function membersOf({ members, port }: ServiceNode): readonly Member[] {
  return port === undefined ? members : members.filter((member) => matchingPorts(member, port) > 0);
}

function keysOf(members: readonly Member[]): readonly string[] {
  return members.map((member) => member.key);
}

/** How many ports of the member are asked for; a member without ports counts as one where any port will do. */
function matchingPorts(member: Member, port: AskedPort | undefined): Count {
  if (port === undefined) return Math.max(1, member.ports.length);
  let count = 0;
  for (const each of member.ports) if (isAsked(each, port)) count++;
  return count;
}

function isAsked(port: Port, asked: AskedPort | undefined): boolean {
  return (
    asked === undefined || (port.name.toLowerCase() === asked.name && port.protocol.toLowerCase() === asked.protocol)
  );
}

/** A slice may leave the number out, which means every port: nothing an SRV record could say. */
function isPortNumber(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= 0xffff;
}
