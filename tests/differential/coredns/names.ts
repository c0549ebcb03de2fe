/**
 * Names that a cluster's objects may have in some zone, under whichever options: what questions are made from. Knows no
 * rule of which of them exist.
 */

import { canonical, dashed, isAddress, reverseName } from '../../support/model/address.ts';
import type { RawObject } from '../../support/raw-objects.ts';
import type { Owners } from '../questions.ts';
import type { AddressOddities } from './difference.ts';

const FORWARD: readonly string[] = ['A', 'A', 'AAAA', 'SRV'];
const REVERSE: readonly string[] = ['PTR'];

/** @param zones those whose names are not addresses */
export function namesOf(objects: readonly RawObject[], zones: readonly string[]): Owners {
  const owners = new Map<string, readonly string[]>();
  const add = (labels: readonly string[], types = FORWARD): void => {
    for (const zone of zones) owners.set([...labels, zone].join('.').toLowerCase(), types);
  };
  add([], ['SOA', 'NS', 'A']);
  add(['svc']);
  add(['pod']);
  add(['dns-version'], ['TXT', 'A']);
  add(['ns', 'dns'], ['A', 'AAAA', 'TXT']);
  for (const object of objects) {
    for (const labels of labelsOf(object)) add(labels);
    for (const address of addressesIn(object)) owners.set(reverseName(canonical(address)).join('.'), REVERSE);
  }
  return owners;
}

export function addressOdditiesIn(objects: readonly RawObject[]): AddressOddities {
  const isOwnerless = ({ kind, metadata: { labels = {} } }: RawObject): boolean =>
    kind === 'EndpointSlice' && labels['kubernetes.io/service-name'] === undefined;
  const reverseNames = (addresses: readonly string[]): ReadonlySet<string> =>
    new Set(addresses.map((text) => reverseName(canonical(text)).join('.')));
  return {
    misspelt: reverseNames(objects.flatMap(addressesIn).filter((text) => text !== canonical(text))),
    ownerless: reverseNames(objects.filter(isOwnerless).flatMap(addressesIn)),
  };
}

function labelsOf(object: RawObject): readonly (readonly string[])[] {
  const { name, namespace = '', labels = {} } = object.metadata;
  if (object.kind === 'Namespace')
    return [
      [name, 'svc'],
      [name, 'pod'],
    ];
  const addresses = addressesIn(object);
  if (object.kind === 'Pod') return addresses.map((address) => [dashed(address), namespace, 'pod']);
  const service = labels['kubernetes.io/service-name'] ?? labels['multicluster.kubernetes.io/service-name'] ?? name;
  const cluster = labels['multicluster.kubernetes.io/source-cluster'];
  const base = [service, namespace, 'svc'];
  const found = [base];
  for (const port of partsOf(partsOf(object, 'spec'), 'ports').concat(partsOf(object, 'ports'))) {
    const protocol = textAt(port, 'protocol').toLowerCase();
    found.push([`_${textAt(port, 'name')}`, `_${protocol}`, ...base], [`_${protocol}`, ...base]);
  }
  const hosts = partsOf(object, 'endpoints').flatMap((endpoint) => {
    const [target] = partsOf(endpoint, 'targetRef');
    const zone = textAt(endpoint, 'zone').toLowerCase();
    if (zone !== '') for (const word of ['pin', 'prefer']) found.push([zone, word, '_zone', ...base]);
    return [textAt(endpoint, 'hostname'), textAt(target, 'name')];
  });
  for (const host of [...hosts, ...addresses.map(dashed)]) {
    found.push(cluster === undefined ? [host, ...base] : [host, cluster, ...base]);
  }
  return found.filter((name) => name.every((label) => label !== '' && label !== '_'));
}

function addressesIn(object: RawObject): readonly string[] {
  const texts = JSON.stringify(
    object.kind === 'EndpointSlice' ? object['endpoints'] : [object['spec'], object['status']],
  );
  return Array.from(texts.matchAll(/"([0-9a-fA-F.:]+)"/g), ([, text = '']) => text).filter(isAddress);
}

/** The objects in a field, whether it holds one or a list of them. */
function partsOf(value: unknown, field: string): readonly unknown[] {
  const [first] = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  if (typeof first !== 'object' || first === null) return [];
  const found: unknown = Reflect.get(first, field);
  return found === undefined ? [] : [found].flat();
}

function textAt(value: unknown, field: string): string {
  const [text] = partsOf(value, field);
  return typeof text === 'string' ? text : '';
}
