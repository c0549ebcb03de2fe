/** The names that objects could have, each with the types that make sense there. Knows no zone, and not what is answered. */

import type { RawObject } from '../support/raw-objects.ts';
import { dashedLabels, reverseLabels } from './address-names.ts';
import { fieldsIn, listIn } from './object-parts.ts';

export type Labels = readonly string[];

/** A name to ask for. */
export type Candidate = {
  readonly labels: Labels;
  /** Under which zones it stands: those of the cluster, those of the clusterset, or none, for it is whole. */
  readonly under: 'cluster' | 'clusterset' | 'nothing';
  /** Types that could have records there. */
  readonly types: readonly string[];
};

/** The names that come from some objects, by what they are. */
export type NamesOf = {
  readonly services: readonly Candidate[];
  /** ExternalNames that no other one points to: where chains of them begin. */
  readonly aliases: readonly Candidate[];
  /** Names that ports and endpoints are likely to have. */
  readonly ports: readonly Candidate[];
  readonly endpoints: readonly Candidate[];
  readonly zonal: readonly Candidate[];
  /** Of endpoints in other clusters, and their ports. */
  readonly imported: readonly Candidate[];
  /** Those that they could have under other circumstances. */
  readonly others: readonly Candidate[];
  readonly pods: readonly Candidate[];
  readonly namespaces: readonly Candidate[];
  readonly addresses: readonly Candidate[];
  /** What stands above them. */
  readonly aboveAddresses: readonly Candidate[];
};

export function namesOf(objects: readonly RawObject[]): NamesOf {
  const ofKind = (kind: string): readonly RawObject[] => objects.filter((object) => object.kind === kind);
  const slices = ofKind('EndpointSlice');
  const services = [...ofKind('Service'), ...ofKind('ServiceImport')];
  const byName = new Map(services.map((service) => [keyOf(ownName(service)), service]));
  const owned = slices.flatMap((slice) =>
    ownersOf(slice).flatMap((owner) => {
      const service = byName.get(keyOf(owner));
      return service === undefined ? [] : [{ slice, owner, service }];
    }),
  );
  const stray = slices.flatMap((slice) => ownersOf(slice).map((owner) => ({ slice, owner })));
  return {
    services: services.map((object) => ({ ...ownName(object), types: SERVICE_TYPES })),
    aliases: firstAliases(services).map((object) => ({ ...ownName(object), types: ALIAS_TYPES })),
    ports: [
      ...services.filter(isNotHeadless).flatMap((object) => portNames(portsOf(object), ownName(object))),
      ...owned.flatMap(({ slice, owner, service }) => (isNotHeadless(service) ? [] : portNames(portsOf(slice), owner))),
    ],
    endpoints: owned.flatMap(({ slice, owner }) => endpointNames(slice, owner, true)),
    zonal: owned.flatMap(({ slice, owner, service }) => (isNotHeadless(service) ? [] : zonalNames(slice, owner))),
    imported: owned.flatMap(({ slice, owner }) =>
      owner.under === 'clusterset' ? [...endpointNames(slice, owner, true), ...portNames(portsOf(slice), owner)] : [],
    ),
    others: [
      ...services.flatMap((object) => portNames(portsOf(object), ownName(object))),
      ...stray.flatMap(({ slice, owner }) => [
        ...portNames(portsOf(slice), owner),
        ...endpointNames(slice, owner, false),
        ...zonalNames(slice, owner),
      ]),
    ],
    pods: ofKind('Pod').flatMap(podNames),
    namespaces: ofKind('Namespace').flatMap(({ metadata }) =>
      ['svc', 'pod'].map((kind) => ({ labels: [metadata.name, kind], under: 'cluster', types: HEAD_TYPES })),
    ),
    addresses: addressesOf(objects).map(addressName),
    aboveAddresses: addressesOf(objects).flatMap(namesAbove),
  };
}

/** The reverse name of an address, whoever has it. */
export function addressName(address: string): Candidate {
  return { labels: reverseLabels(address), under: 'nothing', types: ['PTR'] };
}

/** Some of the names above that of an address: the nearest, and others up to where the family begins. */
function namesAbove(address: string): readonly Candidate[] {
  const { labels, ...rest } = addressName(address);
  return [1, 2, 3, 4, 7, 12, 23, 28, 29, 30, 31, 32]
    .filter((cut) => cut < labels.length - 1)
    .map((cut) => ({ ...rest, labels: labels.slice(cut), types: ['PTR', 'A', 'NS'] }));
}

/** What could stand at the apex and near it. */
export const HEAD_TYPES: readonly string[] = ['SOA', 'NS', 'NS', 'TXT', 'A', 'AAAA', 'DS'];

/** What a service could answer. */
export const SERVICE_TYPES: readonly string[] = ['A', 'AAAA', 'SRV', 'A', 'AAAA', 'SRV', 'CNAME', 'TXT', 'ANY'];
const ADDRESS_TYPES: readonly string[] = ['A', 'AAAA', 'SRV'];
const ALIAS_TYPES: readonly string[] = [...ADDRESS_TYPES, 'A', 'A', 'AAAA', 'CNAME', 'ANY', 'TXT'];

type Owner = Pick<Candidate, 'labels' | 'under'>;

function ownName({ kind, metadata }: RawObject): Owner {
  return {
    labels: [metadata.name, metadata.namespace ?? '', 'svc'],
    under: kind === 'ServiceImport' ? 'clusterset' : 'cluster',
  };
}

/** The services that a slice belongs to, whether they are there or not. */
function ownersOf({ metadata }: RawObject): readonly Owner[] {
  const { labels = {}, namespace = '' } = metadata;
  const service = labels['kubernetes.io/service-name'];
  const imported = labels['multicluster.kubernetes.io/service-name'];
  return [
    ...(service === undefined ? [] : [{ labels: [service, namespace, 'svc'], under: 'cluster' } as const]),
    ...(imported === undefined ? [] : [{ labels: [imported, namespace, 'svc'], under: 'clusterset' } as const]),
  ];
}

function firstAliases(services: readonly RawObject[]): readonly RawObject[] {
  const targets = services.map(({ spec }) => fieldsIn(spec)['externalName']).filter(isText);
  return services.filter((service) => {
    const front = `${ownName(service).labels.join('.')}.`;
    const isAlias = fieldsIn(service['spec'])['type'] === 'ExternalName';
    return isAlias && !targets.some((target) => `${target}.`.startsWith(front));
  });
}

function keyOf({ labels, under }: Owner): string {
  return `${under} ${labels.join('.')}`;
}

function isNotHeadless(service: RawObject): boolean {
  const { clusterIP, clusterIPs, type } = fieldsIn(service['spec']);
  return type !== 'Headless' && clusterIP !== 'None' && listIn(clusterIPs)[0] !== 'None';
}

/** Of a slice, a service or an import. */
function portsOf(object: RawObject): readonly unknown[] {
  return listIn(object['ports'] ?? fieldsIn(object['spec'])['ports']);
}

/** With the names above them, for there denials are made. */
function portNames(ports: readonly unknown[], { labels: own, under }: Owner): readonly Candidate[] {
  return ports.flatMap((port): readonly Candidate[] => {
    const { name, protocol } = fieldsIn(port);
    const transport = `_${isText(protocol) ? protocol.toLowerCase() : 'tcp'}`;
    const types = ['SRV', 'SRV', 'SRV', 'A', 'AAAA'];
    const named: readonly Candidate[] = isText(name) ? [{ labels: [`_${name}`, transport, ...own], under, types }] : [];
    const bare = named.map((each) => ({
      ...each,
      labels: each.labels.map((label, i) => (i < 2 ? label.slice(1) : label)),
    }));
    return [...named, ...named, ...bare, { labels: [transport, ...own], under, types: ['SRV', 'A'] }];
  });
}

/** By host name, by pod, by address; those from other clusters also below these. */
function endpointNames(slice: RawObject, owner: Owner, isLikely: boolean): readonly Candidate[] {
  const cluster = slice.metadata.labels?.['multicluster.kubernetes.io/source-cluster']?.toLowerCase() ?? 'east';
  return listIn(slice['endpoints']).flatMap((endpoint) => {
    const { hostname, targetRef, addresses } = fieldsIn(endpoint);
    const named = [hostname, fieldsIn(targetRef)['name']].filter(isText);
    const dashed = listIn(addresses).flatMap((address) => dashedLabels(String(address)).slice(0, isLikely ? 1 : 9));
    const likely = isText(hostname) ? [hostname] : named.concat(dashed);
    const far = owner.under === 'clusterset' ? [cluster] : [];
    return (isLikely ? likely : [...named, ...dashed]).map((label): Candidate => ({
      labels: [label, ...far, ...owner.labels],
      under: owner.under,
      types: ADDRESS_TYPES,
    }));
  });
}

function zonalNames(slice: RawObject, { labels: own, under }: Owner): readonly Candidate[] {
  return listIn(slice['endpoints']).flatMap((endpoint) => {
    const { zone } = fieldsIn(endpoint);
    const place = isText(zone) ? zone.toLowerCase().split('.') : ['nowhere'];
    const fronts = [[...place, 'pin'], [...place, 'pin'], [...place, 'prefer'], ['nowhere', 'prefer'], ['pin'], []];
    return fronts.map((front): Candidate => ({ labels: [...front, '_zone', ...own], under, types: ADDRESS_TYPES }));
  });
}

function podNames(pod: RawObject): readonly Candidate[] {
  const { namespace = '' } = pod.metadata;
  return addressesOf([pod]).flatMap((address) =>
    dashedLabels(address).map((label): Candidate => ({
      labels: [label, namespace, 'pod'],
      under: 'cluster',
      types: ['A', 'AAAA'],
    })),
  );
}

/** Every address anywhere in some objects. */
function addressesOf(objects: readonly RawObject[]): readonly string[] {
  const texts = objects.flatMap((object) => {
    const { clusterIP, clusterIPs, ips } = fieldsIn(object['spec']);
    const { podIP, podIPs } = fieldsIn(object['status']);
    return [
      clusterIP,
      ...listIn(clusterIPs),
      ...listIn(ips),
      podIP,
      ...listIn(podIPs).map((each) => fieldsIn(each)['ip']),
      ...listIn(object['endpoints']).flatMap((endpoint) => listIn(fieldsIn(endpoint)['addresses'])),
    ];
  });
  return texts.filter(isText).filter((text) => /^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*$/.test(text));
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
