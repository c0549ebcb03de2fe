/**
 * The objects of all manifest files to the state of a cluster, or to what is wrong with them.
 * A pure function; knows nothing of folders and of what was there before.
 */

import { addressFrom, addressKey } from '../../ip.ts';
import type { Count } from '../../units.ts';
import { fieldsOf, isAbsent, listOf, type Fields } from '../api-values.ts';
import { controlledSlices } from './endpoints-controller.ts';
import { labelSelectorFrom, type LabelSelector } from '../label-selector.ts';
import { faultsOf, type ManifestKind } from './manifest-check.ts';
import { foundText, type Complaint, type ManifestObject, type Place } from './manifest-file.ts';
import { KINDS, type ClusterObject, type Kind } from '../objects.ts';
import { labelSelectorsOf, type SourceOptions } from '../source.ts';
import { HEADLESS, IMPORT_NAME_LABEL, SERVICE_NAME_LABEL, trim, type TrimOptions } from '../trim.ts';

/** Objects in a folder: far more than a person writes, far fewer than would hold up the thread that reads them. */
export const MANIFEST_OBJECTS_MAX: Count = 50_000;

/** Which objects are wanted, by their labels, as an API server would select them, and what of them is kept. */
export type Selection = { readonly labels: ReadonlyMap<Kind, LabelSelector>; readonly kept: TrimOptions };

/** @throws LabelSelectorError */
export function selectionFrom(
  options: TrimOptions & Pick<SourceOptions, 'headlessOnly' | 'labels' | 'namespaceLabels'>,
): Selection {
  const labels = new Map(KINDS.map((kind) => [kind, anyOf(labelSelectorsOf(options, kind).map(labelSelectorFrom))]));
  return { labels, kept: options };
}

function anyOf(selectors: readonly LabelSelector[]): LabelSelector {
  return (labels) => selectors.some((isSelected) => isSelected(labels));
}

/** Something that is no error and yet perhaps not what was meant. */
export type Note = { readonly level: 'info' | 'warning'; readonly text: string };

export type ManifestCluster = {
  /** Every kind is there; objects in the order of the files. Empty if there are complaints. */
  readonly objects: ReadonlyMap<Kind, readonly ClusterObject[]>;
  readonly complaints: readonly Complaint[];
  readonly notes: readonly Note[];
};

export function manifestClusterFrom(objects: readonly ManifestObject[], selection: Selection): ManifestCluster {
  const complaints: Complaint[] = [];
  const notes = new Map<string, Note>();
  const found: Found = { Namespace: [], Service: [], EndpointSlice: [], Endpoints: [], Pod: [], ServiceImport: [] };
  const places = new Map<string, Place>();
  for (const object of objects) take(object, found, places, complaints, notes);
  complaints.push(...sharedAddresses(found.Service));
  if (places.size > MANIFEST_OBJECTS_MAX) complaints.push(tooMany(places));
  if (complaints.length > 0) return { objects: new Map(), complaints, notes: [] };
  noteLooseEnds(found, notes);
  return { objects: clusterObjects(found, selection), complaints, notes: [...notes.values()] };
}

/** `file:12:7`. */
export function presentPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

type Found = { readonly [K in ManifestKind]: ManifestObject[] };

/** Sorts an object in where it belongs, if it is as it must be. */
function take(
  object: ManifestObject,
  found: Found,
  places: Map<string, Place>,
  complaints: Complaint[],
  notes: Map<string, Note>,
): void {
  const { apiVersion, kind } = object.raw;
  for (const field of ['apiVersion', 'kind']) {
    if (typeof object.raw[field] === 'string') continue;
    const expected = field === 'kind' ? 'the name of a kind, such as Service' : 'a version, such as v1';
    const text = `${field} must be ${expected}, found ${foundText(object.raw[field])}`;
    complaints.push({ place: object.place([field]), text });
    return;
  }
  const manifestKind = MANIFEST_KINDS.get(`${String(apiVersion)} ${String(kind)}`);
  if (manifestKind === undefined) {
    const other = `${String(apiVersion)} ${String(kind)}`;
    const at = presentPlace(object.place([]));
    const text = `${other} is ignored (first at ${at}): only ${READ_KINDS} are read, and nothing here makes Pods of others`;
    if (!notes.has(other)) notes.set(other, { level: 'info', text });
    return;
  }
  const faults = faultsOf(manifestKind, object.raw);
  for (const { path, text } of faults)
    complaints.push({ place: object.place(path), text: `${titleOf(object)}: ${text}` });
  if (faults.length > 0) return;
  const whole = manifestKind === 'Namespace' ? object : withNamespace(object);
  const key = titleOf(whole);
  const first = places.get(key);
  if (first === undefined) {
    places.set(key, whole.place([]));
    found[manifestKind].push(whole);
  } else {
    const text = `${key} must be there once, found it also at ${presentPlace(first)}`;
    complaints.push({ place: whole.place(['metadata', 'name']), text });
  }
}

/** An object without a namespace is in `default`, as for kubectl. */
function withNamespace({ raw, place }: ManifestObject): ManifestObject {
  const metadata = fieldsOf(raw['metadata']);
  return isAbsent(metadata['namespace'])
    ? { raw: { ...raw, metadata: { ...metadata, namespace: 'default' } }, place }
    : { raw, place };
}

/** Two Services with one address: the API server never allows it, and a PTR would have to choose. */
function sharedAddresses(services: readonly ManifestObject[]): readonly Complaint[] {
  const owners = new Map<string, string>();
  const complaints: Complaint[] = [];
  for (const service of services) {
    const { clusterIP, clusterIPs, type } = fieldsOf(service.raw['spec']);
    const path = listOf(clusterIPs).length > 0 ? 'clusterIPs' : 'clusterIP';
    for (const text of new Set(path === 'clusterIPs' ? listOf(clusterIPs) : [clusterIP])) {
      const address = typeof text === 'string' && text !== HEADLESS ? addressFrom(text) : undefined;
      if (address === undefined || type === 'ExternalName') continue;
      const owner = owners.get(addressKey(address));
      if (owner === undefined) owners.set(addressKey(address), titleOf(service));
      else {
        const fault = `spec.${path} must be an address of its own, found ${String(text)}, which ${owner} has`;
        complaints.push({ place: service.place(['spec', path]), text: `${titleOf(service)}: ${fault}` });
      }
    }
  }
  return complaints;
}

/** What the API would accept as well, and what yet does nothing. */
function noteLooseEnds(found: Found, notes: Map<string, Note>): void {
  const services = new Set(found.Service.map(({ raw }) => keyOf(raw)));
  for (const slice of found.EndpointSlice) {
    const labels = fieldsOf(fieldsOf(slice.raw['metadata'])['labels']);
    if (!isAbsent(labels[SERVICE_NAME_LABEL]) || !isAbsent(labels[IMPORT_NAME_LABEL])) continue;
    const text = `${presentPlace(slice.place(['metadata']))}: ${titleOf(slice)} belongs to no Service, for it has no label ${SERVICE_NAME_LABEL}`;
    notes.set(titleOf(slice), { level: 'warning', text });
  }
  for (const endpoints of found.Endpoints) {
    if (services.has(keyOf(endpoints.raw))) continue;
    const text = `${presentPlace(endpoints.place(['metadata']))}: ${titleOf(endpoints)} has no effect, for there is no Service of that name`;
    notes.set(titleOf(endpoints), { level: 'warning', text });
  }
}

function clusterObjects(found: Found, selection: Selection): ReadonlyMap<Kind, readonly ClusterObject[]> {
  const raws = (kind: ManifestKind): Fields[] => found[kind].map(({ raw }) => raw);
  const endpointSlices = raws('EndpointSlice');
  const made = controlledSlices({
    services: raws('Service'),
    pods: raws('Pod'),
    endpoints: raws('Endpoints'),
    endpointSlices,
  });
  const all: { readonly [K in Kind]: readonly Fields[] } = {
    Namespace: namespacesOf(found),
    Service: raws('Service'),
    EndpointSlice: [...endpointSlices, ...made],
    Pod: raws('Pod'),
    ServiceImport: raws('ServiceImport'),
  };
  return new Map(
    Array.from(selection.labels, ([kind, isSelected]) => {
      const selected = all[kind].filter((raw) => isSelected(fieldsOf(fieldsOf(raw['metadata'])['labels'])));
      return [kind, selected.map((raw) => trim(kind, raw, selection.kept)).filter((object) => object !== undefined)];
    }),
  );
}

/** Those that are declared, and those that something is in. All have the label that the API server gives them. */
function namespacesOf(found: Found): readonly Fields[] {
  const all = new Map<unknown, Fields>();
  for (const { raw } of found.Namespace) {
    const metadata = fieldsOf(raw['metadata']);
    all.set(metadata['name'], metadata);
  }
  const { Service, EndpointSlice, Endpoints, Pod, ServiceImport } = found;
  for (const { raw } of [...Service, ...EndpointSlice, ...Endpoints, ...Pod, ...ServiceImport]) {
    const { namespace } = fieldsOf(raw['metadata']);
    if (!all.has(namespace)) all.set(namespace, { name: namespace });
  }
  return [...all].map(([name, metadata]) => ({
    metadata: { ...metadata, labels: { ...fieldsOf(metadata['labels']), [NAMESPACE_NAME_LABEL]: name } },
  }));
}

function tooMany(places: ReadonlyMap<string, Place>): Complaint {
  const [place] = [...places.values()].slice(MANIFEST_OBJECTS_MAX);
  const text = `at most ${MANIFEST_OBJECTS_MAX} objects are taken from a folder, found ${places.size}`;
  return { place: place ?? { file: '', line: 1, column: 1 }, text };
}

/** `Service "shop/web"`. */
function titleOf({ raw }: ManifestObject): string {
  const { namespace, name } = fieldsOf(raw['metadata']);
  const parts = [namespace, name].filter((part) => typeof part === 'string');
  const kind = String(raw['kind']);
  return parts.length === 0 ? kind : `${kind} ${JSON.stringify(parts.join('/'))}`;
}

function keyOf(raw: Fields): string {
  const { namespace, name } = fieldsOf(raw['metadata']);
  return JSON.stringify([namespace, name]);
}

const MANIFEST_KINDS: ReadonlyMap<string, ManifestKind> = new Map([
  ['v1 Namespace', 'Namespace'],
  ['v1 Service', 'Service'],
  ['discovery.k8s.io/v1 EndpointSlice', 'EndpointSlice'],
  ['v1 Endpoints', 'Endpoints'],
  ['v1 Pod', 'Pod'],
  ['multicluster.x-k8s.io/v1alpha1 ServiceImport', 'ServiceImport'],
]);
const READ_KINDS = 'Namespace, Service, EndpointSlice, Endpoints, Pod and ServiceImport';
const NAMESPACE_NAME_LABEL = 'kubernetes.io/metadata.name';
