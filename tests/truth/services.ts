/** Random Services of every type, and ServiceImports. Knows nothing of what is behind them. */

import fc from 'fast-check';

import type { RawObject } from '../support/raw-objects.ts';
import { defined, labels, type Part } from './object-parts.ts';
import type { Palette } from './palettes.ts';

/** Services of every type. */
export function servicesFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return servicesWith(palette, specsFrom(palette));
}

/** Headless ones without ports. */
export function headlessFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return servicesWith(palette, headlessSpecs(fc.constant([])));
}

function servicesWith(palette: Palette, spec: fc.Arbitrary<Part>): fc.Arbitrary<RawObject> {
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
          externalName: spelledOut(special['externalName'], `${name}.${namespace}.svc${palette.suffixes[0] ?? ''}`),
          publishNotReadyAddresses,
        }),
      },
    }));
}

function specsFrom(palette: Palette): fc.Arbitrary<Part> {
  const ports = fc.array(servicePortsFrom(palette), { maxLength: 3 });
  return fc.oneof(
    { weight: 4, arbitrary: clusterIPSpecs(palette, ports) },
    { weight: 5, arbitrary: headlessSpecs(ports) },
    { weight: 3, arbitrary: aliasSpecs(palette, ports) },
  );
}

function clusterIPSpecs({ ipv4, ipv6 }: Palette, ports: fc.Arbitrary<readonly Part[]>): fc.Arbitrary<Part> {
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

function headlessSpecs(ports: fc.Arbitrary<readonly Part[]>): fc.Arbitrary<Part> {
  return fc.tuple(ports, fc.boolean()).map(([list, isOld]) => ({
    type: 'ClusterIP',
    clusterIP: 'None',
    ...(isOld ? {} : { clusterIPs: ['None'] }),
    ports: list,
  }));
}

/** `@` is the service's own name. */
const SELVES = ['@', 'x.@'];

function spelledOut(externalName: unknown, own: string): string | undefined {
  return typeof externalName === 'string' ? externalName.replace('@', own) : undefined;
}

function aliasSpecs({ targets }: Palette, ports: fc.Arbitrary<readonly Part[]>): fc.Arbitrary<Part> {
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
export function importsFrom(palette: Palette): fc.Arbitrary<RawObject> {
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

function servicePortsFrom({ ports }: Palette): fc.Arbitrary<Part> {
  return fc
    .record({
      name: fc.constantFrom(undefined, '', ...ports),
      protocol: fc.constantFrom(undefined, 'TCP', 'TCP', 'UDP', 'SCTP'),
      port: fc.constantFrom(1, 53, 80, 80, 443, 65_535),
    })
    .map(defined);
}

/**
 * ExternalNames that point from one to the next, a few or about as many as are followed: eleven in one zone, eight from zone to
 * zone. Often they lead to a Service in the end.
 */
export function chainsFrom(palette: Palette): fc.Arbitrary<readonly RawObject[]> {
  const { namespaces, targets, suffixes, ipv4, ipv6 } = palette;
  const [namespace = 'default'] = namespaces;
  const [address = '10.0.0.1'] = ipv4;
  const inOneZone = fc.tuple(fc.constant(1), fc.constantFrom(2, 10, 11, 11, 12, 12));
  const acrossZones = fc.tuple(fc.constant(suffixes.length), fc.constantFrom(2, 7, 8, 8, 9, 9));
  const shapes =
    suffixes.length > 1
      ? fc.oneof({ weight: 1, arbitrary: inOneZone }, { weight: 2, arbitrary: acrossZones })
      : inOneZone;
  const ends = fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, ...targets) },
  );
  return fc.tuple(shapes, ends).map(([[span, length], end]) => {
    const service = (i: number, spec: Part): RawObject => ({
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: `c${i}`, namespace },
      spec,
    });
    const nameOf = (i: number): string => `c${i}.${namespace}.svc${suffixes[i % span] ?? ''}`;
    const aliases = Array.from({ length }, (_, i) =>
      service(i, {
        type: 'ExternalName',
        externalName: i + 1 === length && end !== undefined ? end : nameOf(i + 1),
      }),
    );
    const clusterIPs = [address, ...ipv6.slice(0, 1)];
    return [...aliases, service(length, { clusterIP: address, clusterIPs, ports: [{ name: 'http', port: 80 }] })];
  });
}
