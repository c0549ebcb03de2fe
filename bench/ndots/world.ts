/**
 * What is looked up: names of a cluster and of a world outside, where each client has names of its own, so that no cache has what another asked
 * for. Knows no server and no client.
 */

import type { Count } from '../../zones/units.ts';

/** The pod's namespace in fixtures/clusters/demo; no TLD is called like it. */
const NAMESPACE = 'monitoring';
export const ZONE = 'cluster.local';
/** What a cluster gives a pod to search. */
const CLUSTER_SEARCH: readonly string[] = [`${NAMESPACE}.svc.${ZONE}`, `svc.${ZONE}`, ZONE];

/** Search domains of nodes: one without names, one in which every name exists, and one whose servers fail. */
export const NODE_DOMAINS = {
  none: undefined,
  node: 'corp.example.net',
  wildcard: 'wild.example.net',
  failing: 'failing.example.net',
} as const;
export type NodeDomain = keyof typeof NODE_DOMAINS;

/** A zone that only its own server block asks for, while the public has another of that name. */
export const INTERNAL_ZONE = 'intra.example.com';
/** A zone that its servers do not have. */
export const FAILING_ZONE: string = NODE_DOMAINS.failing;
/** A zone whose servers say nothing. */
export const SILENT_ZONE = 'silent.example.org';

export type Case = {
  readonly title: string;
  /** What that client looks up. */
  readonly name: (client: string) => string;
  readonly nodeDomain: NodeDomain;
  /** Is it looked up once only, by all clients at the same time, for it takes them seconds? */
  readonly isSlow?: boolean;
};

const outside =
  (label: string): ((client: string) => string) =>
  (client) =>
    `${label}-${client}.example.org`;
const fixed = (name: string) => (): string => name;

const PLAIN = { nodeDomain: 'none' } as const;
const WITH_NODE = { nodeDomain: 'node' } as const;
const WITH_WILDCARD = { nodeDomain: 'wildcard' } as const;
const WITH_FAILING = { nodeDomain: 'failing' } as const;

export const CASES: readonly Case[] = [
  { title: 'outside name, both families', name: outside('both'), ...PLAIN },
  { title: 'outside name, IPv4 only', name: outside('four'), ...PLAIN },
  { title: 'outside name, IPv6 only', name: outside('six'), ...PLAIN },
  { title: 'outside name behind two CNAMEs', name: outside('chain'), ...PLAIN },
  { title: 'outside name with MX and TXT only', name: outside('mail'), ...PLAIN },
  { title: 'outside name in capitals', name: (client) => outside('both')(client).toUpperCase(), ...PLAIN },
  { title: 'outside name, 100 addresses', name: outside('big'), ...PLAIN },
  { title: 'outside name, 29 addresses, which 512 octets just hold', name: outside('edge'), ...PLAIN },
  { title: 'missing outside name', name: outside('missing'), ...PLAIN },
  { title: 'missing private name', name: (client) => `printer-${client}.lan`, ...PLAIN },
  { title: 'name of an internal zone', name: (client) => `app-${client}.${INTERNAL_ZONE}`, ...PLAIN },
  { title: 'short service name', name: fixed('dashboard'), ...PLAIN },
  { title: 'short headless service', name: fixed('metrics'), ...PLAIN },
  { title: 'service.namespace', name: fixed('ledger.payments'), ...PLAIN },
  { title: 'service.namespace, a public TLD', name: fixed('cart.shop'), ...PLAIN },
  { title: 'service.namespace.svc', name: fixed('ledger.payments.svc'), ...PLAIN },
  { title: 'full cluster name, no final dot', name: fixed('ledger.payments.svc.cluster.local'), ...PLAIN },
  { title: 'full own name, no final dot', name: fixed('dashboard.monitoring.svc.cluster.local'), ...PLAIN },
  { title: 'endpoint.service', name: fixed('metrics-0.metrics'), ...PLAIN },
  { title: 'missing endpoint.service', name: (client) => `nobody-${client}.metrics`, ...PLAIN },
  { title: 'ExternalName in another namespace', name: fixed('gateway.payments'), ...PLAIN },
  { title: 'missing service', name: (client) => `nowhere-${client}`, ...PLAIN },
  { title: 'missing service.namespace', name: (client) => `nowhere-${client}.payments`, ...PLAIN },
  { title: 'node domain: outside name', name: outside('both'), ...WITH_NODE },
  { title: 'node domain: missing outside name', name: outside('missing'), ...WITH_NODE },
  { title: 'node domain: short service name', name: fixed('dashboard'), ...WITH_NODE },
  { title: 'node domain: missing service', name: (client) => `nowhere-${client}`, ...WITH_NODE },
  { title: 'wildcard node domain: outside name', name: outside('both'), ...WITH_WILDCARD },
  { title: 'wildcard node domain: service.namespace', name: fixed('ledger.payments'), ...WITH_WILDCARD },
  { title: 'wildcard node domain: missing service', name: (client) => `nowhere-${client}`, ...WITH_WILDCARD },
  { title: 'failing node domain: short service name', name: fixed('dashboard'), ...WITH_FAILING },
  { title: 'failing node domain: service.namespace', name: fixed('ledger.payments'), ...WITH_FAILING },
  { title: 'failing node domain: outside name', name: outside('both'), ...WITH_FAILING, isSlow: true },
  { title: 'name of a failing zone', name: (client) => `www-${client}.${FAILING_ZONE}`, ...PLAIN, isSlow: true },
  { title: 'name of a silent zone', name: (client) => `www-${client}.${SILENT_ZONE}`, ...PLAIN, isSlow: true },
];

/** The pod's search list. */
export function searchOf(nodeDomain: NodeDomain): readonly string[] {
  const domain = NODE_DOMAINS[nodeDomain];
  return domain === undefined ? CLUSTER_SEARCH : [...CLUSTER_SEARCH, domain];
}

/** Zones of the authority outside, by name: in presentation format, with names for each of these clients. */
export function zonesFor(clients: readonly string[]): ReadonlyMap<string, string> {
  const each = (records: (client: string) => string): string => clients.map(records).join('\n');
  return new Map([
    [
      'example.org',
      `${apexOf('example.org')}
${each(
  (client) => `both-${client} A 203.0.113.10
both-${client} AAAA 2001:db8::10
four-${client} A 203.0.113.4
six-${client} AAAA 2001:db8::6
chain-${client} CNAME hop-${client}
hop-${client} CNAME end-${client}
end-${client} A 203.0.113.30
end-${client} AAAA 2001:db8::30
${many(`big-${client}`, 100)}
${many(`edge-${client}`, 29)}
mail-${client} MX 10 both-${client}
mail-${client} TXT "no address"`,
)}
`,
    ],
    ['corp.example.net', `${apexOf('corp.example.net')}\n`],
    ['wild.example.net', `${apexOf('wild.example.net')}\n* A 203.0.113.99\n`],
    [INTERNAL_ZONE, `${apexOf(INTERNAL_ZONE)}\n${each((client) => `app-${client} A 10.20.30.40`)}\n`],
  ]);
}

/** What the public has under the names of the internal zone. */
export function publicFaces(clients: readonly string[]): readonly string[] {
  return clients.map((client) => `app-${client}.${INTERNAL_ZONE}. 300 IN A 203.0.113.66`);
}

function many(owner: string, count: Count): string {
  return Array.from({ length: count }, (_, i) => `${owner} A 198.51.100.${i + 1}`).join('\n');
}

function apexOf(origin: string): string {
  return `$ORIGIN ${origin}.\n$TTL 300\n@ SOA ns hostmaster 1 7200 3600 1209600 120\n@ NS ns\nns A 192.0.2.54`;
}
