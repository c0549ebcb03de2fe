/** Scenarios by chance, in which names of the cluster, of the outside and of top-level domains meet often. */

import type { ClusterChange, ClusterObject } from '../../zones/kubernetes/objects.ts';
import type { Count } from '../../zones/units.ts';
import { endpoint, externalName, namespace, port, puts, removal, service, slice } from '../support/example-cluster.ts';
import { BOTH_TYPES } from '../support/resolvers/resolver.ts';
import type { Random } from '../support/random.ts';
import type { Fate, OutsideName, Scenario } from './scenario.ts';

/** Those behind the first two are TLDs as well, and not often there. */
const NAMESPACES = ['orders', 'payments', 'shop', 'dev', 'com'];
const SERVICES = ['web', 'api', 'com', 'dev', 'example', 'svc'];
const HOSTS = ['www', 'api', 'web', 'h0'];
const OUTSIDE = ['example.com', 'example.org', 'example.net', 'web.dev', 'api.app', 'com', 'dev', 'web.internal'];
const NODE_DOMAINS = ['corp.example', 'wild.example', 'internal', 'example.com', 'com', 'local', 'eu.corp.example'];
const ZONES = ['k8s.corp.example', 'corp.example', 'dev'];
/** Its list is that of a pod of the namespace `default`. */
const LIST_FILE = 'fixtures/resolv-conf/pod.conf';
/** Room in a cache is made when it begins, and a scenario needs little. */
const SMALL = '{\n    success 64\n    denial 64\n  }';
const PORTS = [port('http/TCP 80')];

export function randomScenario(random: Random): Scenario {
  const isOfFile = random.once(10);
  const zone = !isOfFile && random.once(5) ? random.of(ZONES) : 'cluster.local';
  const objects = clusterObjects(random, zone);
  const nodeDomains = isOfFile ? ['corp.example'] : NODE_DOMAINS.filter(() => random.once(4)).slice(0, 2);
  const name = lookedUp(random, zone);
  const client = isOfFile ? 'default' : random.once(8) ? random.of(NAMESPACES) : random.of(NAMESPACES.slice(0, 2));
  const outside = (): readonly OutsideName[] => outsideNames(random, name, nodeDomains, zone, client);
  return {
    zone,
    objects,
    outside: outside(),
    source: isOfFile ? LIST_FILE : '@kubernetes',
    nodeDomains,
    autopath: [
      ...(random.once(10) ? [`except ${random.of(NAMESPACES)}`] : []),
      ...(random.once(4) ? [`suffix ${random.of(['internal', 'example', 'corp.example', 'web', 'local'])}`] : []),
      ...(random.once(4) ? [`ttl ${random.of([0, 1, 60, 3600])}`] : []),
    ],
    kubernetes: [
      ...(random.once(5) ? ['fallthrough'] : []),
      ...(random.once(8) ? ['pods insecure'] : []),
      ...(random.once(8) ? ['noendpoints'] : []),
      ...(random.once(8) ? ['ignore empty_service'] : []),
      ...(random.once(5) ? [`ttl ${random.of([0, 30])}`] : []),
    ],
    block: [
      ...(random.once(3) ? [] : [`cache ${random.of([2, 30, 3600])} ${SMALL}`]),
      ...(random.once(3) ? ['loadbalance'] : []),
    ],
    otherBlock: random.once(6) ? random.of(['com', 'example.com', 'internal', 'corp.example', 'local']) : undefined,
    namespace: client,
    name,
    ndots: random.weighted([
      [8, 5],
      [1, 1],
      [1, 2],
      [1, 3],
      [1, 4],
    ]),
    types: random.weighted([
      [10, BOTH_TYPES],
      [1, ['A']],
      [1, ['AAAA']],
    ]),
    words: ['use-vc', 'edns0', 'single-request', 'no-aaaa'].filter(() => random.once(12)),
    pause: random.of([0, 900, 3_000, 7_000, 40_000]),
    outsideLater: random.once(6) ? outside() : undefined,
    event: random.once(2) ? [] : clusterEvent(random, objects, zone),
  };
}

/** Most of them are what somebody would write; the others are labels that mean something in other places. */
function lookedUp(random: Random, zone: string): string {
  const label = (): string => random.of([...HOSTS, ...SERVICES, ...NAMESPACES, 'internal', 'local', 'cluster', 'x_y']);
  const inCluster = `${random.of(SERVICES)}.${random.of(NAMESPACES)}`;
  const name = random.weighted<() => string>([
    [8, () => `${random.of(HOSTS)}.${random.of(OUTSIDE)}`],
    [4, () => random.of(OUTSIDE)],
    [2, () => random.of(SERVICES)],
    [3, () => inCluster],
    [1, () => `${inCluster}.svc`],
    [1, () => `${inCluster}.svc.${zone}`],
    [1, () => `${random.of(HOSTS)}.${inCluster}`],
    [1, () => `${random.of(HOSTS)}.${random.of(OUTSIDE)}.${random.of(NAMESPACES)}${random.of(['', '', '.svc'])}`],
    [1, () => `${inCluster}.${random.of(NAMESPACES)}`],
    [1, () => `10-244-0-1.${random.of(NAMESPACES)}.pod`],
    [4, () => Array.from({ length: 1 + random.below(4) }, label).join('.')],
    [
      1,
      () => `${'long-label-'.repeat(5)}.${'another-long-label-'.repeat(3)}.${'third'.repeat(12)}.${random.of(OUTSIDE)}`,
    ],
  ])();
  return random.once(25) ? `${name}.` : name;
}

function clusterObjects(random: Random, zone: string): readonly ClusterObject[] {
  const namespaces = NAMESPACES.filter((_, i) => (i < 2 ? !random.once(8) : random.once(6)));
  return namespaces.flatMap((name): readonly ClusterObject[] => [
    random.once(25) ? { ...namespace(name), refusesCompletion: true } : namespace(name),
    ...SERVICES.filter(() => random.once(4)).flatMap((each) => serviceObjects(random, `${name}/${each}`, zone)),
  ]);
}

function serviceObjects(random: Random, path: string, zone: string): readonly ClusterObject[] {
  const endpoints = Array.from({ length: random.below(3) }, (_, i) =>
    endpoint(`10.244.0.${i + 1}`, { hostname: `h${i}` }),
  );
  const others = random.once(2) ? [] : [endpoint('fd00::1', { hostname: 'h0' })];
  const target = (): string =>
    random.of([
      random.of(OUTSIDE),
      `www.${random.of(OUTSIDE)}`,
      `${random.of(SERVICES)}.${random.of(NAMESPACES)}.svc.${zone}`,
      'nowhere.example',
    ]);
  return random.weighted<() => readonly ClusterObject[]>([
    [3, () => [service(path, ['10.96.0.1'], PORTS), slice(path, 'v4', PORTS, endpoints)]],
    [1, () => [service(path, ['10.96.0.2', 'fd00:96::2'], PORTS)]],
    [1, () => [service(path, ['fd00:96::3'], PORTS)]],
    [3, () => [service(path, ['None'], PORTS), slice(path, 'v4', PORTS, endpoints), slice(path, 'v6', PORTS, others)]],
    [2, () => [externalName(path, target())]],
  ])();
}

/** One object comes, goes, or another takes its place. */
function clusterEvent(random: Random, objects: readonly ClusterObject[], zone: string): readonly ClusterChange[] {
  if (objects.length > 0 && random.once(2)) return [removal(random.of(objects))];
  const name = random.of(NAMESPACES);
  if (random.once(3)) return puts(namespace(name));
  return puts(namespace(name), ...serviceObjects(random, `${name}/${random.of(SERVICES)}`, zone));
}

/** The looked-up name often, also with what the list puts behind it; others here and there. */
function outsideNames(
  random: Random,
  name: string,
  nodeDomains: readonly string[],
  zone: string,
  client: string,
): readonly OutsideName[] {
  const base = name.replace(/\.$/, '');
  const names = [
    ...(random.once(4) ? [] : [base]),
    ...nodeDomains.filter(() => random.once(2)).map((domain) => `${base}.${domain}`),
    ...(random.once(10) ? [`${base}.${random.of([zone, `svc.${zone}`, `${client}.svc.${zone}`])}`] : []),
    ...(nodeDomains.includes('wild.example') ? ['*.wild.example'] : []),
    ...OUTSIDE.filter(() => random.once(4)),
    ...OUTSIDE.filter(() => random.once(6)).map((each) => `www.${each}`),
  ];
  // What the list leads to on the way is seldom in order, for it decides whether the walk goes on.
  return [...new Set(names)].map((each) => outsideName(random, each, each === base ? 6 : 2));
}

/** @param oddOnce in so many is odd */
function outsideName(random: Random, name: string, oddOnce: Count): OutsideName {
  const alias = random.once(6) ? random.of([...OUTSIDE, ...OUTSIDE.map((each) => `www.${each}`)]) : undefined;
  const a = fate(random, A_NEAR_LIMITS);
  const aaaa = random.once(6) ? fate(random, AAAA_NEAR_LIMITS) : random.of([0, 0, 1, 2]);
  const isOdd = random.once(oddOnce);
  return {
    name,
    ttl: random.of([0, 1, 4, 30, 300]),
    a: isOdd ? a : random.of([1, 1, 2, a]),
    aaaa: isOdd ? fate(random, AAAA_NEAR_LIMITS) : aaaa,
    alias: alias === name ? undefined : alias,
    isSlow: random.once(15),
  };
}

/** 512 octets hold 29 addresses of a short name, 1232 hold 74; of IPv6 16 and 42. */
const A_NEAR_LIMITS: readonly Count[] = [26, 27, 28, 29, 30, 31, 71, 72, 73, 74, 75];
const AAAA_NEAR_LIMITS: readonly Count[] = [14, 15, 16, 17, 40, 41, 42, 43];

function fate(random: Random, nearLimits: readonly Count[]): Fate {
  return random.weighted<() => Fate>([
    [4, () => 1],
    [3, () => 0],
    [6, () => random.of(nearLimits)],
    [2, () => 'NXDOMAIN'],
    [1, () => 'SERVFAIL'],
    [1, () => 'REFUSED'],
    [1, () => 'silence'],
  ])();
}
