/**
 * Random objects of a cluster as an API server stores them, hostile but valid. The pools of names and addresses are small, so
 * that things collide. Knows nothing of what is answered from them.
 */

import fc from 'fast-check';

import type { RawObject } from '../support/raw-objects.ts';

/** The names and addresses that one cluster is made from. */
export type Palette = {
  readonly namespaces: readonly string[];
  readonly services: readonly string[];
  readonly hostnames: readonly string[];
  readonly pods: readonly string[];
  readonly ports: readonly string[];
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** What ExternalNames point to. */
  readonly targets: readonly string[];
  /** What stands behind `.svc` in the names of services: the zones, with a dot in front. */
  readonly suffixes: readonly string[];
};

const LONG = 'a-label-of-63-octets-which-is-as-long-as-any-label-can-ever-be-x';
/** 63 octets. */
const LONGEST = LONG.slice(0, 62).padEnd(63, 'z');

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

// oxlint-disable-next-line unicorn/no-null -- the API writes absent fields so
const NULL = null;

/** Palettes without targets, which depend on the zones. */
export const palettes: fc.Arbitrary<Palette> = fc.record({
  namespaces: few(NAMESPACES, 1, 3),
  services: few(SERVICES, 2, 4),
  hostnames: few(HOSTNAMES, 2, 4),
  pods: few(PODS, 2, 4),
  ports: few(PORTS, 2, 3),
  ipv4: few(IPV4, 2, 4),
  ipv6: few(IPV6, 2, 4),
  targets: fc.constant([]),
  suffixes: fc.constant([]),
});

/** The palette with what its ExternalNames may point to: services, other names of the zones, and names outside. */
export function withTargets(
  palette: Palette,
  zones: readonly string[],
  outsideNames: readonly string[],
): fc.Arbitrary<Palette> {
  const suffixes = zones.map((zone) => (zone === '.' ? '' : `.${zone.slice(0, -1)}`));
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
  ];
  return fc
    .tuple(few(services, 3, 6), few(services, 3, 6), few(others, 1, 2), few(outsideNames, 2, 3), few(odd, 1, 2))
    .map((targets) => ({ ...palette, suffixes, targets: targets.flat().filter((target) => target.length <= 253) }));
}

/** Any object. */
export function objectsFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return fc.oneof(
    { weight: 2, arbitrary: namespacesFrom(palette) },
    { weight: 6, arbitrary: servicesFrom(palette) },
    { weight: 8, arbitrary: slicesFrom(palette) },
    { weight: 3, arbitrary: podsFrom(palette) },
    { weight: 2, arbitrary: importsFrom(palette) },
  );
}

/** What a cluster begins with: most of its namespaces, and some of everything. */
export function clustersFrom(palette: Palette): fc.Arbitrary<readonly RawObject[]> {
  return fc
    .tuple(
      fc.tuple(...palette.namespaces.map((name) => mostly(labels.map((some) => namespaceNamed(name, some))))),
      fc.array(wholeServices(palette), { minLength: 1, maxLength: 6 }),
      fc.array(objectsFrom(palette), { maxLength: 16 }),
      fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: chainsFrom(palette) }),
      fc.array(podsFrom(palette), { maxLength: 3 }),
    )
    .map(([namespaces, services, objects, chain, pods]) => [
      ...namespaces.flat(),
      ...services.flat(),
      ...objects,
      ...chain,
      ...pods,
    ]);
}

/** A headless service and two to four slices of it, all of which come or change at once. */
export function slicesTogether(palette: Palette): fc.Arbitrary<readonly RawObject[]> {
  const headless = servicesFrom(palette, headlessSpecs(fc.constant([])));
  return fc
    .tuple(headless, fc.array(slicesFrom(palette), { minLength: 2, maxLength: 4 }))
    .map(([service, slices]) => [service, ...slices.map((slice, i) => ofService(slice, service, `s${i + 1}`))]);
}

/** A service or an import, and its slices. */
function wholeServices(palette: Palette): fc.Arbitrary<readonly RawObject[]> {
  return fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: servicesFrom(palette) }, { weight: 1, arbitrary: importsFrom(palette) }),
      fc.array(slicesFrom(palette), { maxLength: 3 }),
    )
    .map(([service, slices]) => [service, ...slices.map((slice) => ofService(slice, service, slice.metadata.name))]);
}

/** The slice as one of that service. */
function ofService(slice: RawObject, service: RawObject, name: string): RawObject {
  const label = `${service.kind === 'Service' ? 'kubernetes.io' : 'multicluster.kubernetes.io'}/service-name`;
  const labels = { ...slice.metadata.labels, [label]: service.metadata.name };
  return { ...slice, metadata: { ...slice.metadata, name, namespace: service.metadata.namespace ?? '', labels } };
}

/** The same object with other fields that no answer depends on. */
export function touched(object: RawObject, garbage: number): RawObject {
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { 'example.org/touched': String(garbage) },
      managedFields: [{ manager: `m${garbage}`, operation: 'Update', fieldsV1: { 'f:spec': { '.': {} } } }],
    },
  };
}

function namespacesFrom({ namespaces }: Palette): fc.Arbitrary<RawObject> {
  return fc.tuple(fc.constantFrom(...namespaces), labels).map(([name, some]) => namespaceNamed(name, some));
}

function namespaceNamed(name: string, some: Record<string, string>): RawObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...some } },
    status: { phase: 'Active' },
  };
}

function servicesFrom(palette: Palette, spec: fc.Arbitrary<Spec> = specsFrom(palette)): fc.Arbitrary<RawObject> {
  return fc
    .record({
      namespace: fc.constantFrom(...palette.namespaces),
      name: fc.constantFrom(...palette.services),
      labels,
      spec,
      publishNotReadyAddresses: fc.constantFrom(undefined, true, false),
    })
    .map(({ namespace, name, labels: some, spec: special, publishNotReadyAddresses }) => ({
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name, namespace, labels: some },
      spec: {
        ...special,
        ...defined({
          externalName: special.externalName?.replace('@', `${name}.${namespace}.svc${palette.suffixes[0] ?? ''}`),
          publishNotReadyAddresses,
        }),
      },
    }));
}

type Spec = { externalName?: string | undefined; [field: string]: unknown };

function specsFrom(palette: Palette): fc.Arbitrary<Spec> {
  const ports = fc.array(servicePortsFrom(palette), { maxLength: 3 });
  return fc.oneof(
    { weight: 4, arbitrary: clusterIPSpecs(palette, ports) },
    { weight: 5, arbitrary: headlessSpecs(ports) },
    { weight: 3, arbitrary: aliasSpecs(palette, ports) },
  );
}

function clusterIPSpecs({ ipv4, ipv6 }: Palette, ports: fc.Arbitrary<readonly Spec[]>): fc.Arbitrary<Spec> {
  const addresses = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constantFrom(...ipv4)) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...ipv6)) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...ipv4), fc.constantFrom(...ipv6)) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...ipv6), fc.constantFrom(...ipv4)) },
    { weight: 1, arbitrary: fc.constant([]) },
  );
  return fc
    .record({
      type: fc.constantFrom(undefined, 'ClusterIP', 'ClusterIP', 'NodePort', 'LoadBalancer'),
      addresses,
      form: fc.constantFrom('both', 'both', 'single'),
      ports,
      externalIPs: fc.constantFrom(undefined, ['203.0.113.7']),
    })
    .map(({ type, addresses: clusterIPs, form, ports: list, externalIPs }) => ({
      ...(type === undefined ? {} : { type }),
      // An object of an old API server has the one field only.
      ...(form === 'both' ? { clusterIPs } : {}),
      clusterIP: clusterIPs[0] ?? '',
      ...(externalIPs === undefined ? {} : { externalIPs }),
      ports: list,
    }));
}

function headlessSpecs(ports: fc.Arbitrary<readonly Spec[]>): fc.Arbitrary<Spec> {
  return fc.tuple(ports, fc.boolean()).map(([list, isOld]) => ({
    type: 'ClusterIP',
    clusterIP: 'None',
    ...(isOld ? {} : { clusterIPs: ['None'] }),
    ports: list,
  }));
}

/** `@` is the service's own name. */
const SELVES = ['@', 'x.@'];

function aliasSpecs({ targets }: Palette, ports: fc.Arbitrary<readonly Spec[]>): fc.Arbitrary<Spec> {
  return fc
    .tuple(fc.constantFrom(...targets, ...SELVES), ports, fc.constantFrom(undefined, '10.0.0.2'))
    .map(([externalName, list, clusterIP]) => ({
      type: 'ExternalName',
      externalName,
      // Left over from when it was of another type.
      ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] }),
      ports: list,
    }));
}

/** KEP-1645, Multi-Cluster Services API. */
function importsFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return fc
    .record({
      namespace: fc.constantFrom(...palette.namespaces),
      name: fc.constantFrom(...palette.services),
      labels,
      type: fc.constantFrom('ClusterSetIP', 'ClusterSetIP', 'Headless'),
      ips: fc.array(fc.constantFrom(...palette.ipv4, ...palette.ipv6), { maxLength: 2 }),
      ports: fc.array(servicePortsFrom(palette), { maxLength: 3 }),
    })
    .map(({ namespace, name, labels: some, type, ips, ports }) => ({
      kind: 'ServiceImport',
      apiVersion: 'multicluster.x-k8s.io/v1alpha1',
      metadata: { name, namespace, labels: some },
      spec: { type, ...(type === 'Headless' ? {} : { ips }), ports },
    }));
}

function servicePortsFrom({ ports }: Palette): fc.Arbitrary<Spec> {
  return fc
    .record({
      name: fc.constantFrom(undefined, '', ...ports),
      protocol: fc.constantFrom(undefined, 'TCP', 'TCP', 'UDP', 'SCTP'),
      port: fc.constantFrom(1, 53, 80, 80, 443, 65_535),
    })
    .map(defined);
}

function slicesFrom(palette: Palette): fc.Arbitrary<RawObject> {
  const family = fc.constantFrom('IPv4', 'IPv4', 'IPv4', 'IPv6', 'IPv6', 'FQDN');
  const owner = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...palette.services) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, '', 'Not.A.Label', 'nosuch') },
  );
  return family.chain((addressType) =>
    fc
      .record({
        namespace: fc.constantFrom(...palette.namespaces),
        name: fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', `${LONGEST}-abcde`),
        owner,
        labels,
        imported: fc.constantFrom(undefined, undefined, undefined, ...palette.services),
        cluster: fc.constantFrom(undefined, 'east', 'west', 'west', 'West', 'not.a.label'),
        endpoints: fc.oneof(
          { weight: 18, arbitrary: fc.array(endpointsFrom(palette, addressType), { maxLength: 4 }) },
          { weight: 1, arbitrary: manyEndpoints(addressType) },
          { weight: 1, arbitrary: fc.constantFrom(undefined, NULL) },
        ),
        ports: fc.oneof(
          { weight: 6, arbitrary: fc.array(slicePortsFrom(palette), { maxLength: 3 }) },
          { weight: 1, arbitrary: fc.constantFrom(undefined, NULL) },
        ),
      })
      .map(({ namespace, name, owner: service, labels: some, imported, cluster, endpoints, ports }) => ({
        kind: 'EndpointSlice',
        apiVersion: 'discovery.k8s.io/v1',
        metadata: {
          name,
          namespace,
          labels: {
            ...some,
            ...(service === undefined ? {} : { 'kubernetes.io/service-name': service }),
            ...(imported === undefined ? {} : { 'multicluster.kubernetes.io/service-name': imported }),
            ...(imported === undefined || cluster === undefined
              ? {}
              : { 'multicluster.kubernetes.io/source-cluster': cluster }),
          },
        },
        addressType,
        ...defined({ endpoints, ports }),
      })),
  );
}

/** More than fit into a datagram, and with those of other slices still few enough for a message. */
function manyEndpoints(addressType: string): fc.Arbitrary<readonly Spec[]> {
  const front = addressType === 'IPv6' ? 'fd00::2:' : '10.0.2.';
  return fc
    .integer({ min: 12, max: 30 })
    .map((count) => Array.from({ length: count }, (_, i) => ({ addresses: [`${front}${i}`] })));
}

function endpointsFrom(palette: Palette, addressType: string): fc.Arbitrary<Spec> {
  const pool = { IPv4: palette.ipv4, IPv6: palette.ipv6 }[addressType] ?? ['www.example.org', 'db.example.net'];
  const ready = fc.constantFrom(undefined, NULL, true, true, true, false);
  return fc
    .record({
      addresses: fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 2 }),
      conditions: fc.oneof(
        { weight: 1, arbitrary: fc.constantFrom(undefined, NULL, {}) },
        {
          weight: 5,
          arbitrary: fc
            .record({
              ready,
              serving: fc.constantFrom(undefined, true, false),
              terminating: fc.constantFrom(undefined, true, false),
            })
            .map(defined),
        },
      ),
      hostname: fc.constantFrom(undefined, undefined, undefined, '', ...palette.hostnames),
      targetRef: fc.oneof(
        { weight: 2, arbitrary: fc.constant(undefined) },
        {
          weight: 3,
          arbitrary: fc.record({
            kind: fc.constantFrom('Pod', 'Pod', 'Pod', 'Node'),
            name: fc.constantFrom(...palette.pods),
          }),
        },
      ),
      zone: fc.constantFrom(undefined, 'eu-1a', 'eu-1a', 'EU-1b', 'b.eu', 'rack_1'),
      nodeName: fc.constantFrom(undefined, 'node-1'),
    })
    .map(defined);
}

function slicePortsFrom({ ports }: Palette): fc.Arbitrary<Spec> {
  return fc
    .record({
      name: fc.constantFrom(undefined, NULL, '', ...ports, ...ports),
      protocol: fc.constantFrom(undefined, NULL, 'TCP', 'TCP', 'TCP', 'UDP', 'SCTP'),
      port: fc.constantFrom(undefined, NULL, 1, 53, 8080, 8080, 8443, 65_535),
    })
    .map(defined);
}

function podsFrom({ namespaces, pods, ipv4, ipv6 }: Palette): fc.Arbitrary<RawObject> {
  const all = [...ipv4, ...ipv6];
  return fc
    .record({
      namespace: fc.constantFrom(...namespaces),
      name: fc.constantFrom(...pods),
      labels,
      podIPs: fc.array(fc.constantFrom(...all), { maxLength: 2 }),
      form: fc.constantFrom('both', 'both', 'single', 'list'),
      phase: fc.constantFrom(undefined, 'Pending', 'Running', 'Running', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      deletionTimestamp: fc.constantFrom(undefined, undefined, '2026-11-20T10:00:00Z'),
      hostNetwork: fc.constantFrom(undefined, true),
    })
    .map(({ namespace, name, labels: some, podIPs, form, phase, deletionTimestamp, hostNetwork }) => ({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name, namespace, labels: some, ...defined({ deletionTimestamp }) },
      spec: { containers: [{ name: 'main', image: 'example.com/main:1' }], ...defined({ hostNetwork }) },
      status: {
        ...defined({ phase }),
        ...(form === 'list' || podIPs.length === 0 ? {} : { podIP: podIPs[0] }),
        ...(form === 'single' ? {} : { podIPs: podIPs.map((ip) => ({ ip })) }),
      },
    }));
}

/** ExternalNames that point from one to the next, about as many as are followed. */
function chainsFrom({ namespaces, targets, suffixes }: Palette): fc.Arbitrary<readonly RawObject[]> {
  const [namespace = 'default'] = namespaces;
  const [suffix = ''] = suffixes;
  return fc.tuple(fc.integer({ min: 10, max: 13 }), fc.constantFrom(...targets)).map(([length, end]) =>
    Array.from({ length }, (_, i) => ({
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: `c${i}`, namespace },
      spec: { type: 'ExternalName', externalName: i + 1 === length ? end : `c${i + 1}.${namespace}.svc${suffix}` },
    })),
  );
}

const labels: fc.Arbitrary<Record<string, string>> = fc
  .record({ tier: fc.constantFrom(undefined, 'front', 'front', 'back'), app: fc.constantFrom(undefined, 'web') })
  .map((each) => defined(each) as Record<string, string>);

/** Nine times of ten one, else none. */
function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.tuple(arbitrary, fc.nat({ max: 9 })).map(([value, n]) => (n === 0 ? [] : [value]));
}

/** Without the fields that are not there; `null` is. */
function defined(fields: Spec): Spec {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
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
