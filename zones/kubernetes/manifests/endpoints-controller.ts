/**
 * The endpoint controllers' part, for clusters that have none: Services with Pods, or with hand-written Endpoints, to
 * EndpointSlices. A pure function from raw API objects to raw API objects; knows nothing of files or of names in DNS.
 */

import { isIPv6 } from 'node:net';

import { addressFrom, presentAddress } from '../../ip.ts';
import type { Count } from '../../units.ts';
import { addressTextFrom, fieldsOf, isAbsent, isPortNumber, listOf, type Fields } from '../api-values.ts';
import { ENDPOINTSLICE_CONTROLLER, HEADLESS, HEADLESS_LABEL, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from '../trim.ts';

/** Most endpoints in one slice: the default of kube-controller-manager's `--max-endpoints-per-slice`. */
export const ENDPOINTS_PER_SLICE: Count = 100;

/** The raw objects of a cluster; every one has a name and a namespace. */
export type ControllerInput = {
  readonly services: readonly Fields[];
  readonly pods: readonly Fields[];
  readonly endpoints: readonly Fields[];
  /** Slices that are there already; their names are not given out again. */
  readonly endpointSlices: readonly Fields[];
};

/**
 * The slices that the EndpointSlice controller would make for Services with a selector, and the mirroring controller for
 * Endpoints of Services without one. A Service whose slices are there already, made by a real controller (as in a dump of
 * a real cluster), is left alone.
 */
export function controlledSlices(input: ControllerInput): readonly Fields[] {
  const taken = new Set(input.endpointSlices.map(keyOf));
  const done = new Set(input.endpointSlices.filter(isMadeByController).map(serviceKeyOf));
  const services = new Map(input.services.map((service) => [keyOf(service), service]));
  const pods = podsByLabel(input.pods);
  const slices: Fields[] = [];

  for (const service of input.services) {
    if (done.has(keyOf(service)) || !hasSelector(service)) continue;
    const groups = groupsOfPods(service, selectedPods(service, pods));
    slices.push(...slicesFrom(service, groups, endpointSliceLabels(service), taken));
  }
  for (const endpoints of input.endpoints) {
    const service = services.get(keyOf(endpoints));
    if (service === undefined || hasSelector(service) || done.has(keyOf(endpoints))) continue;
    if (fieldsOf(fieldsOf(endpoints['metadata'])['labels'])[SKIP_MIRROR_LABEL] === 'true') continue;
    slices.push(...slicesFrom(endpoints, groupsOfSubsets(endpoints), MIRRORED, taken));
  }
  return slices;
}

type Family = 'IPv4' | 'IPv6';
type SlicePort = { readonly name: string; readonly protocol: string; readonly port: number };
type SliceEndpoint = {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean };
  readonly hostname: unknown;
  readonly targetRef: unknown;
};
/** Endpoints that can share a slice: one family, the same ports. */
type Group = { readonly family: Family; readonly ports: readonly SlicePort[]; readonly endpoints: SliceEndpoint[] };
/** By family and ports. */
type Groups = Map<string, Group>;

/**
 * An endpoint per Pod and family. Without `ready` in its status a Pod counts as ready: whoever writes a Pod by hand means
 * one that runs. `publishNotReadyAddresses` makes even terminating Pods ready, as in the EndpointSlice controller.
 */
function groupsOfPods(service: Fields, pods: readonly Fields[]): Groups {
  const groups: Groups = new Map();
  const spec = fieldsOf(service['spec']);
  const { name } = fieldsOf(service['metadata']);
  const families = familiesOf(spec);
  for (const pod of pods) {
    const { name: podName, namespace, deletionTimestamp } = fieldsOf(pod['metadata']);
    const { hostname, subdomain } = fieldsOf(pod['spec']);
    const status = fieldsOf(pod['status']);
    if (status['phase'] === 'Succeeded' || status['phase'] === 'Failed') continue;
    const ready = spec['publishNotReadyAddresses'] === true || (isReady(status) && isAbsent(deletionTimestamp));
    const ports = listOf(spec['ports']).flatMap((port) => targetOf(fieldsOf(port), pod));
    const texts = addressesOf(status);
    for (const family of families) {
      const addresses = texts.filter((text) => familyOf(text) === family);
      if (addresses.length === 0) continue;
      groupOf(groups, family, ports).endpoints.push({
        addresses,
        conditions: { ready },
        hostname: subdomain === name ? hostname : undefined,
        targetRef: { kind: 'Pod', namespace, name: podName },
      });
    }
  }
  return groups;
}

/** `publishNotReadyAddresses` says nothing here: whoever writes Endpoints says which of them are ready. */
function groupsOfSubsets(endpoints: Fields): Groups {
  const groups: Groups = new Map();
  for (const subset of listOf(endpoints['subsets']).map(fieldsOf)) {
    const ports = listOf(subset['ports']).flatMap((raw) => {
      const port = fieldsOf(raw);
      return isPortNumber(port['port']) ? [slicePort(port, port['port'])] : [];
    });
    const add = (raw: unknown, ready: boolean): void => {
      const { ip, hostname, targetRef } = fieldsOf(raw);
      const text = canonicalTextFrom(ip);
      if (text === undefined) return;
      const group = groupOf(groups, familyOf(text), ports);
      group.endpoints.push({ addresses: [text], conditions: { ready }, hostname, targetRef });
    };
    for (const address of listOf(subset['addresses'])) add(address, true);
    for (const address of listOf(subset['notReadyAddresses'])) add(address, false);
  }
  return groups;
}

/** Cuts groups into slices, with names that depend on nothing but the input. They carry the owner's labels, as real ones do. */
function slicesFrom(owner: Fields, groups: Groups, marks: Fields, taken: Set<string>): Fields[] {
  const { name, namespace, labels } = fieldsOf(owner['metadata']);
  const { [HEADLESS_LABEL]: _reserved, ...own } = fieldsOf(labels);
  const slices: Fields[] = [];
  for (const { family, ports, endpoints } of groups.values()) {
    for (let start = 0; start < endpoints.length; start += ENDPOINTS_PER_SLICE) {
      const metadata = {
        name: freeName(`${String(name)}-${family.toLowerCase()}`, namespace, taken),
        namespace,
        labels: { ...own, [SERVICE_NAME_LABEL]: name, ...marks },
      };
      const part = endpoints.slice(start, start + ENDPOINTS_PER_SLICE);
      const head = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
      slices.push({ ...head, metadata, addressType: family, ports, endpoints: part });
    }
  }
  return slices;
}

function endpointSliceLabels(service: Fields): Fields {
  const headless = isHeadless(fieldsOf(service['spec'])) ? { [HEADLESS_LABEL]: '' } : {};
  return { [MANAGED_BY_LABEL]: ENDPOINTSLICE_CONTROLLER, ...headless };
}

function freeName(prefix: string, namespace: unknown, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const name = `${prefix}-${number}`;
    const key = keyOf({ metadata: { namespace, name } });
    if (taken.has(key)) continue;
    taken.add(key);
    return name;
  }
}

/**
 * The port of a Pod behind a Service's port: a number, or the container port of that name and protocol. None if the Pod has
 * no such port: its address is an endpoint all the same.
 */
function targetOf(port: Fields, pod: Fields): readonly SlicePort[] {
  const target = isAbsent(port['targetPort']) ? port['port'] : port['targetPort'];
  if (isPortNumber(target)) return [slicePort(port, target)];
  const { containers, initContainers } = fieldsOf(pod['spec']);
  // An init container that is restarted always is a sidecar, and runs beside the others.
  const sidecars = listOf(initContainers).filter((container) => fieldsOf(container)['restartPolicy'] === 'Always');
  for (const container of [...listOf(containers), ...sidecars]) {
    for (const candidate of listOf(fieldsOf(container)['ports']).map(fieldsOf)) {
      const { name, containerPort } = candidate;
      if (name === target && protocolOf(candidate) === protocolOf(port) && isPortNumber(containerPort)) {
        return [slicePort(port, containerPort)];
      }
    }
  }
  return [];
}

function slicePort(port: Fields, number: number): SlicePort {
  const { name } = port;
  return { name: typeof name === 'string' ? name : '', protocol: protocolOf(port), port: number };
}

function protocolOf({ protocol }: Fields): string {
  return typeof protocol === 'string' ? protocol : 'TCP';
}

/** The families that a Service has endpoints of. An API server writes ipFamilies; without it they follow from the rest. */
function familiesOf(spec: Fields): readonly Family[] {
  const { ipFamilies, clusterIPs, clusterIP } = spec;
  const families = FAMILIES.filter((family) => listOf(ipFamilies).includes(family));
  if (families.length > 0) return families;
  const own = [...listOf(clusterIPs), clusterIP].map(addressTextFrom).filter((text) => text !== undefined);
  if (own.length > 0) return FAMILIES.filter((family) => own.some((text) => familyOf(text) === family));
  return isHeadless(spec) ? FAMILIES : ['IPv4'];
}

function isHeadless({ clusterIPs, clusterIP }: Fields): boolean {
  return clusterIP === HEADLESS || listOf(clusterIPs)[0] === HEADLESS;
}

function isReady(status: Fields): boolean {
  const ready = listOf(status['conditions'])
    .map(fieldsOf)
    .find(({ type }) => type === 'Ready');
  return ready === undefined || ready['status'] === 'True';
}

function addressesOf({ podIPs, podIP }: Fields): readonly string[] {
  const list = listOf(podIPs).map((entry) => fieldsOf(entry)['ip']);
  return (list.length > 0 ? list : [podIP]).map(canonicalTextFrom).filter((text) => text !== undefined);
}

/** Both controllers write addresses anew, however they were written; endpoint names are made from that text. */
function canonicalTextFrom(value: unknown): string | undefined {
  const text = addressTextFrom(value);
  const address = text === undefined ? undefined : addressFrom(text);
  return address === undefined ? undefined : presentAddress(address);
}

function familyOf(address: string): Family {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

function groupOf(groups: Groups, family: Family, ports: readonly SlicePort[]): Group {
  const key = JSON.stringify([family, ports]);
  const known = groups.get(key);
  if (known !== undefined) return known;
  const group: Group = { family, ports, endpoints: [] };
  groups.set(key, group);
  return group;
}

function hasSelector(service: Fields): boolean {
  const { type, selector } = fieldsOf(service['spec']);
  return type !== 'ExternalName' && Object.keys(fieldsOf(selector)).length > 0;
}

/** Pods by namespace and one of their labels, so that a Service need not look at every Pod. */
function podsByLabel(pods: readonly Fields[]): Map<string, Fields[]> {
  const index = new Map<string, Fields[]>();
  for (const pod of pods) {
    const { namespace, labels } = fieldsOf(pod['metadata']);
    for (const label of Object.entries(fieldsOf(labels))) {
      const key = JSON.stringify([namespace, ...label]);
      const known = index.get(key);
      if (known === undefined) index.set(key, [pod]);
      else known.push(pod);
    }
  }
  return index;
}

function selectedPods(service: Fields, pods: ReadonlyMap<string, readonly Fields[]>): readonly Fields[] {
  const { namespace } = fieldsOf(service['metadata']);
  const selector = Object.entries(fieldsOf(fieldsOf(service['spec'])['selector']));
  const candidates = pods.get(JSON.stringify([namespace, ...(selector[0] ?? [])])) ?? [];
  return candidates.filter((pod) => {
    const labels = fieldsOf(fieldsOf(pod['metadata'])['labels']);
    return selector.every(([key, value]) => labels[key] === value);
  });
}

function keyOf(object: Fields): string {
  const { namespace, name } = fieldsOf(object['metadata']);
  return JSON.stringify([namespace, name]);
}

function serviceKeyOf(slice: Fields): string {
  const { namespace, labels } = fieldsOf(slice['metadata']);
  return JSON.stringify([namespace, fieldsOf(labels)[SERVICE_NAME_LABEL]]);
}

function isMadeByController(slice: Fields): boolean {
  const manager = fieldsOf(fieldsOf(slice['metadata'])['labels'])[MANAGED_BY_LABEL];
  return manager === ENDPOINTSLICE_CONTROLLER || manager === MIRRORING_CONTROLLER;
}

const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const MIRRORING_CONTROLLER = 'endpointslicemirroring-controller.k8s.io';
const MIRRORED: Fields = { [MANAGED_BY_LABEL]: MIRRORING_CONTROLLER };
const SKIP_MIRROR_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
