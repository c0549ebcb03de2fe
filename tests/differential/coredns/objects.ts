/**
 * A cluster for fivedots and CoreDNS, and what happens in it: that of the other comparison, with what a zone file could not
 * hold added to it. Knows no Corefile.
 */

import { networkInterfaces } from 'node:os';

import {
  rawImportedSlice,
  rawNamespace,
  rawPod,
  rawService,
  rawServiceImport,
  rawSlice,
  type RawEndpoint,
  type RawObject,
} from '../../support/raw-objects.ts';
import { clusterFrom, type Cluster } from '../cluster.ts';
import type { Random } from '../../support/random.ts';

export type HostileCluster = Cluster & {
  /** Those of its objects that are worth more questions than others. */
  readonly odd: readonly RawObject[];
};

export function hostileClusterFrom(random: Random): HostileCluster {
  const cluster = clusterFrom(random);
  const namespaces = cluster.objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const plain = cluster.objects.map((object) => labelled(object, random));
  const odd = [...odditiesIn(namespaces[0] ?? 'default', random), ...importsIn(namespaces, random)];
  return { ...cluster, namespaces, objects: [...plain, ...odd.map((object) => labelled(object, random))], odd };
}

/** What the API takes though no controller would write it, and what controllers write now and then. */
function odditiesIn(namespace: string, random: Random): readonly RawObject[] {
  const alias = (name: string, externalName: string): RawObject =>
    rawService(namespace, name, { type: 'ExternalName', externalName, clusterIP: '', clusterIPs: [], ports: [] });
  const headless = (name: string, spec: Record<string, unknown> = {}): RawObject =>
    rawService(namespace, name, { clusterIP: 'None', clusterIPs: ['None'], ...spec });
  const slice = (name: string, endpoints: readonly RawEndpoint[], fields: Record<string, unknown> = {}): RawObject =>
    rawSlice(namespace, name, 'odd', endpoints, fields);
  const ownerless = rawSlice(namespace, 'ownerless', 'odd', [{ address: '10.245.0.1' }]);
  const pod = rawPod(namespace, 'dual', '10.245.0.2');
  const ended = rawPod(namespace, 'ended', '10.245.0.3', 'Succeeded');
  return [
    alias('to-address', '192.0.2.9'),
    alias('to-ipv6', '2001:db8::9'),
    alias('to-alias-outside', 'mail.example.org'),
    alias('to-nothing-outside', 'gone.example.org'),
    alias('to-text', 'text.example.org.'),
    alias('to-nobody', 'www.nobody.example'),
    alias('to-apex', 'cluster.local'),
    alias('to-server', 'ns.dns.cluster.local'),
    alias('to-reverse', '1.0.245.10.in-addr.arpa'),
    alias('in-capitals', 'WWW.Example.ORG'),
    rawService(namespace, 'no-address', { clusterIP: '', clusterIPs: [] }),
    { ...ownerless, metadata: { ...ownerless.metadata, labels: {} } },
    rawService(namespace, 'name-server', { clusterIP: '10.96.255.10', clusterIPs: ['10.96.255.10', 'fd00:96::ffff'] }),
    slice(
      'name-server',
      ownAddresses().filter(({ address }) => !address.includes(':')),
    ),
    headless('name-servers'),
    slice('name-servers', [...ownAddresses(), { address: '10.245.3.1' }]),
    headless('names'),
    slice('names', [{ address: 'www.example.org' }, { address: 'mail.example.org' }], { addressType: 'FQDN' }),
    headless('no-ports', { ports: [] }),
    slice('no-ports', [{ address: '10.245.0.5' }], { ports: [] }),
    headless('bare-port'),
    slice('bare-port', [{ address: '10.245.0.6' }], { ports: [{}] }),
    headless('zones'),
    slice('zones', [
      { address: '10.245.1.1', zone: 'east-1' },
      { address: '10.245.1.2', zone: 'west.2', hostname: 'w' },
      { address: '10.245.1.3', zone: 'East-1', ready: random.once(2) },
      { address: '10.245.1.4' },
    ]),
    headless('same-names'),
    slice('same-names', [
      { address: '10.245.2.1', hostname: 'same' },
      { address: '10.245.2.2', hostname: 'same' },
      { address: '10.245.2.2', hostname: 'other' },
    ]),
    headless('ipv6-words'),
    slice('ipv6-words', [{ address: '::1' }, { address: 'fd00:245::' }, { address: 'fd00:245:0:0::5' }]),
    {
      ...pod,
      status: { phase: 'Running', podIP: '10.245.0.2', podIPs: [{ ip: '10.245.0.2' }, { ip: 'fd00:245::2' }] },
    },
    ended,
  ];
}

/** Those of this machine: whoever has an endpoint's address is a server of that Service. */
function ownAddresses(): readonly RawEndpoint[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ internal, address }) => (internal || address.startsWith('fe80') ? [] : [{ address }])),
  );
}

function importsIn(namespaces: readonly string[], random: Random): readonly RawObject[] {
  return Array.from({ length: 20 }, (_, i) => {
    const namespace = random.of(namespaces);
    const isHeadless = random.once(2);
    const slices = ['east', 'west'].slice(random.below(2)).map((cluster, part) =>
      rawImportedSlice(namespace, `i${i}`, cluster, [
        { address: `10.246.${i}.${part}`, ...(random.once(2) ? { hostname: 'db-0' } : {}) },
        { address: `fd00:246:${i}::${part + 1}`, ready: !random.once(4) },
      ]),
    );
    return [rawServiceImport(namespace, `i${i}`, isHeadless ? [] : [`10.97.${i}.1`, `fd00:97::${i + 1}`]), ...slices];
  }).flat();
}

/** Most objects have what the settings select by. */
function labelled(object: RawObject, random: Random): RawObject {
  if (random.once(3)) return object;
  const label = object.kind === 'Namespace' ? { team: 'red' } : { tier: 'web' };
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...label } } };
}

/** An object's new state, or its end. */
export type Step = { readonly put: RawObject } | { readonly remove: RawObject };

/** What the objects are after it, too. */
export function stepsFrom(
  objects: readonly RawObject[],
  count: number,
  random: Random,
): { readonly steps: readonly Step[]; readonly objects: readonly RawObject[] } {
  const state = new Map(objects.map((object) => [keyOf(object), object]));
  const gone: RawObject[] = [];
  const steps: Step[] = [];
  const take = (step: Step): void => {
    steps.push(step);
    if ('put' in step) state.set(keyOf(step.put), step.put);
    else state.delete(keyOf(step.remove));
  };
  for (let i = 0; i < count; i++) {
    const object = random.of([...state.values()]);
    const other = random.of([...state.values()].filter(({ kind }) => kind === object.kind));
    const change = random.weighted<() => readonly Step[]>([
      [3, () => (gone.push(object), [{ remove: object }])],
      [6, () => exchanged(object, other)],
      [2, () => [{ put: labelled({ ...object, metadata: { ...object.metadata, labels: ownerOf(object) } }, random) }]],
      [2, () => gone.splice(0, 1).map((put) => ({ put }))],
    ]);
    for (const step of change()) take(step);
  }
  return { steps, objects: [...state.values()] };
}

/** Each has what the other had: no address is of two Services at the end. */
function exchanged(one: RawObject, other: RawObject): readonly Step[] {
  const { metadata, ...fields } = one;
  const { metadata: otherMetadata, ...otherFields } = other;
  return [{ put: { ...otherFields, metadata } }, { put: { ...fields, metadata: otherMetadata } }];
}

/** The labels that say what a slice is of, and no other. */
function ownerOf({ metadata: { labels = {} } }: RawObject): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key.endsWith('service-name')));
}

function keyOf({ kind, metadata: { namespace = '', name } }: RawObject): string {
  return `${kind}/${namespace}/${name}`;
}

/** Objects put after all others of their kinds: whoever shows them has seen what came before. */
export function markersOf(round: number): readonly { readonly object: RawObject; readonly name: string }[] {
  const namespace = `marker-${round}`;
  const tier = { tier: 'web' };
  const slice = rawSlice(namespace, 'slice', 'marker', [{ address: `10.253.${round}.1` }]);
  const imported = rawImportedSlice(namespace, 'import', 'east', [{ address: `10.253.${round}.2` }]);
  const pod = rawPod(namespace, 'pod', `10.253.${round}.3`);
  const shown = (object: RawObject): RawObject => ({
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...tier } },
  });
  const services = [
    rawService(namespace, 'service', { clusterIP: `10.252.${round}.1`, clusterIPs: [`10.252.${round}.1`] }),
    rawService(namespace, 'slice', { clusterIP: 'None', clusterIPs: ['None'] }),
  ];
  return [
    { object: rawNamespace(namespace, { team: 'red' }), name: `${namespace}.svc` },
    ...services.map((object) => ({ object: shown(object), name: `service.${namespace}.svc` })),
    { object: shown(rawSlice(namespace, 'service', 'marker', [{ address: `10.253.${round}.4` }])), name: '' },
    { object: shown(slice), name: `slice.${namespace}.svc` },
    { object: shown(pod), name: `10-253-${round}-3.${namespace}.pod` },
    { object: rawServiceImport(namespace, 'import', []), name: '' },
    { object: imported, name: `import.${namespace}.svc` },
  ];
}

/** A marker's slice that an endpoint leaves. */
export function leaverOf(round: number): {
  readonly name: string;
  readonly before: RawObject;
  readonly after: RawObject;
} {
  const namespace = `marker-${round}`;
  const slice = (...addresses: readonly string[]): RawObject => {
    const object = rawSlice(
      namespace,
      'slice',
      'marker',
      addresses.map((address) => ({ address })),
    );
    return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, tier: 'web' } } };
  };
  const stays = `10.253.${round}.1`;
  return { name: `slice.${namespace}.svc`, before: slice(stays, `10.253.${round}.5`), after: slice(stays) };
}
