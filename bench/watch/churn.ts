/** What happens in a busy cluster, one step after the other. Knows nothing of time, nor of who watches. */

import type { Count } from '../../zones/units.ts';
import {
  BENCH_NAMESPACE,
  GIANT,
  podName,
  SMALL_MAX,
  SLICE_MAX,
  type Cluster,
  type ClusterObject,
  type Endpoint,
  type Service,
  type Slice,
} from './cluster.ts';

/**
 * `mixed`: 70 % of the steps are an endpoint that becomes ready or stops being so, 20 % a pod that is replaced, 10 % a Service that is
 * added, changed or removed. `small`, `full` and `giant`: an endpoint of a slice of 3, of one of 100 and of the service with the most
 * becomes ready or stops being so.
 */
export type ChurnKind = 'mixed' | 'small' | 'full' | 'giant';

/** Has been applied to the cluster. */
export type ChangeEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ClusterObject };

/** Changes the cluster by one step, which may be several events; the cluster's size stays. */
export function churnOf(cluster: Cluster, kind: ChurnKind): () => readonly ChangeEvent[] {
  const slices = cluster.slices().filter((slice) => isOf(slice, kind));
  if (slices.length === 0) throw new Error(`too few endpoints: the cluster has no slice for the churn "${kind}"`);
  const leaving: Leaving[] = [];
  const services: Service[] = [];
  const steps: readonly (readonly [number, () => readonly ChangeEvent[]])[] =
    kind === 'mixed'
      ? [
          [70, () => toggle(cluster, slices)],
          [20, () => replacePod(cluster, slices, leaving)],
          [10, () => changeServices(cluster, services)],
        ]
      : [[1, () => toggle(cluster, slices)]];
  return () => cluster.random.weighted(steps)();
}

/** An endpoint whose pod ends. */
type Leaving = { readonly slice: Slice; readonly endpoint: Endpoint };

/** Pods that end at one time. */
const LEAVING_MAX: Count = 20;
/** Services that the churn has added and not removed yet. */
const SERVICES_MAX: Count = 100;

function isOf({ namespace, service, endpoints }: Slice, kind: ChurnKind): boolean {
  const isGiant = namespace === BENCH_NAMESPACE && service === GIANT;
  switch (kind) {
    case 'mixed':
      return namespace !== BENCH_NAMESPACE && endpoints.length > 0;
    case 'small':
      return namespace !== BENCH_NAMESPACE && endpoints.length > 0 && endpoints.length <= SMALL_MAX;
    case 'full':
      return namespace !== BENCH_NAMESPACE && endpoints.length === SLICE_MAX;
    case 'giant':
      return isGiant;
  }
}

function toggle(cluster: Cluster, slices: readonly Slice[]): readonly ChangeEvent[] {
  const slice = cluster.random.of(slices);
  const endpoint = cluster.random.of(slice.endpoints);
  if (!endpoint.isTerminating) endpoint.isReady = !endpoint.isReady;
  return [changed(cluster, slice)];
}

/** As a Deployment's pods go: not ready and on the way out, some time later another in its place. */
function replacePod(cluster: Cluster, slices: readonly Slice[], leaving: Leaving[]): readonly ChangeEvent[] {
  const gone = leaving.length < LEAVING_MAX ? undefined : leaving.shift();
  if (gone === undefined) {
    const slice = cluster.random.of(slices);
    const endpoint = cluster.random.of(slice.endpoints);
    if (endpoint.isTerminating) return [];
    endpoint.isReady = false;
    endpoint.isTerminating = true;
    leaving.push({ slice, endpoint });
    return [changed(cluster, slice)];
  }
  const { slice, endpoint } = gone;
  const events: ChangeEvent[] = [];
  const pod = cluster.find('Pod', slice.namespace, podName(slice.service, endpoint.pod));
  if (pod !== undefined) {
    pod.version = ++cluster.version;
    cluster.remove(pod);
    events.push({ type: 'DELETED', object: pod });
  }
  cluster.version++;
  const next = cluster.takePod(slice.namespace, slice.service);
  slice.endpoints[slice.endpoints.indexOf(endpoint)] = next.endpoint;
  if (next.pod !== undefined) events.push({ type: 'ADDED', object: next.pod });
  return [...events, changed(cluster, slice)];
}

function changeServices(cluster: Cluster, services: Service[]): readonly ChangeEvent[] {
  const version = ++cluster.version;
  const [service] = services;
  if (service === undefined || (services.length < SERVICES_MAX && cluster.random.once(3))) {
    const added = cluster.addService(BENCH_NAMESPACE, `service-${version}`, 'ClusterIP');
    services.push(added);
    return [{ type: 'ADDED', object: added }];
  }
  service.version = version;
  if (cluster.random.once(2)) {
    service.clusterIP = `10.127.${(version >> 8) & 255}.${version & 255}`;
    return [{ type: 'MODIFIED', object: service }];
  }
  services.shift();
  cluster.remove(service);
  return [{ type: 'DELETED', object: service }];
}

function changed(cluster: Cluster, slice: Slice): ChangeEvent {
  slice.version = ++cluster.version;
  return { type: 'MODIFIED', object: slice };
}
