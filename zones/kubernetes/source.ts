/** Where a cluster's objects come from. Knows what a source is and is told, not how any of them works. */

import type { Count, Milliseconds, Seconds } from '../units.ts';
import type { Freshness, Happening } from './following.ts';
import { KINDS, type ClusterChange, type Kind } from './objects.ts';
import type { Listing } from './listing.ts';
import { ENDPOINTSLICE_CONTROLLER, HEADLESS_LABEL, IMPORT_NAME_LABEL, MANAGED_BY_LABEL } from './trim.ts';

/** Which cluster to read; plain data, for two equal values are one source. */
export type SourceOptions = {
  readonly from:
    | { readonly kind: 'in-cluster' }
    | { readonly kind: 'endpoint'; readonly url: string; readonly tls: ClientTls | undefined }
    | { readonly kind: 'kubeconfig'; readonly file: string; readonly context: string | undefined }
    | { readonly kind: 'manifests'; readonly folder: string };
  /** Are Pods needed (`pods verified`)? */
  readonly pods: boolean;
  /** Are EndpointSlices of this cluster's Services needed (not with `noendpoints`)? */
  readonly endpointSlices: boolean;
  /** Are those left out that the EndpointSlice controller makes for Services with a cluster IP (`endpoints headless`)? */
  readonly headlessOnly: boolean;
  /** Are ServiceImports and their EndpointSlices needed (`multicluster`)? */
  readonly imports: boolean;
  /** Are the topology zones of endpoints needed (`zonal`)? */
  readonly topologyZones: boolean;
  /** Are the names of endpoints' pods needed (`endpoint_pod_names`)? */
  readonly podNames: boolean;
  /** Label selector for Services, EndpointSlices, Pods and ServiceImports; empty for all. */
  readonly labels: string;
  /** Label selector for Namespaces; empty for all. */
  readonly namespaceLabels: string;
  /** How hard an API server may be asked. */
  readonly requests: RequestLimits;
};

/** The kinds that are needed; what of them does not exist is only known when all were reported. */
export function kindsOf({ pods, endpointSlices, imports }: SourceOptions): readonly Kind[] {
  return KINDS.filter((kind) => {
    switch (kind) {
      case 'Namespace':
      case 'Service':
        return true;
      case 'EndpointSlice':
        return endpointSlices || imports;
      case 'Pod':
        return pods;
      case 'ServiceImport':
        return imports;
    }
  });
}

/** The label selectors for a kind: wanted is what any of them selects. With `noendpoints` only imported slices are. */
export function labelSelectorsOf(options: Selecting, kind: Kind): readonly string[] {
  if (kind === 'Namespace') return [options.namespaceLabels];
  const { labels } = options;
  if (kind !== 'EndpointSlice') return [labels];
  const and = (selector: string): string => (labels === '' ? selector : `${labels},${selector}`);
  if (!options.endpointSlices) return [and(IMPORT_NAME_LABEL)];
  return options.headlessOnly ? HEADLESS_ONLY.map(and) : [labels];
}

type Selecting = Pick<SourceOptions, 'endpointSlices' | 'headlessOnly' | 'labels' | 'namespaceLabels'>;

/** The controller marks the slices of headless Services (k8s.io/endpointslice `setEndpointSliceLabels`); the rest is of others. */
const HEADLESS_ONLY: readonly string[] = [
  `${MANAGED_BY_LABEL}=${ENDPOINTSLICE_CONTROLLER},${HEADLESS_LABEL}`,
  `${MANAGED_BY_LABEL}!=${ENDPOINTSLICE_CONTROLLER}`,
];

/** `apiserver_qps`, `apiserver_burst` and `apiserver_max_inflight`; undefined or 0 is no limit. */
export type RequestLimits = {
  readonly perSecond: Count | undefined;
  /** How many may follow each other at once after a pause; as many as `perSecond` if it is not said. */
  readonly burst: Count | undefined;
  /** Asked and not answered yet: a watch counts until its headers have come. */
  readonly inFlight: Count | undefined;
};

/** Paths of PEM files, as in `tls CERT KEY CA`. */
export type ClientTls = { readonly cert: string; readonly key: string; readonly ca: string };

/** One step of what a source reports. */
export type SourceChange =
  | Extract<ClusterChange, { readonly verb: 'put' | 'remove' }>
  /** These are all the objects of that kind; the kind is synced from here on. */
  | { readonly verb: 'replace'; readonly listing: Listing };

/** Who is told of changes and of trouble. */
export type SourceEvents = {
  /** In order; all changes of one call become visible in one step. */
  readonly change: (changes: readonly SourceChange[]) => void;
  /** What the changes so far have led to: texts by key (object-text.ts). */
  readonly known: (kind: Kind) => ReadonlyMap<string, string>;
  /** What happened, why, and what to do. */
  readonly report: (level: 'debug' | 'info' | 'warning' | 'error', text: string) => void;
  /** For coredns_kubernetes_rest_client_*. Only the API server source says this. */
  readonly call?: (call: ApiCall) => void;
  /** For coredns_kubernetes_dns_programming_duration_seconds; told after the change itself. Only the API server source says this. */
  readonly programmed?: (slice: ProgrammedSlice) => void;
  /** For fivedots_reflector_*. Only the API server source says this. */
  readonly happened?: (happening: Happening) => void;
};

/** One exchange with the API server, up to the headers of its reply. */
export type ApiCall = {
  readonly method: 'GET';
  /** `host:port` as in the URL. */
  readonly host: string;
  /** The HTTP status, or `<error>` if no reply came. */
  readonly code: string;
  readonly duration: Seconds;
  /** How long `apiserver_qps` and its like held it back before. */
  readonly waited: Seconds;
};

/** A slice that changed after the first list and says when its cause happened. */
export type ProgrammedSlice = {
  readonly namespace: string;
  /** Name of its Service. */
  readonly service: string;
  /** Annotation endpoints.kubernetes.io/last-change-trigger-time: milliseconds since 1970, on the wall clock. */
  readonly triggered: Milliseconds;
};

/** A source that runs. It reports every kind it was asked for at least once with `replace`, then changes as they come. */
export type Source = {
  close(): void;
  /** How fresh each kind is; only the API server source has this. */
  freshness?(): readonly Freshness[];
};
