/** A cluster of any size, the same for the same seed: what differs between its objects. Knows nothing of their text, nor of why one changes. */

import { Random } from '../../tests/support/random.ts';
import type { Count } from '../../zones/units.ts';
import { addressAt } from '../services.ts';

/** How large. */
export type Shape = {
  readonly seed: number;
  readonly namespaces: Count;
  readonly services: Count;
  /** In slices of 3 and of 100. */
  readonly endpoints: Count;
  /** The first of them are those of the endpoints. */
  readonly pods: Count;
  /** Endpoints of one more service, in slices of 100; 0 for no such service. */
  readonly giant: Count;
};

export type Kind = 'Namespace' | 'Service' | 'EndpointSlice' | 'Pod';

type Namespace = Head & { readonly kind: 'Namespace' };

export type Service = Head & {
  readonly kind: 'Service';
  readonly type: 'ClusterIP' | 'headless' | 'ExternalName';
  clusterIP: string;
};

export type Slice = Head & {
  readonly kind: 'EndpointSlice';
  readonly service: string;
  readonly isHeadless: boolean;
  readonly endpoints: Endpoint[];
};

export type Endpoint = { pod: Count; address: string; isReady: boolean; isTerminating: boolean };

export type Pod = Head & { readonly kind: 'Pod'; readonly app: string; readonly address: string };

export type ClusterObject = Namespace | Service | Slice | Pod;

/** Changed in place: whoever lists the cluster meanwhile sees what is now, as its next events will say again. */
type Head = { readonly namespace: string; readonly name: string; readonly number: Count; version: Count };

/** Namespace of what the bench itself changes and asks for. */
export const BENCH_NAMESPACE = 'bench';
/** A Service, an EndpointSlice and a Pod whose addresses are the number that `mark` gave last. */
export const MARKER = 'marker';
export const MARKER_ENDPOINTS = 'marker-endpoints';
export const GIANT = 'giant';
/** Endpoints of an ordinary service. */
export const SMALL_MAX: Count = 3;
/** The EndpointSlice controller's default. */
export const SLICE_MAX: Count = 100;

export class Cluster {
  readonly shape: Shape;
  readonly random: Random;
  readonly objects: ReadonlyMap<Kind, Map<string, ClusterObject>> = new Map(
    (['Namespace', 'Service', 'EndpointSlice', 'Pod'] as const).map((kind) => [kind, new Map<string, ClusterObject>()]),
  );
  /** Of every change: the whole cluster has one counter. */
  version: Count = 1_000_000;
  #numbers: Count = 0;
  #pods: Count = 0;

  constructor(shape: Shape) {
    this.shape = shape;
    this.random = new Random(shape.seed);
    for (let i = 0; i < shape.namespaces; i++) this.#addNamespace(namespaceAt(i, shape));
    this.#addNamespace(BENCH_NAMESPACE);
    const small = Math.min(SMALL_MAX, Math.floor(shape.endpoints / Math.max(1, shape.services) / 3));
    let left = shape.endpoints;
    for (let i = 0; i < shape.services; i++) {
      const type = typeAt(i);
      const service = this.addService(namespaceAt(i, shape), serviceAt(i), type);
      if (type !== 'ExternalName') left -= this.#addSlice(service, small);
    }
    // What is left goes to some services, a full slice each, and round again if there are more slices than services.
    const full = Math.ceil(left / SLICE_MAX);
    for (let i = 0; i < full; i++, left -= SLICE_MAX) {
      const at = Math.floor((i * shape.services) / full);
      const service = this.find('Service', namespaceAt(at, shape), serviceAt(at));
      if (service?.kind === 'Service') this.#addSlice(service, Math.min(left, SLICE_MAX));
    }
    this.#addGiant(shape.giant);
    while (this.#pods < shape.pods) this.takePod(namespaceAt(this.#pods, shape), 'job');
    this.#addMarkers();
  }

  find(kind: Kind, namespace: string, name: string): ClusterObject | undefined {
    return this.objects.get(kind)?.get(`${namespace}/${name}`);
  }

  count(kind: Kind): Count {
    return this.objects.get(kind)?.size ?? 0;
  }

  slices(): readonly Slice[] {
    return [...(this.objects.get('EndpointSlice')?.values() ?? [])].filter((object) => object.kind === 'EndpointSlice');
  }

  addService(namespace: string, name: string, type: Service['type']): Service {
    const number = ++this.#numbers;
    return this.#put({
      kind: 'Service',
      namespace,
      name,
      number,
      version: this.version,
      type,
      clusterIP: serviceAddress(number),
    });
  }

  /** The next pod: its number and address, and a Pod if the cluster has room for one. */
  takePod(namespace: string, app: string): { readonly endpoint: Endpoint; readonly pod: Pod | undefined } {
    const number = this.#pods++;
    const address = podAddress(number);
    const endpoint = { pod: number, address, isReady: true, isTerminating: false };
    if (this.count('Pod') >= this.shape.pods) return { endpoint, pod: undefined };
    const name = podName(app, number);
    const pod = this.#put({ kind: 'Pod', namespace, name, number, version: this.version, app, address });
    return { endpoint, pod };
  }

  remove(object: ClusterObject): void {
    this.objects.get(object.kind)?.delete(`${object.namespace}/${object.name}`);
  }

  /** Gives the markers the addresses of that number; returns them. */
  mark(number: Count): { readonly service: Service; readonly slice: Slice; readonly pod: Pod | undefined } {
    const service = this.find('Service', BENCH_NAMESPACE, MARKER);
    const slice = this.find('EndpointSlice', BENCH_NAMESPACE, MARKER_ENDPOINTS);
    const known = this.find('Pod', BENCH_NAMESPACE, MARKER);
    const endpoint = slice?.kind === 'EndpointSlice' ? slice.endpoints[0] : undefined;
    if (service?.kind !== 'Service' || slice?.kind !== 'EndpointSlice' || endpoint === undefined)
      throw new Error('no markers');
    service.clusterIP = markerAddress(number);
    service.version = this.version;
    endpoint.address = markerAddress(number);
    slice.version = this.version;
    const pod =
      known?.kind === 'Pod'
        ? this.#put({ ...known, version: this.version, address: markerAddress(number) })
        : undefined;
    return { service, slice, pod };
  }

  #put<Object extends ClusterObject>(object: Object): Object {
    this.objects.get(object.kind)?.set(`${object.namespace}/${object.name}`, object);
    return object;
  }

  #addNamespace(name: string): void {
    this.#put({ kind: 'Namespace', namespace: '', name, number: ++this.#numbers, version: this.version });
  }

  /** Returns how many endpoints it has. */
  #addSlice({ namespace, name: service, type }: Service, size: Count): Count {
    const number = ++this.#numbers;
    const endpoints = Array.from({ length: size }, () => {
      const { endpoint } = this.takePod(namespace, service);
      endpoint.isReady = !this.random.once(NOT_READY_ONE_IN);
      return endpoint;
    });
    const name = `${service}-${number.toString(36).padStart(5, '0')}`;
    const isHeadless = type === 'headless';
    this.#put({
      kind: 'EndpointSlice',
      namespace,
      name,
      number,
      version: this.version,
      service,
      isHeadless,
      endpoints,
    });
    return size;
  }

  #addGiant(endpoints: Count): void {
    if (endpoints === 0) return;
    const service = this.addService(BENCH_NAMESPACE, GIANT, 'headless');
    for (let left = endpoints; left > 0; left -= SLICE_MAX) this.#addSlice(service, Math.min(left, SLICE_MAX));
  }

  #addMarkers(): void {
    const { version } = this;
    const place = { namespace: BENCH_NAMESPACE, version };
    this.addService(BENCH_NAMESPACE, MARKER, 'ClusterIP');
    this.addService(BENCH_NAMESPACE, MARKER_ENDPOINTS, 'headless');
    const number = ++this.#numbers;
    const endpoints = [{ pod: this.#pods++, address: '', isReady: true, isTerminating: false }];
    const names = { name: MARKER_ENDPOINTS, service: MARKER_ENDPOINTS };
    this.#put({ ...place, ...names, kind: 'EndpointSlice', number, isHeadless: true, endpoints });
    if (this.shape.pods > 0) this.#put({ ...place, kind: 'Pod', name: MARKER, number, app: MARKER, address: '' });
    this.mark(0);
  }
}

export function namespaceAt(i: Count, { namespaces }: Shape): string {
  return `team-${i % namespaces}`;
}

export function serviceAt(i: Count): string {
  return `${WORDS[i % WORDS.length]}-${i}`;
}

/** From the range for benchmarks (RFC 2544 appendix C.2.2). */
export function markerAddress(number: Count): string {
  return addressAt([198, 18], number);
}

export function podName(app: string, number: Count): string {
  return `${app}-6d5f8c7b9-${number.toString(36).padStart(5, '0')}`;
}

const NOT_READY_ONE_IN: Count = 50;
const WORDS = ['checkout', 'billing', 'search', 'inventory', 'notifications', 'identity', 'gateway', 'reports'];
/** One service in 100 is an ExternalName, one in 10 headless. */
function typeAt(i: Count): Service['type'] {
  if (i % 100 === 99) return 'ExternalName';
  return i % 10 === 5 ? 'headless' : 'ClusterIP';
}

function serviceAddress(number: Count): string {
  return addressAt([10, 96], number);
}

function podAddress(number: Count): string {
  return addressAt([10, 128], number);
}
