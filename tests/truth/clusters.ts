/**
 * Random objects of a cluster as an API server stores them, together as they are found in one. Knows nothing of what is
 * answered from them.
 */

import fc from 'fast-check';

import type { RawObject } from '../support/raw-objects.ts';
import { defined, labels } from './object-parts.ts';
import type { Palette } from './palettes.ts';
import { chainsFrom, headlessFrom, importsFrom, servicesFrom } from './services.ts';
import { slicesFrom } from './slices.ts';

/** Any object. */
export function objectsFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return fc.oneof(
    { weight: 3, arbitrary: namespacesFrom(palette) },
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
      fc.tuple(...palette.namespaces.map((name) => mostly(namespacesNamed(palette, name)))),
      fc.array(wholeServices(palette), { minLength: 1, maxLength: 6 }),
      fc.array(objectsFrom(palette), { maxLength: 16 }),
      fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: chainsFrom(palette) }),
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
  return fc
    .tuple(headlessFrom(palette), fc.array(slicesFrom(palette), { minLength: 2, maxLength: 4 }))
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

/** The same object with other fields; no answer depends on them but by an annotation that is gone. */
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

function namespacesFrom(palette: Palette): fc.Arbitrary<RawObject> {
  return fc.constantFrom(...palette.namespaces).chain((name) => namespacesNamed(palette, name));
}

function namespacesNamed({ wishes }: Palette, name: string): fc.Arbitrary<RawObject> {
  return fc.tuple(labels, fc.constantFrom(...wishes)).map(([some, wish]) => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      labels: { 'kubernetes.io/metadata.name': name, ...some },
      ...(wish === undefined ? {} : { annotations: { 'fivedots.dev/search-completion': wish } }),
    },
    status: { phase: 'Active' },
  }));
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

/** Nine times of ten one, else none. */
function mostly<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  return fc.tuple(arbitrary, fc.nat({ max: 9 })).map(([value, n]) => (n === 0 ? [] : [value]));
}
