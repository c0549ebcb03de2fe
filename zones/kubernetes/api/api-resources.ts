/** Where the API server keeps each kind, and how much of it is asked for. Knows no connection. */

import type { Count, Seconds } from '../../units.ts';
import { isFields, type Fields } from '../api-values.ts';
import type { Kind } from '../objects.ts';
import { kindsOf, labelSelectorsOf, type SourceOptions } from '../source.ts';
import type { TrimOptions } from '../trim.ts';

/** One kind of object at the API server. */
export type Resource = {
  readonly kind: Kind;
  readonly path: string;
  /** As RBAC writes it. */
  readonly plural: string;
  readonly group: string;
  /** How many are asked for at once; 500 is what kubectl and client-go ask for. */
  readonly pageSize: Count;
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Is it one that a server need not have? Then one that does not know it has none of it. */
  readonly isOptional: boolean;
  /** What of an object is kept. */
  readonly trim: TrimOptions;
};

/** The resources that a source reads. One kind can be several, each with a selector of its own. */
export function resourcesOf(options: SourceOptions): readonly Resource[] {
  return kindsOf(options).flatMap((kind) =>
    labelSelectorsOf(options, kind).map((labelSelector) => ({
      kind,
      ...PLACES[kind],
      labelSelector,
      isOptional: kind === 'ServiceImport',
      trim: options,
    })),
  );
}

/** The query parameters that every list and watch of a resource has. */
export function selectorsOf({ labelSelector, fieldSelector }: Resource): URLSearchParams {
  const parameters = new URLSearchParams();
  if (labelSelector !== '') parameters.set('labelSelector', labelSelector);
  if (fieldSelector !== '') parameters.set('fieldSelector', fieldSelector);
  return parameters;
}

/** The query parameters of a watch, which goes on from a version or begins with a list. */
export function watchParametersOf(resource: Resource, timeout: Seconds, version: string | undefined): URLSearchParams {
  const parameters = selectorsOf(resource);
  parameters.set('watch', 'true');
  parameters.set('allowWatchBookmarks', 'true');
  parameters.set('timeoutSeconds', String(timeout));
  if (version !== undefined) parameters.set('resourceVersion', version);
  else {
    parameters.set('sendInitialEvents', 'true');
    parameters.set('resourceVersionMatch', 'NotOlderThan');
  }
  return parameters;
}

/** The object's place among its kind, as `namespace/name`; undefined if it has no name, and so is no object of the API. */
export function keyFrom(kind: Kind, raw: Fields): string | undefined {
  const metadata = raw['metadata'];
  if (!isFields(metadata)) return undefined;
  const { namespace, name } = metadata;
  if (typeof name !== 'string' || name === '') return undefined;
  return kind === 'Namespace' || typeof namespace !== 'string' ? `/${name}` : `${namespace}/${name}`;
}

/** metadata.resourceVersion, which lists have as well; undefined if there is none. */
export function versionFrom(raw: Fields): string | undefined {
  const metadata = raw['metadata'];
  if (!isFields(metadata)) return undefined;
  const { resourceVersion } = metadata;
  return typeof resourceVersion === 'string' && resourceVersion !== '' ? resourceVersion : undefined;
}

/**
 * Is `version` certainly not newer than `than`? Versions of the built-in resources are whole numbers of any length
 * (apimachinery, util/resourceversion); of others nothing is certain.
 */
export function isNotNewer(version: string, than: string): boolean {
  if (!WHOLE_NUMBER.test(version) || !WHOLE_NUMBER.test(than)) return false;
  return version.length === than.length ? version <= than : version.length < than.length;
}

const WHOLE_NUMBER = /^[1-9][0-9]*$/;

/** Pods that have ended are of no use, and there can be many; the same selector as in CoreDNS plugin/kubernetes. */
const RUNNING = 'status.phase!=Succeeded,status.phase!=Failed,status.phase!=Unknown';

const PLACES: { readonly [K in Kind]: Pick<Resource, 'path' | 'plural' | 'group' | 'pageSize' | 'fieldSelector'> } = {
  Namespace: { path: '/api/v1/namespaces', plural: 'namespaces', group: '', pageSize: 500, fieldSelector: '' },
  Service: { path: '/api/v1/services', plural: 'services', group: '', pageSize: 500, fieldSelector: '' },
  EndpointSlice: {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    plural: 'endpointslices',
    group: 'discovery.k8s.io',
    pageSize: 500,
    fieldSelector: '',
  },
  // A pod is 10 KB of JSON: half a page is 2.5 MB, parsed in one go.
  Pod: { path: '/api/v1/pods', plural: 'pods', group: '', pageSize: 250, fieldSelector: RUNNING },
  ServiceImport: {
    path: '/apis/multicluster.x-k8s.io/v1alpha1/serviceimports',
    plural: 'serviceimports',
    group: 'multicluster.x-k8s.io',
    pageSize: 500,
    fieldSelector: '',
  },
};
