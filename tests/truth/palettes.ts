/**
 * The names and addresses that clusters are made from: small pools, so that things collide, and hostile but valid ones. Knows
 * nothing of what has which.
 */

import fc from 'fast-check';

import { SEARCHED_NAMES } from './outside.ts';

/** The names and addresses that one cluster is made from. */
export type Palette = {
  readonly namespaces: readonly string[];
  readonly services: readonly string[];
  readonly hostnames: readonly string[];
  readonly pods: readonly string[];
  readonly ports: readonly string[];
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** What Namespaces say of search completion; undefined for nothing. */
  readonly wishes: readonly (string | undefined)[];
  /** Outside names that are looked up in the cluster. */
  readonly searched: readonly string[];
  /** What ExternalNames point to. */
  readonly targets: readonly string[];
  /** What stands behind `.svc` in the names of this cluster's services: their zones, each once, with a dot in front. */
  readonly suffixes: readonly string[];
};

/** As long as a label can be: 63 octets. */
export const LONGEST: string = 'a-label-of-63-octets-which-is-as-long-as-any-label-can-ever-bez';

/** Names that mean something elsewhere, to a program or in a name. */
const NAMESPACES = [...words('default prod svc pod com dns constructor then 7 in-addr'), LONGEST];
const SERVICES = [
  ...words('web db constructor then valueof svc pod tcp udp ns dns-version 0 xn--bcher-kva 10-0-0-1 fd00--1 http'),
  LONGEST,
];
const HOSTNAMES = [...words('db-0 db-1 tcp udp 10-0-0-2 10-0-0-1 fd00--2 constructor web 3'), LONGEST];
const PODS = [...words('web-1 db-0 coredns-5d78c9869d-abcde a.dotted.name then 10-0-0-3'), `${LONGEST}x`];
const PORTS = [...words('http https dns-tcp tcp a constructor'), LONGEST];
const IPV4 = words('10.0.0.1 10.0.0.2 10.0.0.3 10.0.1.1 10.1.0.0 192.0.2.9 0.0.0.0 255.255.255.255');
/** Not all in their canonical form. */
const IPV6 = words('fd00::1 fd00::2 fd00:: ::1 :: fd00:0:0:1::1 fd00:0:0::2 FD00::1 fd00:abcd::ef ::ffff:10.0.0.1');

/** Palettes without targets, which depend on the zones. */
export const palettes: fc.Arbitrary<Palette> = fc.record({
  namespaces: few(NAMESPACES, 1, 3),
  services: few(SERVICES, 2, 4),
  hostnames: few(HOSTNAMES, 2, 4),
  pods: few(PODS, 2, 4),
  ports: few(PORTS, 2, 3),
  ipv4: few(IPV4, 2, 4),
  ipv6: few(IPV6, 2, 4),
  wishes: fc.constant([undefined]),
  searched: fc.constant([]),
  targets: fc.constant([]),
  suffixes: fc.constant([]),
});

/** Namespaces and services that are called like the ends of names outside, or like the parts of a search list. */
const SEARCHED_NAMESPACES = [...words('default prod com dev app svc pod local org shop'), LONGEST];
const SEARCHED_SERVICES = [...words('web db com org net example www api mail dev svc cluster local 10-0-0-1'), LONGEST];

/** The same for clusters whose clients walk search lists. */
export const searchedPalettes: fc.Arbitrary<Palette> = fc
  .record({
    palette: palettes,
    namespaces: few(SEARCHED_NAMESPACES, 2, 4),
    services: few(SEARCHED_SERVICES, 3, 5),
    wishes: fc.constantFrom([undefined], [undefined], [undefined, undefined, 'on', 'on', 'off']),
    searched: few(SEARCHED_NAMES, 4, 9),
  })
  .map(({ palette, ...others }) => ({ ...palette, ...others }));

/**
 * The palette with what its ExternalNames may point to: services, other names of the zones, and names outside.
 * @param own those of the zones that have this cluster's services
 */
export function withTargets(
  palette: Palette,
  zones: readonly string[],
  own: readonly string[],
  outsideNames: readonly string[],
): fc.Arbitrary<Palette> {
  const suffixes = zones.map(suffixOf);
  const services = suffixes.flatMap((suffix) =>
    palette.namespaces.flatMap((namespace) =>
      palette.services.map((service) => `${service}.${namespace}.svc${suffix}`),
    ),
  );
  const [first = 'com'] = services;
  const others = suffixes.flatMap((suffix) => [`ns.dns${suffix}`, `nosuch.default.svc${suffix}`, `com${suffix}`]);
  const odd = [
    `x.${first}`,
    `${first}.`,
    'www.example.org.',
    '1.0.0.10.in-addr.arpa',
    '0.10.in-addr.arpa',
    '192.0.2.9',
    'fd00::1',
    'extra.default.svc.cluster.local',
    'printer.cluster.local',
  ];
  return fc
    .tuple(few(services, 3, 6), few(services, 3, 6), few(others, 1, 2), few(outsideNames, 2, 3), few(odd, 2, 3))
    .map((targets) => ({
      ...palette,
      suffixes: [...new Set(own.map(suffixOf))],
      targets: targets.flat().filter((target) => target.length <= 253),
    }));
}

function words(text: string): readonly string[] {
  return text.split(' ');
}

function few(pool: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<readonly string[]> {
  return fc.shuffledSubarray([...pool], {
    minLength: Math.min(minLength, pool.length),
    maxLength: Math.min(maxLength, pool.length),
  });
}

function suffixOf(zone: string): string {
  return zone === '.' ? '' : `.${zone.slice(0, -1)}`;
}
