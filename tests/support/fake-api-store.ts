/** What the fake API server knows: objects, one version counter, history, and snapshots for lists in pages. */

import type { Matcher } from './fake-api-selectors.ts';
import type { RawObject } from './raw-objects.ts';

/** A kind of object and its place in the API. */
export type Resource = {
  readonly kind: string;
  readonly plural: string;
  readonly apiVersion: string;
  readonly path: string;
};

export const RESOURCES: readonly Resource[] = [
  { kind: 'Namespace', plural: 'namespaces', apiVersion: 'v1', path: '/api/v1/namespaces' },
  { kind: 'Service', plural: 'services', apiVersion: 'v1', path: '/api/v1/services' },
  { kind: 'Pod', plural: 'pods', apiVersion: 'v1', path: '/api/v1/pods' },
  {
    kind: 'EndpointSlice',
    plural: 'endpointslices',
    apiVersion: 'discovery.k8s.io/v1',
    path: '/apis/discovery.k8s.io/v1/endpointslices',
  },
  {
    kind: 'ServiceImport',
    plural: 'serviceimports',
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    path: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
  },
];

/** One step of the state. */
export type Change = {
  readonly kind: string;
  readonly version: number;
  readonly before: RawObject | undefined;
  readonly after: RawObject | undefined;
};

/** A page of a list. Items have neither kind nor apiVersion. */
export type Page = {
  readonly metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  readonly items: readonly unknown[];
};

export class FakeApiStore {
  #version = 1000;
  /** Changes up to this version are forgotten. */
  #forgotten = 1000;
  readonly #objects = new Map<string, RawObject>();
  readonly #history: Change[] = [];
  readonly #historyMax: number;
  readonly #snapshots = new Map<string, readonly RawObject[]>();
  #snapshotCount = 0;

  constructor(historyMax: number) {
    this.#historyMax = historyMax;
  }

  get version(): number {
    return this.#version;
  }

  put(object: RawObject): Change {
    return this.#remember(this.#set(object));
  }

  /** A change that no history has. */
  plant(object: RawObject): void {
    this.#set(object);
  }

  remove(kind: string, namespace: string, name: string): Change | undefined {
    const change = this.#delete(kind, namespace, name);
    return change === undefined ? undefined : this.#remember(change);
  }

  /** A deletion that no history has. */
  plantRemoval(kind: string, namespace: string, name: string): void {
    this.#delete(kind, namespace, name);
  }

  compact(): void {
    this.#history.length = 0;
    this.#forgotten = this.#version;
    this.#snapshots.clear();
  }

  restore(version: number): void {
    this.#objects.clear();
    this.#history.length = 0;
    this.#version = version;
    this.#forgotten = version;
  }

  skipTo(version: number): void {
    this.#version = Math.max(this.#version, version);
  }

  /** In the order of names. */
  objects({ kind }: Resource, matches: Matcher): readonly RawObject[] {
    return [...this.#objects]
      .filter(([, object]) => object.kind === kind && matches(object))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  since(version: number): readonly Change[] | 'expired' {
    if (version < this.#forgotten) return 'expired';
    return this.#history.filter((change) => change.version > version);
  }

  /** `limit` counts for nothing with resourceVersion=0 (cacher.go). */
  page(resource: Resource, query: URLSearchParams, matches: Matcher): Page | 'expired' {
    const token = query.get('continue') ?? '';
    const [id = '', version = String(this.#version), start = '0'] = token === '' ? [] : token.split('.');
    const all = token === '' ? this.objects(resource, matches) : this.#snapshots.get(id);
    if (all === undefined) return 'expired';
    const limit = query.get('resourceVersion') === '0' ? 0 : Number(query.get('limit') ?? '0');
    const from = Number(start);
    const items = all
      .slice(from, limit === 0 ? undefined : from + limit)
      .map(({ kind: _k, apiVersion: _a, ...item }) => item);
    const remaining = all.length - from - items.length;
    if (remaining === 0) return { metadata: { resourceVersion: version }, items };
    const snapshot = id === '' ? String(++this.#snapshotCount) : id;
    this.#snapshots.set(snapshot, all);
    const next = `${snapshot}.${version}.${from + items.length}`;
    return { metadata: { resourceVersion: version, continue: next, remainingItemCount: remaining }, items };
  }

  #set(object: RawObject): Change {
    const key = keyOf(object.kind, object.metadata.namespace ?? '', object.metadata.name);
    const before = this.#objects.get(key);
    const version = ++this.#version;
    const after = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#objects.set(key, after);
    return { kind: object.kind, version, before, after };
  }

  #delete(kind: string, namespace: string, name: string): Change | undefined {
    const key = keyOf(kind, namespace, name);
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    this.#objects.delete(key);
    return { kind, version: ++this.#version, before, after: undefined };
  }

  #remember(change: Change): Change {
    this.#history.push(change);
    while (this.#history.length > this.#historyMax) this.#forgotten = this.#history.shift()?.version ?? this.#forgotten;
    return change;
  }
}

function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}
