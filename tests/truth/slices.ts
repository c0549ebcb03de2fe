/** Random EndpointSlices, of this cluster's services and of others'. Knows no services but by name. */

import fc from 'fast-check';

import type { RawObject } from '../support/raw-objects.ts';
import { defined, labels, NULL, type Part } from './object-parts.ts';
import { LONGEST, type Palette } from './palettes.ts';

/** Of either family or of names, ready or not, with every field that may be absent absent now and then. */
export function slicesFrom(palette: Palette): fc.Arbitrary<RawObject> {
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
        manager: fc.constantFrom(
          undefined,
          CONTROLLER,
          CONTROLLER,
          CONTROLLER,
          'endpointslicemirroring-controller.k8s.io',
        ),
        mark: fc.constantFrom(undefined, undefined, ''),
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
      .map(({ namespace, name, owner: service, labels: some, manager, mark, imported, cluster, endpoints, ports }) => ({
        kind: 'EndpointSlice',
        apiVersion: 'discovery.k8s.io/v1',
        metadata: {
          name,
          namespace,
          labels: {
            ...some,
            ...defined({ 'endpointslice.kubernetes.io/managed-by': manager, 'service.kubernetes.io/headless': mark }),
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

/** Kubernetes' own, for Services with a selector. */
const CONTROLLER = 'endpointslice-controller.k8s.io';

/** More than fit into a datagram, and with those of other slices still few enough for a message. */
function manyEndpoints(addressType: string): fc.Arbitrary<readonly Part[]> {
  const front = addressType === 'IPv6' ? 'fd00::2:' : '10.0.2.';
  return fc
    .integer({ min: 12, max: 30 })
    .map((count) => Array.from({ length: count }, (_, i) => ({ addresses: [`${front}${i}`] })));
}

function endpointsFrom(palette: Palette, addressType: string): fc.Arbitrary<Part> {
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

function slicePortsFrom({ ports }: Palette): fc.Arbitrary<Part> {
  return fc
    .record({
      name: fc.constantFrom(undefined, NULL, '', ...ports, ...ports),
      protocol: fc.constantFrom(undefined, NULL, 'TCP', 'TCP', 'TCP', 'UDP', 'SCTP'),
      port: fc.constantFrom(undefined, NULL, 1, 53, 8080, 8080, 8443, 65_535),
    })
    .map(defined);
}
